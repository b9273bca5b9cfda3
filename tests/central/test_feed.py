from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import orjson
import pytest

from central.feed import WAITING_MAX, Feed
from central.store.database import Database
from central.store.feeding import FeedMarks
from central.store.logs import LogTable

Published = list[tuple[str, str, bytes]]
Hands = Callable[..., Any]
CHECK = {"door": "front"}


class Broker:
    """Takes what is published; ``feed_waiting`` is what it has not confirmed."""

    def __init__(self) -> None:
        self.taken: Published = []
        self.trees: list[str] = []
        self.feed_waiting = 0
        self.confirms = True

    def publish_feed(self, zone: str, type: str, line: bytes) -> None:
        self.taken.append((zone, type, line))
        self.feed_waiting += not self.confirms

    def publish_tree(self, checkpoint: str) -> None:
        self.trees.append(checkpoint)


@pytest.fixture
def broker() -> Broker:
    return Broker()


def test_every_verified_event_is_published_as_its_own_line_in_order(
    store: LogTable, hand: Hands, database: Database, broker: Broker
) -> None:
    zone = hand()
    for _ in range(3):
        zone.write("door.opened", CHECK)
    zone.advance(store)
    feed = Feed(FeedMarks(database), broker)
    assert feed.publish_due() == 3
    assert broker.taken == [("nz01", "door.opened", line) for line in zone.lines]
    assert feed.publish_due() == 0


def test_a_line_that_breaks_the_schema_is_not_published(
    store: LogTable, hand: Hands, database: Database, broker: Broker
) -> None:
    zone = hand()
    zone.raw(b"broken")
    zone.write("door.opened", CHECK)
    zone.advance(store)
    Feed(FeedMarks(database), broker).publish_due()
    assert [line for _, _, line in broker.taken] == zone.lines[1:]


def test_an_event_that_moved_to_a_new_ledger_is_published_once(
    store: LogTable, hand: Hands, database: Database, broker: Broker
) -> None:
    old, new = hand(log="00000000000000a1"), hand(log="00000000000000b2")
    id_ = old.write("door.opened", CHECK)
    old.advance(store)
    new.write("door.opened", CHECK, id_=id_)
    new.write("door.closed", CHECK)
    new.advance(store)
    Feed(FeedMarks(database), broker).publish_due()
    assert [type_ for _, type_, _ in broker.taken] == ["door.opened", "door.closed"]


def test_a_new_process_goes_on_where_the_feed_stood(
    store: LogTable, hand: Hands, url: str, database: Database, broker: Broker
) -> None:
    zone = hand()
    zone.write("door.opened", CHECK)
    zone.advance(store)
    Feed(FeedMarks(database), broker).publish_due()
    zone.write("door.closed", CHECK)
    zone.advance(store)
    anew = Database.open(url)
    Feed(FeedMarks(anew), broker).publish_due()
    anew.close()
    assert [type_ for _, type_, _ in broker.taken] == ["door.opened", "door.closed"]


def test_the_feed_hands_over_no_more_than_the_link_can_keep(
    store: LogTable, hand: Hands, database: Database, broker: Broker
) -> None:
    zone = hand()
    zone.write("door.opened", CHECK)
    zone.advance(store)
    broker.feed_waiting = WAITING_MAX + 1
    feed = Feed(FeedMarks(database), broker)
    feed.start()
    feed.stop()
    assert broker.taken == []
    broker.feed_waiting = 0
    assert Feed(FeedMarks(database), broker).publish_due() == 1


def test_a_line_of_headquarters_goes_to_the_zone_that_it_concerns(
    store: LogTable, database: Database, broker: Broker
) -> None:
    store.keep_evidence("nz07", "00000000000000a1", "wrong_root", "rewritten", b"message")
    Feed(FeedMarks(database), broker).publish_due()
    ((zone, type_, line),) = broker.taken
    assert (zone, type_) == ("nz07", "ledger.fork")
    assert orjson.loads(line)["source"] == "/zones/hq"


def test_what_the_broker_has_not_confirmed_is_published_again_after_a_crash(
    store: LogTable, hand: Hands, database: Database, broker: Broker
) -> None:
    zone = hand()
    zone.write("door.opened", CHECK)
    zone.advance(store)
    broker.confirms = False
    feed = Feed(FeedMarks(database), broker)
    feed.start()
    wait_until(lambda: broker.taken)
    feed.stop()
    after_the_crash = Broker()
    assert Feed(FeedMarks(database), after_the_crash).publish_due() == 1
    assert after_the_crash.taken == broker.taken


def test_a_zone_that_catches_up_does_not_keep_the_news_of_others_from_being_published(
    store: LogTable, hand: Hands, database: Database
) -> None:
    behind, now = hand("nz01"), hand("nz02", "00000000000000b2")
    for _ in range(300):
        behind.write("door.opened", CHECK)
    now.write("door.closed", CHECK)
    behind.advance(store)
    now.advance(store)
    chunks = FeedMarks(database).next_chunks(100)
    assert [(chunk.items[0].zone, len(chunk.items)) for chunk in chunks] == [("nz02", 1), ("nz01", 99)]


def wait_until(condition: Callable[[], object]) -> None:
    ends_s = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < ends_s, "it did not happen"
        time.sleep(0.005)

"""A zone's own end of the road against headquarters', with the real ledger and the real database between them."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from central.store.database import Database
from central.store.logs import LogTable
from central.store.queries import Queries
from config.clock import ManualClock
from custody.events import Draft
from sync.ledger import Ledger
from sync.note import KeyType, SigningKey
from sync.protocol.headquarters import HeadquartersEnd
from sync.protocol.zone import ZoneEnd

ZONE_KEY = SigningKey.generate("test/nz01", KeyType.NOTE)
HQ_KEY = SigningKey.generate("test/hq", KeyType.COSIGNATURE)
OPENED = Draft("door.opened", {"door": "front"})


@pytest.fixture
def ledger(tmp_path: Path, clock: ManualClock) -> Iterator[Ledger]:
    made = Ledger.create(tmp_path / "ledger", zone="nz01", deployment="test", clock=clock)
    yield made
    made.close()


@pytest.fixture
def end(store: LogTable, clock: ManualClock) -> HeadquartersEnd:
    return HeadquartersEnd(store, HQ_KEY, {"nz01": ZONE_KEY.verifier}, clock)


def zone_end(ledger: Ledger, clock: ManualClock) -> ZoneEnd:
    made = ZoneEnd(ledger, ZONE_KEY, HQ_KEY.verifier, clock, random.Random(1))
    made.connected()
    return made


def converse(zone: ZoneEnd, hq: HeadquartersEnd) -> None:
    """Carry messages to and fro until neither end has anything to say."""
    while messages := zone.poll(0.0):
        for message in messages:
            for reply in hq.receive("nz01", message):
                zone.receive(reply, 0.0)


def test_everything_that_the_zone_wrote_is_acknowledged_and_stored(
    ledger: Ledger, end: HeadquartersEnd, store: LogTable, clock: ManualClock
) -> None:
    for _ in range(700):
        ledger.append(OPENED)
    zone = zone_end(ledger, clock)
    converse(zone, end)
    assert zone.unconfirmed == 0
    assert store.lines("nz01", ledger.id, 1, 1000) == [event.line for event in ledger.events()]


def test_a_new_process_of_headquarters_goes_on_from_the_database(
    ledger: Ledger, end: HeadquartersEnd, store: LogTable, clock: ManualClock
) -> None:
    ledger.append(OPENED)
    zone = zone_end(ledger, clock)
    converse(zone, end)
    ledger.append(OPENED, OPENED)
    zone.connected()
    converse(zone, HeadquartersEnd(store, HQ_KEY, {"nz01": ZONE_KEY.verifier}, clock))
    assert zone.unconfirmed == 0
    assert store.head("nz01", ledger.id).size == 4


@pytest.mark.parametrize(
    ("payload", "kind"),
    [(b"\x78\x9cbroken", "malformed"), (b"{}", "malformed"), (b"{" * 300_000, "oversize"), (b"", "malformed")],
)
def test_a_message_that_cannot_be_read_is_kept_and_the_stream_goes_on(
    ledger: Ledger, end: HeadquartersEnd, database: Database, clock: ManualClock, payload: bytes, kind: str
) -> None:
    assert end.receive("nz01", payload) == []
    (kept,) = Queries(database).evidence("nz01")
    assert (kept["kind"], kept["message"]) == (kind, payload[:131_072])
    ledger.append(OPENED)
    zone = zone_end(ledger, clock)
    converse(zone, end)
    assert zone.unconfirmed == 0


def test_a_message_of_a_zone_that_is_not_enrolled_is_kept(end: HeadquartersEnd, database: Database) -> None:
    assert end.receive("nz99", b"{}") == []
    (kept,) = Queries(database).evidence("nz99")
    assert kept["kind"] == "unknown_zone" and "central.toml" in kept["detail"]


def test_a_batch_signed_by_another_key_is_kept_and_advances_nothing(
    ledger: Ledger, store: LogTable, database: Database, clock: ManualClock
) -> None:
    pinned = SigningKey.generate("test/nz01", KeyType.NOTE)
    strict = HeadquartersEnd(store, HQ_KEY, {"nz01": pinned.verifier}, clock)
    ledger.append(OPENED)
    converse(zone_end(ledger, clock), strict)
    assert store.head("nz01", ledger.id).size == 0
    assert {one["kind"] for one in Queries(database).evidence("nz01")} == {"wrong_signature"}


def test_a_restored_headquarters_gets_everything_again_and_counts_it_once(
    ledger: Ledger,
    end: HeadquartersEnd,
    store: LogTable,
    database: Database,
    clock: ManualClock,
    tmp_path: Path,
    own: Any,
) -> None:
    for _ in range(5):
        ledger.append(OPENED)
    zone = zone_end(ledger, clock)
    converse(zone, end)
    other = Database.create(f"sqlite:///{tmp_path / 'restored.sqlite3'}")
    empty = LogTable(other, own, clock)
    zone.connected()
    converse(zone, HeadquartersEnd(empty, HQ_KEY, {"nz01": ZONE_KEY.verifier}, clock))
    assert zone.unconfirmed == 0
    lines = [event.line for event in ledger.events()]
    assert empty.lines("nz01", ledger.id, 1, 100) == lines
    other.close()

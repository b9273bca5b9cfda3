"""What a zone makes of headquarters' answers, and when it sends what."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest

from config.clock import ManualClock
from custody.events import Draft
from sync.ledger import Ledger
from sync.merkle import EMPTY_ROOT
from sync.note import Checkpoint, SigningKey, cosigned, only_cosigned
from sync.protocol.headquarters import HeadquartersEnd
from sync.protocol.messages import (
    HEADER_BYTES_MAX,
    MESSAGE_BYTES_MAX,
    Ack,
    Batch,
    Hello,
    Status,
    decode,
    encode,
)
from sync.protocol.resend import RESEND_JITTER, RESEND_S, RESEND_S_MAX
from sync.protocol.zone import EVIDENCE_BYTES_MAX, WINDOW_BATCHES, ZoneEnd


class Station:
    """A zone's end on a real ledger, and a headquarters to answer it when the test says so."""

    def __init__(
        self, ledger: Ledger, store: Any, zone_key: SigningKey, key: SigningKey, clock: ManualClock
    ) -> None:
        self.ledger, self.store, self.zone_key, self.key, self.clock = ledger, store, zone_key, key, clock
        self.end = ZoneEnd(ledger, zone_key, key.verifier, clock, random.Random(1))
        self.headquarters = HeadquartersEnd(store, key, {"nz01": zone_key.verifier}, clock)
        self.now_s = 0.0
        self.end.connected()

    def poll(self) -> list[Any]:
        return [decode(payload) for payload in self.end.poll(self.now_s)]

    def deliver(self, message: Any) -> None:
        for reply in self.headquarters.receive("nz01", encode(message)):
            self.end.receive(reply, self.now_s)

    def settle(self) -> None:
        while messages := self.poll():
            for message in messages:
                self.deliver(message)

    def append(self, count: int = 1) -> list[str]:
        events = self.ledger.append(*[Draft("door.opened", {"door": "front-door"}) for _ in range(count)])
        return [event.id for event in events]

    def file(self) -> Any:
        return self.ledger.spans()[-1][0]

    def evidence_kinds(self) -> list[str]:
        return [kind for kind, _, _ in self.file().evidence()]

    def told(self, size: int, root: bytes | None = None, *, time_s: int = 1_900_000_000) -> None:
        """Headquarters answers whatever is asked with this, until nothing more is asked."""
        note = self.signed(size, root, time_s=time_s)
        for _ in range(5):
            asked = [message.ask for message in self.poll() if isinstance(message, Hello)]
            if not asked:
                return
            self.end.receive(encode(Status(self.file().id, note, asked[0])), self.now_s)
        raise AssertionError("it asks without end")

    def signed(self, size: int, root: bytes | None = None, *, time_s: int = 1_900_000_000) -> str:
        file = self.file()
        note = Checkpoint(file.identity.origin, size, root or file.root(size)).signed(self.zone_key)
        return cosigned(note, self.key, time_s)


@pytest.fixture
def station(
    ledger: Ledger,
    new_store: Callable[..., Any],
    zone_key: SigningKey,
    headquarters_key: SigningKey,
    clock: ManualClock,
) -> Station:
    return Station(ledger, new_store(), zone_key, headquarters_key, clock)


def test_it_first_asks_how_far_headquarters_is(station: Station) -> None:
    station.append(3)
    (hello,) = station.poll()
    assert isinstance(hello, Hello)
    assert [log for log, _ in hello.logs] == [station.ledger.id]
    assert station.poll() == []


def test_it_sends_at_once_when_nothing_is_on_the_way_and_collects_meanwhile(station: Station) -> None:
    station.settle()
    station.append(1)
    (first,) = station.poll()
    assert isinstance(first, Batch)
    assert len(first.lines) == 1
    station.append(5)
    assert station.poll() == []
    station.deliver(first)
    (second,) = station.poll()
    assert len(second.lines) == 5


def test_a_backlog_goes_out_in_full_batches_and_never_more_than_the_window(station: Station) -> None:
    station.settle()
    station.append(256 * 12)
    batches = station.poll()
    assert len(batches) == WINDOW_BATCHES
    for batch in batches:  # one more line would not have fitted into the message
        assert sum(len(line) for line in batch.lines) > MESSAGE_BYTES_MAX - HEADER_BYTES_MAX - 600
    assert station.poll() == []
    station.deliver(batches[0])
    assert len(station.poll()) == 1


def test_only_a_cosignature_counts_and_it_is_kept(station: Station, zone_key: SigningKey) -> None:
    station.settle()
    station.append(3)
    (batch,) = station.poll()
    assert station.end.unconfirmed == 3
    plain = Checkpoint(station.file().identity.origin, 4, station.file().root(4)).signed(zone_key)
    station.end.receive(encode(Ack(station.ledger.id, plain)), 0.0)
    assert station.end.unconfirmed == 3
    assert station.evidence_kinds() == ["wrong_signature"]
    station.deliver(batch)
    assert station.end.unconfirmed == 0
    assert station.file().cosigned()[0] == 4


def test_what_was_cosigned_before_a_restart_is_not_sent_again(station: Station) -> None:
    station.append(5)
    station.settle()
    station.append(2)
    again = Station(station.ledger, station.store, station.zone_key, station.key, station.clock)
    (hello,) = again.poll()
    again.deliver(hello)
    (batch,) = again.poll()
    assert (batch.first, len(batch.lines)) == (7, 2)


def test_without_an_answer_it_sends_again_after_a_doubling_wait(station: Station) -> None:
    station.settle()
    station.append(1)
    (first,) = station.poll()
    waits = []
    for _ in range(6):
        wake_s = station.end.wake_at_s()
        assert wake_s is not None
        waits.append(wake_s - station.now_s)
        station.now_s = wake_s - 0.001
        assert station.poll() == []
        station.now_s = wake_s
        (again,) = station.poll()
        assert again == first
    expected = [min(RESEND_S * 2**number, RESEND_S_MAX) for number in range(6)]
    for wait_s, least_s in zip(waits, expected, strict=True):
        assert least_s <= wait_s <= least_s * (1 + RESEND_JITTER)
    station.deliver(first)
    assert station.end.wake_at_s() is None


def test_it_is_silent_while_headquarters_is_away_and_asks_anew_when_it_is_back(station: Station) -> None:
    station.settle()
    station.end.headquarters_is(False, retained=False)
    station.append(1)
    station.now_s += 1000
    assert station.poll() == []
    assert station.end.wake_at_s() is None
    station.end.headquarters_is(True, retained=False)
    (hello,) = station.poll()
    assert isinstance(hello, Hello)


def test_a_retained_word_that_headquarters_is_there_changes_nothing(station: Station) -> None:
    station.poll()
    station.end.headquarters_is(True, retained=True)
    assert station.poll() == []


def test_a_lost_batch_is_sent_again_at_once_and_only_once(station: Station) -> None:
    station.settle()
    station.append(256 * 4)
    batches = station.poll()
    for batch in batches[1:]:
        station.deliver(batch)
    again = station.poll()
    assert [batch.first for batch in again] == [batch.first for batch in batches]
    assert station.poll() == []
    for batch in again:
        station.deliver(batch)
    station.settle()
    assert station.end.unconfirmed == 0


def test_headquarters_ahead_means_that_this_disk_was_restored(station: Station) -> None:
    ids = station.append(5)
    station.settle()
    ids += station.append(3)
    old = station.ledger.id
    station.poll()
    station.end.receive(encode(Ack(old, station.signed(20, b"r" * 32))), 0.0)
    station.settle()
    assert station.ledger.id != old
    cited = next(event for event in station.ledger.events() if event.ledger == station.ledger.id)
    assert (cited.type, cited.data["reason"]) == ("ledger.opened", "rollback")
    assert (cited.data["follows"]["ledger"], cited.data["follows"]["size"]) == (old, 6)
    assert [event.id for event in station.ledger.events() if event.type == "door.opened"] == ids
    station.settle()
    assert set(ids) <= station.store.event_ids("nz01")


def test_another_root_at_a_size_that_we_have_means_the_same(station: Station) -> None:
    station.append(5)
    station.settle()
    old = station.ledger.id
    station.append(3)
    station.poll()
    station.end.receive(encode(Ack(old, station.signed(8, b"r" * 32))), 0.0)
    station.settle()
    assert station.ledger.id != old
    assert station.ledger.spans()[0][1] == 6


def test_headquarters_that_denies_what_it_cosigned_gets_everything_anew(station: Station) -> None:
    """It has another history below our last cosigned size: nothing is surely shared, so all of it moves."""
    ids = station.append(5)
    station.settle()
    station.end.connected()
    station.told(3, b"r" * 32)
    assert station.ledger.spans()[0][1] == 1
    station.settle()
    assert set(ids) <= station.store.event_ids("nz01")


def test_headquarters_behind_its_own_cosignature_is_recorded_once_and_gets_it_again(
    station: Station, headquarters_key: SigningKey
) -> None:
    station.append(5)
    station.settle()
    origin = station.file().identity.origin
    for _ in range(2):
        station.end.connected()
        station.poll()
        empty = only_cosigned(Checkpoint(origin, 0, EMPTY_ROOT), headquarters_key, 1_900_000_000)
        station.end.receive(encode(Status(station.ledger.id, empty)), 0.0)
    recorded = [event for event in station.ledger.events() if event.type == "headquarters.rollback"]
    assert len(recorded) == 1
    (batch,) = station.poll()
    assert batch.first == 1


def test_an_old_status_that_comes_again_accuses_nobody(station: Station) -> None:
    """Neither one that answers an earlier question, nor one that a forger gave the present question."""
    station.append(2)
    (hello,) = station.poll()
    (old,) = station.headquarters.receive("nz01", encode(hello))
    early = station.signed(1, time_s=station.clock.now_us() // 1_000_000 - 100)
    station.end.receive(old, 0.0)
    station.settle()
    for _ in range(2):
        station.end.connected()
        (again,) = station.poll()
        station.end.receive(old, 0.0)
        assert station.poll() == []
        station.end.receive(encode(Status(station.ledger.id, early, again.ask)), 0.0)
        station.settle()
    assert station.end.unconfirmed == 0
    assert station.file().cosigned()[0] == 3
    assert [event.type for event in station.ledger.events() if event.type == "headquarters.rollback"] == []


def test_a_status_that_an_acknowledgement_has_overtaken_accuses_nobody(station: Station) -> None:
    """Headquarters said it first, although the zone heard it last."""
    station.append(5)
    station.settle()
    station.append(2)
    station.end.connected()
    (hello,) = station.poll()
    (status,) = station.headquarters.receive("nz01", encode(hello))
    file = station.file()
    note = Checkpoint(file.identity.origin, 8, file.root(8)).signed(station.zone_key)
    (ack,) = station.headquarters.receive("nz01", encode(Batch(file.id, 7, note, tuple(file.lines(7, 2)))))
    station.end.receive(ack, 0.0)
    station.end.receive(status, 0.0)
    station.settle()
    assert file.cosigned()[0] == 8
    assert [event.type for event in station.ledger.events() if event.type == "headquarters.rollback"] == []


def test_a_rollback_of_headquarters_that_cannot_be_recorded_is_recorded_before_anything_is_sent_again(
    station: Station, new_store: Callable[..., Any]
) -> None:
    station.append(5)
    station.settle()
    station.headquarters = HeadquartersEnd(
        new_store(), station.key, {"nz01": station.zone_key.verifier}, station.clock
    )
    station.clock.advance(10)
    station.file()._connection.execute("PRAGMA query_only = 1")
    station.end.connected()
    station.settle()
    station.file()._connection.execute("PRAGMA query_only = 0")
    station.now_s = station.end.wake_at_s() or 0.0
    station.settle()
    assert [event.type for event in station.ledger.events()][-1] == "headquarters.rollback"
    assert station.end.unconfirmed == 0


@pytest.mark.parametrize(
    ("payload", "kind"),
    [
        (b"rubbish", "malformed"),
        (b"{" * 70_000, "oversize"),
        (encode(Hello(())), "malformed"),
        (encode(Ack("0" * 16, "note")), "unknown_ledger"),
    ],
)
def test_what_is_no_message_for_a_zone_is_kept_as_evidence(station: Station, payload: bytes, kind: str) -> None:
    station.poll()
    station.end.receive(payload, 0.0)
    assert [(found, message) for found, _, message in station.file().evidence()] == [(kind, payload)]


def test_a_cosignature_for_another_ledger_is_refused(station: Station, headquarters_key: SigningKey) -> None:
    station.poll()
    other = only_cosigned(Checkpoint("test/nz02/0000000000000000", 0, EMPTY_ROOT), headquarters_key, 1)
    station.end.receive(encode(Status(station.ledger.id, other)), 0.0)
    station.end.receive(encode(Ack(station.ledger.id, station.signed(1))), 0.0, retained=True)
    assert station.evidence_kinds() == ["wrong_origin", "retained"]
    assert station.file().cosigned() == (0, "")


def test_a_disk_that_is_full_does_not_keep_events_from_leaving(station: Station) -> None:
    station.append(3)
    station.file()._connection.execute("PRAGMA query_only = 1")
    station.settle()
    assert station.end.unconfirmed == 0
    station.file()._connection.execute("PRAGMA query_only = 0")


def test_of_a_huge_message_only_the_beginning_is_kept(station: Station) -> None:
    station.end.receive(b"{" + b"x" * 10_000_000, 0.0)
    ((kind, _, kept),) = station.file().evidence()
    assert (kind, len(kept)) == ("oversize", EVIDENCE_BYTES_MAX)

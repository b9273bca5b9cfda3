"""What headquarters makes of messages: the right ones, and those of a zone that lies, errs or repeats itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from config.clock import ManualClock
from custody.events import Draft
from sync.ledger import Ledger
from sync.merkle import EMPTY_ROOT, CompactRange, verify_consistency
from sync.note import Checkpoint, KeyType, Note, SigningKey, open_checkpoint
from sync.protocol.headquarters import HeadquartersEnd
from sync.protocol.messages import Ack, Batch, Hello, Status, decode, encode

ZONE, LOG = "nz01", "9f2c61d07a3be845"
ORIGIN = f"test/{ZONE}/{LOG}"


def line(number: int) -> bytes:
    """A line is opaque here, but the store reads its id."""
    return (
        b'{"specversion":"1.0","id":"e%d","source":"/zones/nz01","type":"door.opened",'
        b'"time":"2026-11-23T09:00:00.000000+08:00","ledger":"9f2c61d07a3be845","sequence":"%012d",'
        b'"data":{"door":"d"}}' % (number, number)
    )


LINES = [line(number) for number in range(1, 41)]


class Desk:
    """Headquarters' end with a store, and a zone's hand to write messages with."""

    def __init__(self, store: Any, zone_key: SigningKey, key: SigningKey, clock: ManualClock) -> None:
        self.store, self.zone_key, self.key, self.clock = store, zone_key, key, clock
        self.end = self.another()

    def another(self) -> HeadquartersEnd:
        """A further worker on the same store."""
        return HeadquartersEnd(self.store, self.key, {ZONE: self.zone_key.verifier}, self.clock)

    def note(self, size: int, lines: list[bytes] = LINES, key: SigningKey | None = None) -> str:
        root = CompactRange().extended(lines[:size])[0].root()
        return Checkpoint(ORIGIN, size, root).signed(key or self.zone_key)

    def batch(self, first: int, last: int, lines: list[bytes] = LINES) -> bytes:
        return encode(Batch(LOG, first, self.note(last, lines), tuple(lines[first - 1 : last])))

    def answer(self, payload: bytes) -> tuple[str, int]:
        """(kind of the only answer, size that it cosigns)."""
        (reply,) = self.end.receive(ZONE, payload)
        return self.read(reply)

    def read(self, reply: bytes) -> tuple[str, int]:
        message = decode(reply)
        assert isinstance(message, Ack | Status)
        checkpoint = open_checkpoint(message.checkpoint, self.key.verifier)
        lines = self.store.lines(ZONE, LOG, 1, 1000)
        assert checkpoint.root == CompactRange().extended(lines[: checkpoint.size])[0].root()
        return type(message).__name__, checkpoint.size

    def size(self) -> int:
        return int(self.store.head(ZONE, LOG).size)


@pytest.fixture
def desk(
    new_store: Callable[..., Any], zone_key: SigningKey, headquarters_key: SigningKey, clock: ManualClock
) -> Desk:
    return Desk(new_store(), zone_key, headquarters_key, clock)


def test_an_unknown_ledger_is_answered_with_a_cosigned_empty_tree(desk: Desk) -> None:
    (reply,) = desk.end.receive(ZONE, encode(Hello(((LOG, desk.note(7)),))))
    message = decode(reply)
    assert isinstance(message, Status)
    assert open_checkpoint(message.checkpoint, desk.key.verifier) == Checkpoint(ORIGIN, 0, EMPTY_ROOT)


def test_a_batch_is_stored_and_then_cosigned(desk: Desk) -> None:
    assert desk.answer(desk.batch(1, 5)) == ("Ack", 5)
    assert desk.answer(desk.batch(6, 12)) == ("Ack", 12)
    assert desk.store.lines(ZONE, LOG, 1, 100) == LINES[:12]
    assert desk.answer(encode(Hello(((LOG, desk.note(20)),)))) == ("Status", 12)


def test_the_cosignature_bears_headquarters_time(desk: Desk) -> None:
    (reply,) = desk.end.receive(ZONE, desk.batch(1, 5))
    message = decode(reply)
    assert isinstance(message, Ack)
    assert Note.parse(message.checkpoint).verify(desk.key.verifier) == desk.clock.now_us() // 1_000_000


def test_no_cosignature_leaves_before_the_store_has_committed(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*values: object, **named: object) -> bool:
        raise OSError("the disk is full")

    monkeypatch.setattr(desk.store, "advance", fails)
    with pytest.raises(OSError, match="full"):
        desk.end.receive(ZONE, desk.batch(1, 5))
    monkeypatch.undo()
    assert desk.size() == 0
    assert desk.answer(desk.batch(1, 5)) == ("Ack", 5)


def test_what_comes_again_is_acknowledged_again_and_stored_once(desk: Desk) -> None:
    desk.answer(desk.batch(1, 5))
    assert desk.answer(desk.batch(1, 5)) == ("Ack", 5)
    assert desk.answer(desk.batch(2, 4)) == ("Ack", 5)
    assert desk.answer(desk.batch(3, 9)) == ("Ack", 9)
    assert desk.store.lines(ZONE, LOG, 1, 100) == LINES[:9]


def test_a_gap_is_answered_with_where_headquarters_is(desk: Desk) -> None:
    desk.answer(desk.batch(1, 5))
    assert desk.answer(desk.batch(7, 9)) == ("Status", 5)
    assert desk.size() == 5


def test_batches_that_wait_together_are_stored_together(desk: Desk) -> None:
    outcomes = desk.end.take([(ZONE, desk.batch(1, 5)), (ZONE, desk.batch(6, 9)), (ZONE, desk.batch(10, 20))])
    (outcome,) = outcomes
    assert [desk.read(reply) for reply in outcome.replies] == [("Ack", 20)]
    (advance,) = outcome.advances
    assert (advance.first, list(advance.lines)) == (1, LINES[:20])


def test_a_wrong_batch_among_waiting_ones_costs_the_others_nothing(desk: Desk) -> None:
    forged = encode(Batch(LOG, 6, desk.note(9), (b"{}", b"{}", b"{}", b"{}")))
    messages = [(ZONE, desk.batch(1, 5)), (ZONE, forged), ("nz99", b"x"), (ZONE, desk.batch(6, 8))]
    outcomes = list(desk.end.take(messages))
    assert desk.size() == 8
    assert [advance.first for outcome in outcomes for advance in outcome.advances] == [1, 6]
    assert sorted(desk.store.evidence_kinds()) == ["unknown_zone", "wrong_root"]


def test_a_root_that_the_lines_do_not_have_is_kept_as_evidence_and_nothing_advances(desk: Desk) -> None:
    desk.answer(desk.batch(1, 5))
    rewritten = [b'{"rewritten":true}', *LINES[1:]]
    payload = encode(Batch(LOG, 6, desk.note(9, rewritten), tuple(LINES[5:9])))
    assert desk.answer(payload) == ("Status", 5)
    assert desk.size() == 5
    ((zone, log, kind, detail, message),) = desk.store.rows("SELECT * FROM evidence")
    assert (zone, log, kind, message) == (ZONE, LOG, "wrong_root", payload)
    assert "another root at size 9" in detail


def test_an_overlap_that_was_changed_is_kept_as_evidence(desk: Desk) -> None:
    desk.answer(desk.batch(1, 5))
    rewritten = [*LINES[:3], b'{"rewritten":true}', *LINES[4:]]
    assert desk.answer(desk.batch(3, 9, rewritten)) == ("Status", 5)
    assert desk.store.evidence_kinds() == ["wrong_overlap"]
    assert desk.size() == 5


def test_a_status_proves_that_it_continues_what_the_hello_named_and_repeats_its_question(desk: Desk) -> None:
    desk.answer(desk.batch(1, 21))
    for size in (1, 6, 20, 21, 30):
        (reply,) = desk.end.receive(ZONE, encode(Hello(((LOG, desk.note(size)),), "5d0c2b7e9a41f863")))
        status = decode(reply)
        assert isinstance(status, Status)
        assert status.ask == "5d0c2b7e9a41f863"
        known = CompactRange().extended(LINES[:size])[0].root()
        present = open_checkpoint(status.checkpoint, desk.key.verifier)
        assert verify_consistency(
            min(size, 21), 21, status.proof, known if size < 21 else present.root, present.root
        )
    assert desk.store.evidence_kinds() == []


def test_a_hello_with_another_history_of_a_smaller_size_is_kept_as_evidence(desk: Desk) -> None:
    desk.answer(desk.batch(1, 5))
    rewritten = [LINES[0].replace(b"opened", b"closed"), *LINES[1:]]
    assert desk.answer(encode(Hello(((LOG, desk.note(3, rewritten)),)))) == ("Status", 5)
    assert desk.store.evidence_kinds() == ["wrong_root"]


def test_a_hello_with_another_history_of_the_same_size_is_kept_as_evidence(desk: Desk) -> None:
    desk.answer(desk.batch(1, 5))
    rewritten = [b'{"rewritten":true}', *LINES[1:]]
    assert desk.answer(encode(Hello(((LOG, desk.note(5, rewritten)),)))) == ("Status", 5)
    assert desk.store.evidence_kinds() == ["wrong_root"]


def test_another_s_signature_is_kept_as_evidence_and_not_answered(
    desk: Desk, headquarters_key: SigningKey
) -> None:
    forger = SigningKey.generate("test/nz01", KeyType.NOTE)
    for payload in (
        encode(Batch(LOG, 1, desk.note(2, key=forger), tuple(LINES[:2]))),
        encode(Hello(((LOG, desk.note(2, key=forger)),))),
    ):
        assert desk.end.receive(ZONE, payload) == []
    assert desk.store.evidence_kinds() == ["wrong_signature"] * 2
    assert desk.size() == 0


def test_a_checkpoint_of_another_ledger_is_refused(desk: Desk) -> None:
    other = Checkpoint("test/nz02/" + LOG, 2, CompactRange().extended(LINES[:2])[0].root()).signed(desk.zone_key)
    assert desk.end.receive(ZONE, encode(Batch(LOG, 1, other, tuple(LINES[:2])))) == []
    assert desk.store.evidence_kinds() == ["wrong_origin"]


@pytest.mark.parametrize(
    ("zone", "payload", "kind"),
    [
        (ZONE, b"rubbish", "malformed"),
        (ZONE, b"{" * 70_000, "oversize"),
        (ZONE, encode(Ack(LOG, "note")), "malformed"),
        (ZONE, encode(Batch(LOG, 1, "no note", (b"{}",))), "malformed"),
        ("nz99", encode(Hello(())), "unknown_zone"),
    ],
)
def test_what_is_no_message_for_headquarters_is_kept_as_evidence(
    desk: Desk, zone: str, payload: bytes, kind: str
) -> None:
    assert desk.end.receive(zone, payload) == []
    ((found_zone, found_kind, message),) = desk.store.rows("SELECT zone, kind, message FROM evidence")
    assert (found_zone, found_kind, message) == (zone, kind, payload)
    assert desk.answer(desk.batch(1, 5)) == ("Ack", 5)


def test_a_checkpoint_must_end_where_its_batch_ends(desk: Desk) -> None:
    assert desk.end.receive(ZONE, encode(Batch(LOG, 1, desk.note(6), tuple(LINES[:5])))) == []
    assert desk.store.evidence_kinds() == ["malformed"]


def test_two_workers_on_one_store_are_harmless(desk: Desk) -> None:
    other = desk.another()
    desk.answer(desk.batch(1, 5))
    (reply,) = other.receive(ZONE, desk.batch(1, 9))
    assert desk.read(reply) == ("Ack", 9)
    assert desk.answer(desk.batch(6, 12)) == ("Ack", 12)  # it still believed 5
    assert desk.store.lines(ZONE, LOG, 1, 100) == LINES[:12]


def test_a_real_ledger_s_lines_are_accepted(desk: Desk, ledger: Ledger, zone_key: SigningKey) -> None:
    ledger.append(*[Draft("door.opened", {"door": "front-door"}) for _ in range(9)])
    ((file, _),) = ledger.spans()
    note = Checkpoint(file.identity.origin, 10, file.root(10)).signed(zone_key)
    (reply,) = desk.end.receive(ZONE, encode(Batch(file.id, 1, note, tuple(file.all_lines()))))
    assert isinstance(decode(reply), Ack)
    assert desk.store.evidence_kinds() == []


def test_what_was_stored_is_told_even_if_a_later_message_cannot_be_stored(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    hello = encode(Hello(((LOG, desk.note(3)),)))
    outcomes = desk.end.take([(ZONE, desk.batch(1, 3)), (ZONE, hello), (ZONE, desk.batch(4, 6))])
    assert [advance.first for advance in next(outcomes).advances] == [1]
    assert len(next(outcomes).replies) == 1

    def full(*_: object, **__: object) -> bool:
        raise OSError("disk full")

    monkeypatch.setattr(desk.store, "advance", full)
    with pytest.raises(OSError, match="disk full"):
        next(outcomes)
    assert desk.size() == 3


def test_what_other_zones_send_in_between_costs_no_transaction_of_its_own(desk: Desk) -> None:
    messages = [(ZONE, desk.batch(1, 5)), ("nz99", b"x"), (ZONE, desk.batch(6, 9)), ("nz99", b"y")]
    advances = [advance for outcome in desk.end.take(messages) for advance in outcome.advances]
    assert [(advance.first, len(advance.lines)) for advance in advances] == [(1, 9)]
    assert desk.store.evidence_kinds() == ["unknown_zone", "unknown_zone"]

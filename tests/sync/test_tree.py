"""Zones hold headquarters to the history of its ledger, and it learns from them when it lost some of it."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest

from config.clock import ManualClock
from custody.events import Event
from sync.errors import BadMessage
from sync.held_tree import FILE
from sync.ledger import Ledger
from sync.merkle import CompactRange, consistency_proof
from sync.note import Checkpoint, KeyType, Note, SigningKey, only_cosigned
from sync.protocol.messages import Proof, Tree, decode, encode
from sync.protocol.tree import ASK_AGAIN_S, BAD_PROOFS_MAX, TreeEnd
from sync.protocol.zone import ZoneEnd

LOG = "5d0c4e1b9a7f2836"


class Own:
    """Headquarters' own ledger in memory, honest unless a test rewrites ``lines``: a ``TreeStore``."""

    def __init__(self, key: SigningKey, clock: ManualClock) -> None:
        self.key, self.clock, self.log = key, clock, LOG
        self.lines: list[bytes] = []
        self.shown: tuple[str, int, str] | None = None
        self.cosigned: dict[str, tuple[int, str]] = {}
        self.contradictions: list[tuple[str, str]] = []

    def grow(self, count: int, word: str = "line") -> None:
        self.lines += [f"{word} {len(self.lines) + nr}".encode() for nr in range(count)]

    def show(self) -> bytes:
        """The checkpoint as headquarters signs and publishes it now, a second later than the last."""
        self.clock.advance(1)
        root = CompactRange().extended(self.lines)[0].root()
        checkpoint = Checkpoint(f"{self.key.verifier.name}/{self.log}", len(self.lines), root)
        note = only_cosigned(checkpoint, self.key, self.clock.now_us() // 1_000_000)
        self.shown = (self.log, len(self.lines), note)
        return note.encode()

    def published(self) -> tuple[str, int, str] | None:
        return self.shown

    def own_root(self, log: str, size: int) -> bytes | None:
        known = log == self.log and size <= len(self.lines)
        return CompactRange().extended(self.lines[:size])[0].root() if known else None

    def consistency(self, log: str, old: int, size: int) -> list[bytes]:
        _, completed = CompactRange().extended(self.lines)

        def subtree(level: int, index: int) -> bytes:
            return completed[((index + 1) << level) - 1][32 * level : 32 * level + 32]

        return consistency_proof(subtree, old, size)

    def keep_cosignature(self, log: str, size: int, cosigner: str, note: str) -> None:
        self.cosigned[cosigner] = (size, note)

    def contradicted(self, zone: str, log: str, note: str, detail: str) -> None:
        self.contradictions.append((zone, detail))


class Pair:
    """One zone's end and headquarters' end, and the messages about the tree that go between them."""

    def __init__(self, ledger: Ledger, zone_key: SigningKey, key: SigningKey, clock: ManualClock) -> None:
        self.ledger, self.zone_key, self.key, self.clock = ledger, zone_key, key, clock
        self.own = Own(key, clock)
        self.now_s = 0.0
        self.restart()

    def restart(self) -> None:
        self.zone = ZoneEnd(self.ledger, self.zone_key, self.key.verifier, self.clock, random.Random(1))
        self.zone.connected()
        self.end = TreeEnd(self.own, [self.key.verifier], {"nz01": self.zone_key.verifier})

    def said(self) -> list[Tree]:
        messages = [decode(payload) for payload in self.zone.poll(self.now_s)]
        return [message for message in messages if isinstance(message, Tree)]

    def settle(self) -> None:
        for _ in range(10):
            for tree in self.said():
                for reply in self.end.answer("nz01", tree):
                    self.zone.receive(reply, self.now_s)

    def show(self) -> None:
        self.zone.tree_shown(self.own.show())

    def held(self) -> int:
        note = (self.ledger.directory / FILE).read_text()
        Note.parse(note).verify(self.zone_key.verifier.of_type(KeyType.COSIGNATURE))
        return Checkpoint.parse(Note.parse(note).text).size

    def events(self, type_: str) -> list[Event]:
        return [event for event in self.ledger.events() if event.type == type_]

    def evidence(self) -> list[str]:
        return [kind for kind, _, _ in self.ledger.spans()[-1][0].evidence()]


@pytest.fixture
def pair(ledger: Ledger, zone_key: SigningKey, headquarters_key: SigningKey, clock: ManualClock) -> Pair:
    made = Pair(ledger, zone_key, headquarters_key, clock)
    made.own.grow(5)
    made.show()
    made.settle()
    assert made.held() == 5
    return made


def test_the_first_tree_is_cosigned_and_each_further_one_after_its_proof(pair: Pair) -> None:
    for count in (1, 2, 27, 64):
        pair.own.grow(count)
        pair.show()
        pair.settle()
        size, note = pair.own.cosigned["test/nz01"]
        assert size == pair.held() == len(pair.own.lines)
        cosigner = pair.zone_key.verifier.of_type(KeyType.COSIGNATURE)
        assert Note.parse(note).verify(cosigner) == pair.clock.now_us() // 1_000_000
        assert Note.parse(note).verify(pair.key.verifier) is not None
    assert pair.evidence() == []


def test_a_new_tree_is_not_cosigned_before_its_proof_has_come(pair: Pair) -> None:
    pair.own.grow(3)
    pair.show()
    (asked,) = pair.said()
    assert Checkpoint.parse(Note.parse(asked.checkpoint).text).size == 5
    assert pair.held() == 5


def test_a_proof_that_does_not_come_is_asked_for_again(pair: Pair) -> None:
    pair.own.grow(3)
    pair.show()
    assert len(pair.said()) == 1
    assert pair.said() == []
    assert pair.zone.wake_at_s() is not None
    pair.now_s += ASK_AGAIN_S
    assert len(pair.said()) == 1


def test_it_says_after_each_connection_what_it_holds(pair: Pair) -> None:
    assert pair.said() == []
    pair.zone.connected()
    (told,) = pair.said()
    assert Checkpoint.parse(Note.parse(told.checkpoint).text).size == 5


def test_an_old_tree_that_the_broker_repeats_accuses_nobody(pair: Pair) -> None:
    old = pair.own.show()
    pair.own.grow(3)
    pair.show()
    pair.settle()
    assert pair.held() == 8
    pair.zone.tree_shown(old)
    pair.settle()
    assert pair.held() == 8
    assert pair.events("headquarters.rollback") == pair.events("headquarters.fork") == []


def test_a_tree_that_shrank_is_recorded_once_and_never_cosigned(pair: Pair) -> None:
    del pair.own.lines[3:]
    pair.show()
    pair.show()
    pair.restart()
    pair.show()
    assert pair.held() == 5
    (told,) = pair.events("headquarters.rollback")
    held, shown = (Checkpoint.parse(Note.parse(told.data[name]).text) for name in ("cosigned", "status"))
    assert (held.size, shown.size) == (5, 3)
    for name in ("cosigned", "status"):  # both are evidence: headquarters signed both
        assert Note.parse(told.data[name]).verify(pair.key.verifier) is not None


def test_another_root_at_the_same_size_is_recorded_as_a_fork_at_once(pair: Pair) -> None:
    pair.own.lines[2] = b"rewritten"
    pair.show()
    pair.show()
    (told,) = pair.events("headquarters.fork")
    roots = [Checkpoint.parse(Note.parse(told.data[name]).text).root for name in ("cosigned", "shown")]
    assert roots[0] != roots[1]
    assert pair.held() == 5


def test_a_longer_tree_with_a_rewritten_past_is_recorded_when_its_proof_keeps_failing(pair: Pair) -> None:
    pair.own.lines[2] = b"rewritten"
    pair.own.grow(4)
    pair.show()
    assert pair.own.shown is not None
    for count in range(1, BAD_PROOFS_MAX + 3):
        hashes = tuple(pair.own.consistency(LOG, 5, 9))
        pair.zone.receive(encode(Proof(LOG, 5, hashes, pair.own.shown[2])), 0.0)
        assert len(pair.events("headquarters.fork")) == int(count >= BAD_PROOFS_MAX)
    assert pair.held() == 5
    assert set(pair.evidence()) == {"wrong_proof"}


def test_a_proof_damaged_on_its_way_accuses_nobody(pair: Pair) -> None:
    pair.own.grow(4)
    pair.show()
    assert pair.own.shown is not None
    hashes = tuple(pair.own.consistency(LOG, 5, 9))
    pair.zone.receive(encode(Proof(LOG, 5, (b"\0" * 32, *hashes[1:]), pair.own.shown[2])), 0.0)
    pair.zone.receive(encode(Proof(LOG, 4, hashes, pair.own.shown[2])), 0.0)
    assert pair.held() == 5
    pair.settle()
    assert pair.held() == 9
    assert pair.events("headquarters.fork") == []
    assert pair.evidence() == ["wrong_proof"]


def test_a_new_ledger_of_headquarters_is_recorded_as_its_rollback_and_then_followed(pair: Pair) -> None:
    pair.own.log, pair.own.lines = "0" * 16, [b"one", b"two"]
    pair.show()
    pair.settle()
    (told,) = pair.events("headquarters.rollback")
    assert told.data["ledger"] == LOG
    assert pair.held() == 2
    pair.own.grow(4)
    pair.show()
    pair.settle()
    assert (pair.held(), len(pair.events("headquarters.rollback"))) == (6, 1)


@pytest.mark.parametrize(
    ("payload", "kind"),
    [
        (b"\xff\xfe", "malformed"),
        (b"not a note", "malformed"),
        (b"x" * 70_000, "oversize"),
        ("forged", "wrong_signature"),
        ("elsewhere", "wrong_origin"),
    ],
)
def test_what_is_not_headquarters_word_is_kept_as_evidence(pair: Pair, payload: Any, kind: str) -> None:
    if payload == "forged":
        signed = only_cosigned(Checkpoint(f"test/hq/{LOG}", 9, b"\1" * 32), pair.key, 1)
        payload = signed.replace("\n9\n", "\n8\n").encode()
    elif payload == "elsewhere":
        payload = only_cosigned(Checkpoint(f"test/nz01/{LOG}", 9, b"\1" * 32), pair.key, 1).encode()
    pair.zone.tree_shown(payload)
    assert pair.evidence() == [kind]
    assert pair.held() == 5


def test_a_key_that_nobody_vouched_for_is_not_believed_and_not_collected(pair: Pair) -> None:
    stranger = SigningKey.generate("test/hq", KeyType.COSIGNATURE)
    for size in (9, 10):
        note = only_cosigned(Checkpoint(f"test/hq/{LOG}", size, b"\1" * 32), stranger, 1)
        pair.zone.tree_shown(note.encode())
    assert (pair.held(), pair.evidence()) == (5, [])


def test_cosignatures_of_others_on_the_shown_tree_are_welcome_and_not_passed_on(pair: Pair) -> None:
    pair.own.grow(2)
    others = [SigningKey.generate(f"test/nz{nr:02}", KeyType.COSIGNATURE) for nr in range(2, 28)]
    note = pair.own.show().decode()
    text = note.partition("\n\n")[0] + "\n"
    pair.zone.tree_shown((note + "".join(key.cosign(text, 5) for key in others)).encode())
    pair.settle()
    _, kept = pair.own.cosigned["test/nz01"]
    assert len(Note.parse(kept).signatures) == 2


def test_no_cosignature_leaves_that_is_not_on_disk(pair: Pair) -> None:
    in_the_way = pair.ledger.directory / f".{FILE}.new"
    in_the_way.mkdir()
    pair.own.grow(2)
    pair.show()
    pair.settle()
    assert pair.held() == 5
    assert pair.own.cosigned["test/nz01"][0] == 5
    in_the_way.rmdir()
    pair.now_s += ASK_AGAIN_S
    pair.settle()
    assert pair.own.cosigned["test/nz01"][0] == pair.held() == 7


def test_a_zone_with_a_new_key_cosigns_with_it_what_it_held_already(pair: Pair) -> None:
    pair.zone_key = SigningKey.generate(pair.zone_key.verifier.name, KeyType.NOTE)
    pair.restart()
    pair.settle()
    pair.own.grow(3)
    pair.show()
    pair.settle()
    assert pair.held() == len(pair.own.lines) == pair.own.cosigned[pair.zone_key.verifier.name][0]


@pytest.mark.parametrize("damage", ["", "rubbish", "— x\n"])
def test_a_lost_or_damaged_memory_begins_anew(pair: Pair, damage: str) -> None:
    (pair.ledger.directory / FILE).write_text(damage)
    pair.restart()
    pair.own.grow(1)
    pair.show()
    pair.settle()
    assert pair.held() == 6


def test_headquarters_learns_from_a_zone_that_its_database_is_an_old_one(pair: Pair) -> None:
    del pair.own.lines[3:]
    pair.zone.connected()
    pair.settle()
    pair.own.grow(9, "other")
    pair.zone.connected()
    pair.settle()
    assert [zone for zone, _ in pair.own.contradictions] == ["nz01", "nz01"]
    assert "it is not that long" in pair.own.contradictions[0][1]
    assert "another root" in pair.own.contradictions[1][1]


def test_headquarters_believes_no_zone_about_what_it_did_not_sign(
    pair: Pair, zone_key: SigningKey, clock: ManualClock
) -> None:
    cosigner = zone_key.of_type(KeyType.COSIGNATURE)
    forged = only_cosigned(Checkpoint(f"test/hq/{LOG}", 99, b"\1" * 32), cosigner, 1)
    with pytest.raises(BadMessage, match="not signed by test/hq"):
        pair.end.answer("nz01", Tree(LOG, forged))
    pair.own.grow(1)
    without_cosignature = pair.own.show().decode()
    with pytest.raises(BadMessage, match="not signed by test/nz01"):
        pair.end.answer("nz01", Tree(LOG, without_cosignature))
    assert pair.own.contradictions == []


def test_the_messages_come_back_as_they_went_and_wrong_ones_are_refused(pair: Pair) -> None:
    note = pair.own.show().decode()
    for message in (Tree(LOG, note), Proof(LOG, 5, (b"\1" * 32, b"\2" * 32), note)):
        assert decode(encode(message)) == message
    wrong: list[Callable[[bytes], bytes]] = [
        lambda payload: payload.replace(b'"old":5', b'"old":-1'),
        lambda payload: payload.replace(b'"old":5', b'"old":"5"'),
        lambda payload: payload.replace(b'"proof":[', b'"proof":["AAAA",'),
        lambda payload: payload.replace(b'"proof":[', b'"proof":[7,'),
        lambda payload: payload.replace(b'"proof":[', b'"proof":[' + b'"",' * 64),
    ]
    payload = encode(Proof(LOG, 5, (), note))
    for change in wrong:
        with pytest.raises(BadMessage):
            decode(change(payload).replace(b",]", b"]"))

"""Headquarters' own ledger: published, cosigned by zones, continued in a new one when it turns out to be old."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest
from fastapi.testclient import TestClient

from central.feed import Feed
from central.publishing import COSIGNED_EVERY_S, TREE_EVERY_S, TreePublisher
from central.store.database import Database
from central.store.feeding import FeedMarks
from central.store.logs import LogTable
from central.store.own import OwnLedger
from central.store.own_tree import OwnTree
from central.store.queries import Queries
from config.clock import ManualClock
from sync.merkle import EMPTY_ROOT, verify_consistency
from sync.note import Checkpoint, KeyType, Note, SigningKey, cosigned
from sync.protocol.headquarters import HeadquartersEnd
from sync.protocol.messages import Proof, Tree, decode, encode

HQ = SigningKey.generate("fourmusts/hq", KeyType.COSIGNATURE)
ZONE = SigningKey.generate("fourmusts/nz01", KeyType.NOTE)
COSIGNER = ZONE.of_type(KeyType.COSIGNATURE)
Hands = Callable[..., Any]


class Bureau:
    """Headquarters around one database, with the hand of a test on its real seconds."""

    def __init__(self, url: str, clock: ManualClock) -> None:
        self.clock = clock
        self.now_s = 0.0
        self.database = Database.open(url)
        self.own = OwnLedger(self.database, clock, lambda log, size, root: "")
        self.store = LogTable(self.database, self.own, clock)
        self.tree = OwnTree(self.database, self.own, clock)
        self.publisher = TreePublisher(self.tree, HQ, clock, lambda: self.now_s)
        self.end = HeadquartersEnd(self.store, HQ, {"nz01": ZONE.verifier}, clock, tree=self.publisher)

    def grows(self, word: str) -> None:
        """One more line in its own ledger."""
        self.store.keep_evidence("nz01", "00000000000000a1", "wrong_root", word, word.encode())

    def lines(self) -> list[dict[str, Any]]:
        return [orjson.loads(line) for line in self.store.lines("hq", self.own.id, 1, 1000)]

    def cosigned_by_zone(self, note: str) -> bytes:
        text = note.partition("\n\n")[0] + "\n"
        own = f"{text}\n" + "".join(line for line in note.splitlines(True) if line.startswith("— fourmusts/hq "))
        log = text.partition("\n")[0].rpartition("/")[2]
        return encode(Tree(log, cosigned(own, COSIGNER, self.clock.now_us() // 1_000_000)))


@pytest.fixture
def bureau(database: Database, url: str, clock: ManualClock) -> Bureau:
    return Bureau(url, clock)


def test_nothing_is_shown_of_an_empty_ledger(bureau: Bureau) -> None:
    assert bureau.publisher.due() is None
    assert bureau.tree.head()[1:] == (0, EMPTY_ROOT)


def test_a_tree_is_shown_at_once_and_the_next_one_after_a_while(bureau: Bureau) -> None:
    bureau.grows("a")
    first = bureau.publisher.due()
    assert first is not None and Note.parse(first).verify(HQ.verifier) is not None
    bureau.grows("b")
    assert bureau.publisher.due() is None
    bureau.now_s += TREE_EVERY_S
    second = bureau.publisher.due()
    assert second is not None
    assert [Checkpoint.parse(Note.parse(note).text).size for note in (first, second)] == [1, 2]


def test_cosignatures_gather_on_the_tree_that_is_shown(bureau: Bureau) -> None:
    bureau.grows("a")
    shown = bureau.publisher.due()
    assert shown is not None
    assert bureau.end.receive("nz01", bureau.cosigned_by_zone(shown)) == []
    assert bureau.publisher.due() is None
    bureau.now_s += COSIGNED_EVERY_S
    again = bureau.publisher.due()
    assert again is not None and again.startswith(shown)
    assert Note.parse(again).verify(COSIGNER.verifier) == bureau.clock.now_us() // 1_000_000
    bureau.now_s += COSIGNED_EVERY_S
    assert bureau.publisher.due() is None


def test_a_zone_that_is_behind_gets_the_proof_from_where_it_was(bureau: Bureau) -> None:
    for word in "abc":
        bureau.grows(word)
    first = bureau.publisher.due()
    assert first is not None
    for word in "defgh":
        bureau.grows(word)
    bureau.now_s += TREE_EVERY_S
    second = bureau.publisher.due()
    assert second is not None
    (reply,) = bureau.end.receive("nz01", bureau.cosigned_by_zone(first))
    proof = decode(reply)
    assert isinstance(proof, Proof)
    old, new = (Checkpoint.parse(Note.parse(note).text) for note in (first, proof.checkpoint))
    assert (proof.old, new) == (3, Checkpoint.parse(Note.parse(second).text))
    assert verify_consistency(3, 8, proof.hashes, old.root, new.root)
    assert bureau.end.receive("nz01", bureau.cosigned_by_zone(proof.checkpoint)) == []
    assert (bureau.tree.cosigned_size(proof.log, "fourmusts/nz01"), bureau.store.head("hq", proof.log).size) == (
        8,
        8,
    )
    late = bureau.end.receive("nz01", bureau.cosigned_by_zone(first))
    assert len(late) == 1 and bureau.tree.cosigned_size(proof.log, "fourmusts/nz01") == 8


def test_the_feed_carries_what_is_due(bureau: Bureau) -> None:
    class Road:
        feed_waiting = 0
        trees: list[str] = []

        def publish_feed(self, zone: str, type: str, line: bytes) -> None: ...

        def publish_tree(self, checkpoint: str) -> None:
            self.trees.append(checkpoint)

    road = Road()
    feed = Feed(FeedMarks(bureau.database), road, bureau.publisher)
    feed.publish_due()
    bureau.grows("a")
    feed.publish_due()
    feed.publish_due()
    (shown,) = road.trees
    assert Note.parse(shown).verify(HQ.verifier) is not None


def test_an_old_database_is_found_out_by_a_zone_and_its_numbers_are_not_given_again(
    clock: ManualClock, tmp_path: Path
) -> None:
    file, backup = tmp_path / "restored.sqlite3", tmp_path / "backup.sqlite3"
    url = f"sqlite:///{file}"
    OwnLedger.create(Database.create(url), clock)
    before = Bureau(url, clock)
    before.grows("a")
    _copy(file, backup)
    for word in "bcd":
        before.grows(word)
    held = before.publisher.due()
    assert held is not None
    _copy(backup, file)

    restored = Bureau(url, clock)
    restored.grows("other")
    old = restored.own.id
    assert restored.end.receive("nz01", restored.cosigned_by_zone(held)) == []
    assert restored.own.id != old
    (opened,) = restored.lines()
    assert (opened["type"], opened["data"]["reason"]) == ("ledger.opened", "rollback")
    assert opened["data"]["follows"] == {
        "ledger": old,
        "size": 2,
        "root": restored.tree.own_root(old, 2).hex(),  # type: ignore[union-attr]
    }
    restored.end.receive("nz01", restored.cosigned_by_zone(held))
    assert len(restored.lines()) == 1
    fresh = restored.publisher.due()
    assert fresh is not None and f"/{restored.own.id}\n1\n" in fresh
    restored.grows("after")
    assert [line["type"] for line in restored.lines()] == ["ledger.opened", "ledger.fork"]
    assert "own_rollback" in {row["kind"] for row in Queries(restored.database).evidence("nz01")}


def _copy(source: Path, target: Path) -> None:
    with contextlib.closing(sqlite3.connect(source)) as old, contextlib.closing(sqlite3.connect(target)) as new:
        old.backup(new)


@pytest.mark.parametrize(
    ("type_", "data", "kind"),
    [
        (
            "ledger.opened",
            {"follows": {"ledger": "b" * 16, "size": 7, "root": "00"}, "reason": "rollback"},
            "ledger_rollback",
        ),
        ("headquarters.rollback", {"ledger": "b" * 16, "cosigned": "", "status": ""}, "headquarters_rollback"),
        ("headquarters.fork", {"ledger": "b" * 16, "cosigned": "", "shown": ""}, "headquarters_fork"),
    ],
)
def test_a_restored_zone_and_a_zone_that_accuses_headquarters_are_shown(
    store: LogTable, own: OwnLedger, hand: Hands, web: TestClient, type_: str, data: dict[str, Any], kind: str
) -> None:
    zone = hand("nz01")
    told = zone.write(type_, data)
    zone.advance(store)
    moved = hand("nz01", "00000000000000a2")
    moved.write(type_, data, id_=told)
    moved.advance(store)
    (kept,) = web.get("/api/v1/evidence").json()
    assert (kept["kind"], kept["times"]) == (kind, 1)
    chip = "disk restored" if kind == "ledger_rollback" else "headquarters&#39; past differs"
    assert chip in web.get("/?lang=en").text
    lines = [orjson.loads(line) for line in store.lines("hq", own.id, 1, 10)]
    assert [line["type"] for line in lines] == (["ledger.rollback"] if kind == "ledger_rollback" else [])


def test_a_first_ledger_and_a_rotation_accuse_nobody(store: LogTable, hand: Hands, web: TestClient) -> None:
    zone = hand("nz01")
    zone.write("ledger.opened", {"follows": None, "reason": "first"})
    zone.write("ledger.opened", {"follows": {"ledger": "b" * 16, "size": 7, "root": "00"}, "reason": "rotation"})
    zone.advance(store)
    assert web.get("/api/v1/evidence").json() == []


def test_a_zone_cannot_write_headquarters_word_about_itself(store: LogTable, hand: Hands, web: TestClient) -> None:
    zone = hand("nz01")
    zone.write("ledger.rollback", {"zone": "nz02", "log": "b" * 16, "detail": "slander"})
    zone.advance(store)
    (kept,) = web.get("/api/v1/evidence").json()
    assert kept["kind"] == "broken_line" and "headquarters' to write" in kept["detail"]

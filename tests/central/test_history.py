"""Headquarters' commands on its own history: proofs for a court, and the check of the whole database."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from central.process import own_signature
from central.store.database import Database
from central.store.logs import LogTable
from central.store.own import OwnLedger
from central.store.own_tree import OwnTree
from config.clock import ManualClock
from fourmusts import main
from sync.keys import HEADQUARTERS_KEY, load_signing_key, make_zone_key
from sync.merkle import CompactRange
from sync.note import Checkpoint, KeyType, SigningKey, cosigned
from sync.store import Head

Hands = Callable[..., Any]
LOG = "00000000000000a1"


class Bureau:
    """A headquarters that was set up by its command and has taken a zone's lines."""

    def __init__(self, directory: Path, clock: ManualClock, hand: Any) -> None:
        self.zone_key = make_zone_key(directory / "zone-keys", "fourmusts", "nz01")
        self.config = directory / "central.toml"
        self.config.write_text(
            '[bureau]\nname = "B"\nstate_dir = "hq"\n'
            f'[[zone]]\nid = "nz01"\nname = "Z"\nverifier_key = "{self.zone_key.verifier}"\n'
        )
        assert self.run("init").exit_code == 0
        self.key = load_signing_key(directory / "hq" / "keys" / HEADQUARTERS_KEY)
        self.file = directory / "hq" / "central.sqlite3"
        self.database = Database.open(f"sqlite:///{self.file}")
        self.own = OwnLedger(self.database, clock, own_signature(self.key, clock))
        self.store = LogTable(self.database, self.own, clock)
        self.tree = OwnTree(self.database, self.own, clock)
        self.hand, self.clock = hand, clock
        self.ids = [hand.write("door.opened", {"door": f"d{number}"}) for number in range(9)]
        self.advance()
        self.store.keep_evidence("nz01", LOG, "wrong_root", "rewritten", b"message")

    def advance(self) -> None:
        tree, _ = CompactRange().extended(self.hand.lines)
        note = Checkpoint(f"fourmusts/nz01/{LOG}", tree.size, tree.root()).signed(self.zone_key)
        self.store.advance("nz01", LOG, known_size=0, head=Head(tree.size, tree.edge, note), lines=self.hand.lines)

    def run(self, *words: str | Path) -> Result:
        return CliRunner().invoke(main, ["central", *map(str, words), "--config", str(self.config)])

    def change(self, statement: str, *values: object) -> None:
        with contextlib.closing(sqlite3.connect(self.file)) as opened:
            changed = opened.execute(statement, values).rowcount
            assert changed >= 1 or statement.startswith("DROP")
            opened.commit()

    def cosign(self, cosigner: SigningKey, note: str, size: int) -> None:
        self.tree.keep_cosignature(self.own.id, size, cosigner.verifier.name, cosigned(note, cosigner, 5))


@pytest.fixture
def bureau(tmp_path: Path, clock: ManualClock, hand: Hands) -> Iterator[Bureau]:
    made = Bureau(tmp_path, clock, hand())
    yield made
    made.database.close()


def verify(file: Path, *keys: object) -> Result:
    given = [word for key in keys for word in ("--key", str(key))]
    return CliRunner().invoke(main, ["verify", str(file), *given])


def test_a_zone_s_event_is_proven_from_headquarters_database(bureau: Bureau, tmp_path: Path) -> None:
    file = tmp_path / "out.tlog-proof"
    made = bureau.run("proof", bureau.ids[4], "-o", file)
    assert made.exit_code == 0, made.output
    checked = verify(file, bureau.zone_key.verifier, bureau.key.verifier)
    assert checked.exit_code == 0, checked.output
    assert f"proven: line 5 of fourmusts/nz01/{LOG}" in checked.output
    assert verify(file, bureau.config, bureau.key.verifier).exit_code == 0
    unknown = bureau.run("proof", "nobody")
    assert unknown.exit_code == 1 and "no event has the id nobody" in unknown.output


def test_headquarters_own_line_is_proven_with_the_cosignatures_of_others(bureau: Bureau, tmp_path: Path) -> None:
    (line,) = bureau.store.lines("hq", bureau.own.id, 1, 10)
    event = line.split(b'"id":"')[1].split(b'"')[0].decode()
    alone = tmp_path / "alone.tlog-proof"
    assert bureau.run("proof", event, "-o", alone).exit_code == 0
    assert verify(alone, bureau.key.verifier).exit_code == 0
    note = bureau.store.head("hq", bureau.own.id).checkpoint
    zone = bureau.zone_key.of_type(KeyType.COSIGNATURE)
    witness = SigningKey.generate("witness.example/w1", KeyType.COSIGNATURE)
    bureau.cosign(zone, note, 1)
    bureau.cosign(witness, note, 1)
    bureau.store.keep_evidence("nz01", LOG, "wrong_root", "again", b"another")
    seen = tmp_path / "seen.tlog-proof"
    assert bureau.run("proof", event, "-o", seen).exit_code == 0
    checked = verify(seen, bureau.key.verifier, bureau.zone_key.verifier, witness.verifier)
    assert checked.exit_code == 0, checked.output
    for name in ("fourmusts/hq", "fourmusts/nz01", "witness.example/w1"):
        assert f"by {name} (" in checked.output


@pytest.mark.parametrize("level", ["quick", "normal", "full"])
def test_a_sound_database_holds_at_every_level(bureau: Bureau, level: str) -> None:
    bureau.cosign(
        bureau.zone_key.of_type(KeyType.COSIGNATURE), bureau.store.head("hq", bureau.own.id).checkpoint, 1
    )
    shown = bureau.run("verify", "--level", level)
    assert shown.exit_code == 0, shown.output
    assert f"holds: 2 ledgers, 10 lines, level {level}" in shown.output


OTHER = "CAST('other' AS BLOB)"
STEP = "INSERT INTO finding_history (finding, nr, state, at_us, json, event) VALUES ('f', 1, 'raised', 1, '', 'e')"
OF_ZONE = "(SELECT key FROM logs WHERE zone = 'nz01')"


@pytest.mark.parametrize(
    ("statement", "level", "name", "place"),
    [
        (f"UPDATE lines SET line = {OTHER} WHERE log_key = {OF_ZONE} AND seq = 9", "quick", "H1", "line 9"),
        (f"DELETE FROM lines WHERE log_key = {OF_ZONE} AND seq = 9", "quick", "H1", "the lines end at 8"),
        ("UPDATE logs SET edge = zeroblob(64) WHERE zone = 'nz01'", "quick", "H2", "line 9"),
        (f"DELETE FROM lines WHERE log_key = {OF_ZONE} AND seq = 8", "quick", "H2", "line 9"),
        ("UPDATE logs SET size = 7, judged = 0, fed = 0 WHERE zone = 'nz01'", "quick", "H2", "3 subtrees, not 2"),
        ("UPDATE logs SET checkpoint = 'rubbish' WHERE zone = 'nz01'", "quick", "H3", "cannot be read"),
        (f"DELETE FROM lines WHERE log_key = {OF_ZONE} AND seq = 3", "normal", "H4", "line 4"),
        (f"UPDATE lines SET line = {OTHER} WHERE log_key = {OF_ZONE} AND seq = 3", "normal", "H5", "line 3"),
        (
            "UPDATE logs SET checkpoint = replace(checkpoint, 'nz01 ', 'nz02 ')",
            "full",
            "H6",
            "none of the given keys",
        ),
        (f"UPDATE events SET type = 'door.closed' WHERE log_key = {OF_ZONE} AND seq = 4", "full", "H7", "line 4"),
        (f"DELETE FROM events WHERE log_key = {OF_ZONE} AND seq = 4", "full", "H7", "line 4"),
        (f"UPDATE events SET id = 'x' WHERE log_key = {OF_ZONE} AND seq = 4", "full", "H7", "found under ids"),
        (STEP, "full", "H8", "step 1 of finding f"),
        ("UPDATE events SET type = 'finding.raised' WHERE zone = 'hq'", "full", "H8", "the step of no finding"),
        ("DROP INDEX events_by_zone", "quick", "H9", "the index events_by_zone of events is missing"),
        ("DROP TABLE findings", "quick", "H9", "the table findings is missing"),
    ],
)
def test_each_broken_invariant_is_named_with_its_place_at_its_level(
    bureau: Bureau, statement: str, level: str, name: str, place: str
) -> None:
    bureau.change(statement)
    levels = ["quick", "normal", "full"]
    for cheaper in levels[: levels.index(level)]:
        assert bureau.run("verify", "--level", cheaper).exit_code == 0
    for one in levels[levels.index(level) :]:
        shown = bureau.run("verify", "--level", one)
        assert shown.exit_code == 1, shown.output
        assert f"{name} does not hold" in shown.output and place in shown.output
        assert str(bureau.file) in shown.output


def test_a_database_whose_pages_are_damaged_is_named_without_a_trace(bureau: Bureau) -> None:
    bureau.database.close()
    with bureau.file.open("r+b") as opened:
        opened.seek(4096)
        opened.write(b"\xff" * 32 * 1024)
    shown = bureau.run("verify", "--level", "quick")
    assert shown.exit_code == 1 and "malformed" in shown.output and "Traceback" not in shown.output

"""The lives of a ledger whose power is cut again and again.

    python power_cuts.py DIRECTORY CUTS FIRST_SEED [MUTANT]

Each life is a process of its own that appends, takes cosignatures, prunes and is succeeded, until its power is cut
in the middle of a call to the disk; the next one opens what the disk then holds. After each, this process opens a
copy and looks whether everything is there that was acknowledged. It prints a line of JSON a life.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import sqlite3
import sys
import threading
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn

from failing_disk import FailingDisk

import sync.ledger
import sync.ledger_database
import sync.ledger_file
from config.clock import ManualClock
from custody.events import Draft, LedgerReason, parse_line
from sync.check import Level, check
from sync.errors import LedgerDamaged, LedgerMissing
from sync.ledger import Ledger
from sync.ledger_file import LedgerFile
from sync.note import Checkpoint, KeyType, SigningKey, only_cosigned

LIVES_OF_A_LEDGER = 25
TWO_WRITERS_EVERY = 4
"""Every fourth ledger has a second writer; the lives of the others are the same in every run."""
CALLS_MAX = 400
"""A life ends within so many calls to the disk."""
CUT_SHORT = 9
HEADQUARTERS = SigningKey.generate("test/hq", KeyType.COSIGNATURE)


def main(directory: Path, cuts: int, first_seed: int, mutant: str) -> None:
    zone = directory / "zone"
    acknowledged: list[str] = []
    for number in range(cuts):
        if number % LIVES_OF_A_LEDGER == 0:
            shutil.rmtree(zone, ignore_errors=True)
            acknowledged = []
        two_writers = (number // LIVES_OF_A_LEDGER + 1) % TWO_WRITERS_EVERY == 0
        words, ended = run_life(zone, first_seed + number, mutant, two_writers=two_writers)
        acknowledged += [word for word in words if not word.startswith("cut:")]
        call, unsynced = next((word.split(":")[1:] for word in words if word.startswith("cut:")), ("none", "0"))
        found = look(zone, directory, acknowledged)
        if ended != CUT_SHORT:
            found["breaches"].append(f"the process ended with {ended}, not by a power cut")
        life = {"seed": first_seed + number, "two_writers": two_writers, "in": call, "unsynced": int(unsynced)}
        print(json.dumps(life | found), flush=True)


def run_life(zone: Path, seed: int, mutant: str, *, two_writers: bool) -> tuple[list[str], int]:
    """One process until its power is cut: what it told, and its exit code."""
    hearing, telling = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(hearing)
        try:
            live(
                zone, seed, mutant, lambda word: os.write(telling, word.encode() + b"\n"), two_writers=two_writers
            )
        except BaseException:
            traceback.print_exc()
            os._exit(1)
    os.close(telling)
    with os.fdopen(hearing) as told:
        words = told.read().split()
    _, status = os.waitpid(child, 0)
    return words, os.waitstatus_to_exitcode(status)


def live(zone: Path, seed: int, mutant: str, tell: Callable[[str], object], *, two_writers: bool) -> NoReturn:
    dice = random.Random(seed)
    sync.ledger.new_id = lambda: dice.randbytes(8).hex()
    calls_left = dice.randrange(1, CALLS_MAX)

    def watch(call: str, file: Path) -> int:
        nonlocal calls_left
        if call in ("write", "truncate", "sync", "delete", "open"):
            calls_left -= 1
            if calls_left == 0:
                name = "wal" if file.name.endswith("-wal") else "new" if ".new" in file.name else "main"
                tell(f"cut:{call}-{name}:{disk.unsynced_bytes}")
                disk.cut_power(dice)
        return 0

    disk = FailingDisk(watch)
    checkpoint_every(dice.choice([10, 40, 1000]))
    if mutant:
        MUTANTS[mutant]()
    clock = ManualClock()
    ledger = open_or_make(zone, clock)
    if two_writers:
        other = Ledger.open(zone, zone="nz01", deployment="test", clock=clock)
        threading.Thread(target=serve, args=(other, random.Random(seed), tell), daemon=True).start()
    while True:  # until the power is cut
        act(ledger, dice, tell, serves=not two_writers)


def open_or_make(zone: Path, clock: ManualClock) -> Ledger:
    try:
        return Ledger.open(zone, zone="nz01", deployment="test", clock=clock)
    except LedgerMissing:
        return Ledger.create(zone, zone="nz01", deployment="test", clock=clock)


def act(ledger: Ledger, dice: random.Random, tell: Callable[[str], object], *, serves: bool) -> None:
    """One thing that a process of a zone does; events are told of once they are acknowledged."""
    match dice.choices(["append", "much", "serve", "succeed"], [80, 10, 9 * serves, 1])[0]:
        case "append":
            written = ledger.append(*[Draft("door.opened", {"door": "d"})] * dice.randrange(1, 5))
            tell("\n".join(event.id for event in written))
        case "much":
            written = ledger.append(*[Draft("check.note", {"note": "x" * dice.randrange(3000)})] * 60)
            tell("\n".join(event.id for event in written))
        case "serve":
            cosign_and_prune(ledger, dice, tell)
        case "succeed":
            file, _ = ledger.spans()[-1]
            ledger.succeed(file, file.cosigned()[0], LedgerReason.ROLLBACK)


def serve(ledger: Ledger, dice: random.Random, tell: Callable[[str], object]) -> None:
    """What the link does beside a process that appends, over and over."""
    while True:
        cosign_and_prune(ledger, dice, tell)


def cosign_and_prune(ledger: Ledger, dice: random.Random, tell: Callable[[str], object]) -> None:
    file, _ = ledger.spans()[-1]
    size = dice.randrange(file.cosigned()[0], file.size() + 1)
    checkpoint = Checkpoint(file.identity.origin, size, file.root(size))
    file.keep_cosigned(size, only_cosigned(checkpoint, HEADQUARTERS, 1_700_000_000), 0)
    file.keep_evidence("malformed", "not JSON", dice.randbytes(200), 0)
    # The first line is never pruned: it says which ledger this one follows.
    pruned = [row for row in file.rows(2, size - 1) if row[1] and dice.random() < 0.02]
    tell("".join(f"pruned:{parse_line(line).id}\n" for _, line, _ in pruned))
    file.prune([sequence for sequence, _, _ in pruned], before_us=1, now_us=1)


def checkpoint_every(pages: int) -> None:
    """SQLite moves the WAL into the file every 1,000 pages; a short life would never see that."""
    real = sync.ledger_database.connect

    def connect(path: Path) -> sqlite3.Connection:
        connection = real(path)
        connection.execute(f"PRAGMA wal_autocheckpoint = {pages}")
        return connection

    sync.ledger_file.connect = connect


# Mutants: what the promise would be worth without what keeps it


def sync_seldom() -> None:
    real = sync.ledger_file.connect

    def connect(path: Path) -> sqlite3.Connection:
        connection = real(path)
        connection.execute("PRAGMA synchronous = NORMAL")
        return connection

    sync.ledger_file.connect = connect
    LedgerFile._unsynced_transaction = LedgerFile._transaction


def hash_later() -> None:
    """Lines in one transaction, their hashes in the next."""
    real = LedgerFile.append

    def append(self: LedgerFile, encode: Callable[[int], Sequence[bytes]]) -> None:
        before = self.size()
        real(self, encode)
        rows = self.rows(before + 1, self.size() - before)
        with self._transaction():
            self._connection.executemany(
                "UPDATE line SET subtrees = x'' WHERE sequence = ?", [(sequence,) for sequence, _, _ in rows]
            )
        with self._transaction():
            self._connection.executemany(
                "UPDATE line SET subtrees = ? WHERE sequence = ?",
                [(hashes, sequence) for sequence, _, hashes in rows],
            )

    LedgerFile.append = append


MUTANTS = {"sync seldom": sync_seldom, "hash later": hash_later}

# After a cut


def look(zone: Path, directory: Path, acknowledged: list[str]) -> dict[str, Any]:
    """What a copy of the disk holds: how many acknowledged events are lost, and every invariant that is broken."""
    copy = directory / "copy"
    shutil.rmtree(copy, ignore_errors=True)
    if zone.exists():
        shutil.copytree(zone, copy)
    try:
        ledger = open_or_make(copy, ManualClock())
        there = [event.id for event in ledger.events()]
        breaches = [
            f"{one.invariant.name} {one.detail}" for one in check(ledger, Level.FULL, HEADQUARTERS.verifier)
        ]
        ledger.append(Draft("door.closed", {"door": "d"}))
        breaches += [f"{one.invariant.name} {one.detail}" for one in check(ledger, Level.NORMAL)]
        ledger.close()
    except LedgerDamaged as damaged:
        return {"lost": 0, "events": 0, "breaches": [str(damaged)]}
    given_up = {word.removeprefix("pruned:") for word in acknowledged if word.startswith("pruned:")}
    expected = [word for word in acknowledged if not word.startswith("pruned:") and word not in given_up]
    lost = len(set(expected) - set(there))
    if not lost and [id_ for id_ in there if id_ in set(expected)] != expected:
        breaches.append("the events are in another order than they were acknowledged in")
    return {"lost": lost, "events": len(there), "breaches": breaches}


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4] if len(sys.argv) > 4 else "")

"""An append whose n-th call to the disk fails, for every n until it succeeds.

    python faults.py DIRECTORY

For each kind of call that can fail, for a fault that passes and for one that stays until it is mended. It prints a
line of JSON for each n: what the append said, and what the ledger was like afterwards.
"""

from __future__ import annotations

import json
import shutil
import sys
from itertools import count
from pathlib import Path
from typing import Any

from failing_disk import OK, FailingDisk

from config.clock import ManualClock
from custody.events import Draft
from sync.check import Level, check
from sync.errors import LedgerError
from sync.ledger import Ledger

LINES = 16
"""Of the append: more pages than are in the WAL when it is moved into the file, so that this fails too."""
LINES_BEFORE = 11
FULL = 13
IOERR = 10
KINDS: dict[str, tuple[tuple[str, ...], int]] = {
    "full": (("write", "open"), FULL),
    "write": (("write", "truncate"), IOERR | 3 << 8),
    "sync": (("sync",), IOERR | 4 << 8),
    "read": (("read",), IOERR | 1 << 8),
    "map": (("map",), IOERR | 19 << 8),
    "open": (("open",), 14),
}
"""By kind of fault: the calls that it hits, and what they return (``SQLITE_IOERR_WRITE`` and its kin)."""


class Fault:
    """Lets ``after`` calls pass, fails the next, or from there on all, and counts those that it failed."""

    def __init__(self) -> None:
        self.armed = False
        self.hits = 0

    def arm(self, kind: str, after: int, *, stays: bool) -> None:
        self.calls, self.code = KINDS[kind]
        self.left, self.stays, self.hits, self.armed = after, stays, 0, True

    def __call__(self, call: str, file: Path) -> int:
        if not self.armed or call not in self.calls:
            return OK
        self.left -= 1
        if self.left == 0 or (self.stays and self.left < 0):
            self.hits += 1
            return self.code
        return OK


def main(directory: Path) -> None:
    fault = Fault()
    disk = FailingDisk(fault)
    start = directory / "start"
    ledger = Ledger.create(start, zone="nz01", deployment="test", clock=ManualClock())
    ledger.append(*drafts(LINES_BEFORE - 1))
    ledger.close()
    for opened_before in (True, False):
        for kind in KINDS:
            for stays in (False, True):
                for after in count(1):
                    found = one_append(
                        directory, start, fault, kind, after, stays=stays, opened_before=opened_before
                    )
                    print(json.dumps({"kind": kind, "after": after, "stays": stays, **found}), flush=True)
                    if found["hits"] == 0:
                        break
    del disk  # SQLite calls into it until here


def one_append(
    directory: Path, start: Path, fault: Fault, kind: str, after: int, *, stays: bool, opened_before: bool
) -> dict[str, Any]:
    """``opened_before``: a process that has run for a while; otherwise opening the ledger meets the fault too."""
    place = directory / "now"
    shutil.rmtree(place, ignore_errors=True)
    shutil.copytree(start, place)
    ledger = opened(place) if opened_before else None
    fault.arm(kind, after, stays=stays)
    written = 0
    said = ""
    try:
        ledger = ledger or opened(place)
        written = len(ledger.append(*drafts(LINES)))
    except LedgerError as error:
        said = type(error).__name__
    fault.armed = False
    if_killed, breaches = killed_now(directory, place)
    ledger = ledger or opened(place)
    events = list(ledger.events())
    breaches += [one.invariant.name for one in check(ledger, Level.FULL)]
    (next_,) = ledger.append(*drafts(1))
    breaches += [one.invariant.name for one in check(ledger, Level.FULL)]
    ledger.close()
    again = opened(place)
    kept = len(list(again.events()))
    again.close()
    return {
        "hits": fault.hits,
        "said": said,
        "written": written,
        "there": len(events) - LINES_BEFORE,
        "there_if_killed": if_killed,
        "next": next_.sequence - len(events),
        "kept": kept - len(events),
        "breaches": breaches,
    }


def killed_now(directory: Path, place: Path) -> tuple[int, list[str]]:
    """How many lines of the append are there for who opens the ledger after the process was killed here."""
    copy = directory / "copy"
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(place, copy)
    ledger = opened(copy)
    found = len(list(ledger.events())) - LINES_BEFORE, [one.invariant.name for one in check(ledger, Level.FULL)]
    ledger.close()
    return found


def opened(place: Path) -> Ledger:
    """Moves the WAL into the file every few pages, so that this is met by the faults too."""
    ledger = Ledger.open(place, zone="nz01", deployment="test", clock=ManualClock())
    for file, _ in ledger.spans():
        file._connection.execute("PRAGMA wal_autocheckpoint = 4")
    return ledger


def drafts(number: int) -> list[Draft]:
    return [Draft("check.note", {"note": "x" * 2000})] * number


if __name__ == "__main__":
    main(Path(sys.argv[1]))

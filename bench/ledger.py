"""What the Merkle tree costs: appending lines to the ledger against a bare SQLite insert and commit.

Both write the same bytes to the same disk, with WAL and ``synchronous=FULL``, in turns. Then what a large ledger
costs: how long it takes to open, and how fast it is appended to beside an empty one.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from config.clock import SystemClock
from custody.events import Draft
from sync.ledger import Ledger

from . import report

SIZES = (1, 64, 256)
DRAFT = Draft(
    "door.granted",
    {
        "door": "front-door",
        "reader": "front-in",
        "direction": "in",
        "officer": {"id": "p0231", "rank": "police", "sex": "m"},
        "second": None,
        "purpose": "pass",
        "stay": None,
    },
)


def main() -> None:
    quick = report.arguments("ledger", __doc__ or "").quick
    rounds, seconds, large = (5, 0.3, 100_000) if quick else (15, 1.0, 1_000_000)
    directory = Path(tempfile.mkdtemp(prefix="bench-ledger-", dir=Path.cwd()))
    try:
        figures = _measure(directory, rounds, seconds)
        figures |= _measure_large(directory, rounds, seconds, large)
    finally:
        shutil.rmtree(directory)
    report.finish("ledger", figures)


def _measure(directory: Path, rounds: int, seconds: float) -> dict[str, float]:
    ledger = Ledger.create(directory / "ledger", zone="nz01", deployment="bench", clock=SystemClock())
    lines = [event.line for event in ledger.append(*[DRAFT] * max(SIZES))]
    ((file, _),) = ledger.spans()
    bare = _bare_database(directory / "bare.sqlite3")
    report.say(f"lines of {len(lines[0])} bytes; {rounds} rounds of {seconds:g} s each, in turns; on {directory}")
    rows: list[list[report.Cell]] = [
        ["lines a transaction", "bare lines/s", "with tree", "ratio", "whole append()", "ratio"]
    ]
    figures: dict[str, float] = {}
    for size in SIZES:
        part = lines[:size]
        ways: list[Callable[[], None]] = [
            lambda part=part: _insert(bare, part),  # type: ignore[misc]
            lambda part=part: file.append(lambda _: part),  # type: ignore[misc]
            lambda size=size: _append(ledger, size),  # type: ignore[misc]
        ]
        measured = [_round(ways, turn, seconds, size) for turn in range(rounds)]
        bare_rate, tree_rate, whole_rate = (report.median(row[way] for row in measured) for way in range(3))
        # The ratio of neighbours in time, so that a disk that slows down slows both.
        tree_ratio = report.median(row[1] / row[0] for row in measured)
        whole_ratio = report.median(row[2] / row[0] for row in measured)
        rows.append([size, bare_rate, tree_rate, tree_ratio, whole_rate, whole_ratio])
        figures[f"append_ratio_{size}"] = tree_ratio
        figures[f"whole_append_ratio_{size}"] = whole_ratio
    report.table(rows)
    report.say("whole append(): also checks each event's schema, gives it id, place and time, and encodes it")
    ledger.close()
    return figures


def _measure_large(directory: Path, rounds: int, seconds: float, lines: int) -> dict[str, float]:
    empty = Ledger.create(directory / "empty", zone="nz01", deployment="bench", clock=SystemClock())
    large = Ledger.create(directory / "large", zone="nz01", deployment="bench", clock=SystemClock())
    part = [event.line for event in large.append(*[DRAFT] * 1000)]
    ((file, _),) = large.spans()
    while file.size() < lines:
        file.append(lambda _: part)
    large.close()
    opened_s: list[float] = []
    for _ in range(rounds):
        began_s = time.perf_counter()
        large = Ledger.open(directory / "large", zone="nz01", deployment="bench", clock=SystemClock())
        opened_s.append(time.perf_counter() - began_s)
        large.append(DRAFT)
        large.close()
    os.sync()  # what the building left to be written would slow down the syncs that are measured
    large = Ledger.open(directory / "large", zone="nz01", deployment="bench", clock=SystemClock())
    ways: list[Callable[[], None]] = [lambda: _append(empty, 1), lambda: _append(large, 1)]
    measured = [_round(ways, turn, seconds, 1) for turn in range(rounds)]
    ratio = report.median(row[1] / row[0] for row in measured)
    bytes_ratio = _written_bytes(ways[1]) / _written_bytes(ways[0])
    open_ms = report.median(opened_s) * 1000
    report.say(
        f"\na ledger of {lines:,} lines opens in {open_ms:.3g} ms; one line is appended at {ratio:.3g} of the"
    )
    report.say(f"rate of an empty one, and writes {bytes_ratio:.4g} times the bytes")
    empty.close()
    large.close()
    return {"large_open_ms": open_ms, "large_append_ratio": ratio, "large_append_bytes_ratio": bytes_ratio}


def _written_bytes(way: Callable[[], None]) -> int:
    """Of a thousand appends, as the kernel counts them for this process."""
    before = _kernel_count("wchar")
    for _ in range(1000):
        way()
    return _kernel_count("wchar") - before


def _kernel_count(name: str) -> int:
    counts = dict(line.split(": ") for line in Path("/proc/self/io").read_text().splitlines())
    return int(counts[name])


def _round(ways: list[Callable[[], None]], turn: int, seconds: float, size: int) -> list[float]:
    """Lines a second of each way; who begins changes with every round, so that none always follows another."""
    rates = [0.0] * len(ways)
    for step in range(len(ways)):
        way = (turn + step) % len(ways)
        rates[way] = _rate(ways[way], seconds) * size
    return rates


def _bare_database(path: Path) -> sqlite3.Connection:
    bare = sqlite3.connect(path, isolation_level=None)
    bare.execute("PRAGMA journal_mode = WAL")
    bare.execute("PRAGMA synchronous = FULL")
    bare.execute("CREATE TABLE line (sequence INTEGER PRIMARY KEY, line BLOB NOT NULL) STRICT")
    return bare


def _insert(bare: sqlite3.Connection, lines: list[bytes]) -> None:
    bare.execute("BEGIN IMMEDIATE")
    bare.executemany("INSERT INTO line (line) VALUES (?)", ((line,) for line in lines))
    bare.execute("COMMIT")


def _append(ledger: Ledger, size: int) -> None:
    ledger.append(*[DRAFT] * size)


def _rate(way: Callable[[], None], seconds: float) -> float:
    """Transactions a second."""
    done = 0
    began_s = time.perf_counter()
    while (spent_s := time.perf_counter() - began_s) < seconds:
        way()
        done += 1
    return done / spent_s


if __name__ == "__main__":
    main()

"""A large ledger opens and takes appends with the work of an empty one, counted in SQLite's steps, not in time."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

import sync.ledger_file
from config.clock import ManualClock
from custody.events import Draft
from sync.ledger import Ledger

LARGE = 2**20 - 1 if os.environ.get("FOURMUSTS_SOAK") else 2**17 - 1
"""A size at which the tree has the longest right edge."""
SMALL = 2**9
DRAFT = Draft("door.opened", {"door": "front-door"})


class Work:
    """What SQLite is asked, and how many steps of its virtual machine that takes."""

    def __init__(self) -> None:
        self.counting = False
        self.statements: list[str] = []
        self.steps = 0

    def watch(self, connection: sqlite3.Connection) -> None:
        connection.set_trace_callback(lambda statement: self.statements.append(statement))
        connection.set_progress_handler(self._step, 1)

    def _step(self) -> int:
        self.steps += 1
        return 0

    def taken(self) -> tuple[list[str], int]:
        taken = self.statements, self.steps
        self.statements, self.steps = [], 0
        return taken


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> Iterator[Work]:
    watched = Work()
    real = sync.ledger_file.connect

    def connect(path: Path) -> sqlite3.Connection:
        connection = real(path)
        if watched.counting:
            watched.watch(connection)
        return connection

    monkeypatch.setattr(sync.ledger_file, "connect", connect)
    yield watched


def ledger_of(directory: Path, lines: int) -> None:
    """So many lines that are no events: what is in them costs nothing here."""
    ledger = Ledger.create(directory, zone="nz01", deployment="test", clock=ManualClock())
    ((file, _),) = ledger.spans()
    while (missing := lines - file.size()) > 0:
        part = [b"line"] * min(missing, 10_000)
        file.append(lambda size, part=part: part)  # type: ignore[misc]
    ledger.close()


def opened_again(directory: Path) -> Ledger:
    return Ledger.open(directory, zone="nz01", deployment="test", clock=ManualClock())


def test_opening_and_appending_scan_no_lines_and_take_no_more_steps_the_more_there_are(
    tmp_path: Path, work: Work
) -> None:
    found: dict[int, tuple[int, int, int]] = {}
    for size in (SMALL, LARGE):
        ledger_of(tmp_path / str(size), size)
        work.taken()
        work.counting = True
        ledger = opened_again(tmp_path / str(size))
        opening, opening_steps = work.taken()
        ledger.append(DRAFT)
        first, first_steps = work.taken()
        ledger.append(DRAFT)
        second, second_steps = work.taken()
        found[size] = opening_steps, first_steps, second_steps
        work.counting = False
        ((file, _),) = ledger.spans()
        assert file.size() == size + 2
        for statement in {*opening, *first, *second}:
            if statement.startswith(("SELECT", "INSERT", "UPDATE", "DELETE")):
                plan = [row[3] for row in file._connection.execute(f"EXPLAIN QUERY PLAN {statement}")]
                assert not [step for step in plan if step.startswith("SCAN line")], statement
        # Beside the rows of its own, the first append reads one row for each subtree at the tree's right edge.
        assert len(first) - len(second) == size.bit_count()
        ledger.close()
    opened, first_steps, appended = zip(found[SMALL], found[LARGE], strict=True)
    assert opened[0] == opened[1]
    assert appended[0] == appended[1]
    for_each_edge = (first_steps[0] - appended[0]) / SMALL.bit_count()
    assert first_steps[1] - appended[1] == pytest.approx(for_each_edge * LARGE.bit_count())


def test_a_follower_from_now_on_does_not_read_what_was(tmp_path: Path, work: Work) -> None:
    ledger_of(tmp_path / "large", LARGE)
    work.counting = True
    ledger = opened_again(tmp_path / "large")
    follower = ledger.follow(from_start=False)
    _, steps = work.taken()
    written = ledger.append(DRAFT)
    assert follower.poll() == written
    assert steps < 200
    follower.close()
    ledger.close()

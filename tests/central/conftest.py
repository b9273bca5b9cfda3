"""A real SQLite database of headquarters, and a hand that writes a zone's lines as its ledger would."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from central.store.database import Database
from central.store.logs import LogTable
from central.store.own import OwnLedger
from config.clock import ManualClock
from custody.events import Draft, Stamp, encode_line, event_id
from sync.merkle import CompactRange
from sync.store import Head

START_US = 1_795_397_400_000_000  # 2026-11-23T01:30:00Z, 09:30 in China
_ids = itertools.count(1)


@dataclass
class ZoneHand:
    """Writes lines of one log of a zone, and hands them to a store as verified."""

    zone: str
    log: str
    clock: ManualClock
    tree: CompactRange = field(default_factory=CompactRange)
    lines: list[bytes] = field(default_factory=list)

    def write(self, type_: str, data: dict[str, Any], *, id_: str | None = None, ago_s: float = 0.0) -> str:
        """Append one line; its id."""
        now_us = self.clock.now_us()
        made = id_ or event_id(now_us, next(_ids).to_bytes(10, "big"))
        stamp = Stamp(
            made, self.zone, self.log, len(self.lines) + 1, now_us, 28_800, "boot", self.clock.boottime_s()
        )
        stay = data.get("stay")
        draft = Draft(type_, data, f"stay/{stay}" if stay else None, now_us - int(ago_s * 1e6))
        self.lines.append(encode_line(draft, stamp))
        return made

    def raw(self, line: bytes) -> None:
        self.lines.append(line)

    def head(self) -> Head:
        tree, _ = CompactRange().extended(self.lines)
        return Head(tree.size, tree.edge, f"{self.zone}/{self.log} {tree.size}")

    def advance(self, store: LogTable) -> bool:
        """Give the store everything since the last time."""
        known = self.tree.size
        done = store.advance(self.zone, self.log, known_size=known, head=self.head(), lines=self.lines[known:])
        if done:
            self.tree, _ = CompactRange().extended(self.lines)
        return done


def sign(log: str, size: int, root: bytes) -> str:
    return f"hq/{log} {size} {root.hex()}"


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START_US)


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'central.sqlite3'}"


@pytest.fixture
def database(url: str, clock: ManualClock) -> Iterator[Database]:
    made = Database.create(url)
    OwnLedger.create(made, clock)
    yield made
    made.close()


@pytest.fixture
def own(database: Database, clock: ManualClock) -> OwnLedger:
    return OwnLedger(database, clock, sign)


@pytest.fixture
def store(database: Database, own: OwnLedger, clock: ManualClock) -> LogTable:
    return LogTable(database, own, clock)


@pytest.fixture
def hand(clock: ManualClock) -> Callable[..., ZoneHand]:
    def make(zone: str = "nz01", log: str = "00000000000000a1") -> ZoneHand:
        return ZoneHand(zone, log, clock)

    return make

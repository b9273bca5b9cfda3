"""Rows of a story before they are lines, and how they become the lines of a zone's ledgers."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from custody.events import Draft, Stamp, encode_line, event_id

ZONE = "nz01"
OFFSET_S = 8 * 3600
S = 1_000_000


@dataclass
class Row:
    """One event to be: times in whole seconds since 1970."""

    t: int
    written: int
    type: str
    data: dict[str, Any]
    id: str
    offset_s: int = OFFSET_S
    clock: int = 0
    """How often the zone's clock had been set when it was written: lines stand in the order of their writing."""


@dataclass(frozen=True)
class Switches:
    """What a story may contain; all off is a plain, quiet day."""

    silences: bool = True
    restarts: bool = True
    ledgers: bool = True
    late: bool = True
    corrections: bool = True
    duplicates: bool = True
    audits: bool = True
    faults: bool = True
    guards: bool = True
    next_day: bool = True
    redescribed: bool = True
    mishaps: bool = True
    most_stays: int = 5


@dataclass
class Scribe:
    rng: random.Random
    switches: Switches
    begin: int
    end: int
    rows: list[Row] = field(default_factory=list)
    where: dict[str, list[tuple[int, str | None]]] = field(default_factory=dict)
    cameras: dict[str, list[str]] = field(default_factory=dict)

    def chance(self, share: float) -> bool:
        return self.rng.random() < share

    def near(self, *marks: int) -> int:
        """At a mark, one second under, one second over; now and then anything up to twice the mark."""
        mark = self.rng.choice(marks)
        if self.chance(0.25):
            return self.rng.randint(0, 2 * mark + 1)
        return max(0, mark + self.rng.choice((-1, 0, 1)))

    def write(self, t: int, type_: str, data: dict[str, Any], written: int | None = None) -> Row:
        written = t if written is None else max(t, written)
        row = Row(t, written, type_, data, self.new_id(written))
        self.rows.append(row)
        return row

    def new_id(self, written: int) -> str:
        return event_id(written * S, self.rng.randbytes(10))

    def now_and_late(self, t: int) -> int:
        """When a person at the register writes: mostly at once, sometimes late."""
        if not self.switches.late or not self.chance(0.08):
            return t
        return t + self.near(*self.rng.choice(((60, 300), (600, 1800), (1800, 7200))))

    def people_in(self, room: str, t: int) -> list[str]:
        found = []
        for stay, steps in self.where.items():
            last = [where for since, where in steps if since <= t]
            if last and last[-1] == room:
                found.append(stay)
        return found


def iso(t: int) -> str:
    zone = timezone(timedelta(seconds=OFFSET_S))
    return datetime.fromtimestamp(t, UTC).astimezone(zone).isoformat(timespec="microseconds")


def seconds_of(text: str) -> int:
    """UTC seconds of an ISO time with offset."""
    return int(datetime.fromisoformat(text).timestamp())


def to_lines(scribe: Scribe) -> list[bytes]:
    """Give every row its ledger and sequence, lose some, double some, shuffle all."""
    rng, switches = scribe.rng, scribe.switches
    rows = sorted(scribe.rows, key=lambda r: (r.clock, r.written))
    lines: list[bytes] = []
    before: Ledger | None = None
    parts = _parts(scribe, rows)
    for index, part in enumerate(parts):
        ledger = _ledger(scribe, part, before)
        lines += _written(scribe, ledger, newest=index == len(parts) - 1)
        if before is None or not scribe.chance(0.1):  # now and then two ledgers follow the same one
            before = ledger
    if switches.duplicates and scribe.chance(0.5):
        lines += rng.sample(lines, len(lines) // 10)
        lines += [_said_otherwise(rng, line) for line in rng.sample(lines, 4)]
    rng.shuffle(lines)
    return lines


def _parts(scribe: Scribe, rows: list[Row]) -> list[list[Row]]:
    """The rows of each ledger: mostly all in one."""
    if not scribe.switches.ledgers or len(rows) <= 40 or not scribe.chance(0.4):
        return [rows]
    cuts = sorted(scribe.rng.randint(20, len(rows) - 10) for _ in range(scribe.rng.choice((1, 1, 1, 2))))
    return [rows[a:b] for a, b in zip([0, *cuts], [*cuts, len(rows)], strict=True) if a < b]


def _said_otherwise(rng: random.Random, line: bytes) -> bytes:
    """The same id with other bytes, before or behind the line itself: the smallest line is the one that counts."""
    other = rng.choice(
        (
            (b'"bootid":"b0', b'"bootid":"b1'),
            (b'"bootid":"b0', b'"bootid":"a9'),
            (b'"w1"', b'"w2"'),
            (b"true", b"false"),
        )
    )
    return line.replace(*other, 1)


@dataclass(frozen=True)
class Ledger:
    name: str
    rows: list[Row]


def _ledger(scribe: Scribe, rows: list[Row], before: Ledger | None) -> Ledger:
    """``rows`` behind the line that opens their ledger; after a rollback some of the one before stand here too."""
    rng = scribe.rng
    at = rows[0].written
    reason, cited, again = "first", None, list[Row]()
    if before is not None:
        reason = rng.choice(("rotation", "rotation", "rollback"))
        lost = rng.randint(0, 2) if reason == "rollback" or scribe.chance(0.1) else 0
        cited = {"ledger": before.name, "size": max(1, len(before.rows) - lost), "root": "0" * 64}
        if reason == "rollback" and lost and scribe.chance(0.5):
            again = before.rows[-lost:]
        if scribe.chance(0.05):
            cited = None
    opened = Row(at, at, "ledger.opened", {"follows": cited, "reason": reason}, scribe.new_id(at))
    return Ledger(rng.randbytes(8).hex(), [opened, *again, *rows])


def _written(scribe: Scribe, ledger: Ledger, *, newest: bool) -> list[bytes]:
    """The lines of a ledger, some of them lost."""
    rng = scribe.rng
    numbered = list(enumerate(ledger.rows, start=1))
    if scribe.switches.ledgers and len(numbered) > 5:
        if scribe.chance(0.05):
            numbered = numbered[rng.randint(1, 3) :]
        if scribe.chance(0.12 if newest else 0.4):
            first = rng.randint(len(numbered) // 2 if newest else 2, len(numbered) - 1)
            numbered = numbered[:first] + numbered[first + rng.randint(1, 3) :]
    return [_line(row, ledger.name, sequence) for sequence, row in numbered]


def _line(row: Row, ledger: str, sequence: int) -> bytes:
    stay = row.data.get("stay")
    draft = Draft(row.type, row.data, f"stay/{stay}" if stay else None, row.t * S, row.id)
    stamp = Stamp(
        row.id, ZONE, ledger, sequence, row.written * S, row.offset_s, "b0", float(row.written % 100_000)
    )
    return encode_line(draft, stamp)

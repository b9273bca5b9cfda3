"""The lines of one zone as they came in, and the facts that they make once duplicates and corrections are settled.

Good heartbeats, by far the most of all lines, leave only their times; every other line is kept, for a late line
or a correction can change how it reads.
"""

from __future__ import annotations

import zlib
from array import array
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import orjson

from .corrections import Corrections, Reading, Record
from .events import SPEC_VERSION, Event, SchemaBroken, parse_line, parse_time
from .facts import Amended, Body, Corrected, Fact
from .intervals import FOREVER, SECOND
from .ledgers import Ledgers, Opened
from .policy import Policy
from .reading import read_body, seconds_us
from .shelf import Shelf

QUIET_KEPT = 500
"""How many of the last good heartbeats (eight hours) are surely kept as lines too, should one of them be
corrected, or its id come again in another line. What comes later about a good heartbeat is left aside."""


@dataclass(slots=True)
class Changes:
    """What taking lines has done to the facts: those withdrawn and those filed. ``anew``: all others are void."""

    anew: bool = False
    settled: bool = False
    """The ledgers were settled anew: known time may have changed anywhere."""
    known_since: int = FOREVER
    """Known time may have changed from here on."""
    withdrawn: list[Fact] = field(default_factory=list)
    filed: list[Fact] = field(default_factory=list)
    good: array[int] = field(default_factory=lambda: array("q"))
    """Times of good heartbeats that are new."""


class Records:
    """Every line of one zone."""

    def __init__(self, zone: str, policy: Policy, *, quiet_kept: int = QUIET_KEPT) -> None:
        self.zone = zone
        self.ledgers = Ledgers(policy.reading.heartbeat_timeout_us)
        self.broken: dict[str, str] = {}
        self._step_us = policy.reading.clock_step_us
        self._good_us = policy.rules.m4_3.lowest_us
        self._good_s = self._good_us / SECOND
        self._records: dict[str, Record] = {}
        self._corrections = Corrections(self._records, self.ledgers)
        self._waiting: set[str] = set()
        self._shelf = Shelf()
        self._recent: dict[str, int] = {}
        self._recent_shelf = Shelf()
        self._before: dict[str, int] = {}
        self._before_shelf = Shelf()
        self.quiet_kept = quiet_kept
        self._changed: set[str] = set()
        self._good: array[int] = array("q")
        self._known_since = FOREVER
        self._unsettled = False
        self._in_order = True

    # -- lines in

    def take(self, events: Iterable[Event]) -> Changes:
        """Note lines in any order, repeated or not, and say what that has done."""
        for event in events:
            self.note(event)
        return self.settle()

    def note(self, event: Event) -> None:
        """Note one line; ``settle`` says what came of it."""
        if event.type == "zone.heartbeat" and event.time_us == event.written_us and _has_clock(event.data):
            place = (event.id, event.ledger, event.sequence, event.time_us)
            if self._note_good(*place, event.data, event.line):
                return
        if event.id in self._records or self._is_recent(event.id):
            self._unsettled |= self._repeated(event)
            return
        breaks = self._breaks(event)
        if self.ledgers.append(event.ledger, event.sequence, event.written_us, breaks=breaks):
            self._known_since = min(self._known_since, self.ledgers.known_before)
            self._keep(event)
            self._changed.add(event.id)
        else:
            new = event.ledger not in self.ledgers.lines
            self._put(event)
            self._keep(event)
            self._waiting.add(event.id)
            self._unsettled = True
            if new:  # so that the lines after its first one can be appended
                self._in_order &= self.ledgers.settle()

    def note_heartbeat(self, fields: dict[str, Any], line: bytes) -> bool:
        """Note a good heartbeat that comes in its place, by the shortest way there is: most lines are such ones.

        ``fields`` as ``load_fields`` gives them, ``source`` known to be this zone's. False, and nothing done, for
        every other line: it must be read with ``read_fields`` and noted.
        """
        try:
            float(fields["boottime"])
            if fields["specversion"] != SPEC_VERSION or "recordedtime" in fields:
                return False
            time_us, sequence = parse_time(fields["time"])[0], int(fields["sequence"])
            return self._note_good(fields["id"], fields["ledger"], sequence, time_us, fields["data"], line)
        except (KeyError, TypeError, ValueError):
            return False

    def _note_good(
        self, id_: str, ledger: str, sequence: int, time_us: int, data: dict[str, Any], line: bytes
    ) -> bool:
        """Note a heartbeat, if it is a good one and in its place. Raises ``KeyError`` and ``TypeError``."""
        clock = data["clock"]
        off = clock["offset_s"]
        if (
            not off.__class__ is float is clock["uncertainty_s"].__class__
            or not -self._good_s <= off <= self._good_s
            or id_.__class__ is not str
            or not id_
            or id_ in self._recent
            or id_ in self._before
            or id_ in self._records
            or id_ in self._corrections.by_target
            or not self.ledgers.append(ledger, sequence, time_us, breaks=False)
        ):
            return False
        if self.ledgers.known_before < self._known_since:
            self._known_since = self.ledgers.known_before
        self.ledgers.lines[ledger].good[-1] = 1
        self._good.append(time_us)
        self._recent[id_] = self._recent_shelf.put(line)
        if len(self._recent) >= self.quiet_kept:
            self._before, self._recent = self._recent, {}
            self._before_shelf, self._recent_shelf = self._recent_shelf, Shelf()
        return True

    def settle(self) -> Changes:
        """What the lines noted since the last time have done to the facts."""
        changes, self._good = Changes(known_since=self._known_since, good=self._good), array("q")
        changed, self._changed = self._changed, set()
        unsettled, self._unsettled, self._known_since = self._unsettled, False, FOREVER
        if unsettled:
            in_order, self._in_order = self.ledgers.settle() and self._in_order, True
            if not in_order:
                return self._anew()
        changes.settled = unsettled
        self._waiting, judged = set(), self._waiting
        for id_ in judged:
            (changed if self._corrections.judged(self._records[id_]) else self._waiting).add(id_)
        self._refresh(changed, changes)
        return changes

    def _put(self, event: Event) -> None:
        opened = _opened(event) if event.type == "ledger.opened" else None
        self.ledgers.put(event.ledger, event.sequence, event.written_us, breaks=self._breaks(event), opened=opened)

    def _breaks(self, event: Event) -> bool:
        """Whether the time before this line is unknown, however soon after the line before it was written."""
        if event.type == "zone.started":
            return True
        if event.type == "ledger.opened":
            return event.data.get("reason") != "rotation"
        if event.type == "clock.stepped":
            try:
                return abs(seconds_us(event.data.get("by_s"))) > self._step_us
            except ValueError:
                return True
        return False

    def _is_recent(self, id_: str) -> bool:
        return id_ in self._recent or id_ in self._before

    def _recent_event(self, id_: str) -> Event | None:
        if id_ in self._recent:
            return parse_line(self._recent_shelf.get(self._recent[id_]))
        if id_ in self._before:
            return parse_line(self._before_shelf.get(self._before[id_]))
        return None

    def _keep(self, event: Event) -> None:
        record = self._records[event.id] = Record(event, self._shelf)
        if event.type == "record.corrected":
            target = event.data.get("corrects")
            if isinstance(target, str):
                self._corrections.aim(record, target)

    def _repeated(self, event: Event) -> bool:
        """The same id again. Returns whether the lines must be settled anew."""
        recent = self._recent_event(event.id)
        held: Event | Record = recent if recent is not None else self._records[event.id]
        line = held.line if isinstance(held, Event) else held.text()
        if line == event.line:
            return False
        smaller = event.line < line
        if (held.ledger, held.sequence) != (event.ledger, event.sequence):
            self._put(event)
        elif smaller:
            lines = self.ledgers.lines[event.ledger]
            lines.replace(event.sequence, event.written_us, breaks=self._breaks(event))
        if smaller:
            if recent is not None:
                self._unquiet(recent)
            old = self._records.pop(event.id, None)
            self._keep(event)
            if old is not None:
                self._records[event.id].fact = old.fact
                for target in old.targets:
                    self._corrections.aim(self._records[event.id], target)
            self._waiting.add(event.id)
        return True

    def _unquiet(self, event: Event) -> None:
        """That good heartbeat must be looked at like any other line."""
        (self._recent if event.id in self._recent else self._before).pop(event.id)
        lines = self.ledgers.lines[event.ledger]
        lines.good[event.sequence - lines.first] = 0
        record = self._records[event.id] = Record(event, self._shelf)
        body = read_body(event.type, event.data)
        assert body is not None
        record.fact = self._make(record, body, Reading(event.data, *record.time, (event.id,)))

    # -- facts out

    def _anew(self) -> Changes:
        """Lay all facts anew: lines that were judged no longer are, or their order has changed."""
        changes = Changes(anew=True, settled=True)
        self._waiting = set()
        changes.good.extend(self.ledgers.good_judged())
        for record in self._records.values():
            record.fact = None
        self._corrections.aim_all(set(self._records))
        for id_, record in self._records.items():
            if self._corrections.judged(record):
                record.fact = self._fact(record)
                if record.fact is not None:
                    changes.filed.append(record.fact)
            else:
                self._waiting.add(id_)
        return changes

    def _refresh(self, changed: set[str], changes: Changes) -> None:
        """Read again what has changed, what it corrects and what corrects it."""
        again = set(changed)
        todo = list(changed) if self._corrections.by_target else []
        while todo:
            id_ = todo.pop()
            recent = self._recent_event(id_)
            if recent is not None:
                self._unquiet(recent)
            record = self._records.get(id_)
            if record is None:
                continue
            self._corrections.aim_all({id_})
            others = (record.targets | self._corrections.of(id_)) - again
            again |= others
            todo.extend(others)
        if self._corrections.by_target:
            self._corrections.aim_all(again)
        for id_ in again:
            record = self._records.get(id_)
            if record is None:
                continue
            before, record.fact = record.fact, self._fact(record) if self._corrections.judged(record) else None
            if before is not None:
                changes.withdrawn.append(before)
            if record.fact is not None:
                changes.filed.append(record.fact)

    def _fact(self, record: Record) -> Fact | None:
        """The fact that a judged line makes; ``None`` if it is void, broken, or nothing that a rule looks at."""
        reading = Reading(record.data, *record.time, (record.id,))
        if self._corrections.of(record.id):
            corrected = self._corrections.read(record)
            if corrected is None:
                return None
            reading = corrected
        try:
            body = read_body(record.type, reading.data)
        except SchemaBroken as error:
            self.broken[record.id] = str(error)
            return None
        finally:
            record.forget_data()
        self.broken.pop(record.id, None)
        if isinstance(body, Corrected):
            body = self._amends(record, body)
        return None if body is None else self._make(record, body, reading)

    def _make(self, record: Record, body: Body, reading: Reading) -> Fact:
        rank = self.ledgers.ranks[record.ledger]
        return Fact(
            id=record.id,
            type=record.type,
            order=(reading.time_us, record.written, rank, record.sequence, record.id),
            first_us=record.time[0],
            offset_s=reading.offset_s,
            body=body,
            evidence=reading.evidence,
        )

    def _amends(self, record: Record, body: Corrected) -> Body | None:
        """How much later than its line a correction came; ``None`` if that line is not here."""
        recent = self._recent_event(body.corrects)
        if recent is not None:
            return Amended("", record.written - recent.written_us)
        target = self._records.get(body.corrects)
        if target is None or not self._corrections.judged(target):
            return None
        return Amended(target.stay, record.written - target.written)

    # -- to disk and back

    def state(self) -> bytes:
        """Everything needed to go on after a stop, as bytes."""
        header = {
            "zone": self.zone,
            "ledgers": self.ledgers.state(),
            "lines": len(self._records),
        }
        lines = [record.text() for record in self._records.values()]
        lines += [self._before_shelf.get(place) for place in self._before.values()]
        lines += [self._recent_shelf.get(place) for place in self._recent.values()]
        return zlib.compress(b"\n".join([orjson.dumps(header), *lines]), 1)

    @classmethod
    def resume(cls, policy: Policy, state: bytes) -> tuple[Records, Changes]:
        """The records as they were saved, and all their facts."""
        header_line, *lines = zlib.decompress(state).split(b"\n")
        header = orjson.loads(header_line)
        records = cls(header["zone"], policy)
        records.ledgers.restore(header["ledgers"])
        for line in lines[: header["lines"]]:
            records._keep(parse_line(line))
        for line in lines[header["lines"] :]:
            records._recent[parse_line(line).id] = records._recent_shelf.put(line)
        records.ledgers.settle()
        return records, records._anew()


def _has_clock(data: dict[str, Any]) -> bool:
    clock = data.get("clock")
    return isinstance(clock, dict) and "offset_s" in clock and "uncertainty_s" in clock


def _opened(event: Event) -> Opened | None:
    follows = event.data.get("follows")
    if not isinstance(follows, dict):
        return Opened(event.sequence, False, None, 0)
    name, size = follows.get("ledger"), follows.get("size")
    return Opened(
        event.sequence,
        event.data.get("reason") == "rotation",
        name if isinstance(name, str) else None,
        size if isinstance(size, int) else -1,
    )

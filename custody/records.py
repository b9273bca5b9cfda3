"""The lines of one zone as they came in, and the facts that they make once duplicates and corrections are settled.

Good heartbeats, by far the most of all lines, leave only their times; every other line is kept, for a late line
or a correction can change how it reads.
"""

from __future__ import annotations

import zlib
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
import orjson
from numpy.typing import NDArray

from .corrections import Corrections, Reading, Record
from .events import Event, SchemaBroken, parse_line
from .facts import Amended, Body, Corrected, Fact
from .heartbeats import Run, is_good, rise_apart
from .intervals import FOREVER
from .ledgers import Ledgers, Opened
from .policy import Policy
from .reading import read_body, seconds_us
from .recent import Recent
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
        self._records: dict[str, Record] = {}
        self._corrections = Corrections(self._records, self.ledgers)
        self._waiting: set[str] = set()
        self._shelf = Shelf()
        self._recent = Recent(quiet_kept)
        self._highest = ""
        """No id of a record is higher."""
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
        good = is_good(event, self._good_us)
        if good and self._note_good(event):
            return
        if self.holds(event.id):
            self._unsettled |= self._repeated(event)
            return
        if good and event.id not in self._corrections.by_target and self._stands_already(event):
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

    def note_batch(self, runs: Sequence[Run], events: Sequence[Event]) -> None:
        """Note lines that came together, as ``note`` would one by one.

        Where they take up a ledger at its end, with nothing missing and nothing twice, the heartbeats in runs cost
        next to nothing.
        """
        left = list(events)
        if runs and left and runs[0].ledger not in self.ledgers.lines:  # its first line gives a ledger its place
            first = min(range(len(left)), key=lambda index: left[index].sequence)
            self.note(left.pop(first))
        if runs and self._extend(runs, left):
            return
        left.extend(parse_line(line) for run in runs for line in run.lines)
        if runs:
            left.sort(key=lambda event: (event.ledger, event.sequence))
        for event in left:
            self.note(event)

    def _extend(self, runs: Sequence[Run], events: Sequence[Event]) -> bool:
        """Note all these lines at once if they are the next ones of one ledger; if not, none."""
        ledger = runs[0].ledger
        if {ledger} != {*(run.ledger for run in runs), *(event.ledger for event in events)}:
            return False
        if not self._all_new(np.concatenate([run.ids for run in runs]), [event.id for event in events]):
            return False
        good: list[Event] = []
        others: list[Event] = []
        for event in events:
            (good if is_good(event, self._good_us) else others).append(event)
        places = [(event.sequence, event.written_us) for event in (*good, *others)]
        numbers, moments = np.array(places, np.int64).reshape(-1, 2).T
        sequences = np.concatenate([*(run.sequences for run in runs), numbers])
        written_us = np.concatenate([*(run.written_us for run in runs), moments])
        order = np.argsort(sequences)
        goods = (np.arange(len(order)) < len(order) - len(others))[order]
        breaks = [event.sequence for event in others if self._breaks(event)]
        first = int(sequences[order[0]])
        if (np.diff(sequences[order]) != 1).any() or not self.ledgers.extend(
            ledger, first, written_us[order], goods, breaks
        ):
            return False
        self._known_since = min(self._known_since, self.ledgers.known_before)
        for event in others:
            self._keep(event)
            self._changed.add(event.id)
        for run in runs:
            self._good.frombytes(run.written_us.tobytes())
            self._recent.put(run.lines, str(run.ids[run.ids.argmax()], "ascii"))
        for event in good:
            self._good.append(event.time_us)
            self._recent.put((event.line,), event.id)
        return True

    def _all_new(self, ids: NDArray[np.bytes_], named: list[str]) -> bool:
        """Whether none of these ids came before or is corrected, and none is here twice."""
        every, lowest = named, str(ids[0], "ascii")
        later = lowest > self._highest and lowest > self._recent.highest and not self._corrections.by_target
        if not later or not rise_apart(ids, named):
            every = [*map(bytes.decode, ids.tolist()), *named]
        new = set(every)
        return (
            len(new) == len(every)
            and self._records.keys().isdisjoint(new)
            and self._corrections.by_target.keys().isdisjoint(new)
            and not any(id_ in self._recent for id_ in new)
        )

    def _note_good(self, event: Event) -> bool:
        """Note a good heartbeat, if it is new and in its place."""
        id_ = event.id
        if (
            self.holds(id_)
            or id_ in self._corrections.by_target
            or not self.ledgers.append(event.ledger, event.sequence, event.written_us, breaks=False, good=True)
        ):
            return False
        self._known_since = min(self._known_since, self.ledgers.known_before)
        self._good.append(event.time_us)
        self._recent.put((event.line,), id_)
        return True

    def keep_quiet(self, count: int) -> None:
        """From now on, keep about the last ``count`` good heartbeats as lines."""
        self._recent.keep_from_now(count)

    def _stands_already(self, event: Event) -> bool:
        """Whether a good heartbeat of that time stands in its place: it has come again, once forgotten."""
        return self.ledgers.good_at(event.ledger, event.sequence) == event.written_us

    def holds(self, id_: str) -> bool:
        """Whether a line of this id is here."""
        return id_ in self._records or id_ in self._recent

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
        opened = Opened.told_by(event) if event.type == "ledger.opened" else None
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

    def _record(self, event: Event) -> Record:
        record = self._records[event.id] = Record(event, self._shelf)
        self._highest = max(self._highest, event.id)
        return record

    def _keep(self, event: Event) -> None:
        record = self._record(event)
        if event.type == "record.corrected":
            target = event.data.get("corrects")
            if isinstance(target, str):
                self._corrections.aim(record, target)

    def _repeated(self, event: Event) -> bool:
        """The same id again. Returns whether the lines must be settled anew."""
        recent = self._recent.get(event.id)
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
        self._recent.remove(event.id)
        self.ledgers.lines[event.ledger].not_good(event.sequence)
        record = self._record(event)
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
            recent = self._recent.get(id_)
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
        recent = self._recent.get(body.corrects)
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
        lines += self._recent.lines()
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
            records._recent.put((line,), parse_line(line).id)
        records.ledgers.settle()
        return records, records._anew()

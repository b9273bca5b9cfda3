"""What of a zone's ledgers can be judged, in which order, and over which time the zone is known to have run.

Everything here uses the lines as they stand: places, written times and the few types that end known time.
"""

from __future__ import annotations

import sys
from array import array
from base64 import b64decode, b64encode
from collections.abc import Collection, Iterator
from dataclasses import astuple, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .events import Event
from .intervals import FOREVER, Interval, Intervals, normal

ABSENT = -(1 << 62)
"""Stands in the table of written times for a sequence number that has no line."""


@dataclass(frozen=True, slots=True)
class Opened:
    """What ``ledger.opened`` says: which ledger it follows, and how long that one was."""

    sequence: int
    rotation: bool
    follows: str | None
    size: int

    @classmethod
    def told_by(cls, event: Event) -> Opened:
        follows = event.data.get("follows")
        if not isinstance(follows, dict):
            return cls(event.sequence, False, None, 0)
        name, size = follows.get("ledger"), follows.get("size")
        return cls(
            event.sequence,
            event.data.get("reason") == "rotation",
            name if isinstance(name, str) else None,
            size if isinstance(size, int) else -1,
        )


class Lines:
    """The places of one ledger: when each line was written, which are missing."""

    __slots__ = (
        "breaks",
        "first",
        "good",
        "held",
        "id",
        "known",
        "latest",
        "opened",
        "settled",
        "stale",
        "written",
    )

    def __init__(self, id_: str) -> None:
        self.id = id_
        self.first = 0
        self.written: array[int] = array("q")
        self.good = bytearray()
        """For each number whether a good heartbeat stands there, its time the written one."""
        self.held = 0
        self.latest = ABSENT
        self.breaks: set[int] = set()
        self.opened: Opened | None = None
        self.known: Intervals = []
        self.stale = False
        """Whether ``known`` must be worked out again before it is used."""
        self.settled = False
        """Whether it has its place among the ledgers."""

    @property
    def next(self) -> int:
        """The number after the highest line."""
        return self.first + len(self.written)

    @property
    def whole(self) -> bool:
        """Whether no number is missing between the lowest and the highest line."""
        return self.held == len(self.written)

    def unbroken(self) -> int:
        """The first missing number above the lowest line."""
        if self.whole:
            return self.next
        return self.first + self.written.index(ABSENT)

    def put(self, sequence: int, written: int, *, breaks: bool) -> None:
        """Note a line, wherever it stands. Of two lines in one place the one written first is noted."""
        self.stale = True
        if not self.written:
            self.first = sequence
        if sequence < self.first:
            missing = array("q", [ABSENT]) * (self.first - sequence)
            self.written = missing + self.written
            self.good = bytearray(len(missing)) + self.good
            self.first = sequence
        elif sequence >= self.next:
            further = sequence - self.next + 1
            self.written.extend(array("q", [ABSENT]) * further)
            self.good.extend(bytes(further))
        index = sequence - self.first
        if self.written[index] == ABSENT:
            self.held += 1
            self.written[index] = written
        else:
            self.written[index] = min(written, self.written[index])
        if breaks:
            self.breaks.add(sequence)
        self.latest = max(self.latest, written)

    def replace(self, sequence: int, written: int, *, breaks: bool) -> None:
        """The line in this place was another one, after all."""
        self.written[sequence - self.first] = written
        self.breaks.discard(sequence)
        if breaks:
            self.breaks.add(sequence)
        self.latest = max(self.written)
        self.stale = True

    def now_known(self, start: int, end: int) -> None:
        """The time between two neighbours after all others is known."""
        known = self.known
        if known and known[-1][1] == start:
            known[-1] = (known[-1][0], end)
        elif not known or known[-1][1] < start:
            known.append((start, end))
        else:
            self.stale = True

    def work_out_known(self, end: int, timeout_us: int) -> None:
        """Known time between neighbours, up to the line before number ``end``."""
        pieces: list[Interval] = []
        last = ABSENT
        last_number = min(end, self.next) - self.first
        for number, written in enumerate(self.written[:last_number], self.first):
            if (
                last != ABSENT
                and written != ABSENT
                and last < written <= last + timeout_us
                and number not in self.breaks
            ):
                if pieces and pieces[-1][1] == last:
                    pieces[-1] = (pieces[-1][0], written)
                else:
                    pieces.append((last, written))
            last = written
        self.known = normal(pieces)
        self.stale = False


class Ledgers:
    """All ledgers of one zone."""

    def __init__(self, timeout_us: int) -> None:
        self._timeout_us = timeout_us
        self.lines: dict[str, Lines] = {}
        self.ranks: dict[str, int] = {}
        self._newest: Lines | None = None
        self._rivals = False
        self._judged_end: dict[str, int] = {}
        self._latest = ABSENT
        self.known_before = FOREVER
        """From where on the last ``append`` may have changed known time, but for time after W."""

    def append(self, ledger: str, sequence: int, written: int, *, breaks: bool, good: bool = False) -> bool:
        """Note the next line of a ledger that lacks none. False if it is not such a line: then ``put`` it.

        ``good``: it is a good heartbeat.
        """
        lines = self._next_in(ledger, sequence)
        if lines is None:
            return False
        table = lines.written
        last = table[-1]
        table.append(written)
        lines.good.append(good)
        lines.held += 1
        if breaks:
            lines.breaks.add(sequence)
        elif last < written <= last + self._timeout_us:
            lines.now_known(last, written)
        self._appended(lines, written, min(last, written))
        return True

    def extend(
        self, ledger: str, first: int, written: NDArray[np.int64], good: NDArray[np.bool_], breaks: Collection[int]
    ) -> bool:
        """Append all lines from number ``first`` on, or none: as ``append`` would one by one."""
        lines = self._next_in(ledger, first)
        if lines is None:
            return False
        last = lines.written[-1]
        lines.written.frombytes(written.tobytes())
        lines.good.extend(good.tobytes())
        lines.held += len(written)
        lines.breaks.update(breaks)
        moments = np.concatenate(([last], written))
        steps = np.diff(moments)
        apart = (steps <= 0) | (steps > self._timeout_us)
        apart[[number - first for number in breaks]] = True
        if steps.min() < 0:
            lines.stale = True
        else:
            ends = [*np.flatnonzero(apart).tolist(), len(written)]
            for start, end in zip([0, *(each + 1 for each in ends)], ends, strict=False):
                if start < end:
                    lines.now_known(int(moments[start]), int(moments[end]))
        self._appended(lines, int(written.max()), int(moments.min()))
        return True

    def _next_in(self, ledger: str, sequence: int) -> Lines | None:
        """The ledger's lines, if none is missing, it has its place, and this is the number after the last."""
        lines = self.lines.get(ledger)
        if lines is None or self._rivals or not lines.settled:
            return None
        count = len(lines.written)
        return lines if lines.held == count and sequence == lines.first + count else None

    def _appended(self, lines: Lines, latest: int, earliest: int) -> None:
        if latest > lines.latest:
            lines.latest = latest
            self._latest = max(self._latest, latest)
        if lines is self._newest:
            self._judged_end[lines.id] = lines.next
            self.known_before = FOREVER
        else:
            self.known_before = earliest

    def put(self, ledger: str, sequence: int, written: int, *, breaks: bool, opened: Opened | None) -> None:
        """Note a line, wherever it stands; ``settle`` must follow before anything is asked."""
        lines = self.lines.get(ledger)
        if lines is None:
            lines = self.lines[ledger] = Lines(ledger)
        lines.put(sequence, written, breaks=breaks)
        if opened is not None and (lines.opened is None or opened.sequence < lines.opened.sequence):
            lines.opened = opened

    def settle(self) -> bool:
        """Work out again which ledger is the newest and what is judged.

        Returns whether everything judged before still is, in the same order; if not, all facts must be laid anew.
        """
        before, ranks_before = self._judged_end, self.ranks
        self.ranks = self._ranked()
        followed = {one.opened.follows for one in self.lines.values() if one.opened is not None}
        leaves = [one for one in self.lines.values() if one.id not in followed] or list(self.lines.values())
        self._newest = max(leaves, key=lambda one: (one.latest, one.id), default=None)
        self._rivals = len(leaves) > 1
        self._judged_end = {
            name: lines.unbroken() if lines is self._newest else FOREVER for name, lines in self.lines.items()
        }
        for name, lines in self.lines.items():
            lines.settled = True
            if lines.stale or before.get(name) != self._judged_end[name]:
                lines.work_out_known(self._judged_end[name], self._timeout_us)
        self._latest = max(map(self._latest_judged, self.lines.values()), default=ABSENT)
        kept = all(self._judged_end[name] >= min(end, self.lines[name].next) for name, end in before.items())
        order = sorted(ranks_before, key=lambda name: ranks_before[name])
        return kept and [self.ranks[name] for name in order] == list(range(len(order)))

    def state(self) -> list[dict[str, Any]]:
        """The places of all ledgers, for ``restore``."""
        return [
            {
                "id": one.id,
                "first": one.first,
                "written": packed(one.written),
                "good": b64encode(one.good).decode(),
                "breaks": sorted(one.breaks),
                "opened": None if one.opened is None else astuple(one.opened),
            }
            for one in self.lines.values()
        ]

    def restore(self, state: list[dict[str, Any]]) -> None:
        """Take the places back; ``settle`` must follow."""
        for saved in state:
            one = self.lines[saved["id"]] = Lines(saved["id"])
            one.first = saved["first"]
            one.written = unpacked(saved["written"])
            one.good = bytearray(b64decode(saved["good"]))
            one.held = len(one.written) - one.written.count(ABSENT)
            one.latest = max(one.written)
            one.breaks = set(saved["breaks"])
            one.opened = None if saved["opened"] is None else Opened(*saved["opened"])
            one.stale = True

    def _latest_judged(self, lines: Lines) -> int:
        if lines is not self._newest or lines.whole:
            return lines.latest
        return max(lines.written[: lines.unbroken() - lines.first])

    def _ranked(self) -> dict[str, int]:
        """Each ledger's place in the chain: after the one that it follows, else by its first written time."""
        begun = {name: (one.written[0], name) for name, one in self.lines.items()}
        children: dict[str | None, list[str]] = {}
        for name, one in self.lines.items():
            parent = one.opened.follows if one.opened is not None else None
            children.setdefault(parent if parent in self.lines and parent != name else None, []).append(name)
        ranked: list[str] = []
        waiting = sorted(children.get(None, []), key=lambda name: begun[name], reverse=True)
        while len(ranked) < len(self.lines):
            if not waiting:  # ledgers that name each other in a circle have no first: the earliest opens it
                waiting = [min(set(self.lines) - set(ranked), key=lambda name: begun[name])]
            name = waiting.pop()
            if name not in ranked:
                ranked.append(name)
                waiting.extend(sorted(children.get(name, []), key=lambda one: begun[one], reverse=True))
        return {name: rank for rank, name in enumerate(ranked)}

    def judged(self, ledger: str, sequence: int) -> bool:
        """Whether the line in this place is judged already."""
        return sequence < self._judged_end[ledger]

    def good_at(self, ledger: str, sequence: int) -> int | None:
        """The time of the good heartbeat that stands in this place, if one does."""
        lines = self.lines.get(ledger)
        if lines is None or not lines.first <= sequence < lines.next or not lines.good[sequence - lines.first]:
            return None
        return lines.written[sequence - lines.first]

    def good_judged(self) -> Iterator[int]:
        """The times of all good heartbeats that are judged."""
        for lines in self.lines.values():
            end = min(self._judged_end[lines.id], lines.next) - lines.first
            for index in range(end):
                if lines.good[index]:
                    yield lines.written[index]

    def latest(self) -> int | None:
        """W: the latest written time of what is judged."""
        return None if self._latest == ABSENT else self._latest

    def known(self) -> Intervals:
        """Known time, all ledgers together."""
        for lines in self.lines.values():
            if lines.stale:
                lines.work_out_known(self._judged_end[lines.id], self._timeout_us)
        if len(self.lines) == 1:
            return next(iter(self.lines.values())).known
        pieces = [piece for lines in self.lines.values() for piece in lines.known]
        pieces.extend(filter(None, map(self._over_rotation, self.lines.values())))
        return normal(pieces)

    def _over_rotation(self, lines: Lines) -> Interval | None:
        """The time between the last line of a ledger and the first of the one that it was rotated into."""
        opened = lines.opened
        if opened is None or not opened.rotation or opened.sequence != 1 or lines.first != 1:
            return None
        before = self.lines.get(opened.follows or "")
        if before is None or before is lines or before.next != opened.size + 1:
            return None
        last, first = before.written[-1], lines.written[0]
        return (last, first) if last < first <= last + self._timeout_us else None


def packed(numbers: array[int]) -> str:
    """Numbers as text, eight bytes each, the lowest first."""
    copy = array("q", numbers)
    if sys.byteorder == "big":
        copy.byteswap()
    return b64encode(copy.tobytes()).decode()


def unpacked(text: str) -> array[int]:
    """What ``packed`` packed."""
    numbers = array("q")
    numbers.frombytes(b64decode(text))
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers

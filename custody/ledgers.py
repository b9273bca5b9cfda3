"""What of a zone's ledgers can be judged, in which order, and over which time the zone is known to have run.

Everything here uses the lines as they stand: places, written times and the few types that end known time.
"""

from __future__ import annotations

import sys
from array import array
from base64 import b64decode, b64encode
from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator
from dataclasses import astuple, dataclass
from itertools import compress
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .events import Event
from .intervals import FOREVER, Interval, Intervals, normal

BEFORE_ALL = -(1 << 62)
"""A moment that no line was written at or soon after."""


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


class Stretch:
    """Lines with neighbouring numbers: when each was written, and whether it is a good heartbeat of that time."""

    __slots__ = ("first", "good", "written")

    def __init__(self, first: int, written: Iterable[int], good: bytes) -> None:
        self.first = first
        self.written: array[int] = array("q", written)
        self.good = bytearray(good)

    @property
    def next(self) -> int:
        """The number after the last line."""
        return self.first + len(self.written)


class Lines:
    """The places of one ledger: when each line was written, which are missing."""

    __slots__ = ("breaks", "id", "known", "latest", "opened", "settled", "stale", "stretches")

    def __init__(self, id_: str) -> None:
        self.id = id_
        self.stretches: list[Stretch] = []
        """In the order of their numbers; between two of them at least one is missing."""
        self.latest = BEFORE_ALL
        self.breaks: set[int] = set()
        self.opened: Opened | None = None
        self.known: Intervals = []
        self.stale = False
        """Whether ``known`` must be worked out again before it is used."""
        self.settled = False
        """Whether it has its place among the ledgers."""

    @property
    def first(self) -> int:
        """The lowest number."""
        return self.stretches[0].first

    @property
    def next(self) -> int:
        """The number after the highest line."""
        return self.stretches[-1].next

    @property
    def whole(self) -> bool:
        """Whether no number is missing between the lowest and the highest line."""
        return len(self.stretches) == 1

    def unbroken(self) -> int:
        """The first missing number above the lowest line."""
        return self.stretches[0].next

    def put(self, sequence: int, written: int, *, breaks: bool) -> None:
        """Note a line, wherever it stands. Of two lines in one place the one written first is noted."""
        self.stale = True
        index = self._up_to(sequence)
        before = self.stretches[index] if index >= 0 else None
        if before is not None and sequence < before.next:
            place = sequence - before.first
            before.written[place] = min(written, before.written[place])
        else:
            self._place(index, sequence, written)
        if breaks:
            self.breaks.add(sequence)
        self.latest = max(self.latest, written)

    def _place(self, index: int, sequence: int, written: int) -> None:
        """A line between the stretch with this index and the one after it, which it may join."""
        before = self.stretches[index] if index >= 0 else None
        after = self.stretches[index + 1] if index + 1 < len(self.stretches) else None
        meets = after is not None and after.first == sequence + 1
        if before is not None and before.next == sequence:
            before.written.append(written)
            before.good.append(False)
            if meets:
                assert after is not None
                before.written.extend(after.written)
                before.good.extend(after.good)
                del self.stretches[index + 1]
        elif meets:
            assert after is not None
            after.first = sequence
            after.written.insert(0, written)
            after.good.insert(0, False)
        else:
            self.stretches.insert(index + 1, Stretch(sequence, [written], b"\0"))

    def _up_to(self, sequence: int) -> int:
        """The index of the last stretch that begins with this number or before; -1 if none does."""
        return bisect_right(self.stretches, sequence, key=lambda one: one.first) - 1

    def replace(self, sequence: int, written: int, *, breaks: bool) -> None:
        """The line in this place was another one, after all."""
        stretch = self.stretches[self._up_to(sequence)]
        stretch.written[sequence - stretch.first] = written
        self.breaks.discard(sequence)
        if breaks:
            self.breaks.add(sequence)
        self.latest = max(max(one.written) for one in self.stretches)
        self.stale = True

    def good_at(self, sequence: int) -> int | None:
        """The time of the good heartbeat that stands in this place, if one does."""
        index = self._up_to(sequence)
        stretch = self.stretches[index] if index >= 0 else None
        if stretch is None or sequence >= stretch.next or not stretch.good[sequence - stretch.first]:
            return None
        return stretch.written[sequence - stretch.first]

    def not_good(self, sequence: int) -> None:
        """What stands in this place is read like any other line from now on."""
        stretch = self.stretches[self._up_to(sequence)]
        stretch.good[sequence - stretch.first] = False

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
        for stretch in self.stretches:
            last = BEFORE_ALL
            for number, written in enumerate(stretch.written[: max(0, end - stretch.first)], stretch.first):
                if last < written <= last + timeout_us and number not in self.breaks:
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
        self._latest = BEFORE_ALL
        self.known_before = FOREVER
        """From where on the last ``append`` may have changed known time, but for time after W."""

    def append(self, ledger: str, sequence: int, written: int, *, breaks: bool, good: bool = False) -> bool:
        """Note the next line of a ledger that lacks none. False if it is not such a line: then ``put`` it.

        ``good``: it is a good heartbeat.
        """
        lines = self._next_in(ledger, sequence)
        if lines is None:
            return False
        (stretch,) = lines.stretches
        last = stretch.written[-1]
        stretch.written.append(written)
        stretch.good.append(good)
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
        (stretch,) = lines.stretches
        last = stretch.written[-1]
        stretch.written.frombytes(written.tobytes())
        stretch.good.extend(good.tobytes())
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
        return lines if lines.whole and sequence == lines.next else None

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
        self._latest = max(map(self._latest_judged, self.lines.values()), default=BEFORE_ALL)
        kept = all(self._judged_end[name] >= min(end, self.lines[name].next) for name, end in before.items())
        order = sorted(ranks_before, key=lambda name: ranks_before[name])
        return kept and [self.ranks[name] for name in order] == list(range(len(order)))

    def state(self) -> list[dict[str, Any]]:
        """The places of all ledgers, for ``restore``."""
        return [
            {
                "id": one.id,
                "stretches": [
                    [stretch.first, packed(stretch.written), b64encode(stretch.good).decode()]
                    for stretch in one.stretches
                ],
                "breaks": sorted(one.breaks),
                "opened": None if one.opened is None else astuple(one.opened),
            }
            for one in self.lines.values()
        ]

    def restore(self, state: list[dict[str, Any]]) -> None:
        """Take the places back; ``settle`` must follow."""
        for saved in state:
            one = self.lines[saved["id"]] = Lines(saved["id"])
            one.stretches = [
                Stretch(first, unpacked(written), b64decode(good)) for first, written, good in saved["stretches"]
            ]
            one.latest = max(max(stretch.written) for stretch in one.stretches)
            one.breaks = set(saved["breaks"])
            one.opened = None if saved["opened"] is None else Opened(*saved["opened"])
            one.stale = True

    def _latest_judged(self, lines: Lines) -> int:
        if lines is not self._newest or lines.whole:
            return lines.latest
        return max(lines.stretches[0].written)

    def _ranked(self) -> dict[str, int]:
        """Each ledger's place in the chain: after the one that it follows, else by its first written time."""
        begun = {name: (one.stretches[0].written[0], name) for name, one in self.lines.items()}
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
        return None if lines is None else lines.good_at(sequence)

    def good_judged(self) -> Iterator[int]:
        """The times of all good heartbeats that are judged."""
        for lines in self.lines.values():
            for stretch in lines.stretches:
                if stretch.first < self._judged_end[lines.id]:
                    yield from compress(stretch.written, stretch.good)

    def latest(self) -> int | None:
        """W: the latest written time of what is judged."""
        return None if self._latest == BEFORE_ALL else self._latest

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
        last, first = before.stretches[-1].written[-1], lines.stretches[0].written[0]
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

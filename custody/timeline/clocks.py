"""Heartbeats and steps that tell of a wrong clock.

Good heartbeats are by far the most of all lines, so they are kept as bare times.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from dataclasses import dataclass

from custody.facts import ClockReading, Fact, Order
from custody.intervals import FOREVER

from .track import Track


@dataclass(slots=True)
class BadClock:
    """A maximal run of heartbeats whose clock was off; ``worst_us`` is the furthest of them."""

    first: Fact
    last: Fact
    worst_us: int
    end: int = FOREVER
    restart: Order | None = None
    """The start of the zone that ends it, if one does: of what is told at one moment, what comes before it belongs
    to the run."""

    def takes(self, fact: Fact) -> bool:
        """Whether a bad heartbeat later than its first belongs to it."""
        return fact.time < self.end or (self.restart is not None and fact.order < self.restart)


class Clocks:
    """What heartbeats and ``clock.stepped`` say; a heartbeat that is off by no more than ``limit_us`` is good."""

    def __init__(self, starts: Track, limit_us: int) -> None:
        self._starts = starts
        self._limit_us = limit_us
        self.steps = Track()
        self._bad = Track()
        self._good: array[int] = array("q")
        self._good_sorted = True
        self._runs: list[BadClock] = []
        self._stale = False
        self.version = 0
        """Changes whenever the runs may have."""

    def good(self, moments: array[int]) -> None:
        """Heartbeats with a good clock."""
        if not moments:
            return
        ordered = array("q", sorted(moments))
        if self._good and ordered[0] < self._good[-1]:
            self._good_sorted = False
            self._change()
        self._good.extend(ordered)
        if self._runs and self._runs[-1].end > ordered[0]:
            self._change()

    def _change(self) -> None:
        self._stale = True
        self.version += 1

    def restarted(self) -> None:
        """A start of the zone was added or removed."""
        self._change()

    def file(self, fact: Fact) -> None:
        assert isinstance(fact.body, ClockReading)
        if fact.body.step:
            self.steps.add(fact)
        elif fact.body.off_us <= self._limit_us:
            self.good(array("q", [fact.time]))
        else:
            newest = not self._bad.orders or fact.order > self._bad.orders[-1]
            self._bad.add(fact)
            self.version += 1
            if self._stale or not newest or not self._extend(fact, fact.body.off_us):
                self._stale = True

    def withdraw(self, fact: Fact) -> None:
        assert isinstance(fact.body, ClockReading)
        if fact.body.step:
            self.steps.remove(fact)
        elif fact.body.off_us <= self._limit_us:
            self._good.remove(fact.time)
        else:
            self._bad.remove(fact)
        self._change()

    def _extend(self, fact: Fact, off_us: int) -> bool:
        """Let the run that lasts take one more heartbeat. False if there is none, or more to think about."""
        if not self._runs or self._runs[-1].end != FOREVER:
            return False
        run = self._runs[-1]
        run.last = fact
        run.worst_us = max(run.worst_us, off_us)
        return True

    def runs(self) -> list[BadClock]:
        """Every run, the first first."""
        if self._stale:
            self._work_out()
        return self._runs

    def _work_out(self) -> None:
        if not self._good_sorted:
            self._good = array("q", sorted(self._good))
            self._good_sorted = True
        self._runs = []
        for fact in self._bad.facts:
            assert isinstance(fact.body, ClockReading)
            if self._runs and self._runs[-1].takes(fact):
                self._extend_closed(fact, fact.body.off_us)
            else:
                self._runs.append(BadClock(fact, fact, fact.body.off_us, *self._end_after(fact)))
        self._stale = False

    def _extend_closed(self, fact: Fact, off_us: int) -> None:
        run = self._runs[-1]
        run.last = fact
        run.worst_us = max(run.worst_us, off_us)

    def _end_after(self, fact: Fact) -> tuple[int, Order | None]:
        """The next good heartbeat or start of the zone after a bad heartbeat, and the place of such a start."""
        index = bisect_left(self._good, fact.time)
        good = self._good[index] if index < len(self._good) else FOREVER
        started = next(self._starts.after(fact.order), None)
        if started is None or good < started.time:
            return good, None
        return started.time, started.order

"""What a camera's states and audits prove of picture and sound (rules.md, "Recorded")."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass

from custody.facts import MISSING, PROVEN, Audited, CameraState, Fact
from custody.intervals import FOREVER, Intervals, intersect, normal, subtract

from .track import Stretches, Track


@dataclass(slots=True)
class Shown:
    """What one camera, or one room, shows in a window: intervals proven and missing; the rest is unknown."""

    proven: Intervals
    missing: Intervals


class Camera:
    """One camera: its states painted over one another in their order, and what was audited of it."""

    def __init__(self, starts: Track, reconfirm_us: int) -> None:
        self._starts = starts
        self._reconfirm_us = reconfirm_us
        self.states = Track()
        self.audits = Stretches()
        self.lost = Stretches()
        self._times: list[int] = []
        self._painted: list[Fact | None] = []
        self._stale = False

    def add(self, fact: Fact) -> None:
        newest = not self.states.orders or fact.order > self.states.orders[-1]
        last = self.states.facts[-1] if self.states.facts else None
        self.states.add(fact)
        if self._stale or not newest:
            self._stale = True
            return
        starts = self._starts.orders
        if starts and (last is None or starts[-1] > last.order):
            self._stale = True  # the first state after a start may reach back to it; one before it ends there
            return
        self._paint(self._begins(fact, last.time if last else None), fact)

    def remove(self, fact: Fact) -> None:
        self.states.remove(fact)
        self._stale = True

    def restarted(self) -> None:
        """A start of the zone was added or removed."""
        self._stale = True

    def shown(self, start: int, end: int, known: Intervals, *, sound: bool) -> Shown:
        """What is proven and missing of this camera in [start, end)."""
        if self._stale:
            self._paint_all()
        proven, missing = [], []
        index = max(0, bisect_right(self._times, start) - 1)
        while index < len(self._times) and self._times[index] < end:
            fact = self._painted[index]
            if fact is not None:
                assert isinstance(fact.body, CameraState)
                value = fact.body.sound if sound else fact.body.picture
                until = self._times[index + 1] if index + 1 < len(self._times) else FOREVER
                piece = (max(start, self._times[index]), min(end, until))
                if value == PROVEN:
                    proven.append(piece)
                elif value == MISSING:
                    missing.append(piece)
            index += 1
        seen = Shown(intersect(normal(proven), known), intersect(normal(missing), known))
        return self._audited(seen, start, end, sound=sound)

    def _audited(self, seen: Shown, start: int, end: int, *, sound: bool) -> Shown:
        audits = self.audits.overlapping(start, end)
        if not audits:
            return seen
        looked_at, held = [], []
        for _, _, _, fact in audits:
            body: Audited = fact.body
            looked_at.append((max(start, body.start), min(end, body.end)))
            for first, last in body.audio if sound else body.covered:
                held.append((max(start, first), min(end, last)))
        audited, covered = normal(looked_at), normal(held)
        proven = normal(subtract(seen.proven, audited) + covered)
        missing = normal(subtract(seen.missing, audited) + subtract(audited, covered))
        return Shown(proven, missing)

    def marks(self, start: int, end: int) -> list[Fact]:
        """The states that hold somewhere in [start, end) and the audits that touch it."""
        if self._stale:
            self._paint_all()
        found = []
        index = max(0, bisect_right(self._times, start) - 1)
        while index < len(self._times) and self._times[index] <= end:
            fact = self._painted[index]
            if fact is not None:
                found.append(fact)
            index += 1
        return found + [fact for _, _, _, fact in self.audits.overlapping(start, end)]

    def _begins(self, fact: Fact, before: int | None) -> int:
        """When a state begins to hold; ``before``: the time of the state before it, or of a start of the zone."""
        body = fact.body
        assert isinstance(body, CameraState)
        if body.recording:
            return body.since_us if before is None or body.since_us > before else fact.time
        return min(body.since_us, fact.time)

    def _paint(self, start: int, fact: Fact | None) -> None:
        while self._times and self._times[-1] >= start:
            self._times.pop()
            self._painted.pop()
        self._times.append(start)
        self._painted.append(fact)

    def _paint_all(self) -> None:
        self._times, self._painted = [], []
        reaching = self._reaching_back()
        before: int | None = None
        starts = list(self._starts.facts)
        following = 0
        for fact in [*self.states.facts, None]:
            while following < len(starts) and (fact is None or starts[following].order < fact.order):
                start = starts[following]
                following += 1
                self._paint(start.time, None)
                before = start.time
                first = reaching.get(start.id)
                if first is not None and first.order < start.order:
                    self._paint(start.time, first)
            if fact is None:
                break
            begins = self._begins(fact, before)
            for start in starts:
                if reaching.get(start.id) is fact and start.order < fact.order:
                    begins = min(begins, start.time)
            self._paint(begins, fact)
            before = fact.time
        self._stale = False

    def _reaching_back(self) -> dict[str, Fact]:
        """For each start of the zone the first state, other than unknown, written soon enough after it."""
        found: dict[str, Fact] = {}
        for fact in self.states.facts:
            assert isinstance(fact.body, CameraState)
            if fact.body.unknown:
                continue
            for start in self._starts.within(fact.written - self._reconfirm_us, fact.written):
                if start.written_order < fact.written_order:
                    found.setdefault(start.id, fact)
        return found

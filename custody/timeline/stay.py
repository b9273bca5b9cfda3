"""One stay as its facts tell it: where the person was, what was done, under which measure."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from custody.facts import (
    ActivityStarted,
    Arrived,
    Collected,
    Entered,
    Exited,
    Fact,
    LeaveApproved,
    Left,
    Measure,
    Officers,
    Order,
    SearchFinished,
    SearchStarted,
)
from custody.intervals import FOREVER, Intervals, normal

HIGH_RISK = frozenset(("minor", "drunk", "ill", "injured", "pregnant", "high_risk"))


@dataclass(slots=True)
class Visit:
    """Unbroken time in one room; ``end`` is ``FOREVER`` while it lasts."""

    room: str
    start: int
    end: int
    fact: Fact


@dataclass(slots=True)
class Activity:
    """An activity, to its end, or the person's move to another room, or departure."""

    fact: Fact
    body: ActivityStarted
    inside: bool
    visit: int
    officers: list[tuple[int, Officers, Fact]]
    end: int = FOREVER
    ended: Fact | None = None

    @property
    def start(self) -> int:
        return self.fact.time

    def kind_runs(self, kind: str, moment: int) -> bool:
        """Whether it is of this kind and runs at that moment."""
        return self.body.kind == kind and self.start <= moment < self.end


@dataclass(slots=True)
class Search:
    """A search as started, and the ``search.finished`` with its id wherever the person was by then."""

    fact: Fact
    body: SearchStarted
    visit: int
    end: int = FOREVER
    finished: Fact | None = None


@dataclass(slots=True)
class Finished:
    """A ``search.finished`` and the search that it ends, if that was ever started."""

    fact: Fact
    body: SearchFinished
    search: Search | None


@dataclass(slots=True)
class Departure:
    fact: Fact
    body: Left
    back: int = FOREVER


@dataclass(frozen=True, slots=True)
class State:
    """Flags and level from their place on the timeline on."""

    order: Order
    flags: frozenset[str]
    level: str

    @property
    def time(self) -> int:
        return self.order[0]

    @property
    def high_risk(self) -> bool:
        return self.level == "constant" or not HIGH_RISK.isdisjoint(self.flags)


@dataclass(frozen=True, slots=True)
class Alone:
    """Officers whose presence guards this person alone, while he is in that room."""

    visit: int
    start: int
    end: int
    officers: Officers
    fact: Fact


@dataclass(slots=True)
class StayTimeline:
    """Everything the rules ask about one stay. Times without an end are ``FOREVER``."""

    id: str
    facts: Sequence[Fact]
    first: Fact | None = None
    arrived: Fact | None = None
    arrival: Arrived | None = None
    exited: Fact | None = None
    exits: list[tuple[Fact, Exited]] = field(default_factory=list)
    first_entered: Fact | None = None
    entered: list[tuple[Fact, Entered]] = field(default_factory=list)
    entries: list[tuple[Fact, Entered]] = field(default_factory=list)
    visits: list[Visit] = field(default_factory=list)
    departures: list[Departure] = field(default_factory=list)
    activities: list[Activity] = field(default_factory=list)
    searches: list[Search] = field(default_factory=list)
    finished: list[Finished] = field(default_factory=list)
    collections: list[tuple[Fact, Collected]] = field(default_factory=list)
    approvals: list[tuple[Fact, LeaveApproved]] = field(default_factory=list)
    checks: list[Fact] = field(default_factory=list)
    holds: list[tuple[Fact, bool]] = field(default_factory=list)
    measures: list[tuple[Fact, Measure]] = field(default_factory=list)
    states: list[State] = field(default_factory=list)
    alone: list[Alone] = field(default_factory=list)
    rounds: list[Order] = field(default_factory=list)

    @property
    def suspect(self) -> bool:
        return self.arrival is None or self.arrival.category == "suspect"

    @property
    def criminal(self) -> bool:
        return self.arrival is None or self.arrival.case_kind != "administrative"

    @property
    def sex(self) -> str:
        return "unknown" if self.arrival is None else self.arrival.sex

    @property
    def exempt(self) -> bool:
        return self.arrival is not None and self.arrival.exempt

    @property
    def begun(self) -> Fact:
        """Its arrival, else its first event: what the clocks count from."""
        fact = self.arrived or self.first
        assert fact is not None
        return fact

    @property
    def inside(self) -> Intervals:
        return normal((visit.start, visit.end) for visit in self.visits)

    def state_at(self, moment: int) -> State:
        index = bisect_right(self.states, moment, key=lambda state: state.time)
        return self.states[index - 1] if index else NO_FLAGS

    def flags_by(self, order: Order) -> frozenset[str]:
        """The flags that stand in this place of the timeline; of what is told at one moment, what comes later
        does not count."""
        index = bisect_right(self.states, order, key=lambda state: state.order)
        return self.states[index - 1].flags if index else NO_FLAGS.flags

    def states_within(self, start: int, end: int) -> list[tuple[int, int, State]]:
        """[start, end) cut where flags or level change."""
        return cut(start, end, [(state.time, state) for state in self.states], NO_FLAGS)

    def high_risk_within(self, start: int, end: int) -> bool:
        """High risk at any moment of [start, end); at its only moment if it is empty."""
        return any(state.high_risk for _, _, state in self.states_within(start, max(end, start + 1)))

    def round_of(self, order: Order) -> int:
        """The round in which a fact lies: 0 is the first, -1 is before it."""
        return bisect_right(self.rounds, order) - 1


T = TypeVar("T")

NO_FLAGS = State((-FOREVER, 0, 0, 0, ""), frozenset(), "intermittent")


def cut(start: int, end: int, changes: Sequence[tuple[int, T]], before: T) -> list[tuple[int, int, T]]:
    """[start, end) cut at each change, with the value of each piece; of changes at one time the last stands."""
    index = bisect_right(changes, start, key=lambda change: change[0])
    value = changes[index - 1][1] if index else before
    pieces = []
    while start < end:
        until = end
        while index < len(changes) and changes[index][0] <= start:
            value = changes[index][1]
            index += 1
        if index < len(changes):
            until = min(end, changes[index][0])
        pieces.append((start, until, value))
        start = until
    return pieces

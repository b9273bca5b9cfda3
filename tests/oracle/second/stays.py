"""A stay, read event by event: when it was inside, in which room, what was done with the person."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from .numbers import FOREVER, HIGH_RISK_FLAGS
from .reading import Fact, Reading, instant

Officers = list[dict[str, Any]]


@dataclass
class Doing:
    """A search or an activity: [start, end) is how long it lasts for the stay, cut by a move or a leaving."""

    id: str
    kind: str
    room: str
    fact: Fact
    start: int
    end: int
    was_inside: bool
    round: int
    officers: list[tuple[int, Officers]] = field(default_factory=list)
    finished: Fact | None = None

    def lasts_at(self, t: int) -> bool:
        return self.start <= t < self.end

    def officers_at(self, t: int) -> Officers:
        return [officers for since, officers in self.officers if since <= t][-1]


@dataclass
class Visit:
    """Unbroken time in one room."""

    room: str
    start: int
    end: int


@dataclass
class Measure:
    """A measure from the moment it takes effect. ``counted_from`` is where its clock began."""

    fact: Fact | None
    t: int
    kind: str
    limit_hours: float | None
    counted_from: int


@dataclass
class Stay:
    id: str
    facts: list[Fact]
    arrived: Fact | None = None
    inside: list[tuple[int, int]] = field(default_factory=list)
    visits: list[Visit] = field(default_factory=list)
    entries: list[Fact] = field(default_factory=list)
    activities: list[Doing] = field(default_factory=list)
    searches: list[Doing] = field(default_factory=list)
    finished: list[tuple[Fact, int]] = field(default_factory=list)
    arrived_in: list[tuple[Fact, str, bool]] = field(default_factory=list)
    room_after: dict[str, str | None] = field(default_factory=dict)
    told_room: dict[str, str | None] = field(default_factory=dict)
    round_of: dict[str, int] = field(default_factory=dict)

    def of(self, *types: str) -> list[Fact]:
        return [fact for fact in self.facts if fact.type in types]

    def first(self, *types: str) -> Fact | None:
        return next(iter(self.of(*types)), None)

    def next_after(self, fact: Fact, *types: str) -> Fact | None:
        return next((f for f in self.of(*types) if f.order > fact.order), None)

    @property
    def category(self) -> str:
        return self.arrived.data["category"] if self.arrived else "suspect"

    @property
    def suspect(self) -> bool:
        return self.category == "suspect"

    @property
    def sex(self) -> str:
        return self.arrived.data["sex"] if self.arrived else "unknown"

    @property
    def case_kind(self) -> str:
        return self.arrived.data["case"]["kind"] if self.arrived else "criminal"

    @property
    def exempt(self) -> bool:
        return bool(self.arrived and self.arrived.data.get("exempt"))

    @property
    def begins(self) -> int:
        """Arrived, or the first event of a stay that never arrived."""
        return self.arrived.t if self.arrived else self.facts[0].t

    def is_inside(self, t: int) -> bool:
        return any(a <= t < b for a, b in self.inside)

    def visit_at(self, t: int) -> Visit | None:
        return next((v for v in self.visits if v.start <= t < v.end), None)

    def room_at(self, t: int) -> str | None:
        visit = self.visit_at(t)
        return visit.room if visit else None

    def flags_at(self, t: int) -> set[str]:
        said = [f for f in self.flags_said() if f.t <= t]
        return set(said[-1].data["flags"]) if said else set()

    def flags_said(self) -> list[Fact]:
        return [
            f for f in self.of("stay.arrived", "flags.changed") if f.type != "stay.arrived" or f is self.arrived
        ]

    def level_at(self, t: int) -> str:
        said = [f for f in self.of("flags.changed") if f.t <= t]
        return str(said[-1].data["level"]) if said else "intermittent"

    def high_risk_at(self, t: int) -> bool:
        return bool(self.flags_at(t) & HIGH_RISK_FLAGS) or self.level_at(t) == "constant"

    def measures(self) -> list[Measure]:
        found: list[Measure] = []
        if self.arrived is None:
            found.append(Measure(None, self.begins, "none", None, self.begins))
        for fact in self.of("stay.arrived", "measure.changed"):
            if fact.type == "stay.arrived" and fact is not self.arrived:
                continue
            said = fact.data["measure"]
            since = said.get("since")
            counted = instant(since) if since is not None else found[-1].counted_from if found else self.begins
            found.append(Measure(fact, fact.t, said["kind"], said.get("limit_hours"), counted))
        return found

    def measure_at(self, t: int) -> Measure:
        before = Measure(None, self.begins, "none", None, self.begins)
        return [before, *(m for m in self.measures() if m.t <= t)][-1]


def read_stays(reading: Reading) -> list[Stay]:
    by_stay: dict[str, list[Fact]] = {}
    for fact in reading.facts:
        name = fact.data.get("stay")
        if name and not fact.type.startswith(("door.", "record.", "command.", "finding.", "order.")):
            by_stay.setdefault(name, []).append(fact)
    return [_read(Stay(name, by_stay[name])) for name in sorted(by_stay)]


def _read(stay: Stay) -> Stay:
    stay.arrived = stay.first("stay.arrived")
    reader = _Reader(stay)
    for fact in stay.facts:
        reader.read(fact)
    reader.finish()
    return stay


class _Reader:
    """Where the person is and what is being done, after each event."""

    def __init__(self, stay: Stay) -> None:
        self.stay = stay
        self.inside_since: int | None = None
        self.room: str | None = None
        self.room_since = 0
        self.round = 0
        self.open: list[Doing] = []

    def read(self, fact: Fact) -> None:
        if fact is self.stay.arrived and self.round == 0:
            self.round = 1
        if fact.type in ("stay.entered", "stay.returned"):
            self.come_in(fact)
        elif fact.type == "stay.moved":
            self.stay.arrived_in.append((fact, fact.data["room"], False))
        if fact.type in ("stay.entered", "stay.returned", "stay.moved", "search.started", "activity.started"):
            self.be_in(fact.data["room"], fact.t)
        elif fact.type in ("stay.left", "stay.exited"):
            self.go_out(fact.t)
        if fact.type in ("search.started", "activity.started"):
            self.begin(fact)
        elif fact.type in ("activity.officers", "activity.ended"):
            for doing in _open(self.open, "activity.started", fact.data["activity"]):
                if fact.type == "activity.officers":
                    doing.officers.append((fact.t, fact.data["officers"]))
                else:
                    doing.end = fact.t
        elif fact.type == "search.finished":
            self.finish_search(fact)
        self.stay.told_room[fact.id] = self.room
        self.stay.room_after[fact.id] = self.room if self.inside_since is not None else None
        self.stay.round_of[fact.id] = self.round

    def come_in(self, fact: Fact) -> None:
        entered = self.inside_since is None
        self.stay.arrived_in.append((fact, fact.data["room"], entered))
        if not entered:
            return
        if fact.type == "stay.returned" or self.stay.entries:
            self.round += 1
        elif self.round == 0:
            self.round = 1
        self.stay.entries.append(fact)
        self.inside_since, self.room, self.room_since = fact.t, fact.data["room"], fact.t

    def be_in(self, room: str, t: int) -> None:
        if room != self.room:
            self.leave_room(t)
            self.room, self.room_since = room, t
        _end_elsewhere(self.open, room, t)

    def leave_room(self, t: int) -> None:
        if self.inside_since is not None and self.room is not None:
            self.stay.visits.append(Visit(self.room, self.room_since, t))

    def go_out(self, t: int) -> None:
        self.leave_room(t)
        if self.inside_since is not None:
            self.stay.inside.append((self.inside_since, t))
        self.inside_since = None
        _end_elsewhere(self.open, None, t)

    def begin(self, fact: Fact) -> None:
        data, is_search = fact.data, fact.type == "search.started"
        named = data["search"] if is_search else data["activity"]
        inside = self.inside_since is not None
        doing = Doing(named, data["kind"], data["room"], fact, fact.t, FOREVER, inside, self.round)
        doing.officers.append((fact.t, data["officers"]))
        (self.stay.searches if is_search else self.stay.activities).append(doing)
        self.open.append(doing)

    def finish_search(self, fact: Fact) -> None:
        for doing in _open(self.open, "search.started", fact.data["search"]):
            doing.end = fact.t
        started = [s for s in self.stay.searches if s.id == fact.data["search"]]
        unfinished = [s for s in started if s.finished is None]
        if unfinished:
            unfinished[-1].finished = fact
        of = (unfinished or started)[-1:]
        self.stay.finished.append((fact, of[0].round if of else self.round))

    def finish(self) -> None:
        """What nothing has ended lasts."""
        if self.inside_since is not None:
            self.stay.inside.append((self.inside_since, FOREVER))
            self.leave_room(FOREVER)
        self.stay.inside = [(a, b) for a, b in self.stay.inside if a < b]
        self.stay.visits = _unbroken(self.stay.visits)


def _open(doings: list[Doing], started: str, named: str) -> list[Doing]:
    return [d for d in doings if d.fact.type == started and d.id == named and d.end == FOREVER]


def _end_elsewhere(doings: list[Doing], room: str | None, t: int) -> None:
    for doing in doings:
        if doing.end == FOREVER and doing.room != room:
            doing.end = t


def _unbroken(visits: list[Visit]) -> list[Visit]:
    kept: list[Visit] = []
    for visit in visits:
        if visit.start >= visit.end:
            continue
        if kept and kept[-1].room == visit.room and kept[-1].end == visit.start:
            kept[-1] = Visit(visit.room, kept[-1].start, visit.end)
        else:
            kept.append(visit)
    return kept

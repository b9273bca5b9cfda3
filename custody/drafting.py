"""Works out the lanes of a stay.

It is done upon the same timeline and with the same functions as the findings, so that a picture drawn from the
lanes can never say something else than the judge.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from .findings import Finding, Severity, Verdict
from .intervals import FOREVER, Interval, Intervals, clip, intersect, normal, subtract, union
from .lanes import Lane, Piece, Run, Shows, StayLanes, Track
from .musts.case import Case
from .musts.gaps import gaps, unknown_runs
from .musts.guarded import Guarding
from .musts.terms import Terms
from .timeline.stay import Activity, StayTimeline
from .timeline.zone import ZoneTimeline

LENGTH_LEAST_US = 60_000_000
"""A picture shows a minute at least."""


def lanes_of(
    timeline: ZoneTimeline, stay: str, findings: Sequence[Finding], verdicts: Mapping[int, str]
) -> StayLanes | None:
    """The lanes of a stay that the timeline has facts of, as judged; ``None`` when nothing was written of it."""
    told = timeline.stay(stay) if stay in timeline.stay_facts else None
    if told is None or told.first is None:
        return None
    return _Drafting(Case(timeline, told), findings).lanes(verdicts)


@dataclass(frozen=True, slots=True)
class _Requirement:
    """What a track is made of, before its gaps are looked for."""

    name: str
    rules: tuple[str, ...]
    required: Intervals
    missing: Intervals
    unknown: Intervals
    proven: tuple[Piece, ...]
    cuts: tuple[Interval, ...] = ()
    """Parts of the required time that are runs of their own, apart from the time around them."""


class _Drafting:
    """Works out the lanes of one stay."""

    def __init__(self, case: Case, findings: Sequence[Finding]) -> None:
        self._case = case
        self._stay: StayTimeline = case.stay
        self._findings = sorted(findings, key=lambda one: one.place)
        self._drawn: set[str] = set()
        begun = self._stay.begun
        self._start = min(begun.time, self._stay.visits[0].start) if self._stay.visits else begun.time
        self._last, self._lasts = self._known_end()
        # What ends at H reaches one microsecond beyond it; the picture ends at H.
        self._end = max(self._last, self._start)
        self._whole: Intervals = [(self._start, self._end)] if self._start < self._end else []
        self._inside = clip(case.inside, self._start, self._end)

    def _known_end(self) -> tuple[int, bool]:
        """Where the picture ends: at the exit, or if there was none, or one came in again, as far as is known."""
        stay, horizon = self._stay, self._case.timeline.horizon
        ends = [visit.end for visit in stay.visits] + [FOREVER if stay.exited is None else stay.exited.time]
        return (max(ends), False) if max(ends) <= horizon else (horizon, True)

    def lanes(self, verdicts: Mapping[int, str]) -> StayLanes:
        suspect = self._stay.suspect
        tracks: dict[int, list[Track]] = {1: [], 2: [], 3: [], 4: [], 0: [self._track(self._clock())]}
        if suspect:
            tracks[1] = [self._track(self._straight_in())]
            tracks[2] = [self._track(self._searched())]
            tracks[3] = [self._track(self._guarded())]
            tracks[4] = [self._track(self._recorded())]
        sound = self._interviews()
        if sound.required:
            tracks[4].append(sound)
        lanes = tuple(
            Lane(must, verdicts.get(must, "pending"), tuple(made), self._others(must))
            for must, made in tracks.items()
        )
        term = Terms(self._case).at(self._end)
        return StayLanes(
            zone=self._case.timeline.zone,
            stay=self._stay.id,
            category="suspect" if self._stay.arrival is None else self._stay.arrival.category,
            start_us=self._start,
            end_us=max(self._end, self._start + LENGTH_LEAST_US),
            lasts=self._lasts,
            utc_offset_s=self._stay.begun.offset_s,
            places=self._places(),
            acts=self._acts(),
            lanes=lanes,
            deadline_us=None if term.deadline >= FOREVER else term.deadline,
        )

    # -- where the person was, and what was done

    def _places(self) -> tuple[Piece, ...]:
        rooms = [
            Piece(max(one.start, self._start), min(one.end, self._end), Shows.INSIDE, one.room)
            for one in self._stay.visits
            if one.start < self._end
        ]
        first = rooms[0].start_us if rooms else self._end
        outside = subtract(self._whole, self._inside)
        gone = [Piece(low, high, Shows.WAY_IN if low < first else Shows.OUT) for low, high in outside]
        return tuple(sorted([*rooms, *gone], key=lambda piece: piece.start_us))

    def _acts(self) -> tuple[Piece, ...]:
        acts = [Piece(one.fact.time, one.end, Shows.SEARCH) for one in self._stay.searches]
        acts += [Piece(one.start, one.end, Shows.ACTIVITY, one.body.kind) for one in self._stay.activities]
        acts += [Piece(fact.time, fact.time, Shows.COLLECTION) for fact, _ in self._stay.collections]
        shown = [
            Piece(max(one.start_us, self._start), min(one.end_us, self._end), one.shows, one.what)
            for one in acts
            if one.start_us <= self._end and one.end_us >= self._start
        ]
        return tuple(sorted(shown, key=lambda piece: (piece.start_us, piece.end_us)))

    # -- the requirement of each must

    def _straight_in(self) -> _Requirement:
        """Straight in after the arrival, and out only with a valid permit and for as long as it says."""
        stay, exempt = self._stay, self._stay.exempt
        ends = [fact.time for fact in (stay.first_entered, stay.exited) if fact is not None]
        way_in: Intervals = []
        if stay.arrived is not None and not exempt:
            way_in = clip([(stay.arrived.time, min(ends, default=FOREVER))], self._start, self._end)
        out = normal((one.fact.time, one.back) for one in stay.departures)
        out = subtract(clip(out, self._start, self._end), self._inside)
        breached = intersect(out, normal(self._spans("M1.5", "M1.6")))
        undecided = normal(
            (one.fact.time, one.back)
            for one in stay.departures
            if one.body.reason == "medical"
            and not any(body.permit == one.body.permit or body.reason == "medical" for _, body in stay.approvals)
        )
        unknown = subtract(intersect(out, undecided), breached)
        proven = [(piece, Shows.INSIDE) for piece in subtract(self._inside, way_in)]
        proven += [(piece, Shows.OUT) for piece in subtract(subtract(out, breached), unknown)]
        return _Requirement(
            "entry",
            ("M1.1", "M1.5", "M1.6"),
            union(way_in, self._inside, out),
            union(way_in, breached),
            unknown,
            _pieces(proven),
        )

    def _searched(self) -> _Requirement:
        """Before anything else: from every way in to the end of the first search of that round."""
        done, proven, under_way = self._rounds_searched(), [], []
        for (fact, _), following in zip_longest(self._stay.entries, self._stay.entries[1:]):
            low, high = fact.time, self._end if following is None else following[0].time
            this_round = self._stay.round_of(fact.order)
            searched = done.get(this_round, FOREVER)
            proven += clip(self._inside, max(low, searched), max(high, low, searched))
            for search in self._stay.searches:
                if self._stay.round_of(search.fact.order) == this_round:
                    under_way += clip(self._inside, max(low, search.fact.time), min(search.end, high, searched))
        medical = normal((one.start, one.end) for one in self._stay.activities if one.body.kind == "medical")
        required = subtract(self._inside, subtract(medical, normal(proven)))
        under_way = subtract(normal(under_way), normal(proven))
        missing = subtract(subtract(required, normal(proven)), under_way)
        kinds = [(piece, Shows.PROVEN) for piece in normal(proven)] + [(one, Shows.SEARCH) for one in under_way]
        questioned = normal(self._spans("M2.1"))
        return _Requirement(
            "search",
            ("M2.1", "M2.2"),
            required,
            missing,
            [],
            _pieces(kinds),
            tuple(intersect(missing, questioned)),
        )

    def _rounds_searched(self) -> dict[int, int]:
        """When the first search of each round had finished; a search belongs to the round in which it started."""
        done: dict[int, int] = {}
        for one in self._stay.finished:
            begun = one.fact if one.search is None else one.search.fact
            done.setdefault(self._stay.round_of(begun.order), one.fact.time)
        return done

    def _guarded(self) -> _Requirement:
        guarding = Guarding(self._case)
        auxiliary = guarding.alone_with_auxiliaries
        solid = subtract(intersect(guarding.any, guarding.required), auxiliary)
        proven = [(piece, Shows.PROVEN) for piece in solid] + [(piece, Shows.AUXILIARY) for piece in auxiliary]
        unknown = unknown_runs(guarding.required, guarding.any, guarding.missing, 1)
        return self._judged("guard", "M3.1", guarding.required, guarding.missing, unknown, proven)

    def _recorded(self) -> _Requirement:
        places = [place for place in self._case.places if place.room.purpose != "toilet"]
        required = normal((place.start, place.end) for place in places)
        shown = [self._case.timeline.shown(one.room, one.start, one.end, sound=False) for one in places]
        proven = normal(piece for one in shown for piece in one.proven)
        missing = normal(piece for one in shown for piece in one.missing)
        unknown = unknown_runs(required, proven, missing, 1)
        return self._judged(
            "picture", "M4.1", required, missing, unknown, [(piece, Shows.PROVEN) for piece in proven]
        )

    def _interviews(self) -> Track:
        """Picture and sound of each interview inside that is not exempt; each has gaps of its own."""
        tracks = [
            self._track(self._interview(activity), activity.fact.id)
            for activity in self._stay.activities
            if activity.body.kind == "interview" and activity.inside and not activity.body.exempt
        ]
        required = normal((one.start_us, one.end_us) for track in tracks for one in track.required)
        runs = [run for track in tracks for run in track.runs]
        proven = normal((one.start_us, one.end_us) for track in tracks for one in track.proven)
        proven = subtract(proven, normal((run.start_us, run.end_us) for run in runs))
        return Track(
            "sound",
            _pieces([(piece, Shows.INSIDE) for piece in required]),
            _pieces([(piece, Shows.PROVEN) for piece in proven]),
            tuple(sorted(runs, key=lambda run: run.start_us)),
        )

    def _interview(self, activity: Activity) -> _Requirement:
        timeline, end = self._case.timeline, min(activity.end, self._case.end)
        span: Intervals = [(activity.start, end)] if activity.start < end else []
        missing: Intervals = []
        unknown: Intervals = []
        for low, high, room in timeline.rooms_within(activity.body.room, activity.start, end):
            for sound in (False, True):
                shown = timeline.shown(room, low, high, sound=sound)
                missing += shown.missing
                unknown += subtract(subtract([(low, high)], shown.proven), shown.missing)
        lost = normal(missing)
        doubtful = subtract(normal(unknown), lost)
        proven = subtract(subtract(span, lost), doubtful)
        return self._judged("sound", "M4.2", span, lost, doubtful, [(piece, Shows.PROVEN) for piece in proven])

    def _clock(self) -> _Requirement:
        """Within the limit of the measure in force, until the exit."""
        exited = self._stay.exited
        whole = clip(self._whole, self._start, FOREVER if exited is None else exited.time)
        each = [piece for span in self._spans("T1") for piece in intersect([span], whole)]
        over = normal(each)
        proven = [(piece, Shows.PROVEN) for piece in subtract(whole, over)]
        return _Requirement("clock", ("T1",), whole, over, [], _pieces(proven), tuple(each))

    def _judged(
        self, name: str, rule: str, required: Intervals, missing: Intervals, unknown: Intervals,
        proven: list[tuple[Interval, Shows]],
    ) -> _Requirement:  # fmt: skip
        if not self._case.in_force(rule):
            return _Requirement(name, (rule,), [], [], [], ())
        return _Requirement(name, (rule,), required, missing, unknown, _pieces(proven))

    # -- runs and their findings

    def _track(self, need: _Requirement, subject: str | None = None) -> Track:
        bridge = self._case.policy.reading.bridge_us if need.rules[0] in ("M3.1", "M4.1", "M4.2") else 0
        apart = list(need.cuts)
        runs = [
            self._run(need, gap.start, gap.end, Shows.MISSING, gap.missing_us, subject)
            for part in (subtract(need.required, normal(apart)), apart)
            for gap in gaps(part, intersect(need.missing, part), bridge)
        ]
        runs += [self._run(need, low, high, Shows.UNKNOWN, high - low, subject) for low, high in need.unknown]
        return Track(
            need.name,
            self._required(need),
            tuple(self._clipped(need.proven)),
            tuple(sorted((run for run in runs if run.start_us < run.end_us), key=lambda run: run.start_us)),
        )

    def _run(
        self, need: _Requirement, start: int, end: int, shows: Shows, length_us: int, subject: str | None
    ) -> Run:
        found = self._finding(need.rules, start, end, shows, subject)
        if found is not None:
            self._drawn.add(found.id)
            length_us = found.seconds_us if found.start_us == start else length_us
        else:
            length_us = max(0, length_us - max(0, end - self._last))
        return Run(start, min(end, max(self._end, start)), shows, length_us, found)

    def _finding(
        self, rules: Sequence[str], start: int, end: int, shows: Shows, subject: str | None
    ) -> Finding | None:
        """What the judge found of this time: of several findings the worst."""
        fits = [
            one
            for one in self._findings
            if one.rule in rules
            and (subject is None or one.subject == subject)
            and (one.verdict is Verdict.UNPROVEN) == (shows is Shows.UNKNOWN)
            and one.start_us <= start
            and (one.end_us is None or one.end_us >= end)
        ]
        return max(fits, key=lambda one: (_weight(one), one.start_us), default=None)

    def _required(self, need: _Requirement) -> tuple[Piece, ...]:
        if need.name != "clock":
            return tuple(
                Piece(low, high, Shows.INSIDE) for low, high in clip(need.required, self._start, self._end)
            )
        found = []
        for term in Terms(self._case).all:
            for low, high in clip([(term.start, min(term.end, term.deadline))], self._start, self._end):
                found.append(Piece(low, high, Shows.MEASURE, term.kind, term.limit_hours))
        return tuple(found)

    def _clipped(self, pieces: Sequence[Piece]) -> list[Piece]:
        return [
            Piece(one.start_us, min(one.end_us, self._end), one.shows)
            for one in pieces
            if one.start_us < self._end
        ]

    def _spans(self, *rules: str) -> Intervals:
        return [
            (one.start_us, FOREVER if one.end_us is None else one.end_us)
            for one in self._findings
            if one.rule in rules
        ]

    def _others(self, must: int) -> tuple[Finding, ...]:
        return tuple(one for one in self._findings if one.must == must and one.id not in self._drawn)


def _pieces(kinds: Sequence[tuple[Interval, Shows]]) -> tuple[Piece, ...]:
    return tuple(sorted((Piece(low, high, shows) for (low, high), shows in kinds), key=lambda one: one.start_us))


def _weight(finding: Finding) -> int:
    if finding.severity is Severity.SERIOUS:
        return 3
    return {Verdict.BREACH: 2, Verdict.REVIEW: 1, Verdict.UNPROVEN: 0}[finding.verdict]

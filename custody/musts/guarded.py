"""Must 3: guarded at every moment (一律有人负责看管).

继续盘问规定 art. 29(2): somebody on duty who watches, patrols and hands over; art. 5: the police, not auxiliaries
alone. No law gives lengths: the thresholds are what our sensors need.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property

from custody.facts import Fact
from custody.intervals import FOREVER, Intervals, clip, intersect, normal, subtract, total
from custody.timeline.stay import Activity
from custody.timeline.zone import Place

from .case import Case
from .gaps import Gap, gaps, unknown_runs
from .terms import Terms

BREAKS_OF_WAITING = ("interview", "identification", "meeting", "medical")


class Guarding:
    """How one person was guarded, worked out once for all rules of this must."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self.required = case.inside
        stretches = case.timeline.guarding(case.stay)
        self._stretches = stretches
        for _, end, _, _ in stretches:
            case.wake_at(end)
        self.known = self._known()
        self.any = intersect(normal((start, end) for start, end, _, _ in stretches), self.known)
        self.solid = intersect(
            normal((start, end) for start, end, rank, _ in stretches if rank != "auxiliary"), self.known
        )
        self.missing = subtract(intersect(self.required, self.known), self.any)

    def _known(self) -> Intervals:
        if not self.required:
            return []
        return self.case.timeline.known_within(self.required[0][0], self.required[-1][1])

    @cached_property
    def alone_with_auxiliaries(self) -> Intervals:
        return intersect(subtract(self.any, self.solid), self.required)

    def evidence(self, start: int, end: int) -> list[Fact]:
        """What placed the person in the rooms of [start, end), and which guards' proof ends or begins there."""
        visits = [visit.fact for visit in self.case.stay.visits if visit.start < end and visit.end > start]
        bounds = [fact for low, high, _, fact in self._stretches if high == start or low == end]
        return visits + sorted(bounds, key=lambda fact: fact.order)


def judge_guarded(case: Case) -> None:
    """M3.1, M3.2, M3.5 and M3.8 of one suspect's stay."""
    guarding = Guarding(case)
    _never_alone(case, guarding)
    _police_not_auxiliaries_alone(case, guarding)
    _checked_upon(case)
    _sum_of_gaps(case, guarding)


def _never_alone(case: Case, guarding: Guarding) -> None:
    """M3.1: time inside in which nobody is proven to guard."""
    if not case.in_force("M3.1"):
        return
    rule = case.policy.rules.m3_1
    for gap in gaps(guarding.required, guarding.missing, case.policy.reading.bridge_us):
        risk = case.stay.high_risk_within(gap.start, gap.end)
        length = _length(case, gap)
        step = case.step(rule.high_risk if risk else rule, length, lasts=case.lasts(gap.end))
        if step is not None:
            case.find(
                "M3.1", step[0], gap.start, gap.end, severity=step[1], length_us=length,
                evidence=guarding.evidence(gap.start, gap.end), high_risk=risk,
            )  # fmt: skip
    for start, end in unknown_runs(guarding.required, guarding.any, guarding.missing, 1):
        if case.longer(case.counted(start, end), rule.unproven_us - 1, lasts=case.lasts(end)):
            case.find("M3.1", "unproven", start, end, evidence=guarding.evidence(start, end))


def _length(case: Case, gap: Gap) -> int:
    """The missing time of a gap up to H: H itself, the last moment, has no length."""
    return gap.missing_us - (gap.end - case.span(gap.end))


def _police_not_auxiliaries_alone(case: Case, guarding: Guarding) -> None:
    """M3.2: guarded by auxiliaries alone; stricter in the waiting room of continued questioning."""
    if not case.in_force("M3.2"):
        return
    rule = case.policy.rules.m3_2
    waiting = normal((place.start, place.end) for place in case.places if place.room.purpose == "waiting")
    questioned = intersect(Terms(case).in_force_as("continued_questioning"), waiting)
    alone = guarding.alone_with_auxiliaries
    for start, end in intersect(alone, questioned):
        if case.longer(case.counted(start, end), rule.questioning_us, lasts=case.lasts(end)):
            case.find("M3.2", "breach", start, end, evidence=guarding.evidence(start, end), questioning=True)
    for start, end in subtract(alone, questioned):
        if case.longer(case.counted(start, end), rule.review_us, lasts=case.lasts(end)):
            case.find("M3.2", "review", start, end, evidence=guarding.evidence(start, end), questioning=False)


def _checked_upon(case: Case) -> None:
    """M3.5: left to wait without a check."""
    if not case.in_force("M3.5"):
        return
    for waiting in _waiting(case):
        for start, end, since in _unchecked(case, waiting):
            _overdue(case, waiting, start, end, since)


def _waiting(case: Case) -> list[Place]:
    """Unbroken time in one waiting or sobering room, however often the zone was described meanwhile."""
    found: list[Place] = []
    for place in case.places:
        if place.room.purpose not in ("waiting", "sobering"):
            continue
        last = found[-1] if found else None
        if last is not None and last.visit is place.visit and last.end == place.start:
            found[-1] = replace(last, end=place.end)
        else:
            found.append(place)
    return found


def _unchecked(case: Case, place: Place) -> list[tuple[int, int, Fact]]:
    """The stretches of a place's time between checks, and outside of activities that interrupt the waiting.

    Each runs from what it is counted from, which may lie before the place's own start.
    """
    busy = [one for one in case.stay.activities if one.body.kind in BREAKS_OF_WAITING]
    resets = [(place.visit.start, place.visit.fact)]
    resets += [(fact.time, fact) for fact in case.stay.checks]
    resets += [(one.end, one.ended or one.fact) for one in busy if one.end < FOREVER]
    resets = sorted(
        (one for one in resets if place.visit.start <= one[0] < place.end), key=lambda one: (one[0], one[1].order)
    )
    found = []
    for index, (start, fact) in enumerate(resets):
        end = resets[index + 1][0] if index + 1 < len(resets) else place.end
        begun = min((one.start for one in busy if _interrupts(one, start, end)), default=end)
        end = min(end, max(begun, start))
        if start < end and end > place.start:
            found.append((start, end, fact))
    return found


def _interrupts(activity: Activity, start: int, end: int) -> bool:
    return activity.start < end and activity.end > start


def _overdue(case: Case, place: Place, since: int, end: int, fact: Fact) -> None:
    """Once broken it lasts to the next check, whatever the level does."""
    rule = case.policy.rules.m3_5
    reached: int | None = None
    for low, high, state in case.stay.states_within(since, end):
        limit = rule.limit_us(state.level)
        over, broken = max(low, since + limit), max(low, since + limit + rule.grace_us, place.start)
        case.wake_at(broken + 1)
        if over >= high:
            reached = None
            continue
        reached = over if reached is None or over > low else reached
        if broken < case.span(high):
            start = max(reached, place.start)
            case.find(
                "M3.5", "breach" if case.timeline.is_known(broken) else "unproven", start, end,
                evidence=[fact, *(check for check in case.stay.checks if check.time == end)],
                room=place.room.id, limit_s=limit / 1_000_000,
            )  # fmt: skip
            return


def _sum_of_gaps(case: Case, guarding: Guarding) -> None:
    """M3.8: many short gaps."""
    if case.in_force("M3.8"):
        sum_of_missing(
            case, "M3.8", guarding.missing, case.policy.rules.m3_8.share, case.policy.rules.m3_8.total_us
        )


def sum_of_missing(case: Case, rule: str, missing: Intervals, share: float, total_us: int) -> None:
    """M3.8 and M4.6: all missing time of a finished stay against its time inside."""
    exited = case.stay.exited
    if exited is None or not case.inside:
        return
    start = case.inside[0][0]
    lost, inside = total(clip(missing, start, exited.time)), total(clip(case.inside, start, exited.time))
    if lost > share * inside and lost > total_us:
        case.find(
            rule, "review", start, exited.time, length_us=lost, evidence=[case.stay.visits[0].fact, exited],
            inside_s=inside / 1_000_000,
        )  # fmt: skip

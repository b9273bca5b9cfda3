"""Must 4: on camera and recorded at every moment (一律有视频监控并记录).

治安管理处罚法 art. 137 (continuous, stable, safe), 97, 108; 刑事程序规定 art. 208 (an interview is recorded from
its beginning to its end, without interruption).
"""

from __future__ import annotations

from collections.abc import Iterable

from custody.facts import Fact
from custody.intervals import Intervals, normal, subtract
from custody.policy import Unrecorded
from custody.timeline.cameras import Shown
from custody.timeline.stay import Activity, Visit
from custody.timeline.zone import Place

from .case import Case
from .gaps import Gap, gaps, unknown_runs
from .guarded import sum_of_missing


def judge_recorded(case: Case) -> None:
    """M4.1 and M4.6 of one suspect's stay."""
    places = [place for place in case.places if place.room.purpose != "toilet"]
    required = normal((place.start, place.end) for place in places)
    shown = _over([case.timeline.shown(place.room, place.start, place.end, sound=False) for place in places])
    if case.in_force("M4.1"):
        _gaps(case, "M4.1", case.policy.rules.m4_1, required, shown, places, "")
    if case.in_force("M4.6"):
        rule = case.policy.rules.m4_6
        sum_of_missing(case, "M4.6", shown.missing, rule.share, rule.total_us)


def judge_interviews_recorded(case: Case) -> dict[str, set[str]]:
    """M4.2 of every interview inside, of any category of person; the verdicts found, by the interview's id."""
    verdicts: dict[str, set[str]] = {}
    for activity in case.stay.activities:
        if activity.body.kind == "interview" and activity.inside and not activity.body.exempt:
            before = len(case.found)
            if case.in_force("M4.2"):
                _interview(case, activity)
            verdicts[activity.fact.id] = {finding.verdict.value for finding in case.found[before:]}
    return verdicts


def _interview(case: Case, activity: Activity) -> None:
    """M4.2: picture or sound of an interview missing."""
    end = min(activity.end, case.end)
    visit = Visit(activity.body.room, activity.start, activity.end, activity.fact)
    places = [
        Place(low, high, room, visit)
        for low, high, room in case.timeline.rooms_within(activity.body.room, activity.start, end)
    ]
    picture = _over([case.timeline.shown(one.room, one.start, one.end, sound=False) for one in places])
    sound = _over([case.timeline.shown(one.room, one.start, one.end, sound=True) for one in places])
    missing = normal(picture.missing + sound.missing)
    proven = subtract(subtract([(activity.start, end)], missing), _unknown(activity.start, end, picture, sound))
    required = [(activity.start, end)] if activity.start < end else []
    rule = case.policy.rules.m4_2
    _gaps(case, "M4.2", rule, required, Shown(proven, missing), places, activity.fact.id, activity.fact)


def _unknown(start: int, end: int, *shown: Shown) -> Intervals:
    whole = [(start, end)]
    return normal(piece for one in shown for piece in subtract(subtract(whole, one.proven), one.missing))


def _over(parts: list[Shown]) -> Shown:
    return Shown(
        normal(piece for part in parts for piece in part.proven),
        normal(piece for part in parts for piece in part.missing),
    )


def _gaps(
    case: Case, name: str, rule: Unrecorded, required: Intervals, shown: Shown, places: list[Place],
    subject: str, *why: Fact,
) -> None:  # fmt: skip
    """The gaps and unknown runs of one requirement, as findings."""
    for gap in gaps(required, shown.missing, case.policy.reading.bridge_us):
        length = gap.missing_us - (gap.end - case.span(gap.end))
        uncertainty = _uncertainty(case, gap, places)
        step = case.step(rule, length, lasts=case.lasts(gap.end), less_us=uncertainty)
        if step is not None:
            case.find(
                name, step[0], gap.start, gap.end, severity=step[1], subject=subject, length_us=length,
                evidence=[*why, *_evidence(case, gap.start, gap.end, places)],
                uncertainty_s=uncertainty / 1_000_000,
                rooms=sorted({one.room.id for one in _touched(places, gap.start, gap.end)}),
            )  # fmt: skip
    for start, end in unknown_runs(required, shown.proven, shown.missing, 1):
        if case.longer(case.counted(start, end), rule.unproven_us - 1, lasts=case.lasts(end)):
            case.find(
                name, "unproven", start, end, subject=subject,
                evidence=[*why, *_evidence(case, start, end, places)],
                rooms=sorted({one.room.id for one in _touched(places, start, end)}),
            )  # fmt: skip


def _touched(places: list[Place], start: int, end: int) -> list[Place]:
    return [place for place in places if place.start < end and place.end > start]


def _uncertainty(case: Case, gap: Gap, places: list[Place]) -> int:
    """The largest uncertainty of the audits that overlap the gap and are of its rooms' cameras."""
    cameras = {camera for place in _touched(places, gap.start, gap.end) for camera in place.room.cameras}
    return max(
        (
            fact.body.uncertainty_us
            for camera in cameras
            for _, _, _, fact in case.timeline.camera(camera).audits.overlapping(gap.start, gap.end)
        ),
        default=0,
    )


def _evidence(case: Case, start: int, end: int, places: list[Place]) -> Iterable[Fact]:
    """What placed the person there, and the states and audits at the bounds of [start, end)."""
    touched = _touched(places, start, end)
    facts = [place.visit.fact for place in touched]
    for camera in sorted({camera for place in touched for camera in place.room.cameras}):
        facts += case.timeline.camera(camera).marks(start, min(end, case.timeline.horizon))
    return facts

"""Must 3 among several people: who shares a room, with how many guards, how handed over (M3.3, 3.4, 3.6, 3.7).

继续盘问规定 art. 29(2) (handover), 30(2) (sexes apart); 行政案件程序规定 art. 58 (the drunk: a guard each);
刑诉法 art. 118 and 治安管理处罚法 art. 108 (how many officers hold an interview).
"""

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise

from custody.facts import Fact, Handover
from custody.intervals import Intervals, clip, intersect, normal, subtract
from custody.timeline.stay import Activity, StayTimeline

from .case import Case, Findings, day_of

NOT_WAITING = ("interview", "identification", "meeting")


def judge_in_company(case: Case, interviews: dict[str, set[str]]) -> None:
    """M3.6 and M3.7 of one suspect's stay. ``interviews``: the verdicts of M4.2, by the interview's id."""
    if case.in_force("M3.6"):
        _kept_apart(case)
    if case.in_force("M3.7"):
        for activity in case.stay.activities:
            if activity.body.kind == "interview":
                _interviewers(case, activity, interviews.get(activity.fact.id, set()))


def _kept_apart(case: Case) -> None:
    """M3.6: man and woman, or minor and adult, in one waiting room; held against the one who came later."""
    runs: dict[tuple[int, int, str, int], Intervals] = {}
    for place in case.places:
        if place.room.purpose != "waiting":
            continue
        for start, end, other in case.timeline.suspects_in(place.room.id, place.start, place.end):
            if other.id == case.stay.id or (start, other.id) > (place.visit.start, case.stay.id):
                continue
            low, high = max(start, place.start), min(end, place.end)
            key = (place.visit.start, place.visit.end, other.id, start)
            runs.setdefault(key, []).extend(_apart_by_law(case.stay, other, low, high))
    for (_, _, other_id, _), pieces in runs.items():
        for start, end in normal(pieces):
            if case.longer(case.counted(start, end), case.policy.rules.m3_6.breach_us, lasts=case.lasts(end)):
                case.find(
                    "M3.6", "breach", start, end, subject=other_id, other=other_id,
                    evidence=[one.fact for one in case.stay.visits if one.start < end and one.end > start],
                )  # fmt: skip


def _apart_by_law(one: StayTimeline, other: StayTimeline, start: int, end: int) -> Intervals:
    if {one.sex, other.sex} == {"m", "f"}:
        return [(start, end)] if start < end else []
    ours = normal((low, high) for low, high, state in one.states_within(start, end) if "minor" in state.flags)
    theirs = normal((low, high) for low, high, state in other.states_within(start, end) if "minor" in state.flags)
    return normal(subtract(ours, theirs) + subtract(theirs, ours))


def _interviewers(case: Case, activity: Activity, recording: set[str]) -> None:
    """M3.7: fewer than two police officers; one is enough in an administrative case if all of it is recorded."""
    rule = case.policy.rules.m3_7
    always = case.stay.criminal or day_of(activity.fact) < rule.single_officer_from
    runs: list[tuple[int, int, int]] = []
    for start, end, police in _police_over(activity):
        shown = rule.officers - 1 if always and police < rule.officers else police
        if runs and runs[-1][2] == shown and runs[-1][1] == start:
            runs[-1] = (runs[-1][0], end, shown)
        else:
            runs.append((start, end, shown))
    for start, end, police in runs:
        if police >= rule.officers:
            continue
        if not case.longer(case.counted(start, end), rule.run_us, lasts=case.lasts(end)):
            continue
        if always or police == 0 or "breach" in recording:
            verdict = "breach"
        elif "unproven" in recording:
            verdict = "review"
        else:
            continue
        evidence = [activity.fact, *(fact for time, _, fact in activity.officers if time in (start, end))]
        case.find("M3.7", verdict, start, end, subject=activity.fact.id, evidence=evidence)


def _police_over(activity: Activity) -> list[tuple[int, int, int]]:
    """How many officers of rank police were there, from when to when."""
    found = []
    for index, (start, officers, _) in enumerate(activity.officers):
        end = activity.officers[index + 1][0] if index + 1 < len(activity.officers) else activity.end
        if start < end:
            found.append((start, end, len({officer.id for officer in officers if officer.rank == "police"})))
    return found


def crowded(findings: Findings, room: str, start: int, end: int) -> Intervals:
    """M3.3: when more suspects were in a room, in [start, end), than its guards may watch over."""
    timeline = findings.timeline
    rule = timeline.policy.rules.m3_3
    visits = timeline.suspects_in(room, start, end)
    if len(visits) < 2:
        return []
    counted = [(subtract([(max(low, start), min(high, end))], _busy(stay)), stay) for low, high, stay in visits]
    presences = timeline.presences(room, start, end)
    bounds = {start, end}
    comes: defaultdict[int, list[StayTimeline]] = defaultdict(list)
    goes: defaultdict[int, list[StayTimeline]] = defaultdict(list)
    for pieces, stay in counted:
        for low, high in pieces:
            comes[low].append(stay)
            goes[high].append(stay)
            bounds.update((low, high))
            bounds.update(state.time for state in stay.states if low < state.time < high)
    for presence in presences:
        bounds.update((presence.start, presence.end))
        findings.wake_at(presence.end)
    found = []
    there: list[StayTimeline] = []
    for low, high in pairwise(sorted(bound for bound in bounds if start <= bound <= end)):
        for stay in goes.get(low, ()):
            there.remove(stay)
        there.extend(comes.get(low, ()))
        if len(there) < 2:
            continue
        officers = {one.officer.id for one in presences if one.start <= low < one.end}
        risk = any(stay.state_at(low).high_risk for stay in there)
        limit = rule.per_officer_high_risk if risk else rule.per_officer
        if officers and len(there) > limit * len(officers):
            found.append((low, high))
    return intersect(normal(found), timeline.known_within(start, end))


def _busy(stay: StayTimeline) -> Intervals:
    """When the officers of an activity or a search look after a suspect."""
    activities = [(one.start, one.end) for one in stay.activities if one.body.kind in NOT_WAITING]
    return normal([*activities, *((one.fact.time, one.end) for one in stay.searches)])


def report_crowded(findings: Findings, room: str, start: int, end: int) -> None:
    """M3.3 of one maximal run."""
    rule = findings.policy.rules.m3_3
    timeline = findings.timeline
    length = min(end, timeline.horizon) - start
    there = sorted(
        (
            visit.fact
            for stay in {one.id: one for _, _, one in timeline.suspects_in(room, start, end)}.values()
            for visit in stay.visits
            if visit.room == room and visit.start < end and visit.end > start
        ),
        key=lambda fact: fact.order,
    )
    if findings.longer(length, rule.review_us, lasts=end > timeline.horizon) and rule.in_force(day_of(there[0])):
        findings.add("M3.3", "review", start, end, subject=room, evidence=there, room=room)


def judge_handover(findings: Findings, fact: Fact) -> None:
    """M3.4: the guard handed over to somebody who was not there, or not with the people who were."""
    rule = findings.policy.rules.m3_4
    timeline = findings.timeline
    body = fact.body
    assert isinstance(body, Handover)
    if not rule.in_force(day_of(fact)):
        return
    first, last = fact.time - rule.present_us, fact.time + rule.present_us
    findings.wake_at(last + 1)
    absent = timeline.written > last and not any(
        one.shown
        and one.officer.id == body.incoming.id
        and clip(timeline.known, max(first, one.start), min(last + 1, one.end))
        for one in timeline.presences(body.room, first, last + 1)
    )
    inside, settling = set(), set()
    for start, end, stay in timeline.suspects_in(
        body.room, fact.time - rule.settled_us, fact.time + rule.settled_us + 1
    ):
        if start <= fact.time < end:
            inside.add(stay.id)
        if abs(start - fact.time) <= rule.settled_us or abs(end - fact.time) <= rule.settled_us:
            settling.add(stay.id)
    others = {name for name in body.stays if name in timeline.stay_facts and not timeline.stay(name).suspect}
    wrong = (inside ^ set(body.stays)) - settling - others
    if absent or wrong:
        findings.add(
            "M3.4", "review", fact.time, fact.time, subject=fact.id, evidence=[fact], room=body.room,
            incoming_absent=absent, stays_differ=sorted(wrong),
        )  # fmt: skip

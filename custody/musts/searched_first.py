"""Must 2: searched, and identified, before anything else (一律先进行人身安全检查).

行政案件程序规定 art. 53; 治安管理处罚法 art. 102, 103. Every way back into the zone begins a new round.
"""

from __future__ import annotations

from math import ceil

from custody.facts import Entered, Fact
from custody.intervals import FOREVER, clip, normal, total
from custody.timeline.stay import Activity, Finished

from .case import Case

QUESTIONING = ("interview", "identification", "meeting")


def judge_searched_first(case: Case) -> None:
    """M2.1 to M2.8 of one suspect's stay."""
    _searched_before(case)
    for number, (fact, body) in enumerate(case.stay.entries):
        _searched_in_time(case, number, fact, body)
    for finished in case.stay.finished:
        _search(case, finished)
    _collected(case)
    _samples(case)


def _searched_before(case: Case) -> None:
    """M2.1: questioned before a search of this round had finished."""
    if not case.in_force("M2.1"):
        return
    for activity in case.stay.activities:
        if not activity.inside or activity.body.kind not in QUESTIONING:
            continue
        this_round = case.stay.round_of(activity.fact.order)
        finished = [one for one in case.stay.finished if one.fact.order < activity.fact.order]
        if any(_round(case, one) == this_round for one in finished):
            continue
        later = (one.fact for one in case.stay.finished if one.fact.order > activity.fact.order)
        search = next(later, None)
        end = min(activity.end, FOREVER if search is None else search.time)
        evidence = [activity.fact, *([] if search is None or search.time != end else [search])]
        case.find(
            "M2.1", "breach", activity.start, end, subject=activity.fact.id, evidence=evidence,
            activity=activity.body.kind,
        )  # fmt: skip


def _round(case: Case, finished: Finished) -> int:
    """A search belongs to the round in which it started; one that was only finished, to that of its end."""
    begun = finished.fact if finished.search is None else finished.search.fact
    return case.stay.round_of(begun.order)


def _searched_in_time(case: Case, number: int, entry: Fact, body: Entered) -> None:
    """M2.2: how long from the way in to the search."""
    if not case.in_force("M2.2"):
        return
    stay = case.stay
    rule = case.policy.rules.m2_2
    this_round = stay.round_of(entry.order)
    searches = [search.fact for search in stay.searches]
    searches += [one.fact for one in stay.finished if one.search is None]
    searches = [fact for fact in searches if stay.round_of(fact.order) == this_round]
    if any(fact.order < entry.order for fact in searches):
        return
    search = min(searches, key=lambda fact: fact.order, default=None)
    out = _out_after(case, entry)
    end = min(FOREVER if search is None else search.time, out)
    medical = normal((one.start, one.end) for one in stay.activities if one.body.kind == "medical")
    waited = case.counted(entry.time, end) - total(clip(medical, entry.time, max(entry.time, case.span(end))))
    together = case.timeline.entered_within(entry.time - rule.together_us, entry.time + rule.together_us)
    people = len(together | {stay.id})
    factor = ceil(people / max(1, case.timeline.search_rooms(entry.time)))
    lasts = case.lasts(end)
    if lasts and any(one.kind_runs("medical", case.timeline.horizon) for one in stay.activities):
        case.wake_at(case.timeline.horizon + 1)
    step = case.step(rule, waited, lasts=lasts, factor=factor)
    if step is not None:
        case.find(
            "M2.2", step[0], entry.time, end, subject=entry.id, severity=step[1], length_us=waited,
            evidence=[entry, *([search] if search is not None and search.time == end else [])],
            people=people, limit_factor=factor,
        )  # fmt: skip


def _out_after(case: Case, entry: Fact) -> int:
    """When the person next left or exited."""
    out = [one.fact for one in case.stay.departures] + [fact for fact, _ in case.stay.exits]
    return min((fact.time for fact in out if fact.order > entry.order), default=FOREVER)


def _search(case: Case, finished: Finished) -> None:
    """M2.3, M2.4, M2.7 and M2.8: how a search was done."""
    fact, body = finished.fact, finished.body
    rules = case.policy.rules
    able = {officer.id for officer in body.officers if officer.rank in rules.m2_3.ranks}
    if case.in_force("M2.3") and len(able) < rules.m2_3.officers:
        verdict = "breach" if body.body_search else "review"
        case.find("M2.3", verdict, fact.time, subject=fact.id, evidence=[fact], officers=len(able))
    men = [officer.id for officer in body.officers if officer.sex == "m" and officer.rank != "doctor"]
    if case.in_force("M2.4") and case.stay.sex == "f" and men:
        case.find("M2.4", "breach", fact.time, subject=fact.id, evidence=[fact], officers=sorted(set(men)))
    if case.in_force("M2.7") and not body.complete:
        case.find("M2.7", "review", fact.time, subject=fact.id, evidence=[fact])
    search = finished.search
    if not case.in_force("M2.8") or search is None or search.finished is not fact:
        return
    begun = search.fact
    if fact.time - begun.time < rules.m2_8.shortest_us:
        case.find("M2.8", "review", begun.time, fact.time, subject=fact.id, evidence=[begun, fact])


def _collected(case: Case) -> None:
    """M2.5: identified before the first interview, or before the exit."""
    stay = case.stay
    rule = case.policy.rules.m2_5
    if not rule.collection_required or not case.in_force("M2.5") or not stay.entries or stay.exempt:
        return
    interview = _first_interview(case)
    due = stay.exited if interview is None else interview.fact
    if due is None:
        return
    basic = [fact for fact, body in stay.collections if "basic" in body.items]
    if any(fact.order < due.order for fact in basic):
        return
    ends = [*basic[:1], *([] if stay.exited is None else [stay.exited])]
    end = min((max(fact.time, due.time) for fact in ends), default=FOREVER)
    case.find("M2.5", "breach", due.time, end, subject=due.id, evidence=[due, *basic[:1]])


def _first_interview(case: Case) -> Activity | None:
    interviews = (one for one in case.stay.activities if one.inside and one.body.kind == "interview")
    return next(interviews, None)


def _samples(case: Case) -> None:
    """M2.6: samples without approval, or taken twice (治安管理处罚法 art. 102)."""
    if not case.in_force("M2.6"):
        return
    rule = case.policy.rules.m2_6
    taken: set[str] = set()
    for fact, body in case.stay.collections:
        items = set(body.items)
        unapproved = items - set(rule.free_items) if not body.approved else set()
        repeated = (items - set(rule.repeatable_items)) & taken
        taken |= items
        if unapproved or repeated:
            case.find(
                "M2.6", "breach", fact.time, subject=fact.id, evidence=[fact],
                unapproved=sorted(unapproved), repeated=sorted(repeated),
            )  # fmt: skip

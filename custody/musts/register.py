"""The register itself: entries made without it, lines written late and lines corrected late (M1.3, M1.4, M1.9).

使用管理规定: a dedicated register of everybody who enters the zone, with the times of entry and exit.
"""

from __future__ import annotations

from collections.abc import Iterable

from custody.facts import Amended, Fact
from custody.intervals import FOREVER, clip, total

from .case import Case, Findings, day_of

WRITTEN_IN_THE_REGISTER = (
    "stay.",
    "search.",
    "collection.",
    "activity.",
    "guard.",
    "check.",
    "leave.",
    "measure.",
    "flags.",
    "property.",
    "care.",
)


def judge_lines_of_stay(case: Case) -> None:
    """M1.4 and M1.9 of one stay, of any category the first, of suspects the second."""
    if case.in_force("M1.4"):
        late_lines(case, case.stay.facts, case.stay.id)
    if case.stay.suspect and case.in_force("M1.9"):
        late_corrections(case, case.stay.facts, case.stay.id)


def judge_lines_of_zone(findings: Findings, since: int) -> None:
    """M1.4 and M1.9 of lines that are of no stay and that were written, or corrected, at ``since`` or later."""
    timeline = findings.timeline
    rule = findings.policy.rules.m1_4
    late = [fact for fact in timeline.late.facts if fact.written >= since and rule.in_force(day_of(fact))]
    late_lines(findings, late, None)
    corrected = findings.policy.rules.m1_9
    late_corrections(findings, (fact for fact in timeline.amended.facts if corrected.in_force(day_of(fact))), None)


def late_lines(findings: Findings, facts: Iterable[Fact], stay: str | None) -> None:
    """M1.4: written long after it happened, counting only time in which the zone is known to have run."""
    rule = findings.policy.rules.m1_4
    for fact in facts:
        if fact.written - fact.first_us <= rule.lowest_us or not fact.type.startswith(WRITTEN_IN_THE_REGISTER):
            continue
        counted = total(clip(findings.timeline.known, fact.first_us, fact.written))
        step = rule.step(counted)
        if step is not None:
            findings.add(
                "M1.4", step[0], fact.first_us, fact.written, severity=step[1], stay=stay, subject=fact.id,
                length_us=counted, evidence=[fact], type=fact.type,
            )  # fmt: skip


def late_corrections(findings: Findings, facts: Iterable[Fact], stay: str | None) -> None:
    """M1.9: a line corrected long after it was written."""
    limit = findings.policy.rules.m1_9.review_us
    for fact in facts:
        body = fact.body
        if isinstance(body, Amended) and body.after_us > limit:
            findings.add(
                "M1.9", "review", fact.time, fact.time, stay=stay, subject=fact.id, evidence=[fact],
                after_s=body.after_us / 1_000_000,
            )  # fmt: skip


def judge_entries_without_register(findings: Findings) -> None:
    """M1.3: brought in through a door, and nobody entered in the register there."""
    for door in sorted(findings.timeline.grants):
        for group in _groups(findings, door):
            if findings.policy.rules.m1_3.in_force(day_of(group[0])):
                _unregistered(findings, door, group)


def _groups(findings: Findings, door: str) -> list[list[Fact]]:
    """The grants to bring in after which the door opened, those close to one another together."""
    rule = findings.policy.rules.m1_3
    opened = findings.timeline.opened.get(door)
    groups: list[list[Fact]] = []
    if opened is None:
        return groups
    for fact in findings.timeline.grants[door].facts:
        if not opened.within(fact.time, fact.time + rule.opened_us):
            continue
        if groups and fact.time - groups[-1][-1].time < rule.group_us:
            groups[-1].append(fact)
        else:
            groups.append([fact])
    return groups


def _unregistered(findings: Findings, door: str, group: list[Fact]) -> None:
    rule = findings.policy.rules.m1_3
    timeline = findings.timeline
    first, last = group[0].time, group[-1].time
    if timeline.written <= last + rule.after_us:
        return
    nearby = [
        timeline.door_entries[name] for name in timeline.interlocked(door, first) if name in timeline.door_entries
    ]
    if any(track.within(first - rule.before_us, last + rule.after_us) for track in nearby):
        return
    following = [track.facts[index] for track in nearby if (index := track.at(first)) < len(track)]
    end = min((fact.time for fact in following), default=FOREVER)
    entered = [fact for fact in following if fact.time == end]
    findings.add("M1.3", "breach", first, end, subject=door, evidence=[*group, *entered], door=door)

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


def groups_brought_in(findings: Findings, door: str, since: int) -> list[list[Fact]]:
    """The grants to bring in, from ``since`` on, after which the door opened; those close together are a group."""
    rule = findings.policy.rules.m1_3
    opened = findings.timeline.opened.get(door)
    groups: list[list[Fact]] = []
    track = findings.timeline.grants[door]
    if opened is None:
        return groups
    for fact in track.facts[track.at(since) :]:
        if not opened.within(fact.time, fact.time + rule.opened_us):
            continue
        if groups and fact.time - groups[-1][-1].time < rule.group_us:
            groups[-1].append(fact)
        else:
            groups.append([fact])
    return groups


def judge_group(findings: Findings, door: str, group: list[Fact]) -> None:
    """M1.3: brought in through a door, and nobody entered in the register there."""
    rule = findings.policy.rules.m1_3
    if not rule.in_force(day_of(group[0])):
        return
    timeline = findings.timeline
    first, last = group[0].time, group[-1].time
    if timeline.written <= last + rule.after_us:
        findings.wake_at(last + rule.after_us + 1)
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

"""Must 3: guarded at every moment."""

from __future__ import annotations

from functools import partial
from itertools import combinations
from typing import Any

from .findings import Finding, Findings, Run, gaps, step, walk
from .numbers import (
    AUXILIARIES_ALONE,
    AUXILIARIES_ALONE_QUESTIONING,
    CHECK_GRACE,
    CHECK_LIMIT,
    FEW_OFFICERS,
    FOREVER,
    HANDOVER_LEFT_OUT,
    INCOMING_PRESENT,
    MIXED_ROOM,
    NEW_LAW,
    SUM_AT_LEAST,
    SUM_SHARE_PERCENT,
    SUSPECTS_PER_OFFICER,
    SUSPECTS_PER_OFFICER_HIGH_RISK,
    TOO_MANY,
    UNGUARDED,
    UNGUARDED_FLOOR,
    UNGUARDED_HIGH_RISK,
)
from .reading import Fact, local_day
from .stays import Doing, Stay, Visit
from .world import World

ATTENDED = ("interview", "identification", "meeting")
CHECK_PAUSES = ("interview", "identification", "meeting", "medical")


def judge_must3(world: World, out: Findings, m4_2_of: dict[str, list[Finding]]) -> None:
    """``m4_2_of``: the findings of M4.2 by the id of the event that started the interview."""
    suspects = [stay for stay in world.stays if stay.suspect]
    for stay in suspects:
        m3_1_and_8(world, stay, out)
        m3_2(world, stay, out)
        for visit in stay.visits:
            m3_5(world, stay, visit, out)
        for activity in stay.activities:
            if activity.kind == "interview":
                m3_7(world, stay, activity, m4_2_of.get(activity.fact.id, []), out)
    m3_3(world, suspects, out)
    for handover in world.reading.of("guard.handover"):
        m3_4(world, suspects, handover, out)
    for one, other in combinations(suspects, 2):
        m3_6(world, one, other, out)


def whole(stay: Stay) -> tuple[int, int]:
    """From the first moment inside to the last."""
    return stay.inside[0][0], stay.inside[-1][1]


def m3_1_and_8(world: World, stay: Stay, out: Findings) -> None:
    if not stay.inside:
        return

    def value(t: int) -> str | None:
        return world.guarded(stay, t) if stay.is_inside(t) else None

    runs = walk(world.points, *whole(stay), world.h, value)
    risky = [p for p in world.points if stay.high_risk_at(p)]
    for gap in gaps(runs):
        high = stay.high_risk_at(gap.start) or any(gap.start <= p < gap.end for p in risky)
        grade = step(gap.missing, UNGUARDED_HIGH_RISK if high else UNGUARDED)
        if grade and gap.missing >= UNGUARDED_FLOOR:
            out.of_run("M3.1", stay.id, grade, gap, gap.missing)
    for run in runs:
        if run.value == "unknown" and run.end - run.start >= UNGUARDED_FLOOR:
            out.of_run("M3.1", stay.id, "unproven", run)
    sum_of_short(world, stay, "M3.8", runs, out)


def sum_of_short(world: World, stay: Stay, rule: str, runs: list[Run], out: Findings) -> None:
    exited = stay.first("stay.exited")
    if exited is None:
        return
    missing = sum(max(0, min(r.end, exited.t) - r.start) for r in runs if r.value == "missing")
    inside = sum(max(0, min(b, exited.t) - a) for a, b in stay.inside)
    if missing * 100 > inside * SUM_SHARE_PERCENT and missing > SUM_AT_LEAST:
        out.add(rule, stay.id, "review", stay.inside[0][0], exited.t, missing)


def m3_2(world: World, stay: Stay, out: Findings) -> None:
    if not stay.inside:
        return

    def value(t: int) -> str | None:
        guards = world.guards(stay, t)
        if not stay.is_inside(t) or not world.reading.is_known(t) or {g["rank"] for g in guards} != {"auxiliary"}:
            return None
        waiting = world.purpose(stay.room_at(t), t) == "waiting"
        questioned = stay.measure_at(t).kind == "continued_questioning"
        return "questioning" if waiting and questioned else "other"

    for run in walk(world.points, *whole(stay), world.h, value):
        length = run.end - run.start
        if run.value == "questioning" and length > AUXILIARIES_ALONE_QUESTIONING:
            out.of_run("M3.2", stay.id, "breach", run)
        elif run.value == "other" and length > AUXILIARIES_ALONE:
            out.of_run("M3.2", stay.id, "review", run)


def m3_3(world: World, suspects: list[Stay], out: Findings) -> None:
    def too_many(room: str, t: int) -> bool:
        if not world.reading.is_known(t):
            return False
        counted = [
            s for s in suspects
            if s.room_at(t) == room
            and not any(a.kind in ATTENDED and a.lasts_at(t) for a in s.activities)
            and not any(search.lasts_at(t) for search in s.searches)
        ]  # fmt: skip
        officers = {p.officer["id"] for p in world.presences if p.room == room and p.start <= t < p.end}
        each = SUSPECTS_PER_OFFICER
        if any(s.high_risk_at(t) for s in counted):
            each = SUSPECTS_PER_OFFICER_HIGH_RISK
        return bool(officers) and len(counted) > each * len(officers)

    for room in sorted({visit.room for s in suspects for visit in s.visits}):
        start = min(v.start for s in suspects for v in s.visits if v.room == room)
        for run in walk(world.points, start, FOREVER, world.h, partial(too_many, room)):
            if run.value and run.end - run.start > TOO_MANY:
                out.of_run("M3.3", None, "review", run)


def m3_4(world: World, suspects: list[Stay], handover: Fact, out: Findings) -> None:
    t, room, incoming = handover.t, handover.data["room"], handover.data["incoming"]["id"]
    first, last = t - INCOMING_PRESENT, t + INCOMING_PRESENT
    moments = [first, last, *(p for p in world.points if first < p < last)]
    present = any(
        p.by_present and p.room == room and p.officer["id"] == incoming and p.start <= m < p.end
        for m in moments if world.reading.is_known_moment(m)
        for p in world.presences
    )  # fmt: skip
    absent = not present and world.reading.w > last
    here = {s.id for s in suspects if s.room_at(t) == room}
    left_out = {s.id for s in world.stays if not s.suspect}
    for stay in suspects:
        for visit in stay.visits:
            if visit.room == room and (
                abs(visit.start - t) <= HANDOVER_LEFT_OUT or abs(visit.end - t) <= HANDOVER_LEFT_OUT
            ):
                left_out.add(stay.id)
    if absent or set(handover.data["stays"]) - left_out != here - left_out:
        out.at("M3.4", None, "review", t)


def m3_5(world: World, stay: Stay, visit: Visit, out: Findings) -> None:
    def waits(t: int) -> bool:
        return world.purpose(visit.room, t) in ("waiting", "sobering")

    described = [f.t for f in world.descriptions]
    for run in walk(described, visit.start, visit.end, world.h, waits):
        if run.value:
            unchecked(world, stay, visit, Run(run.start, visit.end if run.lasts else run.end, True), out)


def unchecked(world: World, stay: Stay, visit: Visit, waiting: Run, out: Findings) -> None:
    """M3.5 in ``waiting``, the part of a visit during which its room is one to wait in."""
    pauses = [a for a in stay.activities if a.kind in CHECK_PAUSES]
    checks = [f.t for f in stay.of("check.made") if visit.start <= f.t < visit.end]
    counted_from = [visit.start, *checks, *(a.end for a in pauses if visit.start <= a.end < visit.end)]
    levels = [f.t for f in stay.of("flags.changed")]
    for begin in sorted(set(counted_from)):
        if any(a.lasts_at(begin) for a in pauses):
            continue
        later = [x for x in (*checks, *(a.start for a in pauses)) if x > begin]
        end = min([waiting.end, *later])
        waits = [limit + grace for limit in CHECK_LIMIT.values() for grace in (0, CHECK_GRACE)]
        points = [*levels, *(begin + wait for wait in waits)]

        def value(t: int, begin: int = begin) -> int:
            waited, limit = t - begin, CHECK_LIMIT[stay.level_at(t)]
            return 2 if waited >= limit + CHECK_GRACE else 1 if waited >= limit else 0

        runs = walk(points, max(begin, waiting.start), end, world.h, value)
        broken = next((i for i, run in enumerate(runs) if run.value == 2), None)
        if broken is None:
            continue
        before = runs[broken - 1] if broken else runs[broken]
        start = before.start if before.value == 1 else runs[broken].start
        grade = "breach" if world.reading.is_known_moment(runs[broken].start) else "unproven"
        out.add("M3.5", stay.id, grade, start, None if end > world.h else end)


def m3_6(world: World, one: Stay, other: Stay, out: Findings) -> None:
    def mixed(t: int) -> tuple[str, str] | None:
        a, b = one.visit_at(t), other.visit_at(t)
        if a is None or b is None or a.room != b.room or world.purpose(a.room, t) != "waiting":
            return None
        sexes = {one.sex, other.sex} == {"m", "f"}
        minors = ("minor" in one.flags_at(t)) != ("minor" in other.flags_at(t))
        if not sexes and not minors:
            return None
        later = max((a.start, one.id), (b.start, other.id))[1]
        return a.room, later

    if not one.inside or not other.inside:
        return
    start, end = min(whole(one)[0], whole(other)[0]), max(whole(one)[1], whole(other)[1])
    for run in walk(world.points, start, end, world.h, mixed):
        if run.value and run.end - run.start > MIXED_ROOM:
            out.of_run("M3.6", run.value[1], "breach", run)


def m3_7(world: World, stay: Stay, interview: Doing, m4_2: list[Finding], out: Findings) -> None:
    criminal = stay.case_kind == "criminal" or local_day(interview.fact) < NEW_LAW

    def value(t: int) -> Any:
        police = {o["id"] for o in interview.officers_at(t) if o["rank"] == "police"}
        if len(police) >= 2:
            return None
        return "few" if criminal else len(police)

    for run in walk(world.points, interview.start, interview.end, world.h, value):
        if run.value is None or run.end - run.start <= FEW_OFFICERS:
            continue
        verdicts = {finding["verdict"] for finding in m4_2}
        if run.value in ("few", 0) or "breach" in verdicts:
            out.of_run("M3.7", stay.id, "breach", run)
        elif "unproven" in verdicts:
            out.of_run("M3.7", stay.id, "review", run)

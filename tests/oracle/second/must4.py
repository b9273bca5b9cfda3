"""Must 4: recorded at every moment."""

from __future__ import annotations

from .findings import Finding, Findings, Gap, gaps, step, walk
from .must3 import sum_of_short, whole
from .numbers import (
    AUDIT_WITHIN,
    CLOCK_OFF_S,
    FOREVER,
    INTERVIEW_UNKNOWN_FLOOR,
    INTERVIEW_UNRECORDED,
    RETENTION,
    UNRECORDED,
    UNRECORDED_FLOOR,
    UNRECORDED_UNKNOWN_FLOOR,
    S,
)
from .reading import Fact, instant
from .stays import Doing, Stay
from .world import World


def judge_must4(world: World, out: Findings) -> dict[str, list[Finding]]:
    """Returns the findings of M4.2 by the id of the event that started the interview."""
    of_interview: dict[str, list[Finding]] = {}
    for stay in world.stays:
        if stay.suspect:
            m4_1_and_6(world, stay, out)
            m4_4(world, stay, out)
            m4_5(world, stay, out)
        for activity in stay.activities:
            if activity.kind == "interview" and activity.was_inside and not activity.fact.data.get("exempt"):
                already = len(out.rows)
                m4_2(world, stay, activity, out)
                of_interview[activity.fact.id] = out.rows[already:]
    m4_3(world, out)
    return of_interview


def uncertainty(world: World, rooms: set[str], gap: Gap) -> int:
    """The largest of the audits that overlap the gap and are of a camera of its rooms."""
    moments = [gap.start, *(p for p in world.points if gap.start < p < gap.end)]
    cameras = {c for m in moments for room in rooms for c in (world.room(room, m) or {"cameras": []})["cameras"]}
    return max(
        (
            round(audit.fact.data["uncertainty_s"] * S)
            for camera in cameras
            for audit in world.audits.get(camera, [])
            if audit.start < gap.end and audit.end > gap.start
        ),
        default=0,
    )


def m4_1_and_6(world: World, stay: Stay, out: Findings) -> None:
    if not stay.inside:
        return

    def value(t: int) -> str | None:
        room = stay.room_at(t)
        return None if room is None or world.purpose(room, t) == "toilet" else world.picture(room, t)

    runs = walk(world.points, *whole(stay), world.h, value)
    for gap in gaps(runs):
        rooms = {v.room for v in stay.visits if v.start < gap.end and v.end > gap.start}
        grade = step(gap.missing - uncertainty(world, rooms, gap), UNRECORDED)
        if grade and gap.missing >= UNRECORDED_FLOOR:
            out.of_run("M4.1", stay.id, grade, gap, gap.missing)
    for run in runs:
        if run.value == "unknown" and run.end - run.start >= UNRECORDED_UNKNOWN_FLOOR:
            out.of_run("M4.1", stay.id, "unproven", run)
    sum_of_short(world, stay, "M4.6", runs, out)


def m4_2(world: World, stay: Stay, interview: Doing, out: Findings) -> None:
    def value(t: int) -> str:
        both = {world.picture(interview.room, t), world.sound(interview.room, t)}
        return "missing" if "missing" in both else "unknown" if "unknown" in both else "proven"

    runs = walk(world.points, interview.start, interview.end, world.h, value)
    for gap in gaps(runs):
        grade = step(gap.missing - uncertainty(world, {interview.room}, gap), INTERVIEW_UNRECORDED)
        if grade:
            out.of_run("M4.2", stay.id, grade, gap, gap.missing)
    for run in runs:
        if run.value == "unknown" and run.end - run.start >= INTERVIEW_UNKNOWN_FLOOR:
            out.of_run("M4.2", stay.id, "unproven", run)


def clock_grade(off_s: float) -> str | None:
    passed = [name for limit, name in CLOCK_OFF_S if off_s > limit]
    return passed[-1] if passed else None


def m4_3(world: World, out: Findings) -> None:
    reading = world.reading
    for fact in reading.of("recording.audited"):
        offset = fact.data.get("clock_offset_s")
        grade = clock_grade(abs(offset) - fact.data["uncertainty_s"]) if offset is not None else None
        if grade:
            out.add("M4.3", None, grade, instant(fact.data["start"]), instant(fact.data["end"]))
    for fact in reading.of("clock.stepped"):
        grade = clock_grade(abs(fact.data["by_s"]))
        if grade:
            out.at("M4.3", None, grade, fact.t)
    bad: list[tuple[Fact, str]] = []
    for fact in reading.of("zone.heartbeat", "zone.started"):
        grade = _heartbeat_grade(fact)
        if grade:
            bad.append((fact, grade))
        elif bad:
            _heartbeats(bad, fact.t, out)
            bad = []
    if bad:
        _heartbeats(bad, None, out)


def _heartbeat_grade(fact: Fact) -> str | None:
    if fact.type == "zone.started":
        return None
    clock = fact.data["clock"]
    if clock.get("offset_s") is None:
        return None
    return clock_grade(abs(clock["offset_s"]) - (clock.get("uncertainty_s") or 0))


def _heartbeats(bad: list[tuple[Fact, str]], end: int | None, out: Findings) -> None:
    grades = {grade for _, grade in bad}
    out.add("M4.3", None, "breach" if "breach" in grades else "review", bad[0][0].t, end)


def m4_4(world: World, stay: Stay, out: Findings) -> None:
    exited = stay.first("stay.exited")
    if exited is None or world.reading.w <= exited.t + AUDIT_WITHIN:
        return
    done = _audited_since(world, stay, exited)
    due = exited.t + AUDIT_WITHIN
    if done > due:
        out.add("M4.4", stay.id, "review", due, done)


def _audited_since(world: World, stay: Stay, exited: Fact) -> int:
    """When the last audit was written that was missing before the exit; FOREVER while one is missing."""
    done = 0
    for visit in stay.visits:
        moments = [visit.start, *(p for p in world.points if visit.start < p < visit.end)]
        for t in moments:
            if t >= exited.t or world.purpose(visit.room, t) == "toilet":
                continue
            room = world.room(visit.room, t)
            if room is None or not room["cameras"]:
                return FOREVER
            since = [
                min(
                    (a.fact.written for a in world.audits.get(camera, []) if a.start <= t < a.end),
                    default=FOREVER,
                )
                for camera in room["cameras"]
            ]
            done = max(done, max(since) if room["coverage"] == "all" else min(since))
    return done


def m4_5(world: World, stay: Stay, out: Findings) -> None:
    for lost in world.reading.of("recording.lost"):
        first, last = instant(lost.data["start"]), instant(lost.data["end"])
        holds = [f for f in stay.of("hold.set", "hold.released") if f.order < lost.order]
        held = bool(holds) and holds[-1].type == "hold.set"
        for visit in stay.visits:

            def filmed(t: int, room: str = visit.room, camera: str = lost.data["camera"]) -> bool:
                found = world.room(room, t)
                return found is not None and camera in found["cameras"]

            start, end = max(first, visit.start), min(last, visit.end, world.h)
            for run in walk(world.points, start, end, world.h, filmed):
                if run.value and (held or lost.t < run.end + RETENTION):
                    out.add("M4.5", stay.id, "breach", run.start, run.end)

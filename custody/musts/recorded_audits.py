"""Must 4, afterwards: were the recordings looked at, do their clocks agree, are they still there (M4.3 to M4.5).

检察规则 art. 75, 264 (recording and transcript must agree); 治安管理处罚法 art. 139(13) (recordings lost).
"""

from __future__ import annotations

from dataclasses import replace

from custody.facts import Audited, ClockReading, Fact, RecordingLost
from custody.intervals import FOREVER, Intervals, intersect, subtract
from custody.timeline.zone import Place

from .case import Case, Findings, day_of


def judge_audits_and_losses(case: Case) -> None:
    """M4.4 and M4.5 of one suspect's stay."""
    if case.in_force("M4.4"):
        _audited_in_time(case)
    if case.in_force("M4.5"):
        _lost(case)


def _audited_in_time(case: Case) -> None:
    """M4.4: not all of the recordings looked at within a day of the exit."""
    exited = case.stay.exited
    rule = case.policy.rules.m4_4
    if exited is None:
        return
    if case.timeline.written <= exited.time + rule.due_us:
        case.wake_at(exited.time + rule.due_us + 1)
        return
    due = exited.time + rule.due_us
    before = [replace(one, end=min(one.end, exited.time)) for one in case.places if one.start < exited.time]
    places = [place for place in before if place.room.purpose != "toilet"]
    last = max((_audited_at(case, place) for place in places), key=lambda one: one[0], default=(0, None))
    if last[0] > due:
        case.find("M4.4", "review", due, last[0], evidence=[exited, *([] if last[1] is None else [last[1]])])


def _audited_at(case: Case, place: Place) -> tuple[int, Fact | None]:
    """When, by written times, the last moment of this place was audited, and by which audit."""
    room = place.room
    if not room.cameras:
        return FOREVER, None
    each = [[camera] for camera in room.cameras] if room.every_camera else [list(room.cameras)]
    whole = [(place.start, place.end)]
    return max((_covered_at(case, cameras, whole) for cameras in each), key=lambda one: one[0])


def _covered_at(case: Case, cameras: list[str], whole: Intervals) -> tuple[int, Fact | None]:
    """When the audits of any of these cameras together reached over all of ``whole``."""
    audits = [
        fact
        for camera in cameras
        for _, _, _, fact in case.timeline.camera(camera).audits.overlapping(whole[0][0], whole[0][1])
    ]
    left = whole
    for fact in sorted(audits, key=lambda fact: (fact.written, fact.id)):
        assert isinstance(fact.body, Audited)
        left = subtract(left, [(fact.body.start, fact.body.end)])
        if not left:
            return fact.written, fact
    return FOREVER, None


def _lost(case: Case) -> None:
    """M4.5: a recording of this stay lost before its time, or while somebody had asked to keep it."""
    retention = case.policy.rules.m4_5.retention_us
    for camera in sorted({camera for place in case.places for camera in place.room.cameras}):
        for place in _shown_by(camera, case.places):
            for _, _, _, fact in case.timeline.camera(camera).lost.overlapping(place.start, place.end):
                assert isinstance(fact.body, RecordingLost)
                for start, end in intersect([(place.start, place.end)], [(fact.body.start, fact.body.end)]):
                    held = _held(case, fact)
                    if fact.time < end + retention or held is not None:
                        case.find(
                            "M4.5", "breach", start, end, subject=f"{fact.id}/{camera}",
                            evidence=[place.visit.fact, fact, *([] if held is None else [held])],
                            camera=camera, room=place.room.id,
                        )  # fmt: skip


def _shown_by(camera: str, places: list[Place]) -> list[Place]:
    """The places in a room with this camera; unbroken time in one room is one, however often it was described."""
    found: list[Place] = []
    for place in places:
        if camera not in place.room.cameras:
            continue
        last = found[-1] if found else None
        if last is not None and last.visit is place.visit and last.end == place.start:
            found[-1] = Place(last.start, place.end, place.room, place.visit)
        else:
            found.append(place)
    return found


def _held(case: Case, lost: Fact) -> Fact | None:
    """The hold that stood when the recording was lost."""
    standing: Fact | None = None
    for fact, is_set in case.stay.holds:
        if fact.order < lost.order:
            standing = fact if is_set else None
    return standing


def judge_heartbeats(findings: Findings) -> None:
    """M4.3 of the zone's own clock, as its heartbeats tell."""
    rule = findings.policy.rules.m4_3
    for run in findings.timeline.clocks.runs():
        step = rule.step(run.worst_us)
        if step is not None and rule.in_force(day_of(run.first)):
            findings.add(
                "M4.3", step[0], run.first.time, run.end, severity=step[1], subject="heartbeat",
                evidence=[run.first, run.last], off_s=run.worst_us / 1_000_000,
            )  # fmt: skip


def judge_clock_of(findings: Findings, fact: Fact) -> None:
    """M4.3 of one audit, or of one step of the zone's clock."""
    rule = findings.policy.rules.m4_3
    body = fact.body
    if not isinstance(body, Audited | ClockReading) or not rule.in_force(day_of(fact)):
        return
    step = rule.step(body.off_us)
    if step is None:
        return
    off_s = body.off_us / 1_000_000
    if isinstance(body, Audited):
        findings.add(
            "M4.3", step[0], body.start, body.end, severity=step[1], subject=fact.id, evidence=[fact],
            camera=body.camera, off_s=off_s,
        )  # fmt: skip
    elif body.step:
        findings.add(
            "M4.3", step[0], fact.time, fact.time, severity=step[1], subject=fact.id, evidence=[fact],
            off_s=off_s,
        )  # fmt: skip

"""Must 1: straight in, and not out."""

from __future__ import annotations

from .findings import Findings, step
from .numbers import (
    BACK_LATE,
    CORRECTED_LATE,
    ENTRY_AFTER_GRANT,
    ENTRY_BEFORE_GRANT,
    FOREVER,
    GRANTS_OF_ONE_GROUP,
    MEDICAL_APPROVAL_AFTER,
    OPENED_AFTER_GRANT,
    PAPER_ENTRY,
    REMOVAL_REASONS,
    STRAIGHT_IN,
    WRITTEN_LATE,
    WRITTEN_LATE_TYPES,
)
from .reading import Fact, instant
from .stays import Stay
from .world import World


def judge_must1(world: World, out: Findings) -> None:
    for stay in world.stays:
        if stay.suspect:
            m1_1(world, stay, out)
            m1_2(world, stay, out)
            m1_5(world, stay, out)
            m1_6(world, stay, out)
            m1_7(world, stay, out)
            m1_8(stay, out)
    m1_3(world, out)
    m1_4(world, out)
    m1_9(world, out)


def m1_1(world: World, stay: Stay, out: Findings) -> None:
    entered = stay.first("stay.entered")
    if stay.arrived is None:
        if entered:
            out.at("M1.1", stay.id, "review", entered.t)
        return
    if stay.exempt:
        return
    ended = stay.first("stay.entered", "stay.exited")
    end = ended.t if ended else FOREVER
    grade = step(min(end, world.h) - stay.arrived.t, STRAIGHT_IN)
    if grade:
        out.add("M1.1", stay.id, grade, stay.arrived.t, end)


def m1_2(world: World, stay: Stay, out: Findings) -> None:
    reading = world.reading
    for entry in stay.entries:
        door = world.door(entry.data["door"], entry.t)
        first, last = entry.t - PAPER_ENTRY, entry.t + PAPER_ENTRY
        if entry.type != "stay.entered" or not door or not door["contact"] or reading.w <= last:
            continue
        opened = [f for f in reading.of("door.opened") if f.data["door"] == entry.data["door"]]
        all_known = reading.known_within(first, last) == last - first
        if all_known and not any(first <= f.t <= last for f in opened):
            out.at("M1.2", stay.id, "review", entry.t)


def m1_3(world: World, out: Findings) -> None:
    reading = world.reading
    opened = reading.of("door.opened")
    entries = reading.of("stay.entered", "stay.returned")
    groups: list[list[Fact]] = []
    last_at: dict[str, list[Fact]] = {}
    for grant in reading.of("door.granted"):
        door = grant.data["door"]
        taken = any(f.data["door"] == door and 0 <= f.t - grant.t <= OPENED_AFTER_GRANT for f in opened)
        if grant.data["purpose"] != "bring_in" or not taken:
            continue
        group = last_at.get(door)
        if group and grant.t - group[-1].t < GRANTS_OF_ONE_GROUP:
            group.append(grant)
        else:
            last_at[door] = [grant]
            groups.append(last_at[door])
    for group in groups:
        first, last = group[0].t, group[-1].t
        if reading.w <= last + ENTRY_AFTER_GRANT:
            continue
        doors = world.interlocked(group[0].data["door"], first)
        here = [e for e in entries if e.data["door"] in doors]
        if any(first - ENTRY_BEFORE_GRANT <= e.t <= last + ENTRY_AFTER_GRANT for e in here):
            continue
        later = [e.t for e in here if e.t > last]
        out.add("M1.3", None, "breach", first, min(later) if later else None)


def m1_4(world: World, out: Findings) -> None:
    reading = world.reading
    for fact in reading.facts:
        event = fact.event
        if not event.type.startswith(WRITTEN_LATE_TYPES):
            continue
        counted = reading.known_within(event.time_us, event.written_us)
        grade = step(counted, WRITTEN_LATE)
        if grade:
            out.add("M1.4", fact.data.get("stay"), grade, event.time_us, event.written_us, counted)


def m1_5(world: World, stay: Stay, out: Findings) -> None:
    used: set[str] = set()
    approvals = [
        f for f in stay.of("leave.approved")
        if f.data["reason"] in REMOVAL_REASONS and f.data["approver"]["role"] == "unit_head"
    ]  # fmt: skip
    for left in stay.of("stay.left"):
        named = left.data.get("permit")
        serves = [
            a for a in approvals
            if a.data["permit"] == named and a.data["permit"] not in used and a.written <= left.t
        ]  # fmt: skip
        waiting = False
        if left.data.get("reason") == "medical" and not serves:
            last = left.t + MEDICAL_APPROVAL_AFTER
            serves = [
                a for a in sorted(approvals, key=lambda a: (a.data["permit"] != named, a.written, a.place))
                if a.data["reason"] == "medical" and a.data["permit"] not in used and a.written <= last
            ]  # fmt: skip
            waiting = world.reading.w <= last
        if serves:
            used.add(serves[0].data["permit"])
        if named is not None:
            used.add(named)
        if not serves and not waiting:
            back = back_after(stay, left)
            out.add("M1.5", stay.id, "breach", left.t, back.t if back else None)


def back_after(stay: Stay, left: Fact) -> Fact | None:
    """Returned or exited; who enters anew is back as well, whatever the register calls it."""
    return stay.next_after(left, "stay.returned", "stay.entered", "stay.exited")


def m1_6(world: World, stay: Stay, out: Findings) -> None:
    for left in stay.of("stay.left"):
        named = left.data.get("permit")
        promised = [
            a for a in stay.of("leave.approved")
            if named is not None and a.data["permit"] == named and a.data.get("return_by") is not None
        ]  # fmt: skip
        if not promised:
            continue
        return_by = instant(promised[-1].data["return_by"])
        back = back_after(stay, left)
        if (back.t if back else world.h) > return_by + BACK_LATE:
            out.add("M1.6", stay.id, "breach", return_by, back.t if back else None)


def m1_7(world: World, stay: Stay, out: Findings) -> None:
    for activity in stay.activities:
        if activity.kind not in ("interview", "identification") or not activity.was_inside:
            continue
        if not activity.fact.data.get("exempt") and world.area(activity.room, activity.start) != "custody":
            out.add("M1.7", stay.id, "breach", activity.start, activity.end)


def m1_8(stay: Stay, out: Findings) -> None:
    for exited in stay.of("stay.exited"):
        data = exited.data
        nowhere = not data.get("destination") and data["reason"] != "released"
        if nowhere or not data["signed"] or data["belongings"] == "unsettled":
            out.at("M1.8", stay.id, "review", exited.t)


def m1_9(world: World, out: Findings) -> None:
    reading = world.reading
    suspects = {stay.id: stay.suspect for stay in world.stays}
    for correction in reading.of("record.corrected"):
        line = reading.lines.get(correction.data["corrects"])
        if line is None or correction.written - line.written_us <= CORRECTED_LATE:
            continue
        stay = line.data.get("stay")
        if stay is None or suspects.get(stay, True):
            out.at("M1.9", stay, "review", correction.t)

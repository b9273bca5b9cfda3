"""Must 1: straight into the zone, and not out of it without approval (一律直接带入办案区).

使用管理规定 art. 4(1): "应当将其立即带入办案区;除经办案部门负责人批准，起赃、辨认现场或者尸体的以外，
不得将违法犯罪嫌疑人带出办案区".
"""

from __future__ import annotations

from custody.facts import Fact, LeaveApproved
from custody.intervals import FOREVER, covers
from custody.timeline.stay import Departure

from .case import Case


def judge_direct_entry(case: Case) -> None:
    """M1.1, M1.2 and M1.5 to M1.8 of one suspect's stay."""
    _straight_in(case)
    _paper_entries(case)
    _departures(case)
    _not_back(case)
    _interviews_elsewhere(case)
    _exits(case)


def _straight_in(case: Case) -> None:
    """M1.1: how long from arrival to the zone."""
    if not case.in_force("M1.1"):
        return
    stay = case.stay
    entered = stay.first_entered
    if stay.arrived is None:
        if entered is not None:
            case.find("M1.1", "review", entered.time, subject="never arrived", evidence=[entered])
        return
    if stay.exempt:
        return
    ends = [fact for fact in (entered, stay.exited) if fact is not None]
    start = stay.arrived.time
    end = min((fact.time for fact in ends), default=FOREVER)
    step = case.step(case.policy.rules.m1_1, case.counted(start, end), lasts=case.lasts(end))
    if step is not None:
        case.find("M1.1", step[0], start, end, severity=step[1], evidence=[stay.arrived, *ends])


def _paper_entries(case: Case) -> None:
    """M1.2: an entry in the register at a door that never opened."""
    if not case.in_force("M1.2"):
        return
    timeline = case.timeline
    window = case.policy.rules.m1_2.window_us
    for fact, body in case.stay.entries:
        door = timeline.door(body.door, fact.time)
        first, last = fact.time - window, fact.time + window
        if body.returned or door is None or not door.contact:
            continue
        if timeline.written <= last:
            case.wake_at(last + 1)
            continue
        opened = timeline.opened.get(body.door)
        if opened is not None and opened.within(first, last):
            continue
        if covers(timeline.known, first, last):
            case.find("M1.2", "review", fact.time, subject=fact.id, evidence=[fact], door=body.door)


def _departures(case: Case) -> None:
    """M1.5: taken out without a valid permit."""
    if not case.in_force("M1.5"):
        return
    rule = case.policy.rules.m1_5
    used: set[str] = set()
    named = {departure.body.permit for departure in case.stay.departures}
    for departure in case.stay.departures:
        left, body = departure.fact, departure.body
        medical = body.reason == "medical"
        serves = [
            approval
            for approval in case.stay.approvals
            if _serves(case, departure, approval, used, medical=medical)
        ]
        if body.permit is not None:
            used.add(body.permit)
        if serves:
            used.add(_preferred(serves, body.permit, named))
        elif medical and case.timeline.written <= left.time + rule.medical_us:
            case.wake_at(left.time + rule.medical_us + 1)
        else:
            approved = [fact for fact, approval in case.stay.approvals if approval.permit == body.permit]
            case.find(
                "M1.5", "breach", left.time, departure.back, subject=left.id, evidence=[left, *approved],
                permit=body.permit, reason=body.reason,
            )  # fmt: skip


def _serves(
    case: Case, departure: Departure, approval: tuple[Fact, LeaveApproved], used: set[str], *, medical: bool
) -> bool:
    rule = case.policy.rules.m1_5
    fact, permit = approval
    if permit.role not in rule.approver_roles or permit.permit in used:
        return False
    left = departure.fact.time
    if medical and permit.reason == "medical" and fact.written <= left + rule.medical_us:
        return True
    named = permit.permit == departure.body.permit and permit.reason in rule.removal_reasons
    return named and fact.written <= left


def _preferred(serves: list[tuple[Fact, LeaveApproved]], permit: str | None, named: set[str | None]) -> str:
    """Which approval a departure uses up: the one it names, else one that no other departure names."""
    ids = [body.permit for fact, body in sorted(serves, key=lambda one: one[0].order)]
    if permit in ids:
        return permit or ids[0]
    return next((one for one in ids if one not in named), ids[0])


def _not_back(case: Case) -> None:
    """M1.6: not back when the permit said so."""
    if not case.in_force("M1.6"):
        return
    grace = case.policy.rules.m1_6.grace_us
    for departure in case.stay.departures:
        due = [
            (fact, body.return_by_us)
            for fact, body in case.stay.approvals
            if body.permit == departure.body.permit and body.return_by_us is not None
        ]
        if not due:
            continue
        fact, return_by = due[-1]
        if case.lasts(departure.back):
            case.wake_at(return_by + grace + 1)
        if case.span(departure.back) > return_by + grace:
            case.find(
                "M1.6", "breach", return_by, departure.back, subject=departure.fact.id,
                evidence=[departure.fact, fact], permit=departure.body.permit,
            )  # fmt: skip


def _interviews_elsewhere(case: Case) -> None:
    """M1.7: questioned outside of the custody area (刑事程序规定 art. 198, 202)."""
    if not case.in_force("M1.7"):
        return
    for activity in case.stay.activities:
        if (
            activity.body.kind not in ("interview", "identification")
            or activity.body.exempt
            or not activity.inside
        ):
            continue
        room = case.timeline.room(activity.body.room, activity.start)
        if room.area != "custody":
            case.find(
                "M1.7", "breach", activity.start, activity.end, subject=activity.fact.id,
                evidence=[activity.fact], room=room.id, area=room.area,
            )  # fmt: skip


def _exits(case: Case) -> None:
    """M1.8: an exit that leaves something open."""
    if not case.in_force("M1.8"):
        return
    for fact, body in case.stay.exits:
        missing = [
            name
            for name, fails in (
                ("destination", not body.destination and body.reason != "released"),
                ("signature", not body.signed),
                ("belongings", not body.settled),
            )
            if fails
        ]
        if missing:
            case.find("M1.8", "review", fact.time, subject=fact.id, evidence=[fact], missing=missing)

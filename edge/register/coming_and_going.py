"""Arrival, entry, moving, leaving for a while, returning, exit."""

from __future__ import annotations

from custody.events import (
    Approver,
    Case,
    Draft,
    LeaveApproved,
    LeaveReason,
    StayArrived,
    StayEntered,
    StayExited,
    StayLeft,
    StayMoved,
    StayReturned,
)
from custody.events.stays import ApproverRole

from . import gate, ids, requests
from .errors import NotNow, Obstacle, Said
from .persons import Paper
from .situation import Situation


def arrive(now: Situation, asked: requests.Arrive) -> list[Draft]:
    """到案. The stay's number is the next of the local day on which the person arrived."""
    happened_us = now.happened_us(asked)
    stay = ids.next_stay(now, now.now_us if happened_us is None else happened_us)
    brought_by = now.officers(asked.brought_by)
    measure = now.measure(asked.measure)
    person = now.keep(stay, Paper.IDENTITY, asked.identity.model_dump(mode="json"))
    data = StayArrived(
        stay=stay,
        person=person,
        category=asked.category,
        sex=asked.sex,
        flags=list(dict.fromkeys(asked.flags)),
        case=Case(id=asked.case.id, kind=asked.case.kind),
        measure=measure,
        brought_by=brought_by,
        via=asked.via,
        exempt=asked.exempt,
    )
    return [now.draft(asked, data)]


def enter(now: Situation, asked: requests.Enter) -> list[Draft]:
    """入区."""
    stay = now.open(asked.stay)
    if stay.inside:
        raise NotNow(
            Said("%(stay)s is inside the zone already.", {"stay": asked.stay}),
            Said("Register a move instead."),
        )
    if stay.first_entered_us is not None:
        raise NotNow(Said("%(stay)s is out on leave.", {"stay": asked.stay}), Said("Register the return instead."))
    room = now.room(asked.room)
    extra = now.gate(asked, gate.before_room(now.book, stay, room))
    data = StayEntered(
        stay=asked.stay, door=now.door(asked.door).id, room=room.id, escorts=now.officers(asked.escorts)
    )
    return [now.draft(asked, data, **extra)]


def move(now: Situation, asked: requests.Move) -> list[Draft]:
    stay = now.inside(asked.stay)
    room = now.room(asked.room)
    if stay.room == room.id:
        raise NotNow(
            Said("%(stay)s is in %(room)s already.", {"stay": asked.stay, "room": room.name}),
            Said("Choose another room."),
        )
    if stay.search is not None:
        raise NotNow(
            Said("The search of %(stay)s is still going on.", {"stay": asked.stay}),
            Said("Finish the search first."),
        )
    extra = now.gate(asked, gate.before_room(now.book, stay, room))
    data = StayMoved(stay=asked.stay, room=room.id, escorts=now.officers(asked.escorts))
    return [now.draft(asked, data, **extra)]


def approve_leave(now: Situation, asked: requests.ApproveLeave) -> list[Draft]:
    """带出审批. Who may approve as what is in the settings; the law names the head of the unit."""
    now.open(asked.stay)
    approver = now.known_officer(asked.approver)
    role = approver.approves_as or ApproverRole.OTHER
    found: list[Obstacle] = []
    removal = now.policy.rules.m1_5
    if role.value not in removal.approver_roles:
        found.append(Obstacle("M1.5", Said("%(name)s is not the head of the unit.", {"name": approver.name})))
    if asked.reason.value not in removal.removal_reasons:
        found.append(Obstacle("M1.5", Said("The law does not name this reason for taking a person out.")))
    extra = now.gate(asked, found)
    data = LeaveApproved(
        stay=asked.stay,
        permit=ids.next_permit(now, asked.stay),
        reason=asked.reason,
        approver=Approver(id=approver.id, role=role),
        return_by=asked.return_by,
    )
    return [now.draft(asked, data, **extra)]


def leave(now: Situation, asked: requests.Leave) -> list[Draft]:
    stay = now.inside(asked.stay)
    now.not_before(asked, stay.room_since_us)
    permit = None
    if asked.permit is not None:
        permit = stay.permits.get(asked.permit)
    elif (unused := stay.open_permit()) is not None:
        permit = unused
    reason = asked.reason.value if asked.reason else (permit.reason if permit else None)
    extra = now.gate(asked, gate.before_leave(permit, reason, now.policy.rules))
    data = StayLeft(
        stay=asked.stay,
        door=now.door(asked.door).id,
        permit=permit.id if permit else asked.permit,
        reason=None if reason is None else LeaveReason(reason),
        escorts=now.officers(asked.escorts),
    )
    return [now.draft(asked, data, **extra)]


def return_(now: Situation, asked: requests.Return) -> list[Draft]:
    stay = now.open(asked.stay)
    if not stay.away:
        raise NotNow(
            Said("%(stay)s is not out on leave.", {"stay": asked.stay}),
            Said("Register an entry or a move instead."),
        )
    room = now.room(asked.room)
    extra = now.gate(asked, gate.before_room(now.book, stay, room))
    data = StayReturned(
        stay=asked.stay, door=now.door(asked.door).id, room=room.id, escorts=now.officers(asked.escorts)
    )
    return [now.draft(asked, data, **extra)]


def exit_(now: Situation, asked: requests.Exit) -> list[Draft]:
    """出区, for good. An activity or a search that is still open must be ended first."""
    stay = now.open(asked.stay)
    if stay.search is not None or stay.activities:
        raise NotNow(
            Said("A search or an activity of %(stay)s is still going on.", {"stay": asked.stay}),
            Said("End it first, so that its time is right."),
        )
    now.not_before(asked, stay.room_since_us)
    obstacles = gate.before_exit(
        stay,
        asked.reason.value,
        asked.destination,
        asked.belongings.value,
        asked.signed,
        now.policy.rules,
    )
    extra = now.gate(asked, obstacles)
    data = StayExited(
        stay=asked.stay,
        door=now.door(asked.door).id,
        reason=asked.reason,
        destination=asked.destination or None,
        belongings=asked.belongings,
        signed=asked.signed,
    )
    return [now.draft(asked, data, **extra)]

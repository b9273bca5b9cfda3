"""Guards, their handovers, rounds and care: must 3 at the terminal."""

from __future__ import annotations

from custody.events import CareRecorded, CheckMade, Draft, GuardAbsent, GuardHandover, GuardPresent, PresenceProof

from . import gate, requests
from .errors import NotNow, Said
from .situation import Situation


def guard_present(now: Situation, asked: requests.GuardPresentAct) -> list[Draft]:
    """An officer says at the terminal that he guards this room.

    It holds for ``valid_for_s`` (the policy's hour when None); then he says it again.
    """
    data = GuardPresent(
        room=now.room(asked.room).id,
        officer=now.officer(asked.officer),
        proof=PresenceProof.TERMINAL,
        valid_for_s=asked.valid_for_s,
    )
    return [now.draft(asked, data)]


def guard_absent(now: Situation, asked: requests.GuardAbsentAct) -> list[Draft]:
    room = now.room(asked.room)
    if asked.officer not in now.book.register.guards.get(room.id, {}):
        raise NotNow(
            Said("%(officer)s does not guard %(room)s.", {"officer": asked.officer, "room": room.name}),
            Said("Choose the guard who is there."),
        )
    return [now.draft(asked, GuardAbsent(room=room.id, officer=now.officer(asked.officer)))]


def handover(now: Situation, asked: requests.Handover) -> list[Draft]:
    """交接班, with the list that both confirm. The incoming guard's presence is written just before it."""
    room = now.room(asked.room)
    if asked.incoming == asked.outgoing:
        raise NotNow(Said("A guard cannot hand over to himself."), Said("Choose another incoming guard."))
    there = [stay.id for stay in now.book.register.in_room(room.id) if stay.category == "suspect"]
    stays = there if asked.stays is None else asked.stays
    extra = now.gate(asked, gate.before_handover(now.book, room, stays))
    incoming = now.officer(asked.incoming)
    present = GuardPresent(room=room.id, officer=incoming, proof=PresenceProof.HANDOVER, valid_for_s=None)
    data = GuardHandover(room=room.id, outgoing=now.officer(asked.outgoing), incoming=incoming, stays=stays)
    return [now.draft(asked, present), now.draft(asked, data, **extra)]


def check(now: Situation, asked: requests.Check) -> list[Draft]:
    """巡查 of one person, in the room where that person is."""
    stay = now.inside(asked.stay)
    assert stay.room is not None
    terminal = None if asked.terminal is None else now.room(asked.terminal).id
    data = CheckMade(
        stay=asked.stay,
        room=stay.room,
        officer=now.officer(asked.officer),
        terminal=terminal,
        note=asked.note or None,
    )
    return [now.draft(asked, data)]


def care(now: Situation, asked: requests.Care) -> list[Draft]:
    now.inside(asked.stay)
    return [now.draft(asked, CareRecorded(stay=asked.stay, kind=asked.kind, accepted=asked.accepted))]

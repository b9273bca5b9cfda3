"""From a card at a reader to a door let open: the card, the PIN where one is asked, the second officer where two
are.

Whatever was decided when the card came is decided again when the last of these is there: the door, the register
and the roster may be others by then.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from config.roster import Level, OfficerSettings
from custody.events import Denial, DoorGranted, PartId, PassagePurpose, draft
from devices.readers.reader import Feedback

from . import access, interlock, leaf
from .access import Denied, Granted
from .facts import (
    CardPresented,
    Now,
    PassageDeclared,
    PinPresented,
    PinVerdict,
    PinVerified,
    Show,
    Unlock,
    VerifyPin,
)
from .layout import as_event_officer
from .state import Awaited, Dialogue, Identified, Outcome, State, Tries, denied

PIN_S = 15.0
"""How long a reader waits for the PIN."""
VERDICT_S = 10.0
"""Comparing takes a fraction of a second; after so long it is not coming."""


def on_card(state: State, fact: CardPresented, now: Now) -> Outcome:
    if fact.reader not in state.layout.readers:
        return Outcome(state)
    decision = _decide(state, fact.reader, fact.number, now)
    if isinstance(decision, Denied):
        return denied(state, fact.reader, decision)
    officer, door = decision.officer, state.layout.readers[fact.reader].door
    before = state.dialogues.get(fact.reader)
    first = None if before is None else before.first
    if first is not None and first.officer == officer.id:
        same = Denied(officer, Denial.NEEDS_SECOND_OFFICER, "same_officer")
        return denied(state, fact.reader, same)
    if state.layout.level_at(door, now.wall_us) is Level.CARD:
        return _identified(state, fact.reader, Identified(officer.id, fact.number, False, 0.0), now)
    dialogue = Dialogue(Awaited.PIN, now.boot_s + PIN_S, fact.number, officer.id, first=first)
    return Outcome(_with(state, fact.reader, dialogue), (Show(fact.reader, Feedback.PIN_EXPECTED),))


def on_pin(state: State, fact: PinPresented, now: Now) -> Outcome:
    """A PIN that was not asked for opens nothing: whoever keyed it in is shown so."""
    if fact.reader not in state.layout.readers:
        return Outcome(state)
    dialogue = state.dialogues.get(fact.reader)
    if dialogue is not None and dialogue.awaits is Awaited.VERDICT:
        return Outcome(state)
    officer = None if dialogue is None else state.layout.officers.get(dialogue.officer)
    asked_for = dialogue is not None and dialogue.awaits is Awaited.PIN
    if dialogue is None or not asked_for or officer is None or officer.pin_hash is None:
        return Outcome(state, (Show(fact.reader, Feedback.DENIED),))
    ticket = state.tickets + 1
    asked = replace(dialogue, awaits=Awaited.VERDICT, until_s=now.boot_s + VERDICT_S, ticket=ticket)
    verify = VerifyPin(fact.reader, ticket, fact.pin, officer.pin_hash, officer.duress_pin_hash)
    return Outcome(replace(_with(state, fact.reader, asked), tickets=ticket), (verify,))


def on_verdict(state: State, fact: PinVerified, now: Now) -> Outcome:
    dialogue = state.dialogues.get(fact.reader)
    if dialogue is None or dialogue.awaits is not Awaited.VERDICT or dialogue.ticket != fact.ticket:
        return Outcome(state)
    state = _without_current(state, fact.reader, dialogue)
    if fact.verdict is PinVerdict.WRONG:
        return _wrong_pin(state, fact.reader, dialogue.officer, now)
    tries = {officer: kept for officer, kept in state.tries.items() if officer != dialogue.officer}
    duress = fact.verdict is PinVerdict.DURESS
    identified = Identified(dialogue.officer, dialogue.card, duress, 0.0)
    return _identified(replace(state, tries=tries), fact.reader, identified, now)


def expired(state: State, now: Now) -> Outcome:
    """What a reader waited for has not come: it says so, and the register."""
    outcome = Outcome(state)
    for reader, dialogue in state.dialogues.items():
        if now.boot_s >= dialogue.until_s:
            outcome = outcome.then(_expired(outcome.state, reader, dialogue))
    return outcome


def _expired(state: State, reader: PartId, dialogue: Dialogue) -> Outcome:
    officer = state.layout.officers.get(dialogue.officer)
    match dialogue.awaits:
        case Awaited.PIN:
            denial = Denied(officer, Denial.WRONG_PIN, "no_pin")
        case Awaited.VERDICT:
            denial = Denied(officer, Denial.NOT_PERMITTED, "pin_unchecked")
        case Awaited.SECOND:
            denial = Denied(officer, Denial.NEEDS_SECOND_OFFICER)
    return denied(_without_current(state, reader, dialogue), reader, denial)


def _with(state: State, reader: PartId, dialogue: Dialogue) -> State:
    return replace(state, dialogues={**state.dialogues, reader: dialogue})


def _without_current(state: State, reader: PartId, dialogue: Dialogue) -> State:
    """Whoever was being identified is out of it; a first officer goes on waiting for a second."""
    first = dialogue.first
    if first is None or dialogue.awaits is Awaited.SECOND:
        return state.without_dialogue(reader)
    return _with(state, reader, _waiting(first))


def _waiting(first: Identified) -> Dialogue:
    return Dialogue(Awaited.SECOND, first.until_s, first.card, first.officer, first=first)


def _wrong_pin(state: State, reader: PartId, officer: PartId, now: Now) -> Outcome:
    rule = state.layout.roster.lockout
    before = state.tries.get(officer, Tries())
    at_s = (*(moment for moment in before.at_s if moment > now.boot_s - rule.within_s), now.boot_s)
    if len(at_s) < rule.tries:
        tries, detail = Tries(at_s, before.locked_until_s), None
        more: dict[str, Any] = {"tries_left": rule.tries - len(at_s)}
    else:
        tries, detail, more = Tries((), now.boot_s + rule.locked_s), "locked_out", {"locked_s": rule.locked_s}
    denial = Denied(state.layout.officers.get(officer), Denial.WRONG_PIN, detail, more)
    return denied(replace(state, tries={**state.tries, officer: tries}), reader, denial)


def _identified(state: State, reader: PartId, shown: Identified, now: Now) -> Outcome:
    """Somebody has shown all that is asked of one; he may be the first of two, or the second."""
    decision = _decide(state, reader, shown.card, now, holder=shown.officer)
    if isinstance(decision, Denied):
        return denied(state, reader, decision)
    rule = state.layout.two_person_at(state.layout.readers[reader].door, now.wall_us)
    if rule is None:
        return _granted(state.without_dialogue(reader), reader, [(decision, shown)], now)
    before = state.dialogues.get(reader)
    first = None if before is None else before.first
    if first is None:
        waiting = _waiting(replace(shown, until_s=now.boot_s + rule.within_s))
        return Outcome(_with(state, reader, waiting), (Show(reader, Feedback.SECOND_EXPECTED),))
    if not access.may_be_second(decision.officer, rule):
        return denied(state, reader, Denied(decision.officer, Denial.NOT_PERMITTED, "not_as_second"))
    state = state.without_dialogue(reader)
    earlier = _decide(state, reader, first.card, now, holder=first.officer)
    if isinstance(earlier, Denied):
        return denied(state, reader, earlier)
    return _granted(state, reader, [(earlier, first), (decision, shown)], now)


def _decide(
    state: State, reader: PartId, card: str, now: Now, *, holder: PartId | None = None
) -> Granted | Denied:
    """``holder``: whose card it was before; a roster may have given it to another."""
    layout, place = state.layout, state.layout.readers[reader]
    officer = layout.holders.get(card.upper())
    id_ = None if officer is None else officer.id
    if holder is not None and holder != id_:
        return Denied(None, Denial.UNKNOWN_CARD)
    request = access.Request(
        door=place.door,
        direction=place.direction,
        card=card,
        reader_state=state.readers[reader],
        declared=None if id_ is None else _declared(state, place.door, id_, now),
        place=None
        if id_ is None
        else state.whereabouts.is_in(id_, layout.area_behind(place.door, place.direction)),
        is_locked_out=id_ is not None and state.tries.get(id_, Tries()).locked_until_s > now.boot_s,
        is_locked_down=state.doors[place.door].mode.locked_down,
        interlock_free=state.doors[place.door].mode.released is not None or interlock.is_free(state, place.door),
        ledger_writable=state.ledger_writable,
        wall_us=now.wall_us,
    )
    return access.decide(request, layout, state.stays)


def _declared(state: State, door: PartId, officer: PartId, now: Now) -> PassageDeclared | None:
    declared = state.passages.get((door, officer))
    return declared if declared is not None and declared.until_s >= now.boot_s else None


def _granted(state: State, reader: PartId, shown: list[tuple[Granted, Identified]], now: Now) -> Outcome:
    """All of them pass together, for what the first of them with a purpose of his own is there for."""
    place = state.layout.readers[reader]
    officers: list[OfficerSettings] = [decision.officer for decision, _ in shown]
    purposes = [decision for decision, _ in shown if decision.purpose is not PassagePurpose.PASS]
    leading = purposes[0] if purposes else shown[0][0]
    extra: dict[str, Any] = {}
    if any(identified.duress for _, identified in shown):
        extra["duress"] = True
    if remarks := [decision.passback for decision, _ in shown if decision.passback is not None]:
        extra["passback"] = max(remarks).value
    line = DoorGranted(
        door=place.door,
        reader=reader,
        direction=place.direction,
        officer=as_event_officer(officers[0]),
        second=as_event_officer(officers[1]) if len(officers) > 1 else None,
        purpose=leading.purpose,
        stay=leading.stay,
        **extra,
    )
    used = {(place.door, officer.id) for officer in officers}
    state = replace(state, passages={key: kept for key, kept in state.passages.items() if key not in used})
    show = Show(reader, Feedback.GRANTED)
    if state.doors[place.door].mode.released is not None:
        return Outcome(state, (show,), (draft(line),))
    opened = let_through(state, place.door, now, expects_taking=True)
    return Outcome(opened, (Unlock(place.door), show), (draft(line),))


def let_through(state: State, door: PartId, now: Now, *, expects_taking: bool) -> State:
    """The door may be passed from now on; the deadline of its relock is set here, before any relay moves."""
    let = leaf.let_through(state.doors[door], state.layout.doors[door], now.boot_s, expects_taking=expects_taking)
    return interlock.taken(state.with_door(door, let), door)

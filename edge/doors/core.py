"""The doors of a zone as one pure state machine: ``step(state, fact, now) -> Outcome``.

A door is what its sensors say. Its contact, what its lock was told and what its lock measures are kept apart; the
phase is what follows from them and from what was granted:

    UNSEEN    its contact has not spoken, or cannot be believed      PASSABLE  let through, not opened yet
    SECURE    closed, nobody is let through                          OPEN      opened by somebody let through
    HELD      open for longer than it may                            FORCED    opened by nobody let through

The shell writes ``drafts`` to disk before it carries out ``actions``, save those that lock: locking never waits.
The deadline of a relock stands in the state before the lock is energised.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from custody.events import DoorFault, DoorPart, Draft, FaultState, draft
from devices.doors.lock import LockState
from devices.readers.reader import Feedback, ReaderState

from . import from_afar, identification, interlock, leaf
from .facts import (
    Action,
    ButtonPressed,
    CardPresented,
    CommandUnusable,
    ContactReported,
    Fact,
    FireReported,
    LedgerReported,
    Lock,
    LockReported,
    ModeRequested,
    Now,
    OpenRequested,
    PassageDeclared,
    PastKnown,
    PinPresented,
    PinVerified,
    ProvisionEnded,
    ProvisionRequested,
    ReaderReported,
    ReadLock,
    RosterChanged,
    Show,
    StaysChanged,
    TamperReported,
    TimePassed,
)
from .leaf import Phase
from .state import Outcome, State, refused

__all__ = ["Outcome", "State", "next_deadline_s", "step"]

LOCK_RETRY_S = 2.0
"""A lock that should be locked and is not is told again this often."""


def step(state: State, fact: Fact, now: Now) -> Outcome:
    """What follows from one fact. Total: a fact about a door or a reader that is not there changes nothing."""
    outcome = _STEPS[type(fact)](state, fact, now)
    settled, locks = interlock.settled(outcome.state, now.boot_s)
    whereabouts = settled.whereabouts
    for line in outcome.drafts:
        whereabouts = whereabouts.follow(line.type, line.data, settled.layout)
    if whereabouts is not settled.whereabouts:
        settled = replace(settled, whereabouts=whereabouts)
    return Outcome(settled, outcome.actions + locks, outcome.drafts)


def next_deadline_s(state: State) -> float | None:
    """Boot time at which ``TimePassed`` is due next, or None."""
    dues = [due_s for door in state.doors.values() for due_s in door.deadlines_s()]
    dues += [dialogue.until_s for dialogue in state.dialogues.values()]
    return min(dues, default=None)


def _on_contact(state: State, fact: ContactReported, now: Now) -> Outcome:
    if fact.door not in state.doors:
        return Outcome(state)
    settings = state.layout.doors[fact.door]
    moved, drafts = leaf.contact(state.doors[fact.door], settings, fact.state, now.boot_s)
    actions: tuple[Action, ...] = ()
    if moved.phase is Phase.SECURE and moved.commanded is LockState.UNLOCKED:
        moved, actions = leaf.commanded(moved, LockState.LOCKED, now.boot_s), (Lock(fact.door),)
    return Outcome(state.with_door(fact.door, moved), actions, drafts)


def _on_passage(state: State, fact: PassageDeclared, now: Now) -> Outcome:
    kept = {key: passage for key, passage in state.passages.items() if passage.until_s >= now.boot_s}
    return Outcome(replace(state, passages={**kept, (fact.door, fact.officer): fact}))


def _on_unusable_command(state: State, fact: CommandUnusable, now: Now) -> Outcome:
    return Outcome(state, (), (refused(fact.command, fact.actor, fact.reason, fact.id),))


def _on_roster(state: State, fact: RosterChanged, now: Now) -> Outcome:
    """Who is let through already stays so; what somebody declared who is no officer any more is void."""
    layout = state.layout.with_roster(fact.roster)
    passages = {key: passage for key, passage in state.passages.items() if passage.officer in layout.officers}
    return Outcome(replace(state, layout=layout, passages=passages))


def _on_lock_report(state: State, fact: LockReported, now: Now) -> Outcome:
    door = state.doors.get(fact.door)
    if door is None:
        return Outcome(state)
    door = replace(door, measured=fact.measured)
    problem = fact.problem
    if fact.by_itself and door.read_lock_at_s is not None:
        # The bolt may still travel, or this was measured before the last command; it is read in a moment.
        return Outcome(state.with_door(fact.door, door))
    if problem is None and fact.measured not in (LockState.UNKNOWN, door.commanded):
        problem = f"it was told to be {door.commanded} and measures {fact.measured}"
    door, drafts = leaf.fault(door, fact.door, DoorPart.LOCK, problem)
    if problem is not None:
        door = replace(door, read_lock_at_s=now.boot_s + LOCK_RETRY_S)
    # An answer from before the bolt had time to move says nothing of where it is now.
    door = replace(door, bolt_answered=problem is None and door.read_lock_at_s is None)
    return Outcome(state.with_door(fact.door, door), (), drafts)


def _on_reader_report(state: State, fact: ReaderReported, now: Now) -> Outcome:
    place = state.layout.readers.get(fact.reader)
    if place is None or state.readers[fact.reader] is fact.state:
        return Outcome(state)
    readers = {**state.readers, fact.reader: fact.state}
    bad = [
        reader
        for reader, other in state.layout.readers.items()
        if other.door == place.door and readers[reader] in (ReaderState.OFFLINE, ReaderState.INSECURE)
    ]
    problem = None
    if fact.reader in bad:
        problem = f"{fact.reader} is {fact.state}: {fact.detail}"
    elif bad:
        problem = f"{fact.reader} is back; {', '.join(bad)} still {readers[bad[0]]}"
    # Each change is told anew: a door has one fault of its readers, and it must name those it is about.
    door = replace(state.doors[place.door], faults=state.doors[place.door].faults - {DoorPart.READER})
    was_bad = DoorPart.READER in state.doors[place.door].faults
    if problem is None and was_bad:
        told = DoorFault(
            door=place.door,
            part=DoorPart.READER,
            state=FaultState.RESTORED,
            detail=f"{fact.reader}: {fact.detail}",
        )
        drafts: tuple[Draft, ...] = (draft(told),)
    else:
        door, drafts = leaf.fault(door, place.door, DoorPart.READER, problem)
    return Outcome(replace(state.with_door(place.door, door), readers=readers), (), drafts)


def _on_tamper(state: State, fact: TamperReported, now: Now) -> Outcome:
    place = state.layout.readers.get(fact.reader)
    if place is None:
        return Outcome(state)
    problem = f"the housing of {fact.reader} is open; go and look" if fact.tampered else None
    door, drafts = leaf.fault(state.doors[place.door], place.door, DoorPart.TAMPER, problem)
    return Outcome(state.with_door(place.door, door), (), drafts)


def _on_stays(state: State, fact: StaysChanged, now: Now) -> Outcome:
    stays = dict(fact.stays) if fact.all_of_them else {**state.stays, **fact.stays}
    return Outcome(replace(state, stays=stays))


def _on_ledger(state: State, fact: LedgerReported, now: Now) -> Outcome:
    return Outcome(replace(state, ledger_writable=fact.writable))


def _on_time(state: State, fact: TimePassed, now: Now) -> Outcome:
    actions: list[Action] = []
    drafts: list[Draft] = []
    for name, door in state.doors.items():
        if door.relock_at_s is not None and now.boot_s >= door.relock_at_s:
            door = leaf.commanded(door, LockState.LOCKED, now.boot_s)
            actions.append(Lock(name))
        if door.read_lock_at_s is not None and now.boot_s >= door.read_lock_at_s:
            door = replace(door, read_lock_at_s=None)
            # Only locking is repeated: nobody may be surprised by a door that unlocks later than asked.
            if DoorPart.LOCK in door.faults and door.commanded is LockState.LOCKED:
                actions.append(Lock(name))
            actions.append(ReadLock(name))
        if door.prealarm_at_s is not None and now.boot_s >= door.prealarm_at_s:
            door = replace(door, prealarm_at_s=None)
            actions += [Show(reader, Feedback.CLOSE_DOOR) for reader in state.layout.readers_of(name)]
        door, told = leaf.time_passed(door, state.layout.doors[name], now.boot_s)
        drafts += told
        state = state.with_door(name, door) if door is not state.doors[name] else state
    return Outcome(state, tuple(actions), tuple(drafts)).then(identification.expired(state, now))


_STEPS: Mapping[type, Callable[[State, Any, Now], Outcome]] = {
    CardPresented: identification.on_card,
    PinPresented: identification.on_pin,
    PinVerified: identification.on_verdict,
    ButtonPressed: from_afar.on_button,
    OpenRequested: from_afar.on_open_request,
    ModeRequested: from_afar.on_mode_request,
    FireReported: from_afar.on_fire,
    PastKnown: from_afar.on_past,
    ProvisionRequested: from_afar.on_provision_request,
    ProvisionEnded: from_afar.on_provision_end,
    PassageDeclared: _on_passage,
    CommandUnusable: _on_unusable_command,
    ContactReported: _on_contact,
    LockReported: _on_lock_report,
    ReaderReported: _on_reader_report,
    TamperReported: _on_tamper,
    RosterChanged: _on_roster,
    StaysChanged: _on_stays,
    LedgerReported: _on_ledger,
    TimePassed: _on_time,
}

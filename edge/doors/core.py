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
from dataclasses import dataclass, field, replace
from typing import Any

from custody.events import (
    CommandRefused,
    Direction,
    DoorDenied,
    DoorFault,
    DoorGranted,
    DoorPart,
    DoorReleased,
    Draft,
    FaultState,
    PartId,
    ReleaseCause,
    StayId,
    draft,
)
from devices.doors.contact import ContactState
from devices.doors.lock import LockState
from devices.readers.reader import Feedback, ReaderState

from . import access, leaf
from .facts import (
    Action,
    ButtonPressed,
    CardPresented,
    CommandUnusable,
    ContactReported,
    Fact,
    KnownStay,
    LedgerReported,
    Lock,
    LockReported,
    Now,
    OpenRequested,
    PassageDeclared,
    PinPresented,
    Provision,
    ProvisionEnded,
    ProvisionRequested,
    ReaderReported,
    ReadLock,
    RosterChanged,
    Show,
    StaysChanged,
    TamperReported,
    TimePassed,
    Unlock,
)
from .layout import Layout, as_event_officer
from .leaf import DoorState, Phase

LOCK_TRAVEL_S = 0.5
"""A bolt has arrived this long after its command; then it is asked where it is."""
LOCK_RETRY_S = 2.0
"""A lock that should be locked and is not is told again this often."""


@dataclass(frozen=True)
class State:
    """Everything that the doors know. Replaced, never changed."""

    layout: Layout
    doors: Mapping[PartId, DoorState]
    readers: Mapping[PartId, ReaderState]
    stays: Mapping[StayId, KnownStay] = field(default_factory=dict)
    passages: Mapping[tuple[PartId, PartId], PassageDeclared] = field(default_factory=dict)
    """What was declared at the door terminals: by (door, officer)."""
    provisioning: Mapping[PartId, str] = field(default_factory=dict)
    """Readers that are being given their key, and on whose word."""
    ledger_writable: bool = True

    @classmethod
    def at_start(cls, layout: Layout) -> State:
        """Every lock is locked, nothing else is known."""
        doors = {
            door.id: DoorState(phase=Phase.SECURE if door.contact is None else Phase.UNSEEN)
            for door in layout.doors.values()
        }
        return cls(layout, doors, dict.fromkeys(layout.readers, ReaderState.UNKNOWN))


@dataclass(frozen=True)
class Outcome:
    state: State
    actions: tuple[Action, ...] = ()
    drafts: tuple[Draft, ...] = ()


def step(state: State, fact: Fact, now: Now) -> Outcome:
    """What follows from one fact. Total: a fact about a door or a reader that is not there changes nothing."""
    return _STEPS[type(fact)](state, fact, now)


def next_deadline_s(state: State) -> float | None:
    """Boot time at which ``TimePassed`` is due next, or None."""
    dues = [due_s for door in state.doors.values() for due_s in door.deadlines_s()]
    return min(dues, default=None)


def _with_door(state: State, door: PartId, new: DoorState) -> State:
    return replace(state, doors={**state.doors, door: new})


def _on_card(state: State, fact: CardPresented, now: Now) -> Outcome:
    place = state.layout.readers.get(fact.reader)
    if place is None:
        return Outcome(state)
    holder = state.layout.holders.get(fact.number.upper())
    declared = None if holder is None else state.passages.get((place.door, holder.id))
    if declared is not None and declared.until_s < now.boot_s:
        declared = None
    request = access.Request(
        door=place.door,
        direction=place.direction,
        card=fact.number,
        reader_state=state.readers[fact.reader],
        declared=declared,
        interlock_free=_interlock_free(state, place.door),
        ledger_writable=state.ledger_writable,
        wall_us=now.wall_us,
    )
    decision = access.decide(request, state.layout, state.stays)
    if isinstance(decision, access.Denied):
        denial = _denial(fact.reader, place.door, place.direction, decision)
        return Outcome(state, (Show(fact.reader, Feedback.DENIED),), (denial,))
    granted = DoorGranted(
        door=place.door,
        reader=fact.reader,
        direction=place.direction,
        officer=as_event_officer(decision.officer),
        second=None,
        purpose=decision.purpose,
        stay=decision.stay,
    )
    passages = {key: kept for key, kept in state.passages.items() if kept is not declared}
    let_through = _let_through(replace(state, passages=passages), place.door, now, expects_taking=True)
    show = Show(fact.reader, Feedback.GRANTED)
    return Outcome(let_through, (Unlock(place.door), show), (draft(granted),))


def _on_pin(state: State, fact: PinPresented, now: Now) -> Outcome:
    """A PIN alone opens nothing: whoever keyed it in is shown so."""
    return Outcome(state, (Show(fact.reader, Feedback.DENIED),) if fact.reader in state.readers else ())


def _denial(reader: PartId, door: PartId, direction: Direction, denied: access.Denied) -> Draft:
    extra: dict[str, Any] = {} if denied.detail is None else {"detail": denied.detail}
    officer = None if denied.officer is None else as_event_officer(denied.officer)
    return draft(
        DoorDenied(door=door, reader=reader, direction=direction, officer=officer, reason=denied.reason, **extra)
    )


def _let_through(state: State, door: PartId, now: Now, *, expects_taking: bool) -> State:
    """The door may be passed from now on; the deadline of its relock is set here, before any relay moves."""
    settings = state.layout.doors[door]
    let = leaf.let_through(state.doors[door], settings, now.boot_s, expects_taking=expects_taking)
    return _with_door(state, door, replace(let, read_lock_at_s=now.boot_s + LOCK_TRAVEL_S))


def _interlock_free(state: State, door: PartId) -> bool:
    """Every other door of the group is closed and locked for certain; what is unknown or broken is not."""
    others = [state.doors[other] for other in state.layout.interlocked_with(door)]
    return all(
        other.phase is Phase.SECURE
        and other.contact is ContactState.CLOSED
        and other.commanded is LockState.LOCKED
        and other.measured is not LockState.UNLOCKED
        and not other.faults & {DoorPart.LOCK, DoorPart.CONTACT}
        for other in others
    )


def _on_contact(state: State, fact: ContactReported, now: Now) -> Outcome:
    if fact.door not in state.doors:
        return Outcome(state)
    settings = state.layout.doors[fact.door]
    moved, drafts = leaf.contact(state.doors[fact.door], settings, fact.state, now.boot_s)
    actions: tuple[Action, ...] = ()
    if moved.phase is Phase.SECURE and moved.commanded is LockState.UNLOCKED:
        moved, actions = _locked(moved, now), (Lock(fact.door),)
    return Outcome(_with_door(state, fact.door, moved), actions, drafts)


def _locked(door: DoorState, now: Now) -> DoorState:
    return replace(door, commanded=LockState.LOCKED, relock_at_s=None, read_lock_at_s=now.boot_s + LOCK_TRAVEL_S)


def _on_button(state: State, fact: ButtonPressed, now: Now) -> Outcome:
    settings = state.layout.doors.get(fact.door)
    if settings is None or not settings.button_opens:
        return Outcome(state)
    released = DoorReleased.model_validate(
        {"door": fact.door, "cause": ReleaseCause.EMERGENCY, "actor": None, "by": "button"}
    )
    let_through = _let_through(state, fact.door, now, expects_taking=False)
    return Outcome(let_through, (Unlock(fact.door),), (draft(released),))


def _on_open_request(state: State, fact: OpenRequested, now: Now) -> Outcome:
    free = fact.door not in state.doors or _interlock_free(state, fact.door)
    refused = access.remote_opening_refused(
        fact.actor, fact.door, state.layout, now.wall_us, interlock_free=free, by_right=fact.by_right
    )
    if refused is None and not state.ledger_writable:
        refused = "the ledger cannot be written, and nothing is opened from afar unrecorded; see the doors' log"
    if refused is not None:
        return _on_unusable_command(state, CommandUnusable("open", fact.actor, refused, fact.command), now)
    given = {} if fact.command is None else {"command": fact.command}
    released = DoorReleased.model_validate(
        {"door": fact.door, "cause": ReleaseCause.REMOTE, "actor": fact.actor, **given}
    )
    let_through = _let_through(state, fact.door, now, expects_taking=False)
    return Outcome(let_through, (Unlock(fact.door),), (draft(released),))


def _on_provision_request(state: State, fact: ProvisionRequested, now: Now) -> Outcome:
    refused = access.provisioning_refused(fact.actor, fact.reader, state.layout, now.wall_us)
    if refused is None and state.readers[fact.reader] in (ReaderState.ONLINE, ReaderState.UNKNOWN):
        refused = (
            f"{fact.reader} is {state.readers[fact.reader]}: only one that was found without its key is given it"
        )
    if refused is None and fact.reader in state.provisioning:
        refused = f"{fact.reader} is being given its key already, as {state.provisioning[fact.reader]} asked"
    if refused is None and not state.ledger_writable:
        refused = "the ledger cannot be written, and no key is given out unrecorded; see the doors' log"
    if refused is not None:
        return Outcome(state, (), (_provisioning_refused(fact.actor, refused),))
    provisioning = {**state.provisioning, fact.reader: fact.actor}
    return Outcome(replace(state, provisioning=provisioning), (Provision(fact.reader),))


def _on_provision_end(state: State, fact: ProvisionEnded, now: Now) -> Outcome:
    """A reader that took its key says so by coming online; one that did not is answered to whoever asked."""
    actor = state.provisioning.get(fact.reader)
    kept = {reader: other for reader, other in state.provisioning.items() if reader != fact.reader}
    ended = replace(state, provisioning=kept)
    if actor is None or fact.keyed:
        return Outcome(ended)
    return Outcome(ended, (), (_provisioning_refused(actor, fact.detail),))


def _provisioning_refused(actor: str, reason: str) -> Draft:
    return draft(CommandRefused(command="provision", actor=actor, reason=reason))


def _on_passage(state: State, fact: PassageDeclared, now: Now) -> Outcome:
    kept = {key: passage for key, passage in state.passages.items() if passage.until_s >= now.boot_s}
    return Outcome(replace(state, passages={**kept, (fact.door, fact.officer): fact}))


def _on_unusable_command(state: State, fact: CommandUnusable, now: Now) -> Outcome:
    given = {} if fact.id is None else {"id": fact.id}
    told = {"command": fact.command, "actor": fact.actor, "reason": fact.reason, **given}
    return Outcome(state, (), (draft(CommandRefused.model_validate(told)),))


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
    if problem is None and fact.measured not in (LockState.UNKNOWN, door.commanded):
        problem = f"it was told to be {door.commanded} and measures {fact.measured}"
    door, drafts = leaf.fault(door, fact.door, DoorPart.LOCK, problem)
    if problem is not None:
        door = replace(door, read_lock_at_s=now.boot_s + LOCK_RETRY_S)
    return Outcome(_with_door(state, fact.door, door), (), drafts)


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
    return Outcome(replace(_with_door(state, place.door, door), readers=readers), (), drafts)


def _on_tamper(state: State, fact: TamperReported, now: Now) -> Outcome:
    place = state.layout.readers.get(fact.reader)
    if place is None:
        return Outcome(state)
    problem = f"the housing of {fact.reader} is open; go and look" if fact.tampered else None
    door, drafts = leaf.fault(state.doors[place.door], place.door, DoorPart.TAMPER, problem)
    return Outcome(_with_door(state, place.door, door), (), drafts)


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
            door = _locked(door, now)
            actions.append(Lock(name))
        if door.read_lock_at_s is not None and now.boot_s >= door.read_lock_at_s:
            door = replace(door, read_lock_at_s=None)
            # Only locking is repeated: nobody may be surprised by a door that unlocks later than asked.
            if DoorPart.LOCK in door.faults and door.commanded is LockState.LOCKED:
                actions.append(Lock(name))
            actions.append(ReadLock(name))
        door, told = leaf.time_passed(door, state.layout.doors[name], now.boot_s)
        drafts += told
        state = _with_door(state, name, door) if door is not state.doors[name] else state
    return Outcome(state, tuple(actions), tuple(drafts))


_STEPS: dict[type, Callable[[State, Any, Now], Outcome]] = {
    CardPresented: _on_card,
    PinPresented: _on_pin,
    ContactReported: _on_contact,
    ButtonPressed: _on_button,
    OpenRequested: _on_open_request,
    ProvisionRequested: _on_provision_request,
    ProvisionEnded: _on_provision_end,
    PassageDeclared: _on_passage,
    CommandUnusable: _on_unusable_command,
    RosterChanged: _on_roster,
    LockReported: _on_lock_report,
    ReaderReported: _on_reader_report,
    TamperReported: _on_tamper,
    StaysChanged: _on_stays,
    LedgerReported: _on_ledger,
    TimePassed: _on_time,
}

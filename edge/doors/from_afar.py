"""What is asked of the doors from elsewhere: in the zone, by headquarters, by a button, by the fire system."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from custody.events import (
    Denial,
    Direction,
    DoorFault,
    DoorPart,
    DoorReleased,
    Draft,
    FaultState,
    PartId,
    ReleaseCause,
    draft,
)
from devices.doors.contact import ContactState
from devices.doors.lock import LockState
from devices.readers.reader import ReaderState

from . import access, interlock, leaf, mode
from .access import Denied
from .facts import (
    ButtonPressed,
    FireReported,
    Lock,
    ModeChange,
    ModeRequested,
    Now,
    OpenRequested,
    PastKnown,
    Provision,
    ProvisionEnded,
    ProvisionRequested,
    Unlock,
)
from .identification import let_through
from .mode import Mode
from .state import Outcome, State, denial_line, refused

FIRE_UNREADABLE = "the fire input cannot be read; check its wiring. Until it works a fire is not recorded"


def on_button(state: State, fact: ButtonPressed, now: Now) -> Outcome:
    """A button is an exit like a card's, and as controlled: it obeys a lockdown and the interlock."""
    settings = state.layout.doors.get(fact.door)
    if settings is None or not settings.button_opens or state.doors[fact.door].mode.released is not None:
        return Outcome(state)
    denial = None
    if state.doors[fact.door].mode.locked_down:
        denial = Denied(None, Denial.NOT_PERMITTED, "lockdown", {"by": "button"})
    elif not interlock.is_free(state, fact.door):
        denial = Denied(None, Denial.INTERLOCK, None, {"by": "button"})
    if denial is not None:
        return Outcome(state, (), (denial_line(fact.door, None, Direction.OUT, denial),))
    line = _released(fact.door, ReleaseCause.EMERGENCY, None, by="button")
    return Outcome(let_through(state, fact.door, now, expects_taking=False), (Unlock(fact.door),), (line,))


def on_open_request(state: State, fact: OpenRequested, now: Now) -> Outcome:
    known = fact.door in state.doors
    reason = access.remote_opening_refused(
        fact.actor,
        fact.door,
        state.layout,
        now.wall_us,
        interlock_free=not known or interlock.is_free(state, fact.door),
        is_locked_down=known and state.doors[fact.door].mode.locked_down,
        by_right=fact.by_right,
    )
    if reason is None and state.doors[fact.door].mode.released is not None:
        reason = f"{fact.door} is released: it is open for everybody already"
    if reason is None and not state.ledger_writable:
        reason = "the ledger cannot be written, and nothing is opened from afar unrecorded; see the doors' log"
    if reason is not None:
        return Outcome(state, (), (refused("open", fact.actor, reason, fact.command),))
    given = {} if fact.command is None else {"command": fact.command}
    line = _released(fact.door, ReleaseCause.REMOTE, fact.actor, **given)
    return Outcome(let_through(state, fact.door, now, expects_taking=False), (Unlock(fact.door),), (line,))


def on_mode_request(state: State, fact: ModeRequested, now: Now) -> Outcome:
    """Each door that is meant changes, and says so; a door that stands so already has nothing to say."""
    reason = access.mode_refused(fact, state.layout, now.wall_us)
    meant = list(state.doors) if fact.door is None else [fact.door]
    if reason is None and fact.change is ModeChange.SECURE and state.fire is ContactState.OPEN:
        burning = [door for door in meant if door in state.layout.released_by_fire]
        if burning:
            reason = f"the fire input still says fire; reset it first, then secure {', '.join(burning)}"
    if reason is None and not any(_changed(state.doors[door].mode, fact.change) for door in meant):
        reason = f"nothing to do: {_STANDING[fact.change]}"
    if reason is not None:
        return Outcome(state, (), (refused(fact.change.value, fact.actor, reason, fact.command),))
    outcome = Outcome(state)
    given = {} if fact.command is None else {"command": fact.command}
    for door in meant:
        new = _changed(state.doors[door].mode, fact.change)
        if new is not None:
            outcome = outcome.then(_stand(outcome.state, door, new, now, fact.actor, **given))
    return outcome


_STANDING = {
    ModeChange.LOCKDOWN: "it is locked down already",
    ModeChange.LOCKDOWN_END: "it is not locked down",
    ModeChange.RELEASE: "it is released already",
    ModeChange.SECURE: "it is not released",
}


def _changed(now: Mode, change: ModeChange) -> Mode | None:
    """The mode that follows; None when that is how it is."""
    match change:
        case ModeChange.LOCKDOWN | ModeChange.LOCKDOWN_END:
            new = replace(now, locked_down=change is ModeChange.LOCKDOWN)
        case ModeChange.RELEASE:
            new = now if now.released is not None else replace(now, released=ReleaseCause.EMERGENCY)
        case ModeChange.SECURE:
            new = replace(now, released=None)
    return None if new == now else new


def _stand(state: State, door: PartId, new: Mode, now: Now, actor: str | None, **extra: Any) -> Outcome:
    """The door stands so from now on, and its lock with it."""
    before = state.doors[door]
    line = mode.told(door, new, actor, **extra)
    if new.released is not None and before.mode.released is None:
        released = state.with_door(door, leaf.released(before, new, now.boot_s))
        return Outcome(released, (Unlock(door),), (_released(door, new.released, actor, **extra), line))
    if new.released is None and before.mode.released is not None:
        secured = leaf.secured(before, new, state.layout.doors[door], now.boot_s)
        return Outcome(state.with_door(door, secured), (Lock(door),), (line,))
    if new.locked_down and before.commanded is LockState.UNLOCKED and new.released is None:
        locked = replace(leaf.commanded(before, LockState.LOCKED, now.boot_s), mode=new)
        return Outcome(state.with_door(door, locked), (Lock(door),), (line,))
    return Outcome(state.with_door(door, replace(before, mode=new)), (), (line,))


def on_fire(state: State, fact: FireReported, now: Now) -> Outcome:
    """A fire cuts the power of some doors. What is told to their locks is only that they stay so when the power
    comes back, until somebody has looked and secures them: the release itself is none of ours.
    """
    before = state.fire
    outcome = Outcome(replace(state, fire=fact.state))
    if fact.state is before:
        return outcome
    if ContactState.FAULT in (before, fact.state):
        outcome = outcome.then(Outcome(outcome.state, (), _fire_fault(state, fact.state is ContactState.FAULT)))
    if fact.state is ContactState.OPEN:
        for door in state.layout.released_by_fire:
            if state.doors[door].mode.released is None:
                new = replace(state.doors[door].mode, released=ReleaseCause.FIRE)
                outcome = outcome.then(_stand(outcome.state, door, new, now, None))
    return outcome


def _fire_fault(state: State, is_broken: bool) -> tuple[Draft, ...]:
    told = FaultState.FAULT if is_broken else FaultState.RESTORED
    detail = FIRE_UNREADABLE if is_broken else "the fire input works again"
    return tuple(
        draft(DoorFault(door=door, part=DoorPart.LOCK, state=told, detail=detail))
        for door in state.layout.released_by_fire
    )


def on_past(state: State, fact: PastKnown, now: Now) -> Outcome:
    """The doors stand as they stood: a restart ends neither a lockdown nor a release."""
    outcome = Outcome(replace(state, whereabouts=fact.whereabouts.restarted(state.layout)))
    for door, was in fact.modes.items():
        if door in state.doors and was != state.doors[door].mode:
            stood = _stand(outcome.state, door, was, now, None)
            outcome = outcome.then(replace(stood, drafts=()))
    return outcome


def on_provision_request(state: State, fact: ProvisionRequested, now: Now) -> Outcome:
    reason = access.provisioning_refused(fact.actor, fact.reader, state.layout, now.wall_us)
    if reason is None and state.readers[fact.reader] in (ReaderState.ONLINE, ReaderState.UNKNOWN):
        reason = (
            f"{fact.reader} is {state.readers[fact.reader]}: only one that was found without its key is given it"
        )
    if reason is None and fact.reader in state.provisioning:
        reason = f"{fact.reader} is being given its key already, as {state.provisioning[fact.reader]} asked"
    if reason is None and not state.ledger_writable:
        reason = "the ledger cannot be written, and no key is given out unrecorded; see the doors' log"
    if reason is not None:
        return Outcome(state, (), (refused("provision", fact.actor, reason),))
    provisioning = {**state.provisioning, fact.reader: fact.actor}
    return Outcome(replace(state, provisioning=provisioning), (Provision(fact.reader),))


def on_provision_end(state: State, fact: ProvisionEnded, now: Now) -> Outcome:
    """A reader that took its key says so by coming online; one that did not is answered to whoever asked."""
    actor = state.provisioning.get(fact.reader)
    kept = {reader: other for reader, other in state.provisioning.items() if reader != fact.reader}
    ended = replace(state, provisioning=kept)
    if actor is None or fact.keyed:
        return Outcome(ended)
    return Outcome(ended, (), (refused("provision", actor, fact.detail),))


def _released(door: PartId, cause: ReleaseCause, actor: str | None, **extra: Any) -> Draft:
    return draft(DoorReleased.model_validate({"door": door, "cause": cause, "actor": actor, **extra}))

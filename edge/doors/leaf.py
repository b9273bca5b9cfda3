"""One door's leaf: what its contact says, turned into what happened. Pure, like the core that it belongs to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

from config.zone import DoorSettings
from custody.events import (
    DoorClosed,
    DoorFault,
    DoorForced,
    DoorHeld,
    DoorNotTaken,
    DoorOpened,
    DoorPart,
    Draft,
    FaultState,
    PartId,
    draft,
)
from devices.doors.contact import ContactState
from devices.doors.lock import LockState

from .mode import USUAL, Mode

LOCK_TRAVEL_S = 0.5
"""A bolt has arrived this long after its command; then it is asked where it is."""
TAKEN_GRACE_S = 0.5
"""A leaf pulled in the last moment of a passage is reported this much later, by debouncing and queueing."""


class Phase(StrEnum):
    UNSEEN = "unseen"
    SECURE = "secure"
    PASSABLE = "passable"
    OPEN = "open"
    HELD = "held"
    FORCED = "forced"


@dataclass(frozen=True)
class DoorState:
    """One door. Deadlines are boot time in seconds; None: nothing is due."""

    phase: Phase
    contact: ContactState = ContactState.UNKNOWN
    commanded: LockState = LockState.LOCKED
    measured: LockState = LockState.UNKNOWN
    relock_at_s: float | None = None
    taken_by_s: float | None = None
    expects_taking: bool = False
    """A card was granted: never opening is worth a line. After a release it is not."""
    held_at_s: float | None = None
    prealarm_at_s: float | None = None
    """Then its readers ask to close it."""
    opened_at_s: float | None = None
    read_lock_at_s: float | None = None
    bolt_answered: bool = False
    """Its lock was asked after its last command, and does not contradict it."""
    mode: Mode = USUAL
    faults: frozenset[DoorPart] = frozenset()

    def deadlines_s(self) -> Iterator[float]:
        dues = (self.relock_at_s, self.taken_by_s, self.held_at_s, self.prealarm_at_s, self.read_lock_at_s)
        yield from (due_s for due_s in dues if due_s is not None)

    @property
    def is_shut(self) -> bool:
        """Closed and locked, for certain as far as it can be measured: what is unknown or broken is not."""
        return (
            self.phase is Phase.SECURE
            and self.contact is ContactState.CLOSED
            and self.commanded is LockState.LOCKED
            and self.bolt_answered
            and not self.faults & {DoorPart.LOCK, DoorPart.CONTACT}
        )


# The phase after the contact has spoken: a total function each, whatever it was before.
_WHEN_OPENED = {
    Phase.UNSEEN: Phase.OPEN,
    Phase.SECURE: Phase.FORCED,
    Phase.PASSABLE: Phase.OPEN,
    Phase.OPEN: Phase.OPEN,
    Phase.HELD: Phase.HELD,
    Phase.FORCED: Phase.FORCED,
}
_WHEN_CLOSED = {
    Phase.UNSEEN: Phase.SECURE,
    Phase.SECURE: Phase.SECURE,
    Phase.PASSABLE: Phase.PASSABLE,
    Phase.OPEN: Phase.SECURE,
    Phase.HELD: Phase.SECURE,
    Phase.FORCED: Phase.SECURE,
}
_WHEN_UNREADABLE = {
    Phase.UNSEEN: Phase.UNSEEN,
    Phase.SECURE: Phase.UNSEEN,
    Phase.PASSABLE: Phase.PASSABLE,
    Phase.OPEN: Phase.UNSEEN,
    Phase.HELD: Phase.UNSEEN,
    Phase.FORCED: Phase.UNSEEN,
}


def contact(
    door: DoorState, settings: DoorSettings, said: ContactState, boot_s: float
) -> tuple[DoorState, tuple[Draft, ...]]:
    """The contact says ``said`` from now on. Its first word is told too: the register starts from it."""
    if said is door.contact:
        return door, ()
    problem = "its contact cannot be read; check its wiring" if said is ContactState.FAULT else None
    moved, told = fault(replace(door, contact=said), settings.id, DoorPart.CONTACT, problem)
    phase = _phase_after(door, said)
    match said:
        case ContactState.OPEN:
            events = [*told, draft(DoorOpened(door=settings.id))]
            if phase is Phase.FORCED:
                events.append(draft(DoorForced(door=settings.id)))
            return _opened(moved, phase, settings, boot_s), tuple(events)
        case ContactState.CLOSED:
            return replace(_not_open(moved), phase=phase), (*told, draft(DoorClosed(door=settings.id)))
        case ContactState.FAULT | ContactState.UNKNOWN:
            return replace(_not_open(moved), phase=phase), told


def _phase_after(door: DoorState, said: ContactState) -> Phase:
    if door.mode.released is not None:
        return Phase.OPEN if said is ContactState.OPEN else Phase.PASSABLE
    match said:
        case ContactState.OPEN:
            return _WHEN_OPENED[door.phase]
        case ContactState.CLOSED:
            return _WHEN_CLOSED[door.phase]
        case ContactState.FAULT | ContactState.UNKNOWN:
            return _WHEN_UNREADABLE[door.phase]


def _not_open(door: DoorState) -> DoorState:
    return replace(door, held_at_s=None, prealarm_at_s=None, opened_at_s=None)


def _opened(door: DoorState, phase: Phase, settings: DoorSettings, boot_s: float) -> DoorState:
    opened = replace(door, phase=phase, taken_by_s=None, expects_taking=False, opened_at_s=boot_s)
    may_stand_open = phase is not Phase.OPEN or door.mode.released is not None
    return opened if may_stand_open else must_close(opened, settings, boot_s)


def must_close(door: DoorState, settings: DoorSettings, boot_s: float) -> DoorState:
    """It stands open, and its time to do so begins now."""
    ahead_s = min(settings.prealarm_s, settings.held_s / 2)
    held_at_s = boot_s + settings.held_s
    return replace(door, held_at_s=held_at_s, prealarm_at_s=held_at_s - ahead_s if ahead_s > 0 else None)


def commanded(door: DoorState, wanted: LockState, boot_s: float) -> DoorState:
    """Its lock is told so now, until further notice, and asked where its bolt is once that had time to move."""
    return replace(
        door,
        commanded=wanted,
        relock_at_s=None,
        read_lock_at_s=boot_s + LOCK_TRAVEL_S,
        bolt_answered=False,
    )


def released(door: DoorState, mode: Mode, boot_s: float) -> DoorState:
    """Everybody may pass from now on, and it may stand open, until it is secured."""
    phase = Phase.OPEN if door.contact is ContactState.OPEN else Phase.PASSABLE
    unlocked = replace(_not_open(commanded(door, LockState.UNLOCKED, boot_s)), opened_at_s=door.opened_at_s)
    return replace(unlocked, phase=phase, mode=mode, taken_by_s=None, expects_taking=False)


def secured(door: DoorState, mode: Mode, settings: DoorSettings, boot_s: float) -> DoorState:
    """Its release is over: it is locked, and if it stands open it must close."""
    locked = replace(commanded(door, LockState.LOCKED, boot_s), mode=mode)
    if locked.contact is ContactState.OPEN:
        return must_close(replace(locked, phase=Phase.OPEN), settings, boot_s)
    seen = settings.contact is None or locked.contact is ContactState.CLOSED
    return replace(locked, phase=Phase.SECURE if seen else Phase.UNSEEN)


def let_through(door: DoorState, settings: DoorSettings, boot_s: float, *, expects_taking: bool) -> DoorState:
    """Somebody may pass from now on: unlocked, until the relock at the latest."""
    unlocked = replace(commanded(door, LockState.UNLOCKED, boot_s), relock_at_s=boot_s + settings.lock.unlock_s)
    if door.phase is Phase.OPEN:
        # One more goes through while it stands open.
        return must_close(unlocked, settings, boot_s)
    if door.phase in (Phase.HELD, Phase.FORCED):
        return unlocked
    passable_s = settings.lock.unlock_s if settings.not_taken_s is None else settings.not_taken_s
    return replace(
        unlocked,
        phase=Phase.PASSABLE,
        taken_by_s=boot_s + max(passable_s, settings.lock.unlock_s) + TAKEN_GRACE_S,
        expects_taking=expects_taking,
    )


def time_passed(door: DoorState, settings: DoorSettings, boot_s: float) -> tuple[DoorState, list[Draft]]:
    """A passage that nobody took ends; a leaf that stands open too long is told once."""
    drafts: list[Draft] = []
    if door.taken_by_s is not None and boot_s >= door.taken_by_s:
        # Without a contact that can be believed nobody knows whether it was taken, so nothing is said.
        if door.expects_taking and door.contact is ContactState.CLOSED:
            drafts.append(draft(DoorNotTaken(door=settings.id)))
        seen = settings.contact is None or door.contact is ContactState.CLOSED
        phase = Phase.SECURE if seen else Phase.UNSEEN
        door = replace(door, phase=phase, taken_by_s=None, expects_taking=False)
    if door.held_at_s is not None and boot_s >= door.held_at_s:
        opened_at_s = boot_s if door.opened_at_s is None else door.opened_at_s
        drafts.append(draft(DoorHeld(door=settings.id, seconds=round(boot_s - opened_at_s, 3))))
        door = replace(door, phase=Phase.HELD, held_at_s=None, prealarm_at_s=None)
    return door, drafts


def fault(
    door: DoorState, name: PartId, part: DoorPart, problem: str | None
) -> tuple[DoorState, tuple[Draft, ...]]:
    """A part is broken (``problem`` says how) or works (None); a line is written only when that is news."""
    broken = part in door.faults
    if broken is (problem is not None):
        return door, ()
    if problem is None:
        told = DoorFault(door=name, part=part, state=FaultState.RESTORED, detail="it works again")
        return replace(door, faults=door.faults - {part}), (draft(told),)
    told = DoorFault(door=name, part=part, state=FaultState.FAULT, detail=problem)
    return replace(door, faults=door.faults | {part}), (draft(told),)

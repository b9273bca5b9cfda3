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
    opened_at_s: float | None = None
    read_lock_at_s: float | None = None
    faults: frozenset[DoorPart] = frozenset()

    def deadlines_s(self) -> Iterator[float]:
        for due_s in (self.relock_at_s, self.taken_by_s, self.held_at_s, self.read_lock_at_s):
            if due_s is not None:
                yield due_s


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
    match said:
        case ContactState.OPEN:
            phase = _WHEN_OPENED[door.phase]
            events = [*told, draft(DoorOpened(door=settings.id))]
            if phase is Phase.FORCED:
                events.append(draft(DoorForced(door=settings.id)))
            return _opened(moved, phase, settings, boot_s), tuple(events)
        case ContactState.CLOSED:
            phase = _WHEN_CLOSED[door.phase]
            events = [*told, draft(DoorClosed(door=settings.id))]
            return replace(moved, phase=phase, held_at_s=None, opened_at_s=None), tuple(events)
        case ContactState.FAULT | ContactState.UNKNOWN:
            phase = _WHEN_UNREADABLE[door.phase]
            return replace(moved, phase=phase, held_at_s=None, opened_at_s=None), told


def _opened(door: DoorState, phase: Phase, settings: DoorSettings, boot_s: float) -> DoorState:
    held_at_s = boot_s + settings.held_s if phase is Phase.OPEN else None
    return replace(
        door, phase=phase, taken_by_s=None, expects_taking=False, held_at_s=held_at_s, opened_at_s=boot_s
    )


def let_through(door: DoorState, settings: DoorSettings, boot_s: float, *, expects_taking: bool) -> DoorState:
    """Somebody may pass from now on: unlocked, until the relock at the latest."""
    unlocked = replace(door, commanded=LockState.UNLOCKED, relock_at_s=boot_s + settings.lock.unlock_s)
    if door.phase is Phase.OPEN:
        # One more goes through while it stands open.
        return replace(unlocked, held_at_s=boot_s + settings.held_s)
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
        door = replace(door, phase=Phase.HELD, held_at_s=None)
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

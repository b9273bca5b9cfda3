"""The doors of a sally port: of a group at most one is let open, and it has the group until it is shut again.

A lease is given to one door, when every other one is known to be closed and locked; unknown, broken and open are
the same. It ends when that door is closed and its bolt has answered, never by time: what takes too long has its
own line (``door.held``, ``door.fault``). A release in an emergency or by fire asks for no lease, and is on record.
"""

from __future__ import annotations

from dataclasses import replace

from custody.events import PartId
from devices.doors.contact import ContactState
from devices.doors.lock import LockState

from . import leaf
from .facts import Lock
from .state import State


def is_free(state: State, door: PartId) -> bool:
    """Whether this door may be let open as far as the others of its group are concerned."""
    group = state.layout.doors[door].interlock
    if group is None:
        return True
    return state.leases.get(group, door) == door and _others_are_shut(state, door)


def taken(state: State, door: PartId) -> State:
    """This door has its group from now on."""
    group = state.layout.doors[door].interlock
    return state if group is None else replace(state, leases={**state.leases, group: door})


def settled(state: State, boot_s: float) -> tuple[State, tuple[Lock, ...]]:
    """Leases of doors that are shut again are over. One that is let open and still closed is locked at once when
    another door of its group opens, or may: whoever was let through must not make it two."""
    locks: list[Lock] = []
    for group, door in state.leases.items():
        now = state.doors[door]
        if now.is_shut:
            kept = {other: holder for other, holder in state.leases.items() if other != group}
            state = replace(state, leases=kept)
        elif _is_waiting(now) and not _others_are_shut(state, door):
            state = state.with_door(door, leaf.commanded(now, LockState.LOCKED, boot_s))
            locks.append(Lock(door))
    return state, tuple(locks)


def _is_waiting(door: leaf.DoorState) -> bool:
    is_unlocked = door.commanded is LockState.UNLOCKED and door.mode.released is None
    return is_unlocked and door.contact is ContactState.CLOSED


def _others_are_shut(state: State, door: PartId) -> bool:
    return all(state.doors[other].is_shut for other in state.layout.interlocked_with(door))

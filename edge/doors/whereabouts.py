"""Where officers are, by what the doors' own lines tell. Pure: the same fold over the lines as they are made, and
over those of the ledger after a restart, so that both know the same.

Somebody has moved when the door opened, not when it was granted. Whenever somebody may have passed unseen, or may
not have passed, the place is kept, and it is no longer certain.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from custody.events import (
    Area,
    Direction,
    DoorClosed,
    DoorFault,
    DoorForced,
    DoorGranted,
    DoorHeld,
    DoorMode,
    DoorNotTaken,
    DoorOpened,
    DoorPart,
    DoorReleased,
    FaultState,
    PartId,
    ZoneStarted,
)

from .layout import Layout


@dataclass(frozen=True)
class Place:
    area: Area
    certain: bool


@dataclass(frozen=True)
class Crossing:
    """Who one grant let through together, and the area behind the door."""

    officers: tuple[PartId, ...]
    area: Area


@dataclass(frozen=True)
class Whereabouts:
    """Replaced, never changed. Whoever has a place keeps one."""

    places: Mapping[PartId, Place] = field(default_factory=dict)
    """By officer; of who is not in it nothing is known."""
    crossings: Mapping[PartId, tuple[Crossing, ...]] = field(default_factory=dict)
    """By door: who was let through and has not opened it yet."""
    open: frozenset[PartId] = frozenset()
    unreadable: frozenset[PartId] = frozenset()
    """Doors whose contact is broken."""
    released: frozenset[PartId] = frozenset()
    """Doors that everybody may pass."""

    def follow(self, type_: str, data: Mapping[str, Any], layout: Layout) -> Whereabouts:
        """After one more line. One that breaks its schema raises ``KeyError``, ``TypeError`` or ``ValueError``."""
        if type_ == ZoneStarted.TYPE:
            return self.restarted(layout)
        follow = _FOLLOW.get(type_)
        if follow is None or data["door"] not in layout.doors:
            return self
        return follow(self, data["door"], data, layout)

    def restarted(self, layout: Layout) -> Whereabouts:
        """The doors were not watched for a while; only those that rest locked let nobody through."""
        now = self
        for door in self.crossings:
            now = now._commit(door, certain=False)
        for door in layout.doors:
            if layout.rests_unlocked(door):
                now = now._doubt(door, layout)
        return replace(now, open=frozenset(), unreadable=frozenset())

    def is_in(self, officer: PartId, area: Area) -> Place | None:
        """His place, if that is this area as far as anybody knows."""
        place = self.places.get(officer)
        return place if place is not None and place.area is area else None

    def _commit(self, door: PartId, *, certain: bool) -> Whereabouts:
        """Who was let through has passed. After several grants for one opening, perhaps not everybody."""
        crossings = self.crossings.get(door, ())
        certain = certain and len(crossings) == 1 and door not in self.released
        places = {officer: Place(each.area, certain) for each in crossings for officer in each.officers}
        return replace(self._drop(door), places={**self.places, **places})

    def _drop(self, door: PartId) -> Whereabouts:
        return replace(self, crossings={other: kept for other, kept in self.crossings.items() if other != door})

    def _doubt(self, door: PartId, layout: Layout) -> Whereabouts:
        """Anybody on either side may have passed it."""
        areas = layout.areas_of(door)
        if areas[0] is areas[1]:
            return self
        places = {
            officer: replace(place, certain=place.certain and place.area not in areas)
            for officer, place in self.places.items()
        }
        return replace(self, places=places)


def _granted(now: Whereabouts, door: PartId, data: Mapping[str, Any], layout: Layout) -> Whereabouts:
    officers = tuple(data[one]["id"] for one in ("officer", "second") if data[one] is not None)
    crossing = Crossing(officers, layout.area_behind(door, Direction(data["direction"])))
    crossings = (*now.crossings.get(door, ()), crossing)
    crossed = replace(now, crossings={**now.crossings, door: crossings})
    if layout.doors[door].contact is None or door in now.open | now.unreadable | now.released:
        # Nobody will see whether he passes.
        return crossed._commit(door, certain=False)
    return crossed


def _opened(now: Whereabouts, door: PartId, data: Mapping[str, Any], layout: Layout) -> Whereabouts:
    moved = now._commit(door, certain=True)
    return replace(moved, open=now.open | {door}, unreadable=now.unreadable - {door})


def _closed(now: Whereabouts, door: PartId, data: Mapping[str, Any], layout: Layout) -> Whereabouts:
    return replace(now, open=now.open - {door}, unreadable=now.unreadable - {door})


def _not_taken(now: Whereabouts, door: PartId, data: Mapping[str, Any], layout: Layout) -> Whereabouts:
    return now._drop(door)


def _passed_unseen(now: Whereabouts, door: PartId, data: Mapping[str, Any], layout: Layout) -> Whereabouts:
    return now._commit(door, certain=False)._doubt(door, layout)


def _mode(now: Whereabouts, door: PartId, data: Mapping[str, Any], layout: Layout) -> Whereabouts:
    released = now.released - {door} if data["released"] is None else now.released | {door}
    if released == now.released:
        return now
    return replace(_passed_unseen(now, door, data, layout), released=released)


def _fault(now: Whereabouts, door: PartId, data: Mapping[str, Any], layout: Layout) -> Whereabouts:
    if (data["part"], data["state"]) != (DoorPart.CONTACT, FaultState.FAULT):
        return now
    unseen = _passed_unseen(now, door, data, layout)
    return replace(unseen, open=now.open - {door}, unreadable=now.unreadable | {door})


_Follow = Callable[[Whereabouts, PartId, Mapping[str, Any], Layout], Whereabouts]
_FOLLOW: Mapping[str, _Follow] = {
    DoorGranted.TYPE: _granted,
    DoorOpened.TYPE: _opened,
    DoorClosed.TYPE: _closed,
    DoorNotTaken.TYPE: _not_taken,
    DoorForced.TYPE: _passed_unseen,
    DoorHeld.TYPE: _passed_unseen,
    DoorReleased.TYPE: _passed_unseen,
    DoorMode.TYPE: _mode,
    DoorFault.TYPE: _fault,
}

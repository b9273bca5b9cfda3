"""Who was in which room from when to when: the intervals for which a recording must be shown. Pure.

A stay's room is the latest named by its entering, returning, moving, a search or an activity, while it is inside
(rules.md, "What is proven when").
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from custody.events import Event
from custody.register import effective

_INTO = frozenset({"stay.entered", "stay.returned"})
_WITHIN = frozenset({"stay.moved", "search.started", "activity.started"})
_OUT = frozenset({"stay.left", "stay.exited"})
_CORRECTED = "record.corrected"
FOLLOWED = _INTO | _WITHIN | _OUT


@dataclass(frozen=True, order=True)
class RoomTime:
    """Somebody was in ``room`` from ``start_us`` to ``end_us`` and has left it."""

    room: str
    start_us: int
    end_us: int


class Rooms:
    """Take events in any order; ``take`` returns the room times that became known by them."""

    def __init__(self) -> None:
        self._events: dict[str, list[Event]] = {}
        self._stay_of: dict[str, str] = {}
        self._known: dict[str, set[RoomTime]] = {}

    def take(self, events: Iterable[Event]) -> list[RoomTime]:
        touched: dict[str, None] = {}
        for event in events:
            if event.type in FOLLOWED:
                stay = str(event.data["stay"])
                self._stay_of[event.id] = stay
            elif event.type == _CORRECTED:
                # A corrected time opens another interval, for which the recording must be shown as well.
                found = self._stay_of.get(str(event.data.get("corrects")))
                if found is None:
                    continue
                stay = self._stay_of[event.id] = found
            else:
                continue
            self._events.setdefault(stay, []).append(event)
            touched[stay] = None
        return sorted(time for stay in touched for time in self._new(stay))

    def _new(self, stay: str) -> set[RoomTime]:
        times = set(room_times(self._events[stay]))
        new = times - self._known.get(stay, set())
        self._known[stay] = times
        return new


def room_times(events: list[Event]) -> list[RoomTime]:
    """The finished room times of one stay, from its events and their corrections."""
    read = [event for event in effective(events) if event.type in FOLLOWED]
    read.sort(key=lambda event: (event.time_us, event.written_us, event.sequence))
    found: list[RoomTime] = []
    room: str | None = None
    since_us = 0
    for event in read:
        inside = room is not None
        if event.type in _OUT:
            following = None
        elif event.type in _INTO or inside:
            following = str(event.data["room"])
        else:
            continue
        if following == room:
            continue
        if room is not None and event.time_us > since_us:
            found.append(RoomTime(room, since_us, event.time_us))
        room, since_us = following, event.time_us
    return found

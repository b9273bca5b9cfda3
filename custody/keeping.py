"""Which old lines a zone may give up, so that all that is read from the others stays as it was.

Given up are the lines written before a moment, except

* every line of a stay that is not over, or that somebody wrote about since, or whose hold stands;
* the zone's own lines around such a stay, from a day before its first line to a day after its last;
* the lines whose word still stands where such a time begins, and at the moment itself: the last description of the
  zone, the last state of each camera and door (a guard's presence ends by itself, well within that day);
* the beginnings of ledgers, and commands received, for good.

A stay is kept or given up whole, so the rest reads as if those that were given up had never been here. Pure: it
reads events twice and names the places of those to give up.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field

from .events import Event
from .register import effective

DAY_US = 86_400_000_000
AROUND_US = DAY_US
"""Before and after a stay: what is proven of it may rest on a presence or a state that was written earlier."""
CORRECTED = "record.corrected"
FOR_GOOD = frozenset({"ledger.opened", "command.received"})
_WAS_THERE = frozenset({"stay.arrived", "stay.entered", "stay.returned", "stay.moved", "stay.left"})
_INTO = frozenset({"stay.arrived", "stay.entered", "stay.returned"})
_TELLING = _WAS_THERE | {"stay.exited", "hold.set", "hold.released"}
"""What says whether a stay is over."""
_STANDING = ("zone.", "clock.", "door.", "camera.")

Place = tuple[int, int]
"""Number of the ledger in its chain, and sequence in it."""


@dataclass(slots=True)
class _Stay:
    first_us: int
    last_us: int
    last_written_us: int
    telling: list[Event] = field(default_factory=list)


class Keeping:
    """First ``see`` every line that is kept, oldest first; then ask ``to_give_up`` with the same lines again."""

    def __init__(self, before_us: int) -> None:
        self.before_us = before_us
        self._stays: dict[str, _Stay] = {}
        self._stay_of: dict[str, str] = {}
        self._corrections: list[Event] = []

    def see(self, event: Event) -> None:
        """Only lines that name a stay, and corrections, tell anything here; others may be left out."""
        if event.type == CORRECTED:
            self._corrections.append(event)
            return
        name = event.data.get("stay")
        if not isinstance(name, str):
            return
        first_us, last_us = sorted((event.time_us, event.written_us))
        stay = self._stays.setdefault(name, _Stay(first_us, last_us, event.written_us))
        stay.first_us = min(stay.first_us, first_us)
        stay.last_us = max(stay.last_us, last_us)
        stay.last_written_us = max(stay.last_written_us, event.written_us)
        if event.type in _TELLING:
            stay.telling.append(event)
            self._stay_of[event.id] = name

    def kept_stays(self) -> dict[str, tuple[int, int | None]]:
        """The stays that are kept, with the time around each; ``None``: to now and on."""
        corrected: dict[str, list[Event]] = {}
        for correction in self._corrections:
            name = self._stay_of.get(str(correction.data.get("corrects")))
            if name is not None:
                corrected.setdefault(name, []).append(correction)
        kept: dict[str, tuple[int, int | None]] = {}
        for name, stay in self._stays.items():
            read = effective([*stay.telling, *corrected.get(name, [])])
            written_us = max([stay.last_written_us, *(one.written_us for one in corrected.get(name, []))])
            over = _is_over(read)
            if not over or written_us >= self.before_us or _is_held(read):
                first_us = min([stay.first_us, *(one.time_us for one in read)])
                kept[name] = (first_us - AROUND_US, stay.last_us + AROUND_US if over else None)
        return kept

    def to_give_up(self, lines: Iterable[tuple[Place, Event]]) -> list[Place]:
        """The places to give up, oldest first. Reads up to the first line written at ``before_us`` or later."""
        stays = self.kept_stays()
        spans = _united(stays.values())
        going: list[Place] = []
        kept: set[Place] = set()
        kept_ids: set[str] = set()
        standing: dict[Hashable, Place] = {}
        within = False
        for place, event in lines:
            if event.written_us >= self.before_us:
                break
            stay = event.data.get("stay")
            if event.type not in FOR_GOOD and isinstance(stay, str):
                stays_here = stay in stays
            elif event.type == CORRECTED:
                stays_here = event.data.get("corrects") in kept_ids
            else:
                was_within, within = within, _inside(event, spans)
                if within and not was_within:
                    kept.update(standing.values())
                key = _stands_for(event)
                if key is not None:
                    standing[key] = place
                stays_here = within or event.type in FOR_GOOD
            if stays_here:
                kept_ids.add(event.id)
            else:
                going.append(place)
        kept.update(standing.values())
        return [place for place in going if place not in kept]


def _is_over(read: Iterable[Event]) -> bool:
    """Nobody who was there is still there: there is an exit, and nothing came in later."""
    there = ended = None
    for event in read:
        if event.type == "stay.exited":
            ended = max(ended or event.time_us, event.time_us)
        elif event.type in _INTO:
            there = max(there or event.time_us, event.time_us)
    return there is None or (ended is not None and ended >= there)


def _is_held(read: Iterable[Event]) -> bool:
    held = False
    for event in read:
        if event.type.startswith("hold."):
            held = event.type == "hold.set"
    return held


def _united(spans: Iterable[tuple[int, int | None]]) -> list[tuple[int, int | None]]:
    united: list[tuple[int, int | None]] = []
    for low, high in sorted(spans, key=lambda span: span[0]):
        if united and (united[-1][1] is None or low <= united[-1][1]):
            last = united[-1][1]
            united[-1] = (united[-1][0], None if last is None or high is None else max(last, high))
        else:
            united.append((low, high))
    return united


def _inside(event: Event, spans: list[tuple[int, int | None]]) -> bool:
    """Whether the line was written, or happened, within one of them; there are few."""
    return any(
        low <= moment and (high is None or moment <= high)
        for low, high in spans
        for moment in (event.written_us, event.time_us)
    )


def _stands_for(event: Event) -> Hashable | None:
    """Whose state the line tells: the next one of the same key takes its place. ``None``: no state."""
    if not event.type.startswith(_STANDING):
        return None
    parts = (event.data.get(name) for name in ("door", "part", "camera"))
    return (event.type, *(part if isinstance(part, str) else None for part in parts))

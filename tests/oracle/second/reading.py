"""Reading the events: which lines count, in which order, what corrections make of them, which time is known."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from custody.events import Event, EventError, parse_line, parse_time

from .numbers import HEARTBEAT_TIMEOUT, STEP_THAT_BREAKS_KNOWN_S, S


@dataclass
class Fact:
    """An event as it reads after its corrections. ``order`` is its place on the timeline."""

    event: Event
    type: str
    t: int
    offset_s: int
    written: int
    place: tuple[int, int]
    data: dict[str, Any]
    void: bool = False
    order: int = -1

    @property
    def id(self) -> str:
        return self.event.id


@dataclass
class Reading:
    """One zone's lines, read: ``facts`` in the order of the timeline, ``lines`` as they stand."""

    zone: str
    facts: list[Fact]
    lines: dict[str, Event]
    known: list[tuple[int, int]]
    w: int
    h: int

    def is_known(self, t: int) -> bool:
        """Is the time from ``t`` on known? At H, where the walk ends, only the moment itself is asked for."""
        return self.is_known_moment(t) if t == self.h else any(a <= t < b for a, b in self.known)

    def is_known_moment(self, t: int) -> bool:
        """W is as known as the moment before it; all after W is unknown."""
        if t == self.w:
            t -= 1
        return any(a <= t < b for a, b in self.known)

    def known_within(self, start: int, end: int) -> int:
        return sum(max(0, min(b, end) - max(a, start)) for a, b in self.known)

    def of(self, *types: str) -> list[Fact]:
        return [fact for fact in self.facts if fact.type in types]


def instant(text: str) -> int:
    return parse_time(text)[0]


def read(lines: Iterable[bytes], until: int | None) -> list[Reading]:
    chosen: dict[str, Event] = {}
    copies: dict[tuple[str, str, int], Event] = {}
    for line in lines:
        try:
            event = parse_line(line)
        except EventError:
            continue
        if until is not None and event.written_us > until:
            continue
        if event.id not in chosen or event.line < chosen[event.id].line:
            chosen[event.id] = event
        place = (event.id, event.ledger, event.sequence)
        if place not in copies or event.line < copies[place].line:
            copies[place] = event
    zones = sorted({event.zone for event in chosen.values()})
    return [_read_zone(zone, [e for e in copies.values() if e.zone == zone], chosen, until) for zone in zones]


def _read_zone(zone: str, copies: list[Event], chosen: dict[str, Event], until: int | None) -> Reading:
    """``copies``: every place that a line takes; an event that stands in several is told by the ``chosen`` one."""
    ledgers: dict[str, list[Event]] = {}
    for event in sorted(copies, key=lambda e: (e.ledger, e.sequence, e.written_us, e.id)):
        ledgers.setdefault(event.ledger, []).append(event)
    opened = {name: next((e for e in rows if e.type == "ledger.opened"), None) for name, rows in ledgers.items()}
    follows = {name: _followed(first) for name, first in opened.items()}
    newest = max(
        (name for name in ledgers if name not in {f for n, f in follows.items() if n != name}),
        key=lambda name: (max(e.written_us for e in ledgers[name]), name),
        default=max(ledgers, key=lambda name: max(e.written_us for e in ledgers[name])),
    )
    ledgers[newest] = _before_first_gap(ledgers[newest])
    w = max(event.written_us for rows in ledgers.values() for event in rows)
    judged = [event for rows in ledgers.values() for event in rows if chosen[event.id] is event]
    chained = sorted(ledgers, key=lambda name: _in_the_chain(name, follows, ledgers))
    places = {name: place for place, name in enumerate(chained)}
    facts = _corrected(judged, places)
    return Reading(
        zone=zone,
        facts=facts,
        lines={event.id: event for event in judged},
        known=_known(ledgers),
        w=w,
        h=w if until is None else until,
    )


def _followed(opened: Event | None) -> str | None:
    cited = opened.data.get("follows") if opened else None
    return cited["ledger"] if cited else None


def _in_the_chain(
    name: str, follows: dict[str, str | None], ledgers: dict[str, list[Event]]
) -> list[tuple[int, str]]:
    """Its place: behind the one that it follows; those with no such tie by their first written times."""
    chain: list[str] = []
    at: str | None = name
    while at in ledgers and at not in chain:
        chain.insert(0, at)
        at = follows.get(at)
    return [(ledgers[one][0].written_us, one) for one in chain]


def _before_first_gap(rows: list[Event]) -> list[Event]:
    kept = [rows[0]]
    for event in rows[1:]:
        if event.sequence > kept[-1].sequence + 1:
            break
        kept.append(event)
    return kept


def _known(ledgers: dict[str, list[Event]]) -> list[tuple[int, int]]:
    pairs: list[tuple[Event, Event]] = []
    for rows in ledgers.values():
        pairs += [(a, b) for a, b in itertools.pairwise(rows) if b.sequence == a.sequence + 1]
        first = rows[0]
        if first.type != "ledger.opened" or first.data.get("reason") != "rotation":
            continue
        cited = first.data.get("follows")
        before = ledgers.get(cited["ledger"]) if cited else None
        if cited and before and before[-1].sequence == cited["size"]:
            pairs.append((before[-1], first))
    spans = []
    for earlier, later in pairs:
        start, end = earlier.written_us, later.written_us
        if end - start <= HEARTBEAT_TIMEOUT and not _breaks(later):
            spans.append((start, end))
    merged: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        elif end > start:
            merged.append((start, end))
    return merged


def _breaks(later: Event) -> bool:
    if later.type == "zone.started":
        return True
    if later.type == "ledger.opened":
        return bool(later.data.get("reason") != "rotation")
    return later.type == "clock.stepped" and abs(later.data["by_s"]) > STEP_THAT_BREAKS_KNOWN_S


def _corrected(judged: list[Event], places: dict[str, int]) -> list[Fact]:
    """Apply the corrections, in the order in which they were written, each as its own corrections make it."""
    events = sorted(judged, key=lambda e: (e.written_us, places[e.ledger], e.sequence, e.id))
    corrections = [event for event in events if event.type == "record.corrected"]

    def as_corrected(event: Event, asking: frozenset[str]) -> Fact:
        fact = Fact(
            event, event.type, event.time_us, event.utc_offset_s, event.written_us,
            (places[event.ledger], event.sequence), dict(event.data),
        )  # fmt: skip
        for correction in corrections:
            if correction.data["corrects"] == event.id and correction.id not in asking:
                mended = as_corrected(correction, asking | {correction.id})
                if not mended.void:
                    _apply(fact, mended.data)
        return fact

    facts = [as_corrected(event, frozenset({event.id})) for event in events]
    standing = sorted((f for f in facts if not f.void), key=lambda f: (f.t, f.written, f.place, f.id))
    for order, fact in enumerate(standing):
        fact.order = order
    return standing


def _apply(fact: Fact, correction: dict[str, Any]) -> None:
    fact.data = {**fact.data, **correction.get("data", {})}
    if correction.get("time") is not None:
        fact.t, fact.offset_s = parse_time(correction["time"])
    if "void" in correction:
        fact.void = correction["void"]


def local_day(fact: Fact) -> str:
    """The calendar day with the UTC offset written in the event's time, ``yyyy-mm-dd``."""
    from datetime import UTC, datetime

    return datetime.fromtimestamp((fact.t // S) + fact.offset_s, UTC).strftime("%Y-%m-%d")

"""A stay's four lanes, one a must: what was so over time, and where something is missing. Drawn as SVG here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from custody.events import Event, parse_time
from custody.register import Stay
from edge.panel.desk import Desk, Moment
from edge.register.guarding import proofs

WIDTH = 1560
LABEL_W = 190
CHARACTER_W = 17
NAME_MARGIN = 12
TICKS_MOST = 12
_TICK_STEPS_S = (60, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400)


@dataclass(frozen=True)
class Segment:
    """[start, end) on a lane. ``kind`` is a style: place, outside, step, guard, recording, impaired, lost, …"""

    start_us: int
    end_us: int
    kind: str
    label: tuple[str, str]
    """(group of ``labels``, value); the group "" means a name to be shown as it is."""


@dataclass(frozen=True)
class Gap:
    """A finding upon a lane."""

    start_us: int
    end_us: int
    rule: str
    verdict: str


@dataclass(frozen=True)
class Lane:
    must: int
    segments: tuple[Segment, ...]
    gaps: tuple[Gap, ...]


@dataclass(frozen=True)
class Timeline:
    start_us: int
    end_us: int
    lanes: tuple[Lane, ...]
    deadline_us: int | None

    def x(self, moment_us: int) -> float:
        """Where a moment lies across the drawing."""
        share = (moment_us - self.start_us) / max(1, self.end_us - self.start_us)
        return round(LABEL_W + min(1.0, max(0.0, share)) * (WIDTH - LABEL_W), 1)

    @staticmethod
    def holds(name: str, width: float) -> bool:
        """Whether a name can be read on a segment of that width; a Chinese character is as wide as it is high."""
        return width > NAME_MARGIN + sum(CHARACTER_W if ord(c) > 0x2E7F else CHARACTER_W * 0.6 for c in name)

    def ticks_us(self, utc_offset_s: int) -> list[int]:
        """Round local times along the axis."""
        span_s = (self.end_us - self.start_us) / 1e6
        step_s = next((s for s in _TICK_STEPS_S if span_s / s <= TICKS_MOST), _TICK_STEPS_S[-1])
        step_us, offset_us = step_s * 1_000_000, utc_offset_s * 1_000_000
        first = -(-(self.start_us + offset_us) // step_us) * step_us - offset_us
        return list(range(first, self.end_us + 1, step_us))


def timeline(
    desk: Desk, stay: Stay, findings: Sequence[Mapping[str, Any]], deadline_us: int | None, now: Moment
) -> Timeline | None:
    """The lanes of a stay; None when nothing was written of it."""
    with desk.book.lock:
        events = sorted(desk.book.of_stay(stay.id), key=lambda e: (e.time_us, e.sequence))
        if not events:
            return None
        start_us = min(events[0].time_us, stay.arrived_us or events[0].time_us)
        end_us = stay.exited_us if stay.exited_us is not None else now.us
        end_us = max(end_us, start_us + 60_000_000)
        places = list(_places(events, end_us))
        guards = [g for place in places if place.kind == "place" for g in _guards(desk, events, place, end_us)]
        cameras = [c for place in places if place.kind == "place" for c in _cameras(desk, place, end_us)]
    segments = {1: _named(desk, places), 2: list(_steps(events, end_us)), 3: guards, 4: cameras}
    lanes = tuple(Lane(must, tuple(segments[must]), tuple(_gaps(findings, must, end_us))) for must in (1, 2, 3, 4))
    return Timeline(start_us, end_us, lanes, deadline_us)


def _places(events: Sequence[Event], end_us: int) -> Iterator[Segment]:
    """Where the person was, one after the other; a room is given by its id."""
    at: tuple[int, str, str] | None = None
    for event in events:
        room = event.data.get("room")
        if event.type == "stay.arrived":
            now = (event.time_us, "outside", "awaited")
        elif event.type == "stay.left":
            now = (event.time_us, "away", "away")
        elif event.type == "stay.exited":
            now = None
        elif event.type in ("stay.entered", "stay.returned", "stay.moved", "search.started", "activity.started"):
            if at is not None and at[1:] == ("place", room):
                continue
            now = (event.time_us, "place", str(room))
        else:
            continue
        if at is not None:
            yield Segment(at[0], event.time_us, at[1], ("", at[2]))
        at = now
    if at is not None:
        yield Segment(at[0], end_us, at[1], ("", at[2]))


def _named(desk: Desk, places: Sequence[Segment]) -> list[Segment]:
    named: list[Segment] = []
    for place in places:
        id_ = place.label[1]
        label = ("", desk.name(id_)) if place.kind == "place" else ("place", id_)
        named.append(Segment(place.start_us, place.end_us, place.kind, label))
    return named


def _steps(events: Sequence[Event], end_us: int) -> Iterator[Segment]:
    """Searches, collections and activities."""
    open_: dict[str, tuple[int, str, tuple[str, str]]] = {}
    for event in events:
        data = event.data
        match event.type:
            case "search.started":
                open_[data["search"]] = (event.time_us, "search", ("search_kind", data["kind"]))
            case "activity.started":
                kind = "interview" if data["kind"] == "interview" else "step"
                open_[data["activity"]] = (event.time_us, kind, ("activity", data["kind"]))
            case "search.finished" | "activity.ended":
                id_ = data["search" if event.type == "search.finished" else "activity"]
                if id_ in open_:
                    start_us, kind, label = open_.pop(id_)
                    yield Segment(start_us, event.time_us, kind, label)
            case "collection.finished":
                yield Segment(event.time_us, event.time_us, "point", ("step", "collection"))
            case "stay.left" | "stay.exited":
                yield from (Segment(s, event.time_us, kind, label) for s, kind, label in open_.values())
                open_ = {}
    yield from (Segment(start_us, end_us, kind, label) for start_us, kind, label in open_.values())


def _guards(desk: Desk, events: Sequence[Event], place: Segment, end_us: int) -> Iterator[Segment]:
    """Who stood guard in the room, and before them who guarded this person by what they did."""
    room, most_us = place.label[1], min(place.end_us, end_us)
    for proof in proofs(events, desk.policy.guards):
        start_us = max(place.start_us, proof.start_us)
        until_us = most_us if proof.until_us is None else min(most_us, proof.until_us)
        if proof.room == room and start_us < until_us and proof.officers:
            names = " ".join(desk.officer_name(officer["id"]) for officer in proof.officers)
            yield Segment(start_us, until_us, "attended", ("", names))
    for presence in desk.book.presences(room):
        start_us, until_us = max(place.start_us, presence.since_us), min(most_us, presence.until_us)
        if start_us < until_us:
            yield Segment(start_us, until_us, "guard", ("", desk.officer_name(presence.officer["id"])))


def _cameras(desk: Desk, place: Segment, end_us: int) -> Iterator[Segment]:
    """The states of the cameras of the room during the time in it."""
    room = next((room for room in desk.settings.rooms if room.id == place.label[1]), None)
    for camera in room.cameras if room else []:
        at = (place.start_us, "unknown")
        for event in desk.book.of_zone():
            if event.type == "zone.started":
                moment_us, state = event.time_us, "unknown"
            elif event.type == "camera.state" and event.data["camera"] == camera:
                moment_us, state = parse_time(event.data["since"])[0], event.data["state"]
            else:
                continue
            if moment_us >= place.end_us:
                break
            if moment_us > at[0]:
                yield Segment(at[0], moment_us, at[1], ("camera_state", at[1]))
            at = (max(moment_us, place.start_us), state)
        if at[0] < place.end_us:
            yield Segment(at[0], min(place.end_us, end_us), at[1], ("camera_state", at[1]))


def _gaps(findings: Sequence[Mapping[str, Any]], must: int, end_us: int) -> Iterator[Gap]:
    for finding in findings:
        if finding["must"] == must:
            start_us = parse_time(finding["start"])[0]
            ended_us = end_us if finding["end"] is None else parse_time(finding["end"])[0]
            yield Gap(start_us, ended_us, finding["rule"], finding["verdict"])

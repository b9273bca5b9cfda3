"""A stay as four lanes, one a must: what was required, what is not proven, and what was done. Pure geometry."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from custody.events import Event

WIDTH = 1200
LABEL_WIDTH = 150
LANE_HEIGHT = 46
FULL = (4.0, 24.0)
STRIP = (29.0, 15.0)
"""Top and height of a bar in its lane; what was done with the person stands under what it means."""
TOP = 26
MIN_BAR = 2.0
"""A gap of two seconds in a day must still be seen."""
TICKS_S = (60, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200)
MAX_TICKS = 12
LABEL_CHAR_WIDTH = 12.5

ACTS = {
    "search": "search",
    "interview": "interview",
    "identification": "identification",
    "meeting": "meeting",
    "medical": "medical care",
    "meal": "meal",
    "rest": "rest",
    "phone": "phone call",
    "sobering": "sobering",
    "other": "other",
}
KIND_OF_VERDICT = {"breach": "missing", "unproven": "unknown", "review": "rule review"}


@dataclass(frozen=True)
class Span:
    """Something that lasted, [start, end)."""

    start_us: int
    end_us: int
    kind: str
    label: str = ""
    title: str = ""
    href: str = ""
    act: str = ""


def renamed(span: Span, label: str) -> Span:
    return replace(span, label=label)


@dataclass(frozen=True)
class Bar:
    x: float
    width: float
    y: float
    height: float
    kind: str
    label: str
    title: str
    href: str


@dataclass
class LaneView:
    title: str
    y: float
    bars: list[Bar] = field(default_factory=list)


@dataclass(frozen=True)
class TimelineView:
    height: float
    lanes: list[LaneView]
    ticks: list[tuple[float, int]]
    """(x, moment)."""
    width: float = WIDTH


def spans_of_stay(events: Sequence[Event], until_us: int) -> tuple[list[Span], list[Span]]:
    """(where the person was, what was done with them), from the stay's own events in their order."""
    where: list[Span] = []
    acts: list[Span] = []
    begun: dict[str, Event] = {}
    since_us: int | None = None
    kind = room = ""

    def until(moment_us: int) -> None:
        if since_us is not None and moment_us > since_us:
            where.append(Span(since_us, moment_us, kind, room))

    for event in events:
        data = event.data
        match event.type:
            case "stay.arrived":
                since_us, kind, room = event.time_us, "outside", ""
            case "stay.entered" | "stay.returned" | "stay.moved" | "search.started" | "activity.started":
                if kind != "proven" and not event.type.startswith("stay."):
                    continue
                if (kind, room) != ("proven", data["room"]):
                    until(event.time_us)
                    since_us, kind, room = event.time_us, "proven", data["room"]
            case "stay.left":
                until(event.time_us)
                since_us, kind, room = event.time_us, "outside", ""
            case "stay.exited":
                until(event.time_us)
                since_us = None
        match event.type:
            case "search.started" | "activity.started":
                begun[str(data.get("search") or data.get("activity"))] = event
            case "search.finished" | "activity.ended":
                first = begun.pop(str(data.get("search") or data.get("activity")), None)
                if first is not None:
                    acts.append(_act(first, event.time_us))
    until(until_us)
    acts.extend(_act(first, until_us) for first in begun.values())
    return where, acts


def _act(first: Event, end_us: int) -> Span:
    kind = "search" if first.type == "search.started" else str(first.data["kind"])
    return Span(first.time_us, end_us, "act", kind, href=f"/events/{first.id}", act=kind)


def spans_of_findings(findings: Iterable[Mapping[str, Any]], until_us: int) -> dict[int, list[Span]]:
    """Must → its open findings; a moment is drawn as a mark."""
    found: dict[int, list[Span]] = {}
    for one in findings:
        if one["state"] != "closed":
            end_us = until_us if one["end_us"] is None else one["end_us"]
            kind = KIND_OF_VERDICT[one["verdict"]]
            span = Span(one["start_us"], end_us, kind, one["rule"], one["sentence"], f"/findings/{one['id']}")
            found.setdefault(one["must"], []).append(span)
    return found


def build(
    where: Sequence[Span], acts: Sequence[Span], findings: Mapping[int, Sequence[Span]], titles: Mapping[int, str]
) -> TimelineView | None:
    """The lanes of must 1 to 4, of the legal clocks when there is a finding; ``None`` when nothing happened."""
    every = [*where, *acts, *(span for spans in findings.values() for span in spans)]
    if not every:
        return None
    start_us = min(span.start_us for span in every)
    end_us = max(max(span.end_us for span in every), start_us + 60_000_000)
    scale = (WIDTH - LABEL_WIDTH - 8) / (end_us - start_us)

    def x(moment_us: int) -> float:
        return round(LABEL_WIDTH + (moment_us - start_us) * scale, 2)

    lanes: list[LaneView] = []
    for must in [1, 2, 3, 4, *([0] if findings.get(0) else [])]:
        y = TOP + len(lanes) * LANE_HEIGHT
        lane = LaneView(titles[must], y)
        lane.bars.extend(_bar(span, x, y, FULL) for span in _base(must, where, acts))
        lane.bars.extend(_bar(span, x, y, FULL) for span in findings.get(must, ()))
        if must == 2:
            lane.bars.extend(_bar(span, x, y, STRIP) for span in acts)
        lanes.append(lane)
    return TimelineView(TOP + len(lanes) * LANE_HEIGHT, lanes, _ticks(start_us, end_us, x))


def _base(must: int, where: Sequence[Span], acts: Sequence[Span]) -> list[Span]:
    """What a lane shows where nothing was found."""
    if must == 0:
        return []
    if must == 1:
        return list(where)
    inside = [replace(span, label="") for span in where if span.kind == "proven"]
    return [part for span in inside for part in _searched(span, where, acts)] if must == 2 else inside


def _searched(span: Span, where: Sequence[Span], acts: Sequence[Span]) -> list[Span]:
    """A span inside, divided at the end of the first search since the person last came in."""
    came_in_us = max(
        (out.end_us for out in where if out.kind != "proven" and out.end_us <= span.start_us), default=0
    )
    finished = [act.end_us for act in acts if act.act == "search" and act.start_us >= came_in_us]
    searched_us = min(finished, default=span.end_us)
    parts = (
        Span(span.start_us, min(searched_us, span.end_us), "awaited"),
        Span(max(searched_us, span.start_us), span.end_us, "proven"),
    )
    return [part for part in parts if part.end_us > part.start_us]


def _bar(span: Span, x: Any, y: float, place: tuple[float, float]) -> Bar:
    left = x(span.start_us)
    width = max(MIN_BAR, round(x(span.end_us) - left, 2))
    fits = int(width / LABEL_CHAR_WIDTH)
    label = span.label if len(span.label) <= fits else ""
    top, height = place
    return Bar(left, width, y + top, height, span.kind, label, span.title or span.label, span.href)


def _ticks(start_us: int, end_us: int, x: Any) -> list[tuple[float, int]]:
    length_s = (end_us - start_us) / 1e6
    step_s = next((step for step in TICKS_S if length_s / step <= MAX_TICKS), 86_400)
    step_us = step_s * 1_000_000
    first_us = -(-start_us // step_us) * step_us
    return [(x(moment_us), moment_us) for moment_us in range(first_us, end_us, step_us)]

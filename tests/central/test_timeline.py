from __future__ import annotations

from typing import Any

from central.web.timeline import LABEL_WIDTH, WIDTH, Span, build, spans_of_findings, spans_of_stay
from custody.events import Event

MINUTE_US = 60_000_000
TITLES = {must: str(must) for must in range(5)}


def event(minute: float, type_: str, **data: Any) -> Event:
    us = int(minute * MINUTE_US)
    return Event(f"e{minute}", "nz01", type_, None, us, 0, us, "l", 1, "b", 0.0, data, b"")


def minutes(spans: list[Span]) -> list[tuple[float, float, str, str]]:
    return [(s.start_us / MINUTE_US, s.end_us / MINUTE_US, s.kind, s.label) for s in spans]


STAY = [
    event(0, "stay.arrived"),
    event(5, "stay.entered", room="hall"),
    event(8, "search.started", search="s1", room="search"),
    event(12, "search.finished", search="s1", room="search"),
    event(13, "stay.moved", room="wait"),
    event(20, "activity.started", activity="a1", kind="interview", room="talk"),
    event(40, "activity.ended", activity="a1"),
    event(50, "stay.left"),
    event(70, "stay.returned", room="hall"),
]


def test_where_a_person_was_follows_the_rooms_up_to_what_is_known() -> None:
    where, _ = spans_of_stay(STAY, 90 * MINUTE_US)
    assert minutes(where) == [
        (0, 5, "outside", ""),
        (5, 8, "proven", "hall"),
        (8, 13, "proven", "search"),
        (13, 20, "proven", "wait"),
        (20, 50, "proven", "talk"),
        (50, 70, "outside", ""),
        (70, 90, "proven", "hall"),
    ]


def test_what_was_done_lasts_to_its_end_or_to_what_is_known() -> None:
    _, acts = spans_of_stay([*STAY, event(80, "search.started", search="s2", room="search")], 90 * MINUTE_US)
    assert minutes(acts) == [
        (8, 12, "act", "search"),
        (20, 40, "act", "interview"),
        (80, 90, "act", "search"),
    ]


def test_after_the_exit_nothing_goes_on() -> None:
    where, _ = spans_of_stay([*STAY, event(75, "stay.exited")], 900 * MINUTE_US)
    assert where[-1].end_us == 75 * MINUTE_US


def test_the_lane_of_must_two_waits_for_the_search_of_each_round() -> None:
    where, acts = spans_of_stay(STAY, 90 * MINUTE_US)
    view = build(where, acts, {}, TITLES)
    assert view is not None
    kinds = [bar.kind for bar in view.lanes[1].bars if bar.kind in ("awaited", "proven")]
    # hall, search until it was finished | rest of the search room, wait, talk | the second round, not searched
    assert kinds == ["awaited", "awaited", "proven", "proven", "proven", "awaited"]


def test_findings_lie_on_the_lane_of_their_must_and_closed_ones_do_not() -> None:
    one = {
        "must": 3,
        "verdict": "unproven",
        "rule": "M3.1",
        "sentence": "…",
        "id": "f1",
        "start_us": 20 * MINUTE_US,
        "end_us": None,
        "state": "raised",
    }
    spans = spans_of_findings([one, {**one, "state": "closed", "must": 4}], 90 * MINUTE_US)
    assert minutes(spans[3]) == [(20, 90, "unknown", "M3.1")]
    assert set(spans) == {3}
    where, acts = spans_of_stay(STAY, 90 * MINUTE_US)
    view = build(where, acts, spans, TITLES)
    assert view is not None
    (bar,) = (bar for bar in view.lanes[2].bars if bar.kind == "unknown")
    assert bar.href == "/findings/f1"
    assert round(bar.x + bar.width) == WIDTH - 8


def test_every_bar_lies_within_the_picture_and_can_be_seen() -> None:
    where, acts = spans_of_stay(STAY, 90 * MINUTE_US)
    moment = Span(89 * MINUTE_US, 89 * MINUTE_US, "missing", "M2.3")
    view = build(where, acts, {2: [moment]}, TITLES)
    assert view is not None and len(view.lanes) == 4
    bars = [bar for lane in view.lanes for bar in lane.bars]
    assert all(bar.x >= LABEL_WIDTH and bar.width >= 2 and bar.x + bar.width <= WIDTH for bar in bars)
    assert 4 <= len(view.ticks) <= 13


def test_the_legal_clocks_have_a_lane_only_when_something_was_found() -> None:
    where, acts = spans_of_stay(STAY, 90 * MINUTE_US)
    view = build(where, acts, {0: [Span(0, MINUTE_US, "missing", "T1")]}, TITLES)
    assert view is not None and [lane.title for lane in view.lanes] == ["1", "2", "3", "4", "0"]


def test_a_stay_without_anything_has_no_picture() -> None:
    assert build([], [], {}, TITLES) is None

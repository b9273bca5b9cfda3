"""What is drawn of a stay says what the judge says: on generated days, each gap is a finding and the reverse."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from typing import Any

import pytest
from stories import story

from config.drawing import draw
from config.drawing.measure import text_width
from config.policy import load_policy
from custody.drawn import DrawnJudge
from custody.events import Event, EventError, parse_line
from custody.findings import Finding
from custody.intervals import intersect
from custody.lanes import Run, Shows, StayLanes, Track

SEEDS = range(40)
RULE_OF = {"guard": "M3.1", "picture": "M4.1", "sound": "M4.2", "clock": "T1"}
SVG = "{http://www.w3.org/2000/svg}"


def events_of(seed: int) -> list[Event]:
    events = []
    for line in story(seed):
        with suppress(EventError):
            events.append(parse_line(line))
    return events


@cache
def drawn(seed: int) -> list[tuple[StayLanes, list[Finding]]]:
    """Every stay of a day, and what was found about it."""
    events = events_of(seed)
    judge = DrawnJudge(events[0].zone, load_policy())
    judge.take(events)
    made = [(judge.lanes(stay), judge.findings_of(stay)) for stay in judge.verdicts()]
    return [(lanes, found) for lanes, found in made if lanes is not None]


def runs(lanes: StayLanes) -> Iterator[tuple[Track, Run]]:
    for lane in lanes.lanes:
        for track in lane.tracks:
            for run in track.runs:
                yield track, run


@pytest.mark.parametrize("seed", SEEDS)
def test_every_gap_that_the_judge_found_is_a_gap_of_the_lane_from_start_to_end(seed: int) -> None:
    for lanes, found in drawn(seed):
        shown = {
            run.finding.id: (run.start_us, None if run.finding.end_us is None else run.end_us, run.length_us)
            for track, run in runs(lanes)
            if run.finding is not None and track.name in RULE_OF
        }
        told = {
            one.id: (one.start_us, one.end_us, one.seconds_us)
            for one in found
            if one.rule in RULE_OF.values() and one.seconds_us
        }
        assert shown == told


@pytest.mark.parametrize("seed", SEEDS)
def test_a_gap_that_is_no_finding_is_too_short_to_be_one(seed: int) -> None:
    policy = load_policy()
    doubts = (event.data.get("uncertainty_s") for event in events_of(seed) if event.type == "recording.audited")
    doubt_us = int(max((doubt for doubt in doubts if doubt), default=0) * 1e6)  # taken off before comparing
    for lanes, _ in drawn(seed):
        for track, run in runs(lanes):
            if run.finding is None and track.name in ("guard", "picture", "sound"):
                rule: Any = policy.rule(RULE_OF[track.name])
                if run.shows is Shows.UNKNOWN:
                    assert run.length_us < rule.unproven_us
                else:
                    assert run.length_us <= rule.lowest_us + (0 if track.name == "guard" else doubt_us)


@pytest.mark.parametrize("seed", SEEDS)
def test_no_moment_is_both_proven_and_a_gap_and_every_finding_is_shown_once(seed: int) -> None:
    for lanes, found in drawn(seed):
        for lane in lanes.lanes:
            for track in lane.tracks:
                proven = [(one.start_us, one.end_us) for one in track.proven]
                for run in track.runs:
                    inside = intersect(proven, [(run.start_us, run.end_us)])
                    bridged = 0 if run.shows is Shows.UNKNOWN else 10_000_000
                    assert all(high - low < max(bridged, 1) for low, high in inside)
        assert [one.id for one in lanes.findings] == [one.id for one in found]


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("seed", SEEDS[::4])
def test_a_drawing_is_sound_and_no_text_lies_upon_another(seed: int, lang: Any) -> None:
    for lanes, _ in drawn(seed):
        root = ET.fromstring(draw(lanes, lang))
        width, height = (float(root.attrib[name]) for name in ("width", "height"))
        boxes = [_box(text) for text in root.iter(f"{SVG}text")]
        assert all(low >= 0 and right <= width + 1 and bottom <= height for low, right, _, bottom, _ in boxes)
        boxes.sort()
        for index, one in enumerate(boxes):
            for other in boxes[index + 1 :]:
                if other[0] >= one[1]:
                    break
                assert other[3] <= one[2] or other[2] >= one[3], (one, other)


def _box(text: ET.Element) -> tuple[float, float, float, float, str]:
    """(left, right, top, bottom, text) of a line of text, narrow as small type is drawn."""
    size, said = float(text.attrib["font-size"]), text.text or ""
    x, y, width = float(text.attrib["x"]), float(text.attrib["y"]), text_width(said, size)
    left = x - {"end": width, "middle": width / 2}.get(text.attrib.get("text-anchor", ""), 0)
    return left, left + width, y - size * 0.8, y + size * 0.2, said


def test_a_drawing_names_every_gap_and_its_length_in_words() -> None:
    lanes = next(lanes for lanes, found in drawn(8) if len(found) > 20)
    svg = draw(lanes, "en", links=lambda finding: f"/findings/{finding.id}")
    root = ET.fromstring(svg)
    assert root.attrib["role"] == "group"
    assert {link.attrib["href"] for link in root.iter(f"{SVG}a")} <= {
        f"/findings/{one.id}" for one in lanes.findings
    }
    said = " ".join(text.text or "" for text in root.iter(f"{SVG}text"))
    for finding in lanes.findings:
        assert finding.rule in said
    assert "<script" not in svg and "style=" not in svg

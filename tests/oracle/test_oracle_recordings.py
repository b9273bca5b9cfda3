"""The second judge itself, on small stories: cameras, audits, must 4."""

from __future__ import annotations

from typing import Any

import pytest
from tales.day import Day

NOON = "12:00:00"


def waiting_day(entered: str = "08:10:00", **arrived: Any) -> Day:
    """A suspect in waiting room w1 from ``entered`` on, the camera recording, no guard yet."""
    day = Day(until=NOON)
    day.camera("08:00:10")
    day.said("stay.arrived", entered, **arrived)
    day.said("stay.entered", entered)
    return day


@pytest.mark.parametrize(
    ("again", "state", "faults", "grades"),
    [
        ("09:00:10", "lost", ["no_signal"], []),
        ("09:00:11", "lost", ["no_signal"], ["review"]),
        ("09:01:01", "impaired", ["dark"], ["breach"]),
        ("09:10:01", "impaired", ["frozen", "clock"], ["serious"]),
        ("09:10:01", "impaired", ["no_audio"], []),
        ("09:00:09", "unknown", [], []),
        ("09:00:10", "unknown", [], ["unproven"]),
    ],
)
def test_m4_1_a_gap_of_the_picture(found: Any, again: str, state: str, faults: Any, grades: list[str]) -> None:
    day = waiting_day()
    day.camera("09:00:00", state, faults=faults)
    day.camera(again)
    assert found(day, "M4.1") == [(grade, "09:00:00", again) for grade in grades]


def test_m4_1_a_loss_is_from_since_and_a_recording_too_if_nothing_was_said_in_between(found: Any) -> None:
    day = waiting_day()
    day.camera("09:00:30", "lost", since=day.iso("09:00:00"))
    day.camera("09:05:00", since=day.iso("09:02:00"))
    day.camera("09:10:00", "lost")
    day.camera("09:11:30", since=day.iso("09:10:00"))
    assert found(day, "M4.1") == [("breach", "09:00:00", "09:02:00"), ("breach", "09:10:00", "09:11:30")]


@pytest.mark.parametrize(("said", "unknown_until"), [("09:01:30", "09:00:30"), ("09:01:31", "09:01:31")])
def test_a_camera_counts_from_the_restart_when_it_speaks_within_60_s(
    found: Any, said: str, unknown_until: str
) -> None:
    day = waiting_day()
    day.said("zone.started", "09:00:30", version="1", parts=[], clean=True)
    day.camera(said)
    assert found(day, "M4.1") == [("unproven", "09:00:00", unknown_until)]


def test_m4_1_an_audit_replaces_what_was_said_known_or_not(found: Any) -> None:
    day = waiting_day()
    day.camera("09:00:00", "lost")
    day.camera("09:05:00")
    day.silence("09:10:00", "09:20:00")
    day.audit("09:00:00", "09:20:00", [("09:00:00", "09:15:00"), ("09:15:30", "09:20:00")], "09:30:00")
    assert found(day, "M4.1") == [("review", "09:15:00", "09:15:30")]


@pytest.mark.parametrize(("uncertainty_s", "grades"), [(19, ["review"]), (20, [])])
def test_m4_1_the_uncertainty_of_an_audit_is_taken_off(found: Any, uncertainty_s: int, grades: Any) -> None:
    day = waiting_day()
    spans = [("09:00:00", "09:15:00"), ("09:15:30", "09:20:00")]
    day.audit("09:00:00", "09:20:00", spans, "09:30:00", uncertainty_s=uncertainty_s)
    assert found(day, "M4.1") == [(grade, "09:15:00", "09:15:30") for grade in grades]


@pytest.mark.parametrize(("coverage", "grades"), [("any", []), ("all", ["breach"])])
def test_m4_1_one_camera_or_all_of_them(found: Any, coverage: str, grades: Any) -> None:
    day = waiting_day()
    day.describe("08:09:00", w1={"cameras": ["cam-w1", "cam-2"], "coverage": coverage})
    day.said(
        "camera.state",
        "08:05:00",
        camera="cam-2",
        state="recording",
        audio="good",
        faults=[],
        since=day.iso("08:05:00"),
    )
    day.camera("09:00:00", "lost")
    day.camera("09:02:00")
    assert found(day, "M4.1") == [(grade, "09:00:00", "09:02:00") for grade in grades]


def test_m4_1_a_toilet_is_not_filmed_a_room_without_cameras_is_missing_a_strange_room_unknown(found: Any) -> None:
    day = waiting_day()
    day.describe("08:09:00", cor={"cameras": []})
    day.said("stay.moved", "09:00:00", room="toi")
    day.said("stay.moved", "09:20:00", room="cor")
    day.said("stay.moved", "09:40:00", room="x9")
    assert found(day, "M4.1") == [("serious", "09:20:00", "09:40:00"), ("unproven", "09:40:00", None)]


@pytest.mark.parametrize(
    ("again", "state", "audio", "expected"),
    [
        ("09:20:02", "lost", "good", []),
        ("09:20:03", "lost", "good", ["breach"]),
        ("09:20:03", "recording", "bad", ["breach"]),
        ("09:20:01", "recording", "unknown", []),
        ("09:20:02", "recording", "unknown", ["unproven"]),
    ],
)
def test_m4_2_an_interview_has_picture_and_sound(
    found: Any, again: str, state: str, audio: str, expected: list[str]
) -> None:
    day = waiting_day()
    day.camera("08:05:00", room="i1")
    day.said("activity.started", "09:10:00")
    day.camera("09:20:00", state, room="i1", audio=audio)
    day.camera(again, room="i1")
    day.said("activity.ended", "09:30:00")
    assert found(day, "M4.2") == [(grade, "09:20:00", again) for grade in expected]


@pytest.mark.parametrize(
    ("offset_s", "grades"), [(6, []), (6.1, ["review"]), (-61, ["review"]), (61.1, ["breach"]), (None, [])]
)
def test_m4_3_the_clock_of_a_recorder(found: Any, offset_s: Any, grades: list[str]) -> None:
    day = waiting_day()
    day.audit("09:00:00", "09:20:00", [], "09:30:00", clock_offset_s=offset_s, uncertainty_s=1)
    assert found(day, "M4.3") == [(grade, "09:00:00", "09:20:00") for grade in grades]


def test_m4_3_heartbeats_until_the_next_good_one(found: Any) -> None:
    day = Day(until="09:00:00")
    day.beats("09:01:00", "09:05:00", offset_s=6)
    day.beats("09:06:00", "09:07:00", offset_s=-61)
    day.beats("09:08:00", "09:08:00", offset_s=None)
    day.beats("09:09:00", "09:10:00", offset_s=5.5)
    assert found(day, "M4.3") == [("breach", "09:01:00", "09:08:00"), ("review", "09:09:00", None)]


@pytest.mark.parametrize(("by_s", "grades"), [(5, []), (-6, ["review"]), (60, ["review"]), (-61, ["breach"])])
def test_m4_3_a_step_of_the_clock(found: Any, by_s: int, grades: list[str]) -> None:
    day = Day()
    day.said("clock.stepped", "09:00:00", by_s=by_s)
    assert found(day, "M4.3") == [(grade, "09:00:00", "09:00:00") for grade in grades]


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("2026-11-24 10:00:00", []),
        ("2026-11-24 10:00:01", [("review", "2026-11-24 10:00:00", "2026-11-24 10:00:01")]),
        (None, [("review", "2026-11-24 10:00:00", None)]),
    ],
)
def test_m4_4_audited_within_a_day(found: Any, written: Any, expected: Any) -> None:
    day = waiting_day()
    day.said("stay.exited", "10:00:00")
    day.audit("08:00:00", "09:30:00", [], "10:10:00")
    if written:
        day.audit("09:30:00", "10:00:00", [], written)
    assert found(day, "M4.4") == [] if written == "2026-11-24 10:00:00" else True
    day.beats("2026-11-24 10:00:02", "2026-11-24 10:00:02")
    assert found(day, "M4.4") == expected


@pytest.mark.parametrize(
    ("lost_at", "held", "expected"),
    [
        ("2027-02-21 09:09:59", None, 1),
        ("2027-02-21 09:10:00", None, 0),
        ("2027-02-21 09:10:00", "hold.set", 1),
        ("2027-02-21 09:10:00", "hold.released", 0),
    ],
)
def test_m4_5_recordings_are_kept_90_days_or_while_held(
    found: Any, lost_at: str, held: str | None, expected: int
) -> None:
    day = waiting_day()
    day.said("stay.exited", "09:30:00")
    day.said("hold.set", "09:00:00") if held else None
    day.said("hold.released", "09:20:00") if held == "hold.released" else None
    spans = {"start": day.iso("08:00:00"), "end": day.iso("09:10:00")}
    day.said("recording.lost", lost_at, camera="cam-w1", cause="disk", **spans)
    assert found(day, "M4.5") == [("breach", "08:10:00", "09:10:00")] * expected


@pytest.mark.parametrize(("exited", "expected"), [("09:00:00", 1), ("09:10:00", 0)])
def test_m4_6_short_gaps_add_up(found: Any, exited: str, expected: int) -> None:
    day = waiting_day()
    for minute in range(11, 51):
        day.camera(f"08:{minute}:00", "lost")
        day.camera(f"08:{minute}:09")
    assert found(day, "M4.1") == []
    day.said("stay.exited", exited)
    assert found(day, "M4.6") == [("review", "08:10:00", exited)] * expected

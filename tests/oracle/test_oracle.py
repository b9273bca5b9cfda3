"""The second judge itself, on small stories: reading the events, and must 1."""

from __future__ import annotations

from typing import Any

import pytest
from oracle import judge
from tales.day import A_STAY, ANOTHER, WANG, Day


@pytest.mark.parametrize(
    ("entered", "expected"),
    [
        ("09:10:00", []),
        ("09:10:01", [("review", "09:00:00", "09:10:01")]),
        ("09:30:00", [("review", "09:00:00", "09:30:00")]),
        ("09:30:01", [("breach", "09:00:00", "09:30:01")]),
    ],
)
def test_m1_1_straight_in_within_ten_minutes(found: Any, entered: str, expected: Any) -> None:
    day = Day()
    day.said("stay.arrived", "09:00:00")
    day.said("stay.entered", entered)
    assert found(day, "M1.1") == expected


def test_m1_1_lasts_while_nobody_entered_and_spares_the_exempt(found: Any) -> None:
    day = Day(until="09:40:00")
    day.said("stay.arrived", "09:00:00")
    day.said("stay.arrived", "09:00:00", stay=ANOTHER, exempt="mediation")
    assert found(day, "M1.1") == [("breach", "09:00:00", None)]


def test_m1_1_somebody_inside_who_never_arrived_is_a_review(found: Any) -> None:
    day = Day()
    day.said("stay.entered", "09:00:00")
    assert found(day, "M1.1") == [("review", "09:00:00", "09:00:00")]


@pytest.mark.parametrize(
    ("opened", "expected"),
    [("08:54:59", 1), ("08:55:00", 0), ("09:05:00", 0), ("09:05:01", 1)],
)
def test_m1_2_a_paper_entry_has_no_opening_within_five_minutes(found: Any, opened: str, expected: int) -> None:
    day = Day()
    day.said("stay.entered", "09:00:00", door="front")
    day.said("door.opened", opened, door="front")
    assert found(day, "M1.2") == [("review", "09:00:00", "09:00:00")] * expected


def test_m1_2_needs_all_the_time_known_and_past(found: Any) -> None:
    day = Day(until="09:05:00")
    day.said("stay.entered", "09:00:00", door="front")
    assert found(day, "M1.2") == []
    day.beats("09:05:01", "09:06:00")
    assert len(found(day, "M1.2")) == 1
    day.silence("09:02:00", "09:04:59")
    assert found(day, "M1.2") == []


def granted(day: Day, at: str, door: str = "front", opened: str | None = None) -> None:
    day.said(
        "door.granted", at, door=door, reader="r", direction="in", officer=WANG, second=None,
        purpose="bring_in", stay=None,
    )  # fmt: skip
    day.said("door.opened", opened or at, door=door)


@pytest.mark.parametrize(
    ("entered", "expected"),
    [
        ("08:57:59", [("breach", "09:00:00", None)]),
        ("08:58:00", []),
        ("09:10:00", []),
        ("09:10:01", [("breach", "09:00:00", "09:10:01")]),
    ],
)
def test_m1_3_an_entry_without_register(found: Any, entered: str, expected: Any) -> None:
    day = Day()
    granted(day, "09:00:00")
    day.said("stay.entered", entered, door="side")
    assert found(day, "M1.3") == expected


@pytest.mark.parametrize(("second", "groups"), [("09:01:59", 1), ("09:02:00", 2)])
def test_m1_3_grants_close_together_are_one_group(found: Any, second: str, groups: int) -> None:
    day = Day()
    granted(day, "09:00:00")
    granted(day, second)
    assert len(found(day, "M1.3")) == groups


@pytest.mark.parametrize(("opened", "expected"), [("09:00:30", 1), ("09:00:31", 0)])
def test_m1_3_a_door_that_never_opened_let_nobody_in(found: Any, opened: str, expected: int) -> None:
    day = Day()
    granted(day, "09:00:00", opened=opened)
    assert len(found(day, "M1.3")) == expected


@pytest.mark.parametrize(
    ("written", "grades"),
    [("09:30:00", []), ("09:30:01", ["review"]), ("11:00:00", ["review"]), ("11:00:01", ["breach"])],
)
def test_m1_4_written_late(found: Any, written: str, grades: list[str]) -> None:
    day = Day()
    day.said("care.recorded", "09:00:00", written)
    assert found(day, "M1.4") == [(grade, "09:00:00", written) for grade in grades]


def test_m1_4_counts_known_time_only(found: Any) -> None:
    day = Day()
    day.said("care.recorded", "09:00:00", "09:40:00")
    day.silence("09:10:00", "09:21:00")
    assert found(day, "M1.4") == []


@pytest.mark.parametrize(
    ("approval", "written", "expected"),
    [
        ({}, "09:30:00", []),
        ({}, "09:30:01", [("breach", "09:30:00", "09:50:00")]),
        ({"reason": "other"}, "09:00:00", [("breach", "09:30:00", "09:50:00")]),
        ({"approver": {"id": "x", "role": "duty_chief"}}, "09:00:00", [("breach", "09:30:00", "09:50:00")]),
        ({"permit": "l2"}, "09:00:00", [("breach", "09:30:00", "09:50:00")]),
    ],
)
def test_m1_5_leaving_needs_a_valid_permit(found: Any, approval: Any, written: str, expected: Any) -> None:
    day = Day()
    day.said("stay.entered", "09:00:00")
    day.said("leave.approved", "09:00:00", written, **approval)
    day.said("stay.left", "09:30:00", permit="l1")
    day.said("stay.returned", "09:50:00")
    assert found(day, "M1.5") == expected


def test_m1_5_a_permit_serves_once(found: Any) -> None:
    day = Day()
    day.said("stay.entered", "09:00:00")
    day.said("leave.approved", "09:10:00")
    for left, back in (("09:20:00", "09:30:00"), ("09:40:00", "09:50:00")):
        day.said("stay.left", left, permit="l1")
        day.said("stay.returned", back)
    assert found(day, "M1.5") == [("breach", "09:40:00", "09:50:00")]


@pytest.mark.parametrize(("approved", "expected"), [("11:00:00", 0), ("11:00:01", 1)])
def test_m1_5_a_doctor_may_be_approved_two_hours_later(found: Any, approved: str, expected: int) -> None:
    day = Day()
    day.said("stay.entered", "08:30:00")
    day.said("stay.left", "09:00:00", reason="medical")
    day.said("leave.approved", approved, reason="medical")
    assert len(found(day, "M1.5")) == expected
    assert found(day, "M1.5", until="11:00:00") == []


@pytest.mark.parametrize(("back", "expected"), [("10:15:00", 0), ("10:15:01", 1)])
def test_m1_6_not_back_in_time(found: Any, back: str, expected: int) -> None:
    day = Day()
    day.said("stay.entered", "08:30:00")
    day.said("leave.approved", "08:40:00", return_by=day.iso("10:00:00"))
    day.said("stay.left", "09:00:00", permit="l1")
    day.said("stay.returned", back)
    assert found(day, "M1.6") == [("breach", "10:00:00", back)] * expected


@pytest.mark.parametrize(
    ("room", "exempt", "expected"),
    [("off", None, [("breach", "09:10:00", "09:20:00")]), ("off", "ill", []), ("i1", None, []), ("x9", None, [])],
)
def test_m1_7_an_interview_outside_the_custody_area(found: Any, room: str, exempt: Any, expected: Any) -> None:
    day = Day()
    day.said("stay.entered", "09:00:00")
    day.said("activity.started", "09:10:00", room=room, exempt=exempt)
    day.said("activity.ended", "09:20:00")
    assert found(day, "M1.7") == expected


@pytest.mark.parametrize(
    ("exit_", "expected"),
    [
        ({}, 0),
        ({"reason": "detained"}, 1),
        ({"reason": "detained", "destination": "prison"}, 0),
        ({"signed": False, "belongings": "unsettled"}, 1),
    ],
)
def test_m1_8_an_exit_in_order(found: Any, exit_: Any, expected: int) -> None:
    day = Day()
    day.said("stay.entered", "09:00:00")
    day.said("stay.exited", "10:00:00", **exit_)
    assert found(day, "M1.8") == [("review", "10:00:00", "10:00:00")] * expected


@pytest.mark.parametrize(("at", "expected"), [("09:10:00", 0), ("09:10:01", 1)])
def test_m1_9_a_correction_made_late(found: Any, at: str, expected: int) -> None:
    day = Day()
    line = day.said("care.recorded", "09:00:00")
    day.correct(line, at, data={"kind": "water"})
    assert found(day, "M1.9") == [("review", at, at)] * expected


# Reading


def test_lines_behind_a_gap_of_the_newest_ledger_wait(found: Any) -> None:
    day = Day()
    day.said("collection.finished", "09:00:00", items=["dna"])
    day.said("collection.finished", "10:00:00", items=["dna"])
    lines = day.lines()
    assert len([r for r in judge(lines) if r["rule"] == "M2.6"]) == 2
    lacking = [line for line in lines if b"T09:30:00.000000+08:00" not in line]
    assert len(lacking) == len(lines) - 1
    assert len([r for r in judge(lacking) if r["rule"] == "M2.6"]) == 1


def test_the_last_correction_wins_and_a_voided_one_does_nothing(found: Any) -> None:
    day = Day()
    line = day.said("collection.finished", "09:00:00", items=["dna"])
    day.correct(line, "09:01:00", data={"approval": "w-1"})
    assert found(day, "M2.6") == []
    worse = day.correct(line, "09:02:00", data={"approval": None}, time=day.iso("08:59:00"))
    assert found(day, "M2.6") == [("breach", "08:59:00", "08:59:00")]
    day.correct(worse, "09:03:00", void=True)
    assert found(day, "M2.6") == []
    day.correct(line, "09:04:00", data={"approval": None}, void=True)
    assert found(day, "M2.6") == []


def test_the_smallest_of_two_lines_with_one_id_counts() -> None:
    day = Day()
    day.said("collection.finished", "09:00:00", items=["dna"], approval="a")
    lines = day.lines()
    other = [line.replace(b'"approval":"a"', b'"approval":""') for line in lines]
    assert [r["rule"] for r in judge(lines + other)] == [r["rule"] for r in judge(other + lines)]
    assert "M2.6" in {r["rule"] for r in judge(lines + other)}


def test_a_witness_is_judged_by_late_writing_interviews_and_clocks_only() -> None:
    day = Day()
    day.said("stay.arrived", "08:10:00", category="witness", measure={"kind": "none", "limit_hours": None})
    day.said("stay.entered", "09:00:00", room="w1")
    day.said("activity.started", "09:10:00", room="off", officers=[])
    day.said("collection.finished", "09:20:00", items=["dna"])
    day.said("stay.exited", "17:00:00", signed=False)
    rules = {row["rule"] for row in judge(day.lines()) if row["stay"] == A_STAY}
    assert rules == {"M4.2", "T1"}

"""The second judge itself, on small stories: reading, must 1, must 2 and the legal clocks."""

from __future__ import annotations

from typing import Any

import pytest
from oracle import judge
from tales.day import A_STAY, ANOTHER, CLERK, DOC, LI, MEI, NING, WANG, Day


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


# Must 2


def test_m2_1_an_interview_before_the_search_until_the_search_is_done(found: Any) -> None:
    day = Day()
    day.said("stay.arrived", "08:50:00")
    day.said("stay.entered", "09:00:00")
    day.said("activity.started", "09:10:00")
    day.said("search.started", "09:12:00", room="i1")
    day.said("search.finished", "09:15:00", room="i1")
    day.said("activity.ended", "09:30:00")
    day.said("activity.started", "09:40:00", activity="v2")
    assert found(day, "M2.1") == [("breach", "09:10:00", "09:15:00")]


def test_m2_1_a_return_asks_for_a_new_search(found: Any) -> None:
    day = Day()
    day.said("stay.arrived", "08:50:00")
    day.said("stay.entered", "09:00:00")
    day.said("search.started", "09:05:00")
    day.said("search.finished", "09:07:00")
    day.said("stay.left", "09:10:00")
    day.said("stay.returned", "09:30:00")
    day.said("activity.started", "09:40:00")
    day.said("activity.ended", "09:50:00")
    assert found(day, "M2.1") == [("breach", "09:40:00", "09:50:00")]


@pytest.mark.parametrize(
    ("searched", "grades"),
    [("09:15:00", []), ("09:15:01", ["review"]), ("09:30:00", ["review"]), ("09:30:01", ["breach"])],
)
def test_m2_2_searched_soon(found: Any, searched: str, grades: list[str]) -> None:
    day = Day()
    day.said("stay.entered", "09:00:00")
    day.said("search.started", searched)
    assert found(day, "M2.2") == [(grade, "09:00:00", searched) for grade in grades]


@pytest.mark.parametrize(("other", "expected"), [("09:10:00", 0), ("09:10:01", 1)])
def test_m2_2_two_at_one_search_room_have_twice_the_time(found: Any, other: str, expected: int) -> None:
    day = Day()
    day.said("stay.entered", "09:00:00")
    day.said("stay.entered", other, stay=ANOTHER)
    day.said("search.started", other, stay=ANOTHER)
    day.said("search.started", "09:15:01")
    assert len(found(day, "M2.2")) == expected


def test_m2_2_does_not_count_the_doctor(found: Any) -> None:
    day = Day()
    day.said("stay.entered", "09:00:00")
    day.said("activity.started", "09:01:00", kind="medical", room="w1")
    day.said("activity.ended", "09:06:00")
    day.said("search.started", "09:20:00")
    assert found(day, "M2.2") == []


@pytest.mark.parametrize(
    ("officers", "kind", "grades"),
    [
        ([WANG, LI], "body", []),
        ([WANG, DOC], "body", []),
        ([WANG, WANG], "body", ["breach"]),
        ([WANG, CLERK], "safety", ["review"]),
    ],
)
def test_m2_3_two_officers_search(found: Any, officers: Any, kind: str, grades: list[str]) -> None:
    day = Day()
    day.said("stay.entered", "09:00:00")
    day.said("search.finished", "09:10:00", officers=officers, kind=kind)
    assert found(day, "M2.3") == [(grade, "09:10:00", "09:10:00") for grade in grades]


@pytest.mark.parametrize(
    ("sex", "officers", "expected"),
    [("f", [MEI, WANG], 1), ("f", [MEI, DOC], 0), ("f", [MEI, NING], 0), ("m", [WANG, LI], 0)],
)
def test_m2_4_no_man_searches_a_woman(found: Any, sex: str, officers: Any, expected: int) -> None:
    day = Day()
    day.said("stay.arrived", "08:50:00", sex=sex)
    day.said("search.finished", "09:10:00", officers=officers)
    assert len(found(day, "M2.4")) == expected


def test_m2_5_basic_data_before_the_first_interview_or_the_exit(found: Any) -> None:
    day = Day()
    day.said("stay.entered", "09:00:00")
    day.said("activity.started", "09:10:00")
    day.said("collection.finished", "09:20:00")
    day.said("stay.entered", "09:00:00", stay=ANOTHER)
    day.said("stay.exited", "10:00:00", stay=ANOTHER)
    assert found(day, "M2.5") == [("breach", "09:10:00", "09:20:00"), ("breach", "10:00:00", "10:00:00")]


def test_m2_6_samples_need_an_approval_and_are_taken_once(found: Any) -> None:
    day = Day()
    day.said("collection.finished", "09:00:00", items=["basic", "phone"])
    day.said("collection.finished", "09:10:00", items=["dna"])
    day.said("collection.finished", "09:20:00", items=["basic", "iris"], approval="w-1")
    day.said("collection.finished", "09:30:00", items=["dna"], approval="w-1")
    assert [start for _, start, _ in found(day, "M2.6")] == ["09:10:00", "09:30:00"]


@pytest.mark.parametrize("lacking", [{"signed": False}, {"injuries": None}, {"belongings": None}])
def test_m2_7_a_search_record_is_complete(found: Any, lacking: Any) -> None:
    day = Day()
    day.said("search.finished", "09:00:00")
    day.said("search.finished", "09:10:00", search="s2", **lacking)
    assert found(day, "M2.7") == [("review", "09:10:00", "09:10:00")]


@pytest.mark.parametrize(("finished", "expected"), [("09:00:59", 1), ("09:01:00", 0)])
def test_m2_8_a_search_takes_a_minute(found: Any, finished: str, expected: int) -> None:
    day = Day()
    day.said("search.started", "09:00:00")
    day.said("stay.moved", "09:00:10")
    day.said("search.finished", finished)
    assert found(day, "M2.8") == [("review", "09:00:00", finished)] * expected


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


# Legal clocks


def measure(kind: str, hours: float | None, since: str | None = None) -> dict[str, Any]:
    return {"kind": kind, "limit_hours": hours, "document": None, "since": since}


@pytest.mark.parametrize(("exited", "expected"), [("20:00:00", 0), ("20:00:01", 1)])
def test_t1_beyond_the_limit(found: Any, exited: str, expected: int) -> None:
    day = Day()
    day.said("stay.arrived", "08:00:00", measure=measure("criminal_summons", None))
    day.said("stay.exited", exited)
    assert found(day, "T1") == [("breach", "20:00:00", exited)] * expected


def test_t1_a_minor_in_continued_questioning_has_four_hours_from_the_flag_on(found: Any) -> None:
    day = Day(until="20:00:00")
    day.said("stay.arrived", "08:00:00", measure=measure("continued_questioning", 12))
    day.said("flags.changed", "13:00:00", flags=["minor"])
    day.said("flags.changed", "14:00:00", flags=[])
    assert found(day, "T1") == [("breach", "13:00:00", "14:00:00")]


def test_t1_sobering_does_not_count_under_an_administrative_summons(found: Any) -> None:
    day = Day()
    day.said("stay.arrived", "08:00:00", measure=measure("administrative_summons", 8))
    day.said("activity.started", "09:00:00", kind="sobering", room="sob")
    day.said("activity.ended", "11:00:00")
    day.said("stay.exited", "18:00:01")
    assert found(day, "T1") == [("breach", "18:00:00", "18:00:01")]


def test_t1_a_later_limit_that_is_past_too_starts_a_second_finding(found: Any) -> None:
    day = Day()
    day.said("stay.arrived", "08:00:00", measure=measure("continued_questioning", 12))
    day.said("measure.changed", "2026-11-24 09:00:00", measure=measure("continued_questioning", 24))
    day.said("stay.exited", "2026-11-24 10:00:00")
    assert found(day, "T1") == [
        ("serious", "20:00:00", "2026-11-24 09:00:00"),
        ("serious", "2026-11-24 09:00:00", "2026-11-24 10:00:00"),
    ]
    assert found(day, "T2") == [("breach", "2026-11-24 09:00:00", "2026-11-24 09:00:00")]


@pytest.mark.parametrize(("written", "expected"), [("15:59:59", 0), ("16:00:00", 1)])
def test_t2_an_extension_comes_before_the_limit(found: Any, written: str, expected: int) -> None:
    day = Day()
    day.said("stay.arrived", "08:00:00", measure=measure("administrative_summons", 8))
    day.said("measure.changed", "15:00:00", written, measure=measure("administrative_summons", 24))
    assert len(found(day, "T2")) == expected


@pytest.mark.parametrize(
    ("kind", "hours", "date", "expected", "limit"),
    [
        ("administrative_summons", 12, "2025-12-31", 1, "16:00:00"),
        ("administrative_summons", 12, "2026-01-01", 0, "20:00:00"),
        ("criminal_summons", 8, "2026-01-01", 1, "16:00:00"),
        ("criminal_summons", 14, "2026-01-01", 1, "20:00:00"),
        ("continued_questioning", 4, "2026-01-01", 1, "12:00:00"),
        ("none", None, "2026-01-01", 0, "16:00:00"),
    ],
)
def test_t3_a_limit_that_does_not_exist(
    found: Any, kind: str, hours: Any, date: str, expected: int, limit: str
) -> None:
    day = Day(date=date)
    day.said("stay.arrived", "08:00:00", measure=measure(kind, hours))
    day.said("stay.exited", "23:00:00")
    assert len(found(day, "T3")) == expected
    assert found(day, "T1") == [("breach", limit, "23:00:00")]


def test_a_witness_is_judged_by_late_writing_interviews_and_clocks_only() -> None:
    day = Day()
    day.said("stay.arrived", "08:10:00", category="witness", measure=measure("none", None))
    day.said("stay.entered", "09:00:00", room="w1")
    day.said("activity.started", "09:10:00", room="off", officers=[])
    day.said("collection.finished", "09:20:00", items=["dna"])
    day.said("stay.exited", "17:00:00", signed=False)
    rules = {row["rule"] for row in judge(day.lines()) if row["stay"] == A_STAY}
    assert rules == {"M4.2", "T1"}

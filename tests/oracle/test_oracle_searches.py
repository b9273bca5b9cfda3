"""The second judge itself, on small stories: must 2."""

from __future__ import annotations

from typing import Any

import pytest
from tales.day import ANOTHER, CLERK, DOC, LI, MEI, NING, WANG, Day


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

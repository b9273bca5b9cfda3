"""The second judge itself, on small stories: the legal clocks."""

from __future__ import annotations

from typing import Any

import pytest
from tales.day import Day


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


def test_t1_ends_when_a_later_limit_takes_effect_in_the_last_event(found: Any) -> None:
    day = Day(until="11:59:00")
    day.said("stay.arrived", "08:00:00", measure=measure("none", None, day.iso("02:00:00")))
    day.said("measure.changed", "12:00:00", measure=measure("detention", None))
    assert found(day, "T1") == [("breach", "10:00:00", "12:00:00")]

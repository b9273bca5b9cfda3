"""The second judge itself, on small stories: guards, known time, must 3."""

from __future__ import annotations

from typing import Any

import pytest
from tales.day import A_FOURTH, A_STAY, A_THIRD, ANOTHER, AUX, CLERK, DOC, LI, WANG, Day

NOON = "12:00:00"


def waiting_day(entered: str = "08:10:00", **arrived: Any) -> Day:
    """A suspect in waiting room w1 from ``entered`` on, the camera recording, no guard yet."""
    day = Day(until=NOON)
    day.camera("08:00:10")
    day.said("stay.arrived", entered, **arrived)
    day.said("stay.entered", entered)
    return day


def two_guards(day: Day, away: str, again: str) -> None:
    """Guarded throughout, except in [away, again)."""
    day.guard("08:05:00", valid=20_000)
    day.gone(away)
    day.guard(again, valid=20_000)


@pytest.mark.parametrize(
    ("again", "flags", "grades"),
    [
        ("09:01:00", [], []),
        ("09:01:01", [], ["review"]),
        ("09:03:00", [], ["review"]),
        ("09:03:01", [], ["breach"]),
        ("09:10:00", [], ["breach"]),
        ("09:10:01", [], ["serious"]),
        ("09:00:30", ["ill"], []),
        ("09:00:31", ["ill"], ["review"]),
        ("09:01:01", ["minor"], ["breach"]),
        ("09:03:01", ["pregnant"], ["serious"]),
        ("09:01:00", ["nursing", "elderly"], []),
    ],
)
def test_m3_1_a_gap_of_the_guard(found: Any, again: str, flags: Any, grades: list[str]) -> None:
    day = waiting_day(flags=flags)
    two_guards(day, "09:00:00", again)
    assert found(day, "M3.1") == [(grade, "09:00:00", again) for grade in grades]


def test_m3_1_a_flag_set_in_the_gap_makes_it_high_risk(found: Any) -> None:
    day = waiting_day()
    two_guards(day, "09:00:00", "09:00:40")
    day.said("flags.changed", "09:00:39", flags=[], level="constant")
    assert found(day, "M3.1") == [("review", "09:00:00", "09:00:40")]


@pytest.mark.parametrize(("away", "expected"), [("09:00:49", 1), ("09:00:50", 0)])
def test_m3_1_less_than_ten_proven_seconds_do_not_end_a_gap(found: Any, away: str, expected: int) -> None:
    day = waiting_day()
    two_guards(day, "09:00:00", "09:00:40")
    day.gone(away)
    day.guard("09:01:20", valid=20_000)
    assert found(day, "M3.1") == [("review", "09:00:00", "09:01:20")] * expected


def test_m3_1_silence_is_unproven_and_lasts_beyond_the_last_word(found: Any) -> None:
    day = waiting_day()
    day.guard("08:05:00", valid=20_000)
    day.silence("09:00:00", "09:03:00")
    assert found(day, "M3.1", until="12:10:00") == [
        ("unproven", "09:00:00", "09:03:00"),
        ("unproven", "12:00:00", None),
    ]
    assert found(day, "M3.1", until="12:00:19") == [("unproven", "09:00:00", "09:03:00")]


@pytest.mark.parametrize(("until", "expected"), [("09:02:30", 0), ("09:02:31", 1)])
def test_known_time_bears_150_seconds_between_two_lines(found: Any, until: str, expected: int) -> None:
    day = waiting_day()
    day.guard("08:05:00", valid=20_000)
    day.silence("09:00:00", until)
    day.beats(until, until)
    assert len(found(day, "M3.1")) == expected


@pytest.mark.parametrize(("by_s", "expected"), [(5, 0), (-6, 1)])
def test_a_step_of_the_clock_by_more_than_five_seconds_makes_the_time_before_unknown(
    found: Any, by_s: int, expected: int
) -> None:
    day = waiting_day()
    day.guard("08:05:00", valid=20_000)
    day.said("clock.stepped", "09:00:30", by_s=by_s)
    assert found(day, "M3.1") == [("unproven", "09:00:00", "09:00:30")] * expected


@pytest.mark.parametrize(("confirmed", "expected"), [("09:05:30", 0), ("09:05:31", 1)])
def test_a_guard_counts_from_the_restart_when_confirmed_within_300_s(
    found: Any, confirmed: str, expected: int
) -> None:
    day = waiting_day()
    day.guard("08:05:00", valid=20_000)
    day.said("zone.started", "09:00:30", version="1", parts=[], clean=False)
    day.guard(confirmed, valid=20_000)
    rows = [row for row in found(day, "M3.1") if row[0] != "unproven"]
    assert rows == [("breach", "09:00:30", confirmed)] * expected


def test_a_room_without_a_guard_before_the_restart_gains_none_by_it(found: Any) -> None:
    day = waiting_day()
    day.said("zone.started", "09:00:30", version="1", parts=[], clean=False)
    day.guard("09:04:00", valid=20_000)
    assert ("breach", "09:00:30", "09:04:00") in found(day, "M3.1")


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        ("guard.handover", {"room": "w1", "outgoing": WANG, "incoming": LI, "stays": [A_STAY]}),
        ("guard.present", {"room": "w2", "officer": WANG, "proof": "card", "valid_for_s": None}),
        ("stay.entered", {"stay": ANOTHER, "room": "w2", "escorts": [WANG]}),
        ("search.started", {"stay": ANOTHER, "room": "s1", "officers": [WANG]}),
        ("activity.started", {"stay": ANOTHER, "room": "i1", "officers": [WANG]}),
    ],
)
def test_an_officer_is_no_longer_where_he_was(found: Any, kind: str, fields: Any) -> None:
    day = waiting_day()
    day.guard("08:05:00", valid=20_000)
    day.said(kind, "09:00:00", **fields)
    until = "10:00:00" if kind == "guard.handover" else "09:00:00"
    assert ("serious", until, None) in found(day, "M3.1")


def test_the_valid_time_of_a_presence_ends_it(found: Any) -> None:
    day = waiting_day()
    day.guard("08:05:00", valid=600)
    day.guard("09:00:00")
    assert found(day, "M3.1") == [("serious", "08:15:00", "09:00:00"), ("serious", "10:00:00", None)]


def test_only_police_auxiliaries_and_doctors_guard(found: Any) -> None:
    day = waiting_day()
    day.guard("08:05:00", who=CLERK, valid=20_000)
    assert found(day, "M3.1") == [("serious", "08:10:00", None)]


def test_who_searches_escorts_collects_or_checks_guards_this_stay(found: Any) -> None:
    day = Day(until=NOON)
    day.said("stay.entered", "08:10:00", room="cor", escorts=[WANG])
    day.said("search.started", "08:25:00", room="cor")
    day.said("search.finished", "08:30:00", room="cor")
    day.said("stay.moved", "08:32:00", room="w1", escorts=[AUX])
    day.said("collection.finished", "08:47:00")
    day.said("check.made", "08:47:00", terminal="w1", officer=DOC)
    day.said("activity.started", "08:48:00", room="w1")
    day.said("activity.ended", "08:58:00")
    assert found(day, "M3.1") == [("serious", "09:00:00", None)]


@pytest.mark.parametrize(
    ("room", "kind", "ended", "grades"),
    [
        ("w1", "criminal_summons", "09:10:00", []),
        ("w1", "criminal_summons", "09:10:01", ["review"]),
        ("w1", "continued_questioning", "09:01:00", []),
        ("w1", "continued_questioning", "09:01:01", ["breach"]),
        ("cor", "continued_questioning", "09:10:01", ["review"]),
    ],
)
def test_m3_2_auxiliaries_alone(found: Any, room: str, kind: str, ended: str, grades: list[str]) -> None:
    day = Day(until=NOON)
    since = {"kind": kind, "limit_hours": 24, "document": None, "since": None}
    day.said("stay.arrived", "09:00:00", measure=since)
    day.said("stay.entered", "09:00:00", room=room)
    day.guard("08:55:00", room, AUX)
    day.guard(ended, room, WANG)
    assert found(day, "M3.2") == [(grade, "09:00:00", ended) for grade in grades]


@pytest.mark.parametrize(("gone", "expected"), [("09:31:00", 0), ("09:31:01", 1)])
def test_m3_3_four_suspects_are_too_many_for_one_officer(found: Any, gone: str, expected: int) -> None:
    day = waiting_day()
    day.guard("08:05:00", valid=20_000)
    day.said("stay.entered", "09:00:00", stay=ANOTHER)
    day.said("stay.entered", "09:10:00", stay=A_THIRD)
    day.said("stay.entered", "09:30:00", stay=A_FOURTH)
    day.said("stay.moved", gone, stay=A_FOURTH, room="w2")
    assert found(day, "M3.3") == [("review", "09:30:00", gone)] * expected


def test_m3_3_high_risk_lets_an_officer_watch_one(found: Any) -> None:
    day = waiting_day()
    day.guard("08:05:00", valid=20_000)
    day.said("stay.entered", "09:00:00", stay=ANOTHER)
    day.said("flags.changed", "09:30:00", flags=["drunk"])
    day.guard("09:40:00", who=LI)
    assert found(day, "M3.3") == [("review", "09:30:00", "09:40:00"), ("review", "10:40:00", None)]


@pytest.mark.parametrize(
    ("present", "stays", "expected"),
    [
        ("09:02:00", [A_STAY], 0),
        ("09:02:01", [A_STAY], 1),
        ("08:50:00", [], 1),
        ("08:50:00", [A_STAY, ANOTHER], 1),
    ],
)
def test_m3_4_a_handover_of_the_right_people_to_somebody_who_is_there(
    found: Any, present: str, stays: Any, expected: int
) -> None:
    day = waiting_day()
    day.guard("08:05:00", valid=20_000)
    day.guard(present, who=LI)
    day.said("guard.handover", "09:00:00", room="w1", outgoing=WANG, incoming=LI, stays=stays)
    assert found(day, "M3.4") == [("review", "09:00:00", "09:00:00")] * expected


@pytest.mark.parametrize(("entered", "expected"), [("08:50:00", 0), ("08:49:59", 1)])
def test_m3_4_leaves_out_who_came_within_ten_minutes(found: Any, entered: str, expected: int) -> None:
    day = waiting_day(entered=entered)
    day.guard("08:45:00", who=LI)
    day.said("guard.handover", "09:00:00", room="w1", outgoing=WANG, incoming=LI, stays=[])
    assert len(found(day, "M3.4")) == expected


@pytest.mark.parametrize(
    ("checked", "level", "expected"),
    [
        ("08:41:00", None, []),
        ("08:41:01", None, [("breach", "08:40:00", "08:41:01")]),
        ("09:11:00", "general", []),
        ("09:11:01", "general", [("breach", "09:10:00", "09:11:01")]),
        ("08:41:01", "constant", [("breach", "08:40:00", "08:41:01")]),
    ],
)
def test_m3_5_checks_come_in_time(found: Any, checked: str, level: str | None, expected: Any) -> None:
    day = waiting_day()
    if level:
        day.said("flags.changed", "08:10:00", flags=[], level=level)
    day.said("check.made", checked, room="w2")
    day.said("stay.exited", "09:12:00")
    assert found(day, "M3.5") == expected


def test_m3_5_a_limit_that_falls_in_silence_is_unproven(found: Any) -> None:
    day = waiting_day()
    day.silence("08:40:30", "08:50:00")
    day.said("stay.moved", "09:00:00", room="cor")
    assert found(day, "M3.5") == [("unproven", "08:40:00", "09:00:00")]


def test_m3_5_an_interview_pauses_it(found: Any) -> None:
    day = waiting_day()
    day.said("activity.started", "08:30:00", room="w1")
    day.said("activity.ended", "09:30:00")
    day.said("stay.exited", "10:00:00")
    assert found(day, "M3.5") == []


@pytest.mark.parametrize(("gone", "expected"), [("09:01:00", 0), ("09:01:01", 1)])
@pytest.mark.parametrize("other", [{"sex": "f"}, {"flags": ["minor"]}])
def test_m3_6_the_sexes_and_minors_wait_apart(found: Any, other: Any, gone: str, expected: int) -> None:
    day = waiting_day()
    day.said("stay.arrived", "08:55:00", stay=ANOTHER, **other)
    day.said("stay.entered", "09:00:00", stay=ANOTHER)
    day.said("stay.moved", gone, stay=ANOTHER, room="w2")
    assert found(day, "M3.6") == [("breach", "09:00:00", gone)] * expected


def interview_day(date: str, kind: str, second_officer: str, sound: str = "good", who: Any = WANG) -> Day:
    day = Day(until=NOON, date=date)
    day.said("stay.arrived", "08:50:00", case={"id": "k", "kind": kind})
    day.said("stay.entered", "09:00:00", room="i1")
    day.camera("08:55:00", room="i1")
    day.camera("09:05:00", room="i1", audio=sound)
    day.said("activity.started", "09:10:00", officers=[who])
    day.said("activity.officers", second_officer, officers=[WANG, LI])
    day.said("activity.ended", "09:30:00")
    return day


@pytest.mark.parametrize(
    ("date", "kind", "second", "sound", "who", "expected"),
    [
        ("2026-11-23", "criminal", "09:11:00", "good", WANG, []),
        ("2026-11-23", "criminal", "09:11:01", "good", WANG, ["breach"]),
        ("2025-12-31", "administrative", "09:11:01", "good", WANG, ["breach"]),
        ("2026-01-01", "administrative", "09:20:00", "good", WANG, []),
        ("2026-01-01", "administrative", "09:20:00", "bad", WANG, ["breach"]),
        ("2026-01-01", "administrative", "09:20:00", "unknown", WANG, ["review"]),
        ("2026-01-01", "administrative", "09:20:00", "good", AUX, ["breach"]),
    ],
)
def test_m3_7_two_officers_of_police_interview(
    found: Any, date: str, kind: str, second: str, sound: str, who: Any, expected: list[str]
) -> None:
    day = interview_day(date, kind, second, sound, who)
    assert found(day, "M3.7") == [(grade, "09:10:00", second) for grade in expected]


@pytest.mark.parametrize(
    ("exited", "expected"),
    [("09:00:00", 1), ("09:04:00", 0)],
)
def test_m3_8_short_gaps_add_up(found: Any, exited: str, expected: int) -> None:
    day = waiting_day()
    day.guard("08:05:00", valid=20_000)
    for minute in range(11, 41):
        if minute % 5:
            day.gone(f"08:{minute}:00")
            day.guard(f"08:{minute}:13" if minute < 40 else "08:40:12", valid=20_000)
    day.said("stay.exited", exited)
    assert found(day, "M3.8") == [("review", "08:10:00", exited)] * expected


def test_a_guard_who_was_away_after_the_restart_does_not_count_from_it_through_his_absence(found: Any) -> None:
    day = waiting_day()
    day.guard("08:05:00", valid=20_000)
    day.said("zone.started", "09:00:30", version="1", parts=[], clean=False)
    day.gone("09:01:00")
    day.guard("09:04:00", valid=20_000)
    assert ("review", "09:01:00", "09:04:00") in found(day, "M3.1")


def test_a_search_begun_at_the_door_guards_from_the_first_moment_inside(found: Any) -> None:
    day = Day(until=NOON)
    day.said("search.started", "08:20:00", room="s1")
    day.said("stay.entered", "08:21:00", room="s1")
    day.said("search.finished", "08:30:00", room="s1")
    assert found(day, "M3.1") == [("serious", "08:32:00", None)]

"""What a screen shows of the moment: the legal clock, and whose eyes are on a person."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from config.clock import ManualClock
from custody.events import to_datetime
from edge.register.guarding import Guarding, guarding
from edge.register.legal_clock import LegalClock, legal_clock
from edge.register.service import RegisterService, Written

Write = Callable[..., Written]
Number = Callable[..., str]
Clocked = Callable[[str], LegalClock]
Guarded = Callable[[str], Guarding]
HOUR_S = 3600.0


@pytest.fixture
def clocked(service: RegisterService, clock: ManualClock) -> Clocked:
    def clocked(id_: str) -> LegalClock:
        stay = service.book.stay(id_)
        assert stay is not None
        found = legal_clock(stay, service.book.of_stay(id_), clock.now_us(), service.in_force.policy)
        assert found is not None
        return found

    return clocked


@pytest.fixture
def guarded(service: RegisterService, clock: ManualClock) -> Guarded:
    def guarded(id_: str) -> Guarding:
        stay = service.book.stay(id_)
        assert stay is not None
        return guarding(service.book, stay, clock.now_us(), service.in_force.policy.guards)

    return guarded


@pytest.mark.parametrize(
    ("measure", "flags", "limit_h"),
    [
        ({"kind": "criminal_summons", "limit_hours": 24}, [], 24),
        ({"kind": "criminal_summons"}, [], 12),
        ({"kind": "administrative_summons", "limit_hours": 12}, [], 12),
        ({"kind": "administrative_summons", "limit_hours": 10}, [], 8),
        ({"kind": "compelled_appearance", "limit_hours": 6}, [], 6),
        ({"kind": "continued_questioning", "limit_hours": 48}, ["minor"], 4),
        ({"kind": "none"}, [], 8),
    ],
)
def test_the_limit_is_that_of_the_measure(
    arrive: Number, clocked: Clocked, measure: dict[str, Any], flags: list[str], limit_h: float
) -> None:
    assert clocked(arrive(measure=measure, flags=flags)).limit_s == limit_h * HOUR_S


def test_it_warns_at_three_quarters_nine_tenths_and_over_the_limit(
    arrive: Number, clocked: Clocked, clock: ManualClock
) -> None:
    legal = clocked(arrive(measure={"kind": "criminal_summons", "limit_hours": 12}))
    at = lambda hours: legal.warning(legal.start_us + int(hours * 3600e6))  # noqa: E731
    assert [at(8.9), at(9), at(10.8), at(11.6), at(12.01)] == [0, 1, 2, 2, 3]


def test_a_new_measure_moves_the_limit_but_not_the_start(
    arrive: Number, write: Write, clocked: Clocked, clock: ManualClock
) -> None:
    stay = arrive()
    start_us = clocked(stay).start_us
    clock.advance(3600)
    write(
        "change-measure",
        stay=stay,
        measure={"kind": "criminal_summons", "limit_hours": 24},
        approver="p0007",
    )
    assert (clocked(stay).start_us, clocked(stay).limit_s) == (start_us, 24 * HOUR_S)


def test_time_of_sobering_up_does_not_count_in_an_administrative_summons(
    enter: Number, write: Write, clocked: Clocked, clock: ManualClock
) -> None:
    stay = enter(measure={"kind": "administrative_summons", "limit_hours": 8})
    before_us = clocked(stay).deadline_us
    started = write("start-activity", stay=stay, kind="sobering", room="waiting-1").events[0]
    clock.advance(3600)
    assert clocked(stay).paused
    write("end-activity", stay=stay, activity=started.data["activity"])
    clock.advance(600)
    assert not clocked(stay).paused
    assert clocked(stay).deadline_us - before_us == 3600 * 1_000_000


def test_a_witness_has_no_legal_clock(arrive: Number, service: RegisterService, clock: ManualClock) -> None:
    stay = service.book.stay(arrive(category="witness", measure={"kind": "none"}))
    assert stay is not None
    assert legal_clock(stay, [], clock.now_us(), service.in_force.policy) is None


def test_escorts_guard_for_a_quarter_of_an_hour_after_the_entry(
    enter: Number, guarded: Guarded, clock: ManualClock
) -> None:
    stay = enter()
    assert {officer["id"] for officer in guarded(stay).officers} == {"p0231", "p0145"}
    clock.advance(901)
    found = guarded(stay)
    assert found.officers == ()
    assert found.unguarded_since_us == clock.now_us() - 1_000_000


def test_a_guard_who_leaves_leaves_the_room_unguarded_from_that_moment(
    enter: Number, write: Write, guarded: Guarded, clock: ManualClock
) -> None:
    stay = enter()
    write("guard-present", room="waiting-1", officer="a0112")
    write("move", stay=stay, room="waiting-1", escorts=[])
    clock.advance(400)
    assert [officer["id"] for officer in guarded(stay).officers] == ["a0112"]
    write("guard-absent", room="waiting-1", officer="a0112")
    clock.advance(70)
    assert guarded(stay) == Guarding((), clock.now_us() - 70_000_000)


def test_a_presence_that_nobody_renews_runs_out(
    enter: Number, write: Write, guarded: Guarded, clock: ManualClock
) -> None:
    stay = enter()
    write("move", stay=stay, room="waiting-1", escorts=[])
    write("guard-present", room="waiting-1", officer="a0112", valid_for_s=1800)
    clock.advance(1810)
    assert guarded(stay) == Guarding((), clock.now_us() - 10_000_000)


def test_those_who_interview_guard_and_linger_two_minutes(
    enter: Number, search: Callable[[str], None], write: Write, guarded: Guarded, clock: ManualClock
) -> None:
    stay = enter()
    search(stay)
    started = write("start-activity", stay=stay, kind="meeting", room="interview-1", officers=["p0231"]).events[0]
    clock.advance(3600)
    assert guarded(stay).officers
    write("end-activity", stay=stay, activity=started.data["activity"])
    clock.advance(119)
    assert guarded(stay).officers
    clock.advance(2)
    assert not guarded(stay).officers


def test_a_new_measure_without_a_beginning_goes_on_counting_from_the_last_one_given(
    arrive: Number, write: Write, clocked: Clocked, clock: ManualClock
) -> None:
    began = to_datetime(clock.now_us() - 2 * 3600 * 1_000_000)
    stay = arrive(measure={"kind": "criminal_summons", "limit_hours": 12, "since": began})
    write("change-measure", stay=stay, measure={"kind": "detention", "limit_hours": 24}, approver="p0007")
    assert clocked(stay).left_s(clock.now_us()) == 22 * HOUR_S

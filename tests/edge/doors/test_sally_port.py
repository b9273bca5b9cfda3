"""A sally port: one of its doors has the group, until it is shut again for certain."""

import pytest

from devices.doors.lock import LockState
from edge.doors.facts import Lock, Unlock


def reason(told):
    ((type_, data),) = told
    return data["reason"] if type_ in ("door.denied", "command.refused") else type_


def test_a_lease_is_given_with_the_grant_and_ends_when_the_bolt_has_answered(doors):
    doors.tap("p0231", "sally-a-in")
    assert doors.state.leases == {"sally-port": "sally-a"}
    doors.contact("open", "sally-a")
    doors.contact("closed", "sally-a")
    assert doors.state.leases == {"sally-port": "sally-a"}
    doors.wait(1)
    assert doors.state.leases == {}
    assert reason(doors.tap("p0231", "sally-b-in")) == "door.granted"


def test_a_lease_does_not_end_with_time(doors):
    doors.tap("p0231", "sally-a-in")
    doors.contact("open", "sally-a")
    assert [type_ for type_, _ in doors.wait(3600)] == ["door.held"]
    assert reason(doors.tap("p0231", "sally-b-in")) == "interlock"


def test_a_bolt_that_stays_open_keeps_the_group(doors):
    doors.tap("p0231", "sally-a-in")
    doors.locks["sally-a"] = (LockState.UNLOCKED, None)
    doors.contact("open", "sally-a")
    doors.contact("closed", "sally-a")
    doors.wait(60)
    assert reason(doors.tap("p0231", "sally-b-in")) == "interlock"
    doors.locks["sally-a"] = (LockState.LOCKED, None)
    doors.wait(3)
    assert reason(doors.tap("p0231", "sally-b-in")) == "door.granted"


def test_another_may_pass_the_door_that_has_the_group(doors):
    doors.tap("p0231", "sally-a-in")
    doors.contact("open", "sally-a")
    assert reason(doors.tap("p0232", "sally-a-in")) == "door.granted"


def test_after_a_start_nothing_is_let_open_before_contacts_and_bolts_were_read(fresh_doors):
    assert reason(fresh_doors.tap("p0231", "sally-a-in")) == "interlock"
    fresh_doors.contact("closed", "sally-b")
    assert reason(fresh_doors.tap("p0231", "sally-a-in")) == "interlock"
    fresh_doors.wait(0)
    assert reason(fresh_doors.tap("p0231", "sally-a-in")) == "door.granted"


@pytest.mark.parametrize("state", ["open", "fault"])
def test_a_door_let_open_and_not_opened_is_locked_at_once_when_the_other_is_not_shut_any_more(doors, state):
    doors.tap("p0231", "sally-a-in")
    doors.actions.clear()
    doors.contact(state, "sally-b")
    assert Lock("sally-a") in doors.actions
    assert doors.door("sally-a").commanded is LockState.LOCKED


def test_a_release_asks_for_no_lease_and_is_on_record(doors):
    doors.tap("p0231", "sally-a-in")
    doors.contact("open", "sally-a")
    assert [type_ for type_, _ in doors.change("release", "sally-b")] == ["door.released", "door.mode"]
    assert Unlock("sally-b") in doors.actions
    doors.contact("closed", "sally-a")
    doors.wait(60)
    assert reason(doors.tap("p0231", "sally-a-in")) == "interlock"


def test_an_exit_button_waits_like_a_card_and_a_refused_press_is_on_record(zone_with):
    doors = zone_with(sally_b={"button": {"driver": "simulated"}, "button_opens": True})
    doors.tap("p0231", "sally-a-in")
    ((type_, data),) = doors.press("sally-b")
    assert (type_, data["reason"], data["reader"], data["officer"]) == ("door.denied", "interlock", None, None)
    assert (data["direction"], data["by"]) == ("out", "button")
    assert Unlock("sally-b") not in doors.actions

"""Where two officers are needed."""

import pytest

from devices.readers.reader import Feedback
from edge.doors.facts import Show, Unlock

from .conftest import HASH


@pytest.fixture
def doors(zone_with):
    return zone_with(access=[{"door": "front-door", "two_person": {"within_s": 15}}])


def reason(told):
    ((type_, data),) = told
    assert type_ == "door.denied", data
    return data["reason"], data.get("detail")


def test_the_first_card_opens_nothing_and_the_second_opens_for_both(doors):
    assert doors.tap("p0231") == []
    assert doors.actions == [Show("front-door-in", Feedback.SECOND_EXPECTED)]
    ((type_, data),) = doors.tap("p0232")
    assert (type_, data["officer"]["id"], data["second"]["id"]) == ("door.granted", "p0231", "p0232")
    assert Unlock("front-door") in doors.actions and doors.state.dialogues == {}


def test_a_second_who_does_not_come_in_time_is_told_at_the_reader_and_in_the_register(doors):
    doors.tap("p0231")
    ((type_, data),) = doors.wait(15)
    assert (type_, data["reason"], data["officer"]["id"]) == ("door.denied", "needs_second_officer", "p0231")
    assert doors.actions[-1] == Show("front-door-in", Feedback.DENIED)
    assert doors.tap("p0232") == [], "the window is over: he is the first now"


def test_the_same_card_twice_is_not_two_officers(doors):
    doors.tap("p0231")
    assert reason(doors.tap("p0231")) == ("needs_second_officer", "same_officer")
    assert doors.tap("p0232")[0][0] == "door.granted", "the window goes on"


def test_two_at_two_readers_are_not_two_at_one(doors):
    doors.tap("p0231", "front-door-in")
    assert doors.tap("p0232", "front-door-out") == []
    assert Unlock("front-door") not in doors.actions


def test_a_second_who_may_not_pass_leaves_the_first_waiting(doors):
    doors.tap("p0231")
    assert reason(doors.tap("x0002")) == ("expired", None)
    assert doors.tap("p0232")[0][0] == "door.granted"


def test_the_second_must_have_one_of_the_roles_that_are_asked(zone_with):
    doors = zone_with(access=[{"door": "front-door", "two_person": {"roles": ["zone_manager"]}}])
    doors.tap("p0231")
    assert reason(doors.tap("p0232")) == ("not_permitted", "not_as_second")
    assert doors.tap("m0001")[0][1]["second"]["id"] == "m0001"


def test_a_first_who_may_not_pass_any_more_is_not_let_through_by_the_second(doors):
    doors.tap("p0231")
    officers = [
        officer.model_copy(update={"active": officer.id != "p0231"}) for officer in doors.layout.roster.officers
    ]
    doors.new_roster(doors.layout.roster.model_copy(update={"officers": officers}))
    assert reason(doors.tap("p0232")) == ("not_active", None)
    assert Unlock("front-door") not in doors.actions


def test_two_are_needed_only_when_the_schedule_says_so(zone_with):
    night = {"id": "night", "window": [{"start": "20:00:00", "end": "08:00:00"}]}
    doors = zone_with(access=[{"door": "front-door", "two_person": {"schedule": "night"}}], schedule=[night])
    assert doors.tap("p0231")[0][1]["second"] is None
    doors.wait(8.5 * 3600)
    assert doors.tap("p0231") == []


def test_with_pins_each_of_the_two_keys_in_his_own(zone_with):
    rule = {"door": "front-door", "level": "card_and_pin", "two_person": {}}
    doors = zone_with(access=[rule], p0231={"pin_hash": HASH}, p0232={"pin_hash": HASH})
    doors.tap("p0231")
    asked, _ = doors.key("1111")
    assert doors.verdict(asked, "duress") == []
    doors.tap("p0232")
    asked, _ = doors.key("2222")
    ((_, data),) = doors.verdict(asked, "wrong")
    assert (data["reason"], data["officer"]["id"]) == ("wrong_pin", "p0232")
    doors.tap("p0232")
    asked, _ = doors.key("2222")
    ((type_, data),) = doors.verdict(asked, "right")
    assert type_ == "door.granted" and data["duress"] is True, "one of them was forced"


def test_of_two_who_pass_together_the_one_who_brought_the_person_brings_him_in(doors):
    doors.stay(awaited=True, brought_by=frozenset({"p0232"}))
    doors.tap("p0231")
    ((_, data),) = doors.tap("p0232")
    assert (data["purpose"], data["stay"]) == ("bring_in", "nz01-20261123-004")

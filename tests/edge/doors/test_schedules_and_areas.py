"""When and where an officer may pass, and whom a suspect may pass with."""

import pytest

DAY = {"id": "day", "window": [{"start": "08:00:00", "end": "18:00:00"}]}
DAWN = {"id": "dawn", "window": [{"start": "03:00:00", "end": "05:00:00"}]}


def reason(told):
    ((type_, data),) = told
    return (data["reason"], data.get("detail")) if type_ == "door.denied" else "granted"


def test_an_officer_comes_in_in_his_hours_alone_and_leaves_whenever_he_likes(zone_with):
    doors = zone_with(schedule=[DAY], p0231={"schedule": "day"})
    assert reason(doors.tap("p0231")) == "granted", "it is noon"
    doors.wait(7 * 3600)
    assert reason(doors.tap("p0231")) == ("not_this_time", None)
    assert reason(doors.tap("p0231", "front-door-out")) == "granted", "he stayed on"


def test_the_hours_are_those_of_the_zones_own_time(zone_with):
    doors = zone_with(schedule=[DAWN], p0231={"schedule": "dawn"})
    assert reason(doors.tap("p0231")) == ("not_this_time", None), "04:00 is the hour of UTC"


def test_an_officer_passes_only_the_doors_that_are_his(zone_with):
    doors = zone_with(p0231={"doors": ["sally-a"]})
    assert reason(doors.tap("p0231")) == ("not_permitted", "door")
    assert reason(doors.tap("p0231", "sally-a-in")) == "granted"


def test_an_officer_passes_only_into_the_areas_that_are_his_and_always_outside(zone_with):
    doors = zone_with(p0231={"areas": ["reception"]})
    assert reason(doors.tap("p0231")) == ("not_permitted", "area")
    assert reason(doors.tap("p0231", "front-door-out")) == "granted"
    assert reason(doors.tap("p0231", "sally-a-out")) == "granted"


def test_the_rosters_roles_of_a_door_count_in_place_of_its_own(zone_with):
    doors = zone_with(access=[{"door": "hatch", "roles": ["case_officer"]}])
    assert reason(doors.tap("p0231", "hatch-in")) == "granted"
    assert reason(doors.tap("m0001", "hatch-in")) == ("not_permitted", None)


@pytest.mark.parametrize(
    "change",
    [{"rank": "doctor"}, {"roles": ["inspector"]}, {"rank": "other"}],
    ids=["a doctor", "an inspector", "no policeman"],
)
def test_a_suspect_does_not_pass_with_who_is_no_escort(zone_with, change):
    doors = zone_with(p0231=change)
    doors.stay(inside=True, permitted=True)
    doors.declare("take_out")
    assert reason(doors.tap("p0231", "front-door-out")) == ("not_permitted", "escort")
    doors.declare("pass", stay=None)
    assert reason(doors.tap("p0231", "front-door-out")) == "granted", "alone he may go"


def test_a_suspect_is_not_brought_in_by_who_is_no_escort(zone_with):
    doors = zone_with(p0231={"rank": "doctor"})
    doors.stay(awaited=True, brought_by=frozenset({"p0231"}))
    assert reason(doors.tap("p0231")) == ("not_permitted", "escort")


def test_an_auxiliary_is_an_escort_and_a_witness_needs_none(zone_with):
    doors = zone_with(p0231={"rank": "auxiliary"}, p0232={"rank": "doctor"})
    doors.stay(inside=True, permitted=True)
    doors.declare("take_out")
    assert reason(doors.tap("p0231", "front-door-out")) == "granted"
    doors.stay(inside=True, needs_permit=False)
    doors.declare("take_out", "p0232")
    assert reason(doors.tap("p0232", "front-door-out")) == "granted"

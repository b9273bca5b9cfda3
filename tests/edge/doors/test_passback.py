"""Anti-passback: a card that is inside does not come in again, and what nobody can know is held against nobody."""

import pytest

from custody.events import Area
from edge.doors.whereabouts import Place

HARD, SOFT = ({"door": "front-door", "passback": mode} for mode in ("hard", "soft"))
UNLOCKED_WITHOUT_CONTROLLER = {
    "driver": "simulated",
    "hardware": "power_to_lock",
    "on_controller_loss": "unlocked",
    "on_power_loss": "unlocked",
}


@pytest.fixture
def doors(zone_with):
    return zone_with(access=[HARD])


def outcome(told):
    type_, data = told[-1]
    return type_, data.get("reason"), data.get("passback")


PASSES = ("door.granted", None, None)
DENIED = ("door.denied", "passback", None)
DOUBTED = ("door.granted", None, "doubt")
VIOLATED = ("door.granted", None, "violated")


def test_who_is_inside_does_not_come_in_again_until_he_has_left(doors):
    assert outcome(doors.passes("p0231")) == PASSES
    assert outcome(doors.tap("p0231")) == DENIED
    assert outcome(doors.passes("p0231", "front-door-out")) == PASSES
    assert outcome(doors.passes("p0231")) == PASSES


def test_who_was_let_through_and_did_not_open_has_not_moved(doors):
    doors.tap("p0231")
    assert doors.state.whereabouts.places == {}
    assert doors.wait(30)[-1][0] == "door.not_taken"
    assert outcome(doors.passes("p0231")) == PASSES
    assert doors.state.whereabouts.places == {"p0231": Place(Area.CUSTODY, True)}


def test_nobody_is_kept_inside_by_it(doors):
    doors.passes("p0231", "front-door-out")
    assert outcome(doors.passes("p0231", "front-door-out")) == VIOLATED


def test_a_soft_one_lets_in_and_says_so(zone_with):
    doors = zone_with(access=[SOFT])
    doors.passes("p0231")
    assert outcome(doors.passes("p0231")) == VIOLATED


def test_without_it_nobody_asks(zone_with):
    doors = zone_with()
    doors.passes("p0231")
    assert outcome(doors.passes("p0231")) == PASSES


def test_who_was_never_seen_passes(doors):
    assert outcome(doors.passes("p0232", "front-door-out")) == PASSES


@pytest.mark.parametrize(
    "happens",
    [
        lambda doors: doors.contact("open"),
        lambda doors: doors.contact("fault"),
        lambda doors: doors.change("release"),
        lambda doors: doors.open_remotely("m0001"),
        lambda doors: doors.press("hatch"),
    ],
    ids=["forced", "its contact broke", "released", "opened from afar", "a button at another door"],
)
def test_after_what_may_have_let_anybody_through_he_passes_and_the_doubt_is_said(doors, happens):
    doors.passes("p0231")
    happens(doors)
    assert outcome(doors.tap("p0231")) == DOUBTED


def test_a_door_that_stood_open_too_long_may_have_let_anybody_through(doors):
    doors.passes("p0231")
    doors.tap("p0232")
    doors.contact("open")
    doors.wait(31)
    doors.contact("closed")
    assert outcome(doors.tap("p0231")) == DOUBTED


def test_a_door_without_a_contact_never_makes_certain(zone_with):
    doors = zone_with(access=[{"door": "hatch", "passback": "hard"}])
    assert outcome(doors.tap("m0001", "hatch-in")) == PASSES
    doors.wait(30)
    assert outcome(doors.tap("m0001", "hatch-in")) == DOUBTED


def test_two_who_were_let_through_before_one_opening_may_not_both_have_passed(doors):
    doors.tap("p0231")
    doors.passes("p0232")
    assert outcome(doors.tap("p0231")) == DOUBTED


def test_who_goes_through_while_it_stands_open_may_not_have_passed(doors):
    doors.tap("p0231")
    doors.contact("open")
    doors.tap("p0232")
    doors.contact("closed")
    doors.wait(1)
    assert outcome(doors.tap("p0231")) == DENIED
    assert outcome(doors.tap("p0232")) == DOUBTED


def test_it_is_known_after_a_restart(doors):
    doors.passes("p0231")
    again = doors.restarted().closed_everywhere()
    assert outcome(again.tap("p0231")) == DENIED


def test_who_was_about_to_pass_when_the_doors_went_down_is_in_doubt_after_it(doors):
    doors.tap("p0231")
    again = doors.restarted().closed_everywhere()
    assert outcome(again.tap("p0231")) == DOUBTED


def test_a_door_that_stands_unlocked_without_its_controller_makes_doubt_at_a_restart(zone_with):
    doors = zone_with(access=[HARD], hatch={"lock": UNLOCKED_WITHOUT_CONTROLLER})
    doors.passes("p0231")
    again = doors.restarted().closed_everywhere()
    assert outcome(again.tap("p0231")) == DOUBTED


def test_a_door_within_one_area_moves_nobody(zone_with):
    doors = zone_with(access=[HARD], front_door={"from": "corridor"})
    doors.passes("p0231")
    assert outcome(doors.passes("p0231")) == PASSES


def test_he_is_let_in_again_once_a_manager_has_opened_for_him(doors):
    doors.passes("p0231")
    assert outcome(doors.tap("p0231")) == DENIED
    doors.open_remotely("m0001")
    doors.wait(30)
    assert outcome(doors.tap("p0231")) == DOUBTED

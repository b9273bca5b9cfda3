"""Card and PIN: what is asked when, and what comes of right, wrong, forced and forgotten ones."""

import pytest

from devices.readers.reader import Feedback
from edge.doors.facts import PinPresented, Show, Unlock

from .conftest import CARDS, HASH

CARD_AND_PIN = {"door": "front-door", "level": "card_and_pin"}
DURESS_HASH = HASH[:-1] + "V"
NIGHT = {"id": "night", "window": [{"start": "20:00:00", "end": "08:00:00"}]}


@pytest.fixture
def doors(zone_with):
    return zone_with(
        access=[CARD_AND_PIN],
        lockout={"tries": 3, "within_s": 60, "locked_s": 100},
        p0231={"pin_hash": HASH, "duress_pin_hash": DURESS_HASH},
        p0232={"pin_hash": HASH},
    )


def reason(told):
    ((type_, data),) = told
    assert type_ == "door.denied", data
    return data["reason"], data.get("detail")


def try_pin(doors, verdict, who="p0231"):
    assert doors.tap(who) == []
    asked, told = doors.key("4711")
    assert told == []
    return doors.verdict(asked, verdict)


def test_a_card_alone_opens_nothing_and_the_reader_asks_for_the_pin(doors):
    assert doors.tap("p0231") == []
    assert doors.actions == [Show("front-door-in", Feedback.PIN_EXPECTED)]


def test_a_right_pin_after_the_card_opens(doors):
    ((type_, data),) = try_pin(doors, "right")
    assert (type_, data["officer"]["id"]) == ("door.granted", "p0231") and "duress" not in data
    assert doors.actions[-2:] == [Unlock("front-door"), Show("front-door-in", Feedback.GRANTED)]


def test_a_forced_pin_opens_just_as_well_and_only_the_register_says_so(doors):
    try_pin(doors, "right")
    usual = doors.actions[:]
    doors.wait(60)
    doors.actions.clear()
    ((type_, data),) = try_pin(doors, "duress")
    assert type_ == "door.granted" and data["duress"] is True
    assert [repr(one).replace("ticket=2", "ticket=1") for one in doors.actions] == [repr(one) for one in usual]


def test_a_wrong_pin_is_denied_and_the_register_says_how_many_tries_are_left(doors):
    ((_, data),) = try_pin(doors, "wrong")
    assert (data["reason"], data["tries_left"]) == ("wrong_pin", 2)
    assert doors.actions[-1] == Show("front-door-in", Feedback.DENIED)
    assert doors.state.dialogues == {}, "the card must be shown again"


def test_too_many_wrong_pins_lock_the_officer_out_for_a_time(doors):
    try_pin(doors, "wrong")
    try_pin(doors, "wrong")
    ((_, data),) = try_pin(doors, "wrong")
    assert (data["reason"], data["detail"], data["locked_s"]) == ("wrong_pin", "locked_out", 100)
    assert reason(doors.tap("p0231")) == ("wrong_pin", "locked_out")
    doors.wait(99)
    assert reason(doors.tap("p0231")) == ("wrong_pin", "locked_out")
    doors.wait(2)
    assert try_pin(doors, "right")[0][0] == "door.granted"


def test_one_officers_wrong_pins_do_not_lock_out_another(doors):
    for _ in range(3):
        try_pin(doors, "wrong")
    assert try_pin(doors, "right", "p0232")[0][0] == "door.granted"


def test_wrong_pins_long_ago_and_before_a_right_one_do_not_count(doors):
    try_pin(doors, "wrong")
    try_pin(doors, "wrong")
    doors.wait(61)
    ((_, data),) = try_pin(doors, "wrong")
    assert data["tries_left"] == 2
    try_pin(doors, "right")
    ((_, data),) = try_pin(doors, "wrong")
    assert data["tries_left"] == 2


def test_a_pin_that_does_not_come_is_denied_visibly(doors):
    doors.tap("p0231")
    ((type_, data),) = doors.wait(15)
    assert (type_, data["reason"], data["detail"]) == ("door.denied", "wrong_pin", "no_pin")
    assert doors.actions[-1] == Show("front-door-in", Feedback.DENIED)


def test_a_verdict_that_does_not_come_is_denied_and_one_that_comes_too_late_opens_nothing(doors):
    doors.tap("p0231")
    asked, _ = doors.key("4711")
    ((_, data),) = doors.wait(10)
    assert (data["reason"], data["detail"]) == ("not_permitted", "pin_unchecked")
    assert doors.verdict(asked, "right") == []
    doors.tap("p0231")
    assert doors.verdict(asked, "right") == [], "nor for the card after it"


def test_the_verdict_on_one_card_is_not_that_on_another(doors):
    doors.tap("p0231")
    asked, _ = doors.key("4711")
    doors.tap("p0232")
    assert doors.verdict(asked, "right") == []


def test_a_pin_without_a_card_opens_nothing(doors):
    assert doors.key("4711") == (None, [])
    assert doors.actions[-1] == Show("front-door-in", Feedback.DENIED)


def test_who_has_no_pin_is_denied_where_one_is_asked(doors):
    assert reason(doors.tap("m0001")) == ("not_permitted", "no_pin_set")


def test_the_card_is_enough_by_day_and_the_pin_is_needed_by_night(zone_with):
    access = [{"door": "front-door", "levels": [{"schedule": "night", "level": "card_and_pin"}]}]
    doors = zone_with(access=access, schedule=[NIGHT], p0231={"pin_hash": HASH})
    assert doors.tap("p0231")[0][0] == "door.granted", "it is noon"
    doors.wait(8.5 * 3600)
    assert doors.tap("p0231") == [], "it is half past eight in the evening"


def test_what_changed_while_the_pin_was_keyed_in_counts(doors):
    doors.tap("p0231")
    asked, _ = doors.key("4711")
    doors.ledger(writable=False)
    assert reason(doors.verdict(asked, "right")) == ("not_permitted", "ledger_unwritable")


def test_a_card_that_was_given_to_another_in_between_opens_nothing(doors):
    doors.tap("p0231")
    asked, _ = doors.key("4711")
    officers = [
        officer.model_copy(update={"card": CARDS["p0231"]}) if officer.id == "m0001" else officer
        for officer in doors.layout.roster.officers
        if officer.id != "p0231"
    ]
    doors.new_roster(doors.layout.roster.model_copy(update={"officers": officers, "version": 2}))
    assert reason(doors.verdict(asked, "right")) == ("unknown_card", None)


def test_no_pin_is_ever_shown_by_a_fact_an_action_or_the_state(doors):
    doors.tap("p0231")
    asked, _ = doors.key("90210777")
    assert asked.pin == "90210777"
    shown = repr((asked, PinPresented("front-door-in", "90210777"), doors.state))
    assert "90210777" not in shown

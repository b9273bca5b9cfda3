"""Who is let through, and what for."""

import pytest

from devices.readers.reader import Feedback
from edge.doors.facts import Show, Unlock

from_stay = "nz01-20261123-004"


def granted(told):
    (event,) = told
    assert event[0] == "door.granted", event
    return event[1]


def denied(told):
    (event,) = told
    assert event[0] == "door.denied", event
    return event[1]["reason"]


def test_a_known_card_is_granted_with_everything_that_a_judge_needs(doors):
    assert granted(doors.tap("p0231")) == {
        "door": "front-door",
        "reader": "front-door-in",
        "direction": "in",
        "officer": {"id": "p0231", "rank": "police", "sex": "m"},
        "second": None,
        "purpose": "pass",
        "stay": None,
    }
    assert doors.actions == [Unlock("front-door"), Show("front-door-in", Feedback.GRANTED)]


def test_a_card_nobody_knows_is_denied_and_nothing_moves(doors):
    told = doors.tap("DEADBEEF")
    assert denied(told) == "unknown_card" and told[0][1]["officer"] is None
    assert doors.actions == [Show("front-door-in", Feedback.DENIED)]


@pytest.mark.parametrize(
    ("who", "reason"),
    [("x0001", "not_active"), ("x0002", "expired"), ("x0003", "not_active"), ("v0001", "not_permitted")],
)
def test_a_card_whose_holder_may_not_is_denied_with_the_reason(doors, who, reason):
    told = doors.tap(who)
    assert denied(told) == reason and told[0][1]["officer"]["id"] == who


def test_a_card_is_known_in_either_case_of_its_digits(doors):
    assert granted(doors.tap("04a1b2c3"))["officer"]["id"] == "p0231"


def test_a_door_with_roles_admits_only_these(doors):
    assert denied(doors.tap("p0231", "hatch-in")) == "not_permitted"
    assert granted(doors.tap("m0001", "hatch-in"))["door"] == "hatch"


def test_a_card_at_an_insecure_reader_is_denied_without_believing_the_card(doors):
    doors.reader("insecure")
    told = doors.tap("p0231")
    assert denied(told) == "reader_insecure" and told[0][1]["officer"] is None


def test_who_brought_a_person_that_is_awaited_brings_that_person_in(doors):
    doors.stay(awaited=True, brought_by=frozenset({"p0231"}))
    passage = granted(doors.tap("p0231"))
    assert (passage["purpose"], passage["stay"]) == ("bring_in", from_stay)


def test_of_several_the_person_who_waits_longest_is_brought_first(doors):
    doors.stay("nz01-20261123-002", awaited=True, arrived_us=20, brought_by=frozenset({"p0231"}))
    doors.stay("nz01-20261123-001", awaited=True, arrived_us=30, brought_by=frozenset({"p0231"}))
    assert granted(doors.tap("p0231"))["stay"] == "nz01-20261123-002"


@pytest.mark.parametrize(
    ("who", "reader", "stay"),
    [
        ("p0232", "front-door-in", {"awaited": True, "brought_by": frozenset({"p0231"})}),
        ("p0231", "front-door-out", {"awaited": True, "brought_by": frozenset({"p0231"})}),
        ("p0231", "sally-a-in", {"awaited": True, "brought_by": frozenset({"p0231"})}),
        ("p0231", "front-door-in", {"inside": True, "brought_by": frozenset({"p0231"})}),
    ],
    ids=["another officer", "on the way out", "not into custody", "already inside"],
)
def test_everybody_else_just_passes(doors, who, reader, stay):
    doors.stay(**stay)
    passage = granted(doors.tap(who, reader))
    assert (passage["purpose"], passage["stay"]) == ("pass", None)


def test_a_declared_passage_counts_for_the_next_tap_alone(doors):
    doors.stay(inside=True)
    doors.declare("rounds", stay=None)
    assert granted(doors.tap("p0231"))["purpose"] == "rounds"
    assert granted(doors.tap("p0231"))["purpose"] == "pass"


def test_a_declared_passage_counts_for_its_officer_and_its_door_alone(doors):
    doors.declare("rounds", stay=None)
    assert granted(doors.tap("p0232"))["purpose"] == "pass"
    assert granted(doors.tap("p0231", "sally-a-in"))["purpose"] == "pass"
    assert granted(doors.tap("p0231"))["purpose"] == "rounds"


def test_a_declared_passage_is_forgotten_after_its_time(doors):
    doors.declare("rounds", stay=None)
    doors.wait(120.1)
    assert granted(doors.tap("p0231"))["purpose"] == "pass"


def test_a_later_declaration_replaces_the_one_before(doors):
    doors.stay(awaited=True)
    doors.declare("rounds", stay=None)
    doors.declare("bring_in")
    assert granted(doors.tap("p0231"))["purpose"] == "bring_in"


def test_a_suspect_is_not_taken_out_without_a_permit(doors):
    doors.stay(inside=True)
    doors.declare("take_out")
    assert denied(doors.tap("p0231", "front-door-out")) == "no_permit"
    assert Unlock("front-door") not in doors.actions


@pytest.mark.parametrize(
    "stay",
    [
        {"inside": True, "permitted": True},
        {"away": True, "permitted": True},
        {"finished": True},
        {"inside": True, "needs_permit": False},
    ],
    ids=["under a permit", "departure recorded under a permit", "exit recorded", "no suspect"],
)
def test_a_person_is_taken_out_who_may_go(doors, stay):
    doors.stay(**stay)
    doors.declare("take_out")
    passage = granted(doors.tap("p0231", "front-door-out"))
    assert (passage["purpose"], passage["stay"]) == ("take_out", from_stay)


def test_a_refused_taking_out_can_be_tried_again_once_the_permit_is_there(doors):
    doors.stay(inside=True)
    doors.declare("take_out")
    assert denied(doors.tap("p0231", "front-door-out")) == "no_permit"
    doors.stay(inside=True, permitted=True)
    assert granted(doors.tap("p0231", "front-door-out"))["purpose"] == "take_out"


def test_a_person_can_be_brought_back(doors):
    doors.stay(away=True)
    doors.declare("bring_in")
    assert granted(doors.tap("p0231"))["stay"] == from_stay


@pytest.mark.parametrize(
    ("purpose", "reader", "stay"),
    [
        ("bring_in", "front-door-out", {"awaited": True}),
        ("take_out", "front-door-in", {"inside": True, "permitted": True}),
        ("bring_in", "front-door-in", {"finished": True}),
    ],
    ids=["in through the way out", "out through the way in", "a stay that has ended"],
)
def test_a_purpose_that_does_not_fit_the_passage_is_not_permitted(doors, purpose, reader, stay):
    doors.stay(**stay)
    doors.declare(purpose)
    assert denied(doors.tap("p0231", reader)) == "not_permitted"


def test_a_stay_that_is_not_there_is_neither_brought_nor_taken(doors):
    doors.declare("bring_in")
    assert denied(doors.tap("p0231")) == "not_permitted"


def test_one_door_of_a_sally_port_waits_for_the_other(doors):
    granted(doors.tap("p0231", "sally-a-in"))
    assert denied(doors.tap("p0231", "sally-b-in")) == "interlock"
    doors.contact("open", "sally-a")
    assert denied(doors.tap("p0231", "sally-b-in")) == "interlock"
    doors.contact("closed", "sally-a")
    assert denied(doors.tap("p0231", "sally-b-in")) == "interlock", "nobody knows yet where its bolt is"
    doors.wait(1)
    assert granted(doors.tap("p0231", "sally-b-in"))["door"] == "sally-b"


@pytest.mark.parametrize("state", ["fault", "unknown", "open"])
def test_a_door_of_a_sally_port_that_is_not_known_to_be_closed_counts_as_open(doors, state):
    doors.contact(state, "sally-a")
    assert denied(doors.tap("p0231", "sally-b-in")) == "interlock"


def test_nobody_is_let_in_unrecorded_but_everybody_may_leave(doors):
    doors.ledger(writable=False)
    told = doors.tap("p0231")
    assert denied(told) == "not_permitted" and told[0][1]["detail"] == "ledger_unwritable"
    assert granted(doors.tap("p0231", "front-door-out"))["direction"] == "out"
    doors.ledger(writable=True)
    assert granted(doors.tap("p0231"))["direction"] == "in"


def test_a_manager_may_open_from_afar(doors):
    assert doors.open_remotely("m0001") == [
        ("door.released", {"door": "front-door", "cause": "remote", "actor": "m0001"})
    ]
    assert doors.actions == [Unlock("front-door")]


@pytest.mark.parametrize(
    ("actor", "door", "reason"),
    [
        ("p0231", "front-door", "zone_manager"),
        ("hq", "front-door", "is no officer"),
        ("m0001", "side-door", "there is no door 'side-door'"),
    ],
)
def test_an_opening_from_afar_is_refused_with_the_reason(doors, actor, door, reason):
    ((type_, data),) = doors.open_remotely(actor, door)
    assert type_ == "command.refused" and reason in data["reason"] and data["actor"] == actor
    assert doors.actions == []


def test_an_opening_from_afar_obeys_the_interlock(doors):
    doors.tap("p0231", "sally-a-in")
    ((type_, data),) = doors.open_remotely("m0001", "sally-b")
    assert type_ == "command.refused" and "interlock" in data["reason"]


def test_a_button_opens_only_where_the_settings_say_so(doors):
    assert doors.press("front-door") == []
    ((type_, data),) = doors.press("hatch")
    assert type_ == "door.released" and data["by"] == "button" and data["actor"] is None
    assert doors.actions == [Unlock("hatch")]

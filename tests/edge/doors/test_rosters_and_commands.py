"""A roster from headquarters counts from its moment on, and headquarters' commands are answered with their ids."""

from config.roster import Roster
from devices.doors.lock import LockState
from edge.doors.facts import OpenRequested, RosterChanged

from .conftest import CARDS


def a_roster(*officers):
    tables = [
        {"name": "x", "rank": "police", "sex": "m", "roles": ["case_officer"], **officer} for officer in officers
    ]
    return RosterChanged(Roster.model_validate({"version": 1, "officer": tables}))


def reasons(told):
    return [data.get("reason") for _, data in told]


def test_a_card_that_the_new_roster_has_opens_and_one_that_it_has_not_opens_no_more(doors):
    assert doors.tell(a_roster({"id": "n0001", "card": "BEEF"})) == []
    assert reasons(doors.tap("p0231")) == ["unknown_card"]
    ((type_, data),) = doors.tap("beef")
    assert (type_, data["officer"]["id"]) == ("door.granted", "n0001")


def test_what_the_new_roster_takes_away_is_taken_at_once(doors):
    card = CARDS["p0231"]
    doors.tell(a_roster({"id": "p0231", "card": card, "active": False}))
    assert reasons(doors.tap("p0231")) == ["not_active"]
    doors.tell(a_roster({"id": "p0231", "card": card, "roles": []}))
    assert reasons(doors.tap("p0231")) == ["not_permitted"]
    doors.tell(a_roster({"id": "p0231", "card": card, "valid_until": "2026-11-23T03:00:00+00:00"}))
    assert reasons(doors.tap("p0231")) == ["expired"]


def test_a_door_that_was_opened_before_a_roster_came_is_relocked_in_time(doors):
    doors.tap("p0231")
    assert doors.door().commanded is LockState.UNLOCKED
    doors.tell(a_roster({"id": "n0001", "card": "BEEF"}))
    assert doors.door().commanded is LockState.UNLOCKED
    doors.wait(30)
    assert doors.door().commanded is LockState.LOCKED


def test_what_was_declared_by_who_is_no_officer_any_more_is_void(doors):
    doors.stay(awaited=True)
    doors.declare("bring_in")
    doors.tell(a_roster({"id": "n0001", "card": "BEEF"}))
    assert doors.state.passages == {}


def test_an_opening_by_right_needs_no_officer_and_its_answer_has_the_commands_id(doors):
    ((type_, data),) = doors.tell(OpenRequested("front-door", "hq-duty", True, "c-1"))
    assert (type_, data["actor"], data["command"]) == ("door.released", "hq-duty", "c-1")


def test_an_opening_without_right_is_refused_with_the_commands_id(doors):
    ((type_, data),) = doors.tell(OpenRequested("front-door", "hq-duty", False, "c-2"))
    assert (type_, data["command"], data["id"]) == ("command.refused", "open", "c-2")
    assert "no officer of this zone" in data["reason"]


def test_an_opening_by_right_still_waits_for_the_interlock(doors):
    doors.contact("open", "sally-a")
    ((type_, data),) = doors.tell(OpenRequested("sally-b", "hq-duty", True, "c-3"))
    assert type_ == "command.refused" and "interlock" in data["reason"]

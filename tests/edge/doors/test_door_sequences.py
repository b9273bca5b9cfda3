"""What a door does after it was opened, or was not: each line that follows."""

import pytest

from custody.events import DoorPart
from devices.doors.contact import ContactState
from devices.doors.lock import LockState
from devices.readers.reader import Feedback
from edge.doors.facts import Lock, LockReported, ReadLock, Show, Unlock
from edge.doors.leaf import TAKEN_GRACE_S, Phase


def types(told):
    return [type_ for type_, _ in told]


def test_a_passage_is_granted_opened_closed_and_locked_behind(doors):
    assert types(doors.tap("p0231")) == ["door.granted"]
    doors.wait(2)
    assert types(doors.contact("open")) == ["door.opened"]
    assert doors.door().phase is Phase.OPEN
    doors.wait(1)
    assert types(doors.contact("closed")) == ["door.closed"]
    assert doors.actions[-1] == Lock("front-door")
    assert (doors.door().phase, doors.door().commanded) == (Phase.SECURE, LockState.LOCKED)
    assert types(doors.wait(600)) == []


def test_a_door_is_locked_again_at_the_end_of_its_time_though_it_stands_open(doors):
    doors.tap("p0231")
    doors.contact("open")
    doors.wait(4.9)
    assert Lock("front-door") not in doors.actions
    doors.wait(0.2)
    assert Lock("front-door") in doors.actions and doors.door().phase is Phase.OPEN


def test_a_granted_door_that_nobody_opens_is_locked_and_not_taken(doors):
    doors.tap("p0231")
    told = doors.wait(5.0)
    assert told == [] and doors.actions[-1] == Lock("front-door")
    assert doors.wait(TAKEN_GRACE_S) == [("door.not_taken", {"door": "front-door"})]
    assert doors.door().phase is Phase.SECURE


def test_a_leaf_pulled_in_the_last_moment_is_a_passage_not_a_break_in(doors):
    doors.tap("p0231")
    doors.wait(5.0 + TAKEN_GRACE_S / 2)
    assert types(doors.contact("open")) == ["door.opened"]


def test_a_door_that_opens_without_anybody_let_through_is_forced(doors):
    assert types(doors.contact("open")) == ["door.opened", "door.forced"]
    assert doors.door().phase is Phase.FORCED
    assert types(doors.wait(3600)) == []
    assert types(doors.contact("closed")) == ["door.closed"]
    assert doors.door().phase is Phase.SECURE


def test_a_second_opening_after_a_passage_is_forced(doors):
    doors.tap("p0231")
    doors.contact("open")
    doors.contact("closed")
    assert types(doors.contact("open")) == ["door.opened", "door.forced"]


def test_a_door_held_open_is_told_once_with_its_seconds(doors):
    doors.tap("p0231")
    doors.contact("open")
    assert doors.wait(29.9) == []
    assert doors.wait(0.2) == [("door.held", {"door": "front-door", "seconds": 30.0})]
    assert doors.wait(3600) == []
    assert types(doors.contact("closed")) == ["door.closed"]


def test_another_card_while_it_stands_open_begins_the_holding_time_anew(doors):
    doors.tap("p0231")
    doors.contact("open")
    doors.wait(20)
    assert types(doors.tap("p0232")) == ["door.granted"]
    assert doors.wait(25) == []
    assert types(doors.wait(6)) == ["door.held"]


def test_a_release_that_nobody_uses_is_no_line(doors):
    doors.open_remotely("m0001")
    assert types(doors.wait(60)) == [] and doors.door().phase is Phase.SECURE


def test_a_released_door_that_opens_is_not_forced(doors):
    doors.open_remotely("m0001")
    assert types(doors.contact("open")) == ["door.opened"]


def test_the_first_word_of_a_contact_is_told_and_accuses_nobody(fresh_doors):
    assert types(fresh_doors.contact("open")) == ["door.opened"]
    assert fresh_doors.door().phase is Phase.OPEN
    assert types(fresh_doors.wait(31)) == ["door.held"]


def test_a_broken_contact_is_a_fault_and_says_nothing_of_the_leaf(doors):
    ((type_, data),) = doors.contact("fault")
    assert type_ == "door.fault" and (data["part"], data["state"]) == ("contact", "fault")
    assert doors.door().phase is Phase.UNSEEN
    doors.tap("p0231")
    assert types(doors.wait(60)) == [], "nobody knows whether it was taken"
    assert doors.door().phase is Phase.UNSEEN


def test_a_mended_contact_is_restored_and_accuses_nobody(doors):
    doors.contact("fault")
    assert types(doors.contact("open")) == ["door.fault", "door.opened"]
    assert doors.drafts[-2].data["state"] == "restored" and doors.door().faults == frozenset()


def test_a_contact_that_breaks_while_held_ends_the_holding(doors):
    doors.tap("p0231")
    doors.contact("open")
    doors.contact("fault")
    assert types(doors.wait(3600)) == []


def test_a_door_without_a_contact_is_secure_again_after_its_time(doors):
    doors.tap("m0001", "hatch-in")
    assert types(doors.wait(60)) == []
    assert doors.door("hatch").phase is Phase.SECURE and Lock("hatch") in doors.actions


def test_the_same_word_of_a_contact_twice_is_told_once(doors):
    assert doors.contact("closed") == []


def test_the_lock_is_asked_where_it_is_after_each_command(doors):
    doors.tap("p0231")
    doors.wait(1)
    assert ReadLock("front-door") in doors.actions


def test_a_bolt_that_stays_open_is_a_fault_and_locked_again_and_again_until_it_obeys(doors):
    doors.tap("p0231")
    doors.wait(5)
    ((type_, data),) = doors.lock_measures(LockState.UNLOCKED)
    assert type_ == "door.fault" and data["part"] == "lock" and "measures unlocked" in data["detail"]
    doors.actions.clear()
    doors.wait(2)
    assert doors.actions == [Lock("front-door"), ReadLock("front-door")]
    assert doors.lock_measures(LockState.UNLOCKED) == [], "told once"
    doors.wait(2)
    ((type_, data),) = doors.lock_measures(LockState.LOCKED)
    assert (type_, data["state"]) == ("door.fault", "restored")
    doors.actions.clear()
    doors.wait(60)
    assert Lock("front-door") not in doors.actions


def test_a_bolt_that_is_turned_by_a_key_is_a_fault_at_once(doors):
    ((type_, data),) = doors.tell(LockReported("front-door", LockState.UNLOCKED, by_itself=True))
    assert (type_, data["part"]) == ("door.fault", "lock")


def test_a_bolt_that_still_travels_is_no_fault(doors):
    doors.tap("p0231")
    assert doors.tell(LockReported("front-door", LockState.LOCKED, by_itself=True)) == []
    assert doors.wait(0.5) == [] and ReadLock("front-door") in doors.actions
    ((type_, data),) = doors.lock_measures(LockState.LOCKED)
    assert (type_, data["part"]) == ("door.fault", "lock"), "by then it should have moved"


def test_a_lock_that_does_not_unlock_is_a_fault_and_is_not_unlocked_later(doors):
    doors.tap("p0231")
    doors.lock_measures(LockState.UNKNOWN, "its relay fails")
    doors.actions.clear()
    doors.wait(60)
    assert Unlock("front-door") not in doors.actions
    assert DoorPart.LOCK in doors.door().faults


def test_what_a_lock_was_told_is_never_taken_for_what_it_is(doors):
    assert doors.door().commanded is LockState.LOCKED
    assert doors.door().measured is LockState.UNKNOWN


@pytest.mark.parametrize("state", ["offline", "insecure"])
def test_a_reader_that_fails_is_a_fault_of_its_door_and_the_reason_is_kept(doors, state):
    ((type_, data),) = doors.reader(state)
    assert type_ == "door.fault" and data["part"] == "reader"
    assert "front-door-in" in data["detail"] and state in data["detail"]
    ((_, data),) = doors.reader("online")
    assert data["state"] == "restored"


def test_of_two_broken_readers_one_that_returns_does_not_mend_the_other(doors):
    doors.reader("offline", "front-door-in")
    doors.reader("offline", "front-door-out")
    ((_, data),) = doors.reader("online", "front-door-in")
    assert data["state"] == "fault" and "front-door-out" in data["detail"]
    ((_, data),) = doors.reader("online", "front-door-out")
    assert data["state"] == "restored"


def test_a_reader_that_comes_online_at_the_start_is_no_news(fresh_doors):
    assert fresh_doors.reader("online") == []


def test_facts_about_things_that_are_not_there_change_nothing(doors):
    before = doors.state
    doors.contact("open", "no-door")
    doors.press("no-door")
    doors.tap("p0231", "no-reader")
    doors.lock_measures(LockState.LOCKED, door="no-door")
    assert doors.state == before and doors.drafts == []
    assert doors.door().contact is ContactState.CLOSED


def test_the_readers_ask_to_close_a_door_before_it_is_held(doors):
    doors.tap("p0231")
    doors.contact("open")
    doors.wait(19.9)
    assert not any(isinstance(action, Show) and action.feedback is Feedback.CLOSE_DOOR for action in doors.actions)
    assert doors.wait(0.2) == []
    asked = [Show(f"front-door-{side}", Feedback.CLOSE_DOOR) for side in ("in", "out")]
    assert doors.actions[-2:] == asked
    assert types(doors.wait(10)) == ["door.held"]


def test_a_door_that_is_closed_in_time_asks_nobody(doors):
    doors.tap("p0231")
    doors.contact("open")
    doors.contact("closed")
    doors.wait(60)
    assert not any(isinstance(action, Show) and action.feedback is Feedback.CLOSE_DOOR for action in doors.actions)

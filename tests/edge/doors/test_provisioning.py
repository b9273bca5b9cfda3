"""A reader is given its key on a manager's word, and what came of it is on record."""

import pytest

from devices.readers.reader import Feedback
from edge.doors.facts import (
    PinPresented,
    Provision,
    ProvisionEnded,
    ProvisionRequested,
    ReaderReported,
    Show,
)

READER = "front-door-in"


def refusals(told):
    return [(data["command"], data["actor"], data["reason"]) for kind, data in told if kind == "command.refused"]


def test_a_manager_has_a_reader_given_its_key_and_its_return_is_told(doors):
    doors.reader("insecure")
    assert doors.tell(ProvisionRequested(READER, "m0001")) == []
    assert doors.actions[-1] == Provision(READER)

    told = doors.reader("online")
    doors.tell(ProvisionEnded(READER, True, "it took its key"))

    assert [(kind, data["part"], data["state"]) for kind, data in told] == [("door.fault", "reader", "restored")]
    assert not doors.state.provisioning


def test_a_reader_that_did_not_take_its_key_is_answered_to_whoever_asked(doors):
    doors.reader("insecure")
    doors.tell(ProvisionRequested(READER, "m0001"))
    told = doors.tell(ProvisionEnded(READER, False, "it has another key"))
    assert refusals(told) == [("provision", "m0001", "it has another key")]
    assert doors.tell(ProvisionEnded(READER, False, "it has another key")) == []


@pytest.mark.parametrize(
    ("actor", "reader", "reason"),
    [
        ("m0001", "back-door-in", "there is no reader 'back-door-in'"),
        ("hq", READER, "no officer of this zone"),
        ("p0231", READER, "has not the role zone_manager"),
        ("x0002", READER, "is refused: expired"),
    ],
)
def test_who_may_not_give_out_keys_is_refused_with_the_reason(doors, actor, reader, reason):
    told = doors.tell(ProvisionRequested(reader, actor))
    assert reason in refusals(told)[0][2]
    assert not doors.actions


@pytest.mark.parametrize("state", ["online", "unknown"])
def test_a_reader_that_was_not_found_without_its_key_is_given_none(doors, state):
    doors.reader(state)
    assert f"is {state}" in refusals(doors.tell(ProvisionRequested(READER, "m0001")))[0][2]
    assert not doors.actions


def test_a_key_is_given_out_once_at_a_time_and_never_unrecorded(doors):
    doors.reader("insecure")
    doors.reader("offline", "front-door-out")
    doors.tell(ProvisionRequested(READER, "m0001"))
    assert "as m0001 asked" in refusals(doors.tell(ProvisionRequested(READER, "m0001")))[0][2]
    doors.ledger(writable=False)
    told = doors.tell(ProvisionRequested("front-door-out", "m0001"))
    assert "ledger cannot be written" in refusals(told)[0][2]
    assert doors.actions.count(Provision("front-door-out")) == 0


def test_a_card_at_a_reader_that_is_being_given_its_key_opens_nothing(doors):
    doors.tell(ReaderReported(READER, doors.state.readers[READER].INSECURE, "it has no key"))
    doors.tell(ProvisionRequested(READER, "m0001"))
    assert doors.tap("p0231")[0][1]["reason"] == "reader_insecure"


def test_a_pin_alone_opens_nothing_and_whoever_keyed_it_in_sees_so(doors):
    assert doors.tell(PinPresented(READER, "4711")) == []
    assert doors.actions == [Show(READER, Feedback.DENIED)]


def test_no_log_shows_a_pin():
    assert "4711" not in repr(PinPresented(READER, "4711"))

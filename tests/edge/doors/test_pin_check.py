"""PINs are compared with real hashes, beside the doors' thread."""

import queue

import pytest
from pwdlib.hashers.argon2 import Argon2Hasher

from edge.doors.facts import PinVerdict, PinVerified, VerifyPin
from edge.doors.pin_check import WAITING_MAX, PinCheck

QUICK = Argon2Hasher(time_cost=1, memory_cost=64, parallelism=1)
HASH, DURESS = QUICK.hash("4711"), QUICK.hash("4712")
WITHIN_S = 60


@pytest.fixture
def told():
    return queue.Queue()


@pytest.fixture
def check(told):
    check = PinCheck(told.put)
    yield check
    check.stop()


def asked(pin, ticket=1, pin_hash=HASH, duress=DURESS):
    return VerifyPin("front-in", ticket, pin, pin_hash, duress)


@pytest.mark.parametrize(
    ("pin", "verdict"), [("4711", "right"), ("4712", "duress"), ("4713", "wrong"), ("", "wrong")]
)
def test_a_pin_is_what_its_hashes_say(check, told, pin, verdict):
    check.start()
    check.verify(asked(pin))
    assert told.get(timeout=WITHIN_S) == PinVerified("front-in", 1, PinVerdict(verdict))


def test_who_has_no_pin_for_duress_has_none(check):
    assert check.verdict(asked("4712", duress=None)) is PinVerdict.WRONG


def test_a_hash_that_cannot_be_read_gives_no_verdict_and_the_next_pin_is_compared(check, told, caplog):
    check.start()
    check.verify(asked("4711", 1, pin_hash="$argon2id$v=19$m=1,t=1,p=1$AAAA$AAAA"))
    check.verify(asked("4711", 2))
    assert told.get(timeout=WITHIN_S) == PinVerified("front-in", 2, PinVerdict.RIGHT)
    assert "could not be compared" in caplog.text and "4711" not in caplog.text


def test_more_than_can_be_compared_are_dropped_and_the_log_says_so(check, caplog):
    for ticket in range(WAITING_MAX + 1):
        check.verify(asked("4711", ticket))
    assert "front-in is dropped" in caplog.text and "4711" not in caplog.text

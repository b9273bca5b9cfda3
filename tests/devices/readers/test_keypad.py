import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.readers.keypad import PAUSE_S_MAX, PIN_DIGITS_MAX, Keypad
from devices.readers.reader import PinEntered

DIGITS = "0123456789"


def keyed(keys, pause_s=0.5):
    """The PINs that come of these keys, so long after one another."""
    keypad = Keypad("front-in")
    pins = [keypad.press(key, 100.0 + number * pause_s) for number, key in enumerate(keys)]
    return [pin for pin in pins if pin is not None]


@given(st.lists(st.text(DIGITS, min_size=1, max_size=PIN_DIGITS_MAX)))
def test_every_pin_comes_out_as_it_was_keyed_in(pins):
    assert keyed("".join(f"{pin}#" for pin in pins)) == pins


@pytest.mark.parametrize(
    ("keys", "pins"),
    [
        ("0012#", ["0012"]),
        ("12*34#", ["34"]),
        ("#", []),
        ("*#", []),
        ("12", []),
        ("1a2\n3#", ["123"]),
        ("1" * PIN_DIGITS_MAX + "#", ["1" * PIN_DIGITS_MAX]),
    ],
    ids=[
        "leading zeros",
        "cleared",
        "nothing",
        "cleared to nothing",
        "not ended",
        "no keys of a keypad",
        "longest",
    ],
)
def test_only_what_is_ended_counts(keys, pins):
    assert keyed(keys) == pins


@given(st.text(DIGITS, min_size=PIN_DIGITS_MAX + 1, max_size=200))
def test_what_is_too_long_is_no_pin_and_costs_the_next_nothing(digits):
    assert keyed(f"{digits}#42#") == ["42"]


def test_whoever_comes_after_a_pause_begins_anew():
    assert keyed("12#", pause_s=PAUSE_S_MAX) == ["12"]
    assert keyed("12#", pause_s=PAUSE_S_MAX + 0.1) == []


def test_no_log_shows_a_pin():
    keypad = Keypad("front-in")
    for key in "4711":
        keypad.press(key, 100.0)
    assert "4711" not in repr(keypad) and "4711" not in repr(PinEntered("front-in", "4711"))

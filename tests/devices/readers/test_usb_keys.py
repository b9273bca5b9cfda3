import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.readers.refused import Refused
from devices.readers.usb_keys import (
    EV_KEY,
    EV_SYN,
    EVENT,
    KEY_ENTER,
    KEYS,
    PAUSE_US_MAX,
    PRESSED,
    SYN_DROPPED,
    InputEvent,
    Typed,
    TypedDecoder,
)

CODES = {text: code for code, text in KEYS.items()}
HEX, DECIMAL = "0123456789ABCDEF", "0123456789"


def key(code, at_us, value=PRESSED):
    return InputEvent(at_us, EV_KEY, code, value)


def typed(text, *, writes="decimal", characters=10, bits=32, pause_us=8_000):
    """What is made of a text typed so fast; a line break is Enter."""
    decoder = TypedDecoder(writes=writes, characters=characters, bits=bits)
    told, now_us = [], 1_000_000
    for character in text:
        now_us += pause_us
        code = KEY_ENTER if character == "\n" else CODES.get(character, 183)
        told += [decoder.take(key(code, now_us)), decoder.take(key(code, now_us, 0))]
    return [one for one in told if one is not None]


@given(st.integers(0, 2**32 - 1))
def test_every_decimal_number_comes_out_as_its_bits(number):
    assert typed(f"{number:010d}\n") == [Typed(f"{number:08X}", 32)]


@given(st.text(HEX, min_size=8, max_size=8))
def test_every_hexadecimal_number_comes_out_as_it_was_typed(text):
    assert typed(f"{text}\n", writes="hexadecimal", characters=8) == [Typed(text, 32)]


@given(st.text(DECIMAL, min_size=10, max_size=10), st.integers(0, 9))
def test_a_lost_key_is_refused(text, place):
    assert all(isinstance(one, Refused) for one in typed(f"{text[:place]}{text[place + 1 :]}\n"))


@given(st.text(DECIMAL, max_size=300).filter(lambda text: len(text) not in (0, 10)))
def test_every_other_length_is_refused_and_costs_the_next_nothing(text):
    refused, number = typed(f"{text}\n0000000001\n")
    assert isinstance(refused, Refused) and number == Typed("00000001", 32)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("12345678F0\n", "no decimal number"),
        ("4294967296\n", "does not fit into 32 bits"),
        ("123456789?\n", "a key was typed that no number has"),
    ],
)
def test_what_is_no_number_is_refused(text, why):
    (refused,) = typed(text)
    assert why in refused.reason


def test_enter_alone_is_nothing():
    assert typed("\n\n") == []


def test_what_comes_after_a_pause_is_another_number():
    decoder = TypedDecoder(writes="decimal", characters=2, bits=8)
    first = [decoder.take(key(CODES["1"], 1_000_000))]
    late_us = 1_000_001 + PAUSE_US_MAX
    later = [decoder.take(key(code, late_us)) for code in (CODES["4"], CODES["2"], KEY_ENTER)]
    assert first == [None] and isinstance(later[0], Refused) and later[1:] == [None, Typed("2A", 8)]


def test_keys_that_the_kernel_lost_spoil_their_number_and_no_other():
    decoder = TypedDecoder(writes="decimal", characters=2, bits=8)
    events = [
        key(CODES["4"], 1),
        InputEvent(2, EV_SYN, SYN_DROPPED, 0),
        key(CODES["2"], 3),
        key(KEY_ENTER, 4),
        key(CODES["4"], 5),
        key(CODES["2"], 6),
        key(KEY_ENTER, 7),
    ]
    told = [one for one in map(decoder.take, events) if one is not None]
    assert isinstance(told[0], Refused) and told[1] == Typed("2A", 8)


def test_a_key_that_repeats_or_is_released_is_no_other_key_and_shift_is_none():
    decoder = TypedDecoder(writes="hexadecimal", characters=1, bits=4)
    events = [key(42, 1), key(CODES["A"], 2), key(CODES["A"], 3, 2), key(CODES["A"], 4, 0), key(KEY_ENTER, 5)]
    assert [one for one in map(decoder.take, events) if one is not None] == [Typed("A", 4)]


def test_the_digits_of_the_keypad_are_the_same_digits():
    decoder = TypedDecoder(writes="decimal", characters=10, bits=40)
    codes = [82, 79, 80, 81, 75, 76, 77, 71, 72, 73, 96]
    told = [decoder.take(key(code, number)) for number, code in enumerate(codes)]
    assert told[-1] == Typed(f"{123456789:010X}", 40)


def test_an_event_is_read_as_the_kernel_writes_it():
    assert InputEvent.unpack(EVENT.pack(12, 345678, 1, 28, -1)) == InputEvent(12_345_678, 1, 28, -1)

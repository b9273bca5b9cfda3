"""The Wiegand code, checked against tables of its own: what each parity bit covers, as card makers print it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.readers.refused import Refused
from devices.readers.wiegand import (
    BIT_NS_MIN,
    BITS_MAX,
    SILENCE_NS,
    CardFrame,
    KeyFrame,
    WiegandDecoder,
    as_bytes,
    card_bits,
    key_bits,
)

FORMATS = (26, 34, 37)
APART_NS = 2_000_000
EVEN = {26: range(0, 13), 34: range(0, 17), 37: range(0, 19)}
ODD = {26: range(13, 26), 34: range(17, 34), 37: range(18, 37)}
formats = st.sampled_from(FORMATS)


@st.composite
def cards(draw):
    """A format and what a card of it says."""
    size = draw(formats)
    return size, draw(st.lists(st.integers(0, 1), min_size=size - 2, max_size=size - 2))


def heard(bits, size=26, keys=None, apart_ns=APART_NS):
    """What is made of these bits when nothing follows."""
    decoder = WiegandDecoder(size, keys)
    for number, bit in enumerate(bits):
        assert decoder.pulse(bit, number * apart_ns) is None
    return decoder.silence()


@given(cards())
def test_every_card_comes_out_as_it_went_in(card):
    size, payload = card
    bits = card_bits(payload)
    assert bits[1:-1] == payload
    assert heard(bits, size) == CardFrame(size, as_bytes(bits))


@given(formats, st.data())
def test_what_is_no_card_by_the_printed_tables_is_never_taken_for_one(size, data):
    bits = data.draw(st.lists(st.integers(0, 1), min_size=size, max_size=size))
    right = sum(bits[i] for i in EVEN[size]) % 2 == 0 and sum(bits[i] for i in ODD[size]) % 2 == 1
    assert isinstance(heard(bits, size), CardFrame if right else Refused)


@pytest.mark.parametrize(
    ("size", "payload", "first", "last"),
    [(26, "D41B81", 1, 0), (34, "89D41B81", 1, 1)],
)
def test_the_examples_of_a_makers_manual(size, payload, first, last):
    data = [int(bit) for bit in f"{int(payload, 16):0{size - 2}b}"]
    assert card_bits(data) == [first, *data, last]


@given(cards(), st.data())
def test_one_wrong_bit_is_refused_wherever_it_is(card, data):
    size, payload = card
    bits = card_bits(payload)
    bits[data.draw(st.integers(0, size - 1))] ^= 1
    assert isinstance(heard(bits, size), Refused)


@given(cards(), st.data())
def test_a_lost_bit_is_refused_wherever_it_was(card, data):
    size, payload = card
    bits = card_bits(payload)
    del bits[data.draw(st.integers(0, size - 1))]
    assert isinstance(heard(bits, size), Refused)


@given(cards(), st.data())
def test_a_bit_too_many_is_refused_wherever_it_is(card, data):
    size, payload = card
    bits = card_bits(payload)
    bits.insert(data.draw(st.integers(0, size)), data.draw(st.integers(0, 1)))
    assert isinstance(heard(bits, size), Refused)


@given(cards())
def test_a_card_of_another_format_is_refused(card):
    size, payload = card
    for other in FORMATS:
        if other != size:
            assert isinstance(heard(card_bits(payload), other), Refused)


@given(st.lists(st.integers(0, 1), max_size=200).filter(lambda bits: len(bits) not in (4, 26)))
def test_any_other_number_of_bits_is_refused_and_silence_alone_is_nothing(bits):
    assert isinstance(heard(bits, 26, keys=4), Refused) or not bits


def test_however_long_a_frame_is_it_takes_no_more_room():
    decoder = WiegandDecoder(26, None)
    for number in range(100_000):
        decoder.pulse(1, number * APART_NS)
    assert len(decoder._bits) == BITS_MAX + 1
    assert f"{BITS_MAX + 1} or more bits" in decoder.silence().reason


@pytest.mark.parametrize("bits", [4, 8])
@pytest.mark.parametrize("key", "0123456789*#")
def test_every_key_comes_out_as_it_was_pressed(bits, key):
    assert heard(key_bits(key, bits), keys=bits) == KeyFrame(key)


def test_the_keys_as_a_makers_manual_prints_them():
    assert key_bits("6", 8) == [1, 0, 0, 1, 0, 1, 1, 0] and key_bits("*", 8) == [0, 1, 0, 1, 1, 0, 1, 0]
    assert key_bits("#", 4) == [1, 0, 1, 1]


@pytest.mark.parametrize("place", range(8))
@pytest.mark.parametrize("key", "0123456789*#")
def test_a_key_of_eight_bits_with_one_wrong_is_refused(key, place):
    bits = key_bits(key, 8)
    bits[place] ^= 1
    assert isinstance(heard(bits, keys=8), Refused)


def test_keys_that_no_keypad_has_and_keys_of_a_reader_without_a_keypad_are_refused():
    assert isinstance(heard([1, 1, 0, 0], keys=4), Refused)
    assert isinstance(heard(key_bits("1", 4), keys=None), Refused)
    assert isinstance(heard(key_bits("1", 8), keys=4), Refused)


def test_pulses_too_close_to_be_bits_spoil_their_frame_and_no_other():
    bits = card_bits([0, 1] * 12)
    assert isinstance(heard(bits, apart_ns=BIT_NS_MIN), CardFrame)
    assert isinstance(heard(bits, apart_ns=BIT_NS_MIN - 1), Refused)

    decoder = WiegandDecoder(26, None)
    decoder.pulse(0, 0)
    decoder.pulse(1, BIT_NS_MIN // 2)
    told = [decoder.pulse(bit, SILENCE_NS * 2 + number * APART_NS) for number, bit in enumerate(bits)]
    assert isinstance(told[0], Refused) and isinstance(decoder.silence(), CardFrame)


def test_times_that_run_backwards_spoil_their_frame():
    decoder = WiegandDecoder(26, None)
    for number, bit in enumerate(card_bits([0, 1] * 12)):
        decoder.pulse(bit, -number * APART_NS)
    assert isinstance(decoder.silence(), Refused)


@given(st.lists(cards().map(lambda card: card_bits(card[1])), max_size=5))
def test_frames_are_parted_by_the_silence_between_them(frames):
    decoder, now_ns, told = WiegandDecoder(26, None), 0, []
    for frame in frames:
        now_ns += SILENCE_NS
        for bit in frame:
            told.append(decoder.pulse(bit, now_ns))
            now_ns += APART_NS
    told = [frame for frame in [*told, decoder.silence()] if frame is not None]
    assert [type(frame) for frame in told] == [CardFrame if len(frame) == 26 else Refused for frame in frames]


def test_what_is_refused_shows_none_of_its_bits():
    for bits in ([1, 1, 0, 0], [1, 0, 1, 1, 0], card_bits([1] * 24)[:-1]):
        assert "".join(map(str, bits)) not in heard(bits, keys=4).reason

import pytest

from devices.readers.reader import card_number


@pytest.mark.parametrize(
    ("bits", "data", "number"),
    [
        (32, "DEADBEEF", "DEADBEEF"),
        (26, "12345640", "048D159"),
        (26, "00000040", "0000001"),
        (4, "A0", "A"),
        (37, "8000000008", "1000000001"),
        (8, "0FFF", "0F"),
    ],
)
def test_a_number_is_the_bits_in_hexadecimal_with_its_leading_zeros(bits, data, number):
    assert card_number(bits, bytes.fromhex(data)) == number


@pytest.mark.parametrize(("bits", "data"), [(0, "00"), (-1, "00"), (9, "00"), (26, "")])
def test_bits_that_are_not_there_are_never_guessed(bits, data):
    with pytest.raises(ValueError, match="cannot hold a card"):
        card_number(bits, bytes.fromhex(data))

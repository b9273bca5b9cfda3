"""The Wiegand code: from the pulses on its two lines to a card or a key; pure.

A pulse on D0 is a 0, one on D1 is a 1; a frame ends with silence. The code has no check but its length and its
parities, so nothing is guessed: a frame is exactly what is declared, or it is refused. The whole frame, with its
parities and leading zeros, is the card's number, as an OSDP reader sends it too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from .refused import Refused

CardBits = Literal[26, 34, 37]
KeyBits = Literal[4, 8]

BIT_NS_MIN = 100_000
"""Pulses of a reader are at least 200 µs apart; what is closer is noise or bounces."""
SILENCE_NS = 25_000_000
"""The longest pause within a frame is 20 ms."""
BITS_MAX = 64
"""Of a longer frame no more is kept than that it is too long."""

_KEYS = "0123456789*#"


@dataclass(frozen=True)
class CardFrame:
    """A whole frame with both parities right. ``data`` holds its bits, the first in the highest bit."""

    bits: int
    data: bytes


@dataclass(frozen=True)
class KeyFrame:
    """One of the keys ``0`` to ``9``, ``*`` and ``#``."""

    key: str


Heard = CardFrame | KeyFrame | Refused


class WiegandDecoder:
    """Gathers pulses to frames. ``keys`` is None where the reader has no keypad."""

    def __init__(self, card: CardBits, keys: KeyBits | None) -> None:
        self._card = card
        self._keys = keys
        self._bits: list[int] = []
        self._last_ns = 0
        self._spoiled: str | None = None

    def pulse(self, bit: int, at_ns: int) -> Heard | None:
        """A pulse, with the kernel's time of it. Returns the frame that its silence before has ended, or None."""
        ended = None
        if self._bits:
            apart_ns = at_ns - self._last_ns
            if apart_ns >= SILENCE_NS:
                ended = self.silence()
            elif apart_ns < BIT_NS_MIN:
                self._spoiled = f"two pulses were {apart_ns / 1000:.0f} µs apart, less than {BIT_NS_MIN // 1000}"
        self._last_ns = at_ns
        if len(self._bits) <= BITS_MAX:
            self._bits.append(bit)
        return ended

    def silence(self) -> Heard | None:
        """Nothing came for at least ``SILENCE_NS``: what came before is a frame. None if nothing did."""
        bits, self._bits = self._bits, []
        spoiled, self._spoiled = self._spoiled, None
        if not bits:
            return None
        if spoiled is not None:
            return Refused(spoiled)
        if len(bits) == self._card:
            return _card(bits)
        if len(bits) == self._keys:
            return _key(bits)
        keys = "" if self._keys is None else f" or {self._keys}"
        more = " or more" if len(bits) > BITS_MAX else ""
        return Refused(f"{len(bits)}{more} bits came where there are {self._card}{keys}")


def _halves(bits: Sequence[int]) -> tuple[Sequence[int], Sequence[int]]:
    """What each parity bit covers, itself included: the first half evenly, the last half oddly. Of an odd number
    of bits the one in the middle belongs to both (the 37 bits of HID's H10302 and H10304).
    """
    half = (len(bits) + 1) // 2
    return bits[:half], bits[-half:]


def _card(bits: list[int]) -> CardFrame | Refused:
    first, last = _halves(bits)
    if sum(first) % 2 != 0:
        return Refused(f"{len(bits)} bits came with a wrong first parity")
    if sum(last) % 2 != 1:
        return Refused(f"{len(bits)} bits came with a wrong last parity")
    return CardFrame(len(bits), as_bytes(bits))


def _key(bits: list[int]) -> KeyFrame | Refused:
    """4 bits are the key's number; 8 are its complement and its number."""
    value = int("".join(map(str, bits)), 2)
    number = value & 0xF
    if len(bits) == 8 and value >> 4 != number ^ 0xF:
        return Refused("a key came whose two halves contradict each other")
    if number >= len(_KEYS):
        return Refused("a key came that no keypad has")
    return KeyFrame(_KEYS[number])


def as_bytes(bits: Sequence[int]) -> bytes:
    """The bits in bytes, the first in the highest bit of the first, filled up with zeros at the end."""
    size = (len(bits) + 7) // 8
    value = int("".join(map(str, bits)), 2) << (size * 8 - len(bits))
    return value.to_bytes(size, "big")


def card_bits(payload: Sequence[int]) -> list[int]:
    """A card's frame around what it says (24, 32 or 35 bits): what a reader sends for it."""
    first, last = _halves([0, *payload, 0])
    return [sum(first) % 2, *payload, 1 - sum(last) % 2]


def key_bits(key: str, bits: KeyBits) -> list[int]:
    """What a keypad sends for one of its keys."""
    number = _KEYS.index(key)
    value = number if bits == 4 else (number ^ 0xF) << 4 | number
    return [value >> place & 1 for place in reversed(range(bits))]

"""What a USB reader types, as the kernel's input events say it, to a card; pure.

Such a reader is a keyboard: it types a card's number and Enter. Nothing tells a lost key from one that was never
pressed, so how many characters a number has is declared, and anything else is refused.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Literal

from .refused import Refused

EVENT = struct.Struct("@LLHHi")
"""The kernel's ``struct input_event``: seconds and microseconds, type, code, value (linux/input.h)."""
EV_SYN, EV_KEY = 0, 1
SYN_DROPPED = 3
PRESSED = 1
KEY_ENTER, KEY_KPENTER = 28, 96
ENTERS = frozenset({KEY_ENTER, KEY_KPENTER})
SHIFTS = frozenset({42, 54, 58, 69})
"""Shift, Caps Lock and Num Lock: a letter is the same letter with or without them."""
PAUSE_US_MAX = 500_000
"""A reader types without pauses; what follows one is another number."""

Writes = Literal["hexadecimal", "decimal"]

KEYS: dict[int, str] = {
    **{2 + place: digit for place, digit in enumerate("1234567890")},
    **{16 + place: letter for place, letter in enumerate("QWERTYUIOP")},
    **{30 + place: letter for place, letter in enumerate("ASDFGHJKL")},
    **{44 + place: letter for place, letter in enumerate("ZXCVBNM")},
    **dict(zip((82, 79, 80, 81, 75, 76, 77, 71, 72, 73), "0123456789", strict=True)),
}
"""Key codes (linux/input-event-codes.h) of the digits, also on the keypad, and the letters."""
_DIGITS = {"hexadecimal": (16, frozenset("0123456789ABCDEF")), "decimal": (10, frozenset("0123456789"))}


@dataclass(frozen=True)
class Typed:
    """A card's number as its bits in hexadecimal, padded to ``bits``."""

    number: str
    bits: int


@dataclass(frozen=True)
class InputEvent:
    at_us: int
    type: int
    code: int
    value: int

    @classmethod
    def unpack(cls, raw: bytes) -> InputEvent:
        """From exactly ``EVENT.size`` bytes."""
        seconds, micros, kind, code, value = EVENT.unpack(raw)
        return cls(seconds * 1_000_000 + micros, kind, code, value)


class TypedDecoder:
    """Gathers keys to a number of exactly ``characters`` characters that fits into ``bits`` bits."""

    def __init__(self, *, writes: Writes, characters: int, bits: int) -> None:
        self._base, self._allowed = _DIGITS[writes]
        self._writes = writes
        self._characters = characters
        self._bits = bits
        self._text = ""
        self._last_us = 0
        self._spoiled: str | None = None

    def take(self, event: InputEvent) -> Typed | Refused | None:
        """An event; returns what it ends: a number, or what is none."""
        if event.type == EV_SYN and event.code == SYN_DROPPED:
            self._spoiled = "keys were lost before they were read"
            return None
        if event.type != EV_KEY or event.value != PRESSED or event.code in SHIFTS:
            return None
        broken_off = self._after_a_pause(event.at_us)
        if event.code in ENTERS:
            return broken_off or self._end()
        if event.code not in KEYS:
            self._spoiled = f"a key was typed that no number has (code {event.code})"
        # One character too many is kept to know it, and no more than that.
        self._text = (self._text + KEYS.get(event.code, "?"))[: self._characters + 1]
        return broken_off

    def _after_a_pause(self, at_us: int) -> Refused | None:
        apart_us, self._last_us = at_us - self._last_us, at_us
        if not self._text or 0 <= apart_us <= PAUSE_US_MAX:
            return None
        self._spoiled = f"it was broken off after {len(self._text)} characters"
        ended = self._end()
        assert isinstance(ended, Refused)
        return ended

    def _end(self) -> Typed | Refused | None:
        text, self._text = self._text, ""
        spoiled, self._spoiled = self._spoiled, None
        if spoiled is not None:
            return Refused(spoiled)
        if not text:
            return None
        if len(text) != self._characters:
            more = " or more" if len(text) > self._characters else ""
            return Refused(f"{len(text)}{more} characters were typed where a number has {self._characters}")
        if not set(text) <= self._allowed:
            return Refused(f"characters were typed that no {self._writes} number has")
        value = int(text, self._base)
        if value >> self._bits:
            return Refused(f"a number was typed that does not fit into {self._bits} bits")
        return Typed(f"{value:0{(self._bits + 3) // 4}X}", self._bits)

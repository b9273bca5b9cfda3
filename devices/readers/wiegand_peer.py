"""The twin of a Wiegand reader: two lines that pulse as a reader's do, with times as the kernel stamps them."""

from __future__ import annotations

from collections.abc import Sequence

from config.clock import Clock

from .wiegand import KeyBits, card_bits, key_bits
from .wiegand_reader import OnPulse

APART_NS = 2_000_000
BETWEEN_FRAMES_NS = 200_000_000


class WiegandPeer:
    """``present`` cards and ``press`` keys; ``send`` puts any bits on the lines."""

    def __init__(self, clock: Clock, *, keys: KeyBits = 4) -> None:
        self._clock = clock
        self._keys = keys
        self._on_pulse: OnPulse | None = None
        self._now_ns = 0

    def listen(self, on_pulse: OnPulse) -> None:
        self._on_pulse = on_pulse

    def beaten_s(self) -> float:
        return self._clock.boottime_s()

    def close(self) -> None:
        self._on_pulse = None

    def present(self, payload: Sequence[int]) -> None:
        """A card that says these 24, 32 or 35 bits; its parities are added."""
        self.send(card_bits(payload))

    def press(self, keys: str) -> None:
        for key in keys:
            self.send(key_bits(key, self._keys))

    def send(self, bits: Sequence[int], *, apart_ns: int = APART_NS) -> None:
        on_pulse = self._on_pulse
        self._now_ns += BETWEEN_FRAMES_NS
        for bit in bits:
            self._now_ns += apart_ns
            if on_pulse is not None:
                on_pulse(bit, self._now_ns)

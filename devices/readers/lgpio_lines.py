"""Two GPIO lines whose falling edges are pulses, through lgpio itself."""

from __future__ import annotations

from typing import Any

import lgpio

from ..errors import PinUnavailable
from ..lgpio_canary import Canary
from .wiegand_reader import OnPulse


class LgpioLines:
    """D0 and D1 of one reader. ``factory`` is the process's ``SteadyLGPIOFactory``: a chip is opened once.

    Raises ``PinUnavailable``.
    """

    def __init__(self, reader: str, *, d0: int, d1: int, factory: Any, canary: Canary) -> None:
        self._handle = factory._handle
        self._canary = canary
        self._lines = {d0: 0, d1: 1}
        self._callbacks: list[Any] = []
        for pin in self._lines:
            try:
                lgpio.gpio_claim_alert(self._handle, pin, lgpio.FALLING_EDGE, lgpio.SET_PULL_UP)
            except Exception as error:
                raise PinUnavailable(pin, f"reader {reader}", error) from error

    def listen(self, on_pulse: OnPulse) -> None:
        def take(chip: int, line: int, level: int, at_ns: int) -> None:
            on_pulse(self._lines[line], at_ns)

        self._callbacks = [lgpio.callback(self._handle, pin, lgpio.FALLING_EDGE, take) for pin in self._lines]

    def beaten_s(self) -> float:
        return self._canary.beaten_s()

    def close(self) -> None:
        """The lines themselves are let go with their chip."""
        for callback in self._callbacks:
            callback.cancel()

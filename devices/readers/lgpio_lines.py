"""Two GPIO lines whose falling edges are pulses, through lgpio itself; and a canary in lgpio's one thread.

lgpio calls back for all lines of the process on a single thread that ends, in silence, with the first exception
that any callback lets out. The canary is a message that is put into the pipe which that thread reads, twice a
second: when its own callback is no longer called, no pulse would be either.
"""

from __future__ import annotations

import os
import struct
import threading
from typing import Any

import lgpio

from config.clock import Clock

from ..errors import PinUnavailable
from .wiegand_reader import OnPulse

CANARY_S = 0.5
_CANARY_CHIP = _CANARY_LINE = 255
"""No machine has so many; lgpio hands a message on by these two numbers alone."""
_MESSAGE = struct.Struct("QBBBBI")
"""lgpio's report of an edge: time in ns, chip, line, level, flags, padding."""


class Canary:
    """Shows whether lgpio's thread still turns."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._beaten_s = clock.boottime_s()
        self._stopping = threading.Event()
        # Its own name is relative to the working directory at the time of lgpio's import.
        pipe = f"/proc/self/fd/{lgpio._notify_thread._file.fileno()}"
        self._pipe = os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)
        self._callback = lgpio.callback(_CANARY_CHIP << 16, _CANARY_LINE, lgpio.FALLING_EDGE, self._sing)
        self._thread = threading.Thread(target=self._run, name="gpio-canary", daemon=True)
        self._thread.start()

    def beaten_s(self) -> float:
        return self._beaten_s

    def close(self) -> None:
        self._stopping.set()
        self._thread.join()
        self._callback.cancel()
        os.close(self._pipe)

    def _sing(self, chip: int, line: int, level: int, at_ns: int) -> None:
        self._beaten_s = self._clock.boottime_s()

    def _run(self) -> None:
        while not self._stopping.wait(CANARY_S):
            try:
                os.write(self._pipe, _MESSAGE.pack(0, _CANARY_CHIP, _CANARY_LINE, 0, 0, 0))
            except OSError:
                # The pipe is full or closed: nobody reads it, which is what the missing beat says.
                continue


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

"""A canary in lgpio's one thread.

lgpio calls back for all lines of the process on a single thread that ends, in silence, with the first exception
that any callback lets out. The canary is a message that is put into the pipe which that thread reads, twice a
second: when its own callback is no longer called, no edge of any line is reported either.
"""

from __future__ import annotations

import os
import struct
import threading

import lgpio

from config.clock import Clock

CANARY_S = 0.5
_CANARY_CHIP = _CANARY_LINE = 255
"""No machine has so many; lgpio hands a message on by these two numbers alone."""
_MESSAGE = struct.Struct("QBBBBI")
"""lgpio's report of an edge: time in ns, chip, line, level, flags, padding."""


class Canary:
    """Shows whether lgpio's thread still turns."""

    name = "lgpio's thread, which reports every edge of a GPIO line,"

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

    def stalled(self, detail: str) -> None:
        """Contacts are read again, and readers tell it for themselves; of a button a short press is lost."""

    def resumed(self) -> None:
        """Nothing was told, so nothing is taken back."""

    def close(self) -> None:
        if self._stopping.is_set():
            return
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

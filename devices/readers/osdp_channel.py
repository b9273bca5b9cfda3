"""The RS-485 line of a reader bus, as libosdp wants it: a channel that never blocks and never raises.

It remembers when each reader was last heard, which is all that the supervision needs. OSDP frames (OSDP 2.2
section 5.9): a reply starts with 0x53 and the reader's address with the highest bit set.
"""

from __future__ import annotations

import logging
import os
import termios
from collections.abc import Callable
from pathlib import Path

import serial
from osdp import Channel

from config.clock import Clock

log = logging.getLogger(__name__)

START_OF_MESSAGE = 0x53
REPLY_BIT = 0x80
REOPEN_S = 2.0


class SerialChannel(Channel):  # type: ignore[misc]
    """One serial port. A port that is missing or goes away is tried again every ``REOPEN_S``."""

    def __init__(self, port: Path, baud: int, clock: Clock) -> None:
        super().__init__()
        self.port = port
        self.problem: str | None = None
        """Why the port cannot be used now; None while it can."""
        self._baud = baud
        self._clock = clock
        self._serial: serial.Serial | None = None
        self._reopen_at_s = 0.0
        self._heard_s: dict[int, float] = {}
        self._last_byte = 0

    def heard_s(self, address: int) -> float | None:
        """Boot time at which a reply of that reader was last seen, or None."""
        return self._heard_s.get(address)

    def keep_open(self) -> None:
        """Open the port if it is not open and it is time to try. Call it regularly."""
        now_s = self._clock.boottime_s()
        if self._serial is not None or now_s < self._reopen_at_s:
            return
        self._reopen_at_s = now_s + REOPEN_S
        try:
            # Timeout 0: a read that waits breaks the 200 ms within which OSDP answers.
            self._serial = serial.Serial(str(self.port), self._baud, timeout=0, exclusive=True)
        except (OSError, ValueError) as error:
            if self.problem is None:
                log.error(
                    "%s cannot be opened: %s; is the adapter plugged in, is this user in dialout?",
                    self.port,
                    error,
                )
            self.problem = f"its serial port {self.port} cannot be opened: {error}"
        else:
            self.problem = None
            log.info("%s is open at %d baud", self.port, self._baud)

    def read(self, max_bytes: int) -> bytes:
        if self._serial is None:
            return b""
        try:
            received = os.read(self._serial.fileno(), max_bytes)
        except BlockingIOError:
            return b""
        except OSError as error:
            self._lose(error)
            return b""
        self._listen(received)
        return received

    def write(self, buf: bytes) -> int:
        if self._serial is not None:
            try:
                # pyserial's own write spins for ever when the line takes nothing.
                os.write(self._serial.fileno(), buf)
            except BlockingIOError:
                # Nobody has read for long: old polls must not be the first thing that a new reader sees.
                self._drop(self._serial.reset_output_buffer)
            except OSError as error:
                self._lose(error)
        # A frame that was lost on the way is no error: its answer will be missing.
        return len(buf)

    def flush(self) -> None:
        """libosdp asks for old input to be dropped; what is on its way out must go."""
        if self._serial is not None:
            self._drop(self._serial.reset_input_buffer)

    def close(self) -> None:
        if self._serial is not None:
            self._serial.close()
            self._serial = None

    def _listen(self, received: bytes) -> None:
        for byte in received:
            if self._last_byte == START_OF_MESSAGE and byte & REPLY_BIT:
                self._heard_s[byte & ~REPLY_BIT] = self._clock.boottime_s()
            self._last_byte = byte

    def _drop(self, reset: Callable[[], None]) -> None:
        try:
            reset()
        except (OSError, termios.error) as error:
            # termios' own error is no OSError.
            self._lose(error)

    def _lose(self, error: Exception) -> None:
        log.error("%s is gone: %s; it is opened again as soon as it is back", self.port, error)
        self.problem = f"its serial port {self.port} is gone: {error}"
        self.close()

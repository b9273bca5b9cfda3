"""Comparing PINs with their hashes, on a thread of its own.

A hash is made to be slow: one of ``fourmusts central pin`` takes tens of milliseconds on a good machine, hundreds
on a small board, and a roster may ask for more. On the doors' own thread every other door would wait for it.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable

from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError

from .facts import Fact, PinVerdict, PinVerified, VerifyPin

log = logging.getLogger(__name__)

WAITING_MAX = 16
"""A reader asks for one at a time. Whoever is beyond that is told after a while that nothing came of it."""
STOP_REAL_S = 5.0
LOOK_REAL_S = 0.2
"""A stop is noticed at least this often."""


class PinCheck:
    """``verify`` may be called from any thread; ``take`` is called on the one that is started here."""

    def __init__(self, take: Callable[[Fact], None]) -> None:
        self._take = take
        self._hasher = PasswordHasher()
        self._waiting: queue.Queue[VerifyPin] = queue.Queue(WAITING_MAX)
        self._thread = threading.Thread(target=self._run, name="doors-pins", daemon=True)
        self._stopping = threading.Event()

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """What waits is given up, but for the one that is being compared."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(STOP_REAL_S)

    def verify(self, asked: VerifyPin) -> None:
        """Never blocks. ``PinVerified`` follows, save when too many wait or it cannot be compared at all."""
        try:
            self._waiting.put_nowait(asked)
        except queue.Full:
            log.critical("PINs come faster than they can be compared; the one at %s is dropped", asked.reader)

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                asked = self._waiting.get(timeout=LOOK_REAL_S)
            except queue.Empty:
                continue
            try:
                self._take(PinVerified(asked.reader, asked.ticket, self.verdict(asked)))
            except Exception:
                # No memory for it, or a hash that only looked like one: that is no wrong PIN.
                log.exception("the PIN keyed in at %s could not be compared", asked.reader)

    def verdict(self, asked: VerifyPin) -> PinVerdict:
        """Both hashes are always compared, so that nobody at the door can tell them apart by their time."""
        is_right = self._matches(asked.pin, asked.pin_hash)
        is_duress = asked.duress_pin_hash is not None and self._matches(asked.pin, asked.duress_pin_hash)
        if is_duress:
            return PinVerdict.DURESS
        return PinVerdict.RIGHT if is_right else PinVerdict.WRONG

    def _matches(self, pin: str, pin_hash: str) -> bool:
        try:
            return self._hasher.verify(pin_hash, pin)
        except VerifyMismatchError:
            return False

"""A second hand on every lock: what was unlocked is locked in time even while the doors' own thread hangs.

That thread writes to disk between two facts, and a disk may make it wait: ten seconds for another process that
holds the ledger, for ever when the card is dying. The deadline of a relock must not wait with it.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping

from config.clock import Clock
from config.service_manager import Stamp
from custody.events import PartId
from devices.doors.lock import Lock

log = logging.getLogger(__name__)

GRACE_REAL_S = 0.25
"""The doors' own thread locks on time, unless it hangs; so much later it is done for it."""
RETRY_S = 5.0
"""A lock that does not follow is told again after so long, if nobody else has done so."""
STOP_REAL_S = 1.0
STAMP_REAL_S = 1.0
"""It turns at least this often, so that whoever watches it sees that it does."""
LOOK_REAL_S = 0.02
"""A clock that runs fast, or is moved by hand, is looked at no more often than this."""


class Relocker:
    """Moves locks one way only. ``unlock`` and ``lock`` may be called from any thread."""

    def __init__(self, locks: Mapping[PartId, Lock], clock: Clock) -> None:
        self._locks = locks
        self._clock = clock
        self._due_s: dict[PartId, float] = {}
        self._changed = threading.Condition()
        self._stopping = False
        self._stamp = Stamp()
        self._thread = threading.Thread(target=self._run, name="doors-relock", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def beaten_s(self) -> float:
        """Boot time at which its thread was last seen to turn."""
        return self._stamp.beaten_s()

    def stop(self) -> None:
        """Nothing is locked by it any more; whoever stops it lets go of the locks."""
        with self._changed:
            self._stopping = True
            self._changed.notify()
        if self._thread.is_alive():
            self._thread.join(STOP_REAL_S)

    def unlock(self, door: PartId, relock_at_s: float | None) -> None:
        """Unlock; the deadline is armed before the lock moves. ``None``: a release, which has none until it is
        ended. Raises whatever the lock raises."""
        with self._changed:
            if relock_at_s is None:
                self._due_s.pop(door, None)
            else:
                self._due_s[door] = relock_at_s
            self._changed.notify()
            # Within the mutex: a relock that falls due in this moment must not come between the two.
            self._locks[door].unlock()

    def lock(self, door: PartId) -> None:
        """Lock; a lock that does not follow is told again. Raises whatever the lock raises."""
        with self._changed:
            if door in self._due_s:
                self._due_s[door] = self._clock.boottime_s() + RETRY_S
            self._locks[door].lock()
            self._due_s.pop(door, None)

    def _run(self) -> None:
        with self._changed:
            while not self._stopping:
                self._stamp.beat()
                self._lock_what_is_due()
                self._changed.wait(self._pause_s())

    def _grace_s(self) -> float:
        one_s = self._clock.real_s(1.0)
        return GRACE_REAL_S / one_s if one_s > 0 else 0.0

    def _pause_s(self) -> float:
        if not self._due_s:
            return STAMP_REAL_S
        wait_s = min(self._due_s.values()) + self._grace_s() - self._clock.boottime_s()
        return min(max(self._clock.real_s(max(wait_s, 0.0)), LOOK_REAL_S), STAMP_REAL_S)

    def _lock_what_is_due(self) -> None:
        now_s, grace_s = self._clock.boottime_s(), self._grace_s()
        due = [door for door, due_s in self._due_s.items() if now_s >= due_s + grace_s]
        failed: dict[PartId, Exception] = {}
        for door in due:
            self._due_s[door] = now_s + RETRY_S
            try:
                self._locks[door].lock()
                del self._due_s[door]
            except Exception as error:
                failed[door] = error
        # Told last: what makes the doors' thread hang may be the log, and no door waits for that.
        for door in due:
            log.critical(
                "the doors' thread has not locked %s in time, so it was done for it; look at its disk", door
            )
        for door, cause in failed.items():
            log.error("the lock of %s does not follow; it is told again in %g s", door, RETRY_S, exc_info=cause)

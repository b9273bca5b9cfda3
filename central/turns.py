"""Which zone is judged next: first where something happens now, then who only lives, or catches up on the past."""

from __future__ import annotations

import threading
from collections.abc import Sequence

URGENT_IN_A_ROW_MAX = 8
"""After so many urgent zones one of the others has its turn, so that nobody waits for ever."""
BACKLOG_LINES = 64
"""A batch of so many lines is a zone that was cut off and catches up."""
_HEARTBEAT = b'"type":"zone.heartbeat"'


def is_urgent(lines: Sequence[bytes]) -> bool:
    """Whether a batch is of now, and has more in it than heartbeats, which every zone sends every minute."""
    return len(lines) < BACKLOG_LINES and any(_HEARTBEAT not in line for line in lines)


class Turns:
    """Zones that wait, each at most once. Thread-safe."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._urgent: dict[str, None] = {}
        self._others: dict[str, None] = {}
        self._in_a_row = 0
        self._closed = False

    def put(self, zone: str, *, urgent: bool) -> None:
        """Never waits. A zone that waits already becomes urgent, never less so."""
        with self._changed:
            if urgent:
                self._others.pop(zone, None)
                self._urgent.setdefault(zone)
            elif zone not in self._urgent:
                self._others.setdefault(zone)
            self._changed.notify()

    def next(self) -> str | None:
        """Waits for a zone; ``None`` once ``close`` was called."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._urgent or self._others)
            if self._closed:
                return None
            others_turn = self._others and self._in_a_row >= URGENT_IN_A_ROW_MAX
            waiting = self._others if others_turn or not self._urgent else self._urgent
            self._in_a_row = self._in_a_row + 1 if waiting is self._urgent else 0
            zone = next(iter(waiting))
            del waiting[zone]
            return zone

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify_all()

"""Debouncing, pure: a level counts once it has stood unchanged for the hold time.

Not the hardware library's: gpiozero documents one behaviour, lgpio does another and its test double does none,
and after a lost kernel edge they stay wrong for good. Here every reading counts, edge or not, so the regular
re-reading heals a lost edge.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Debounce:
    """One input line; times in clock seconds. ``settled`` is None until the first level has stood."""

    hold_s: float
    settled: bool | None = None
    _level: bool | None = None
    _since_s: float = 0.0
    _restless_since_s: float = 0.0

    def read(self, level: bool, at_s: float, *, edge: bool = False) -> None:
        """The line was seen at ``level`` at boot time ``at_s``.

        An ``edge`` to the level that it already had still means that it moved: the edge between was lost.
        """
        if level == self._level and not edge:
            return
        if self._level is None or at_s - self._since_s >= self.hold_s:
            self._restless_since_s = at_s
        self._level, self._since_s = level, at_s

    def due_s(self) -> float | None:
        """When the level of now will have stood long enough; None when there is nothing to wait for."""
        if self._level is None or self._level == self.settled:
            return None
        return self._since_s + self.hold_s

    def settle(self, now_s: float) -> bool:
        """Take over a level that has stood; says whether ``settled`` changed."""
        due_s = self.due_s()
        if due_s is None or now_s < due_s:
            return False
        self.settled = self._level
        return True

    def restless_s(self, now_s: float) -> float:
        """For how long the line has moved without ever standing for ``hold_s``; 0 when it stands."""
        if self._level is None or now_s - self._since_s >= self.hold_s:
            return 0.0
        return now_s - self._restless_since_s

    def forget(self) -> None:
        """What was known no longer holds (the line could not be read): the next level that stands is news."""
        self.settled = self._level = None

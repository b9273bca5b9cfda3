"""When a zone sends again what nobody answered."""

from __future__ import annotations

import random

RESEND_S = 5.0
RESEND_S_MAX = 60.0
RESEND_JITTER = 0.25
"""Share by which the wait varies, so that twenty-seven zones do not come back in step."""


class Resend:
    """The wait for an answer, each time twice as long. Times are seconds of a clock that never jumps."""

    def __init__(self, dice: random.Random) -> None:
        self._dice = dice
        self._wait_s = RESEND_S
        self.at_s: float | None = None
        """When to send again; ``None`` while nothing is on the way."""

    def sent(self, now_s: float) -> None:
        """Something is on the way; what was before has its own time already."""
        if self.at_s is None:
            self.at_s = now_s + self._wait_s * (1 + RESEND_JITTER * self._dice.random())

    def heard(self, now_s: float, *, waiting: bool) -> None:
        """Headquarters said something, and more is awaited or is not."""
        self.at_s = None
        if waiting:
            self.sent(now_s)

    def agreed(self) -> None:
        """It said what takes us further."""
        self._wait_s = RESEND_S

    def is_due(self, now_s: float) -> bool:
        """Whether to send again now. Then the next wait, which begins with what is sent, is longer."""
        if self.at_s is None or now_s < self.at_s:
            return False
        self._wait_s = min(self._wait_s * 2, RESEND_S_MAX)
        self.at_s = None
        return True

    @property
    def unheard(self) -> bool:
        """Whether nothing has come of it for over a minute."""
        return self._wait_s >= RESEND_S_MAX

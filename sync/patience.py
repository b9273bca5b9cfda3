"""How long to wait for the broker: before the next attempt, and until a silent connection counts as dead."""

from __future__ import annotations

import random

RETRY_S = 1.0
RETRY_S_MAX = 30.0
SILENCE_S = 20.0
"""After so long without any message headquarters sends one to itself."""
ECHO_S_MAX = 20.0
"""So long it may be on its way; as long as MQTT's own keep-alive, which sees only whether the broker lives."""


class Retry:
    """How long to wait before the next attempt: doubling, and never in step with others."""

    def __init__(self, dice: random.Random) -> None:
        self._dice = dice
        self._wait_s = RETRY_S

    def failed(self) -> float:
        wait_s = self._wait_s * (0.75 + 0.5 * self._dice.random())
        self._wait_s = min(self._wait_s * 2, RETRY_S_MAX)
        return wait_s

    def succeeded(self) -> None:
        self._wait_s = RETRY_S


class Hearing:
    """Whether a broker still delivers on one connection.

    Brokers are known that keep a connection and forget what it has subscribed to. Who only listens cannot tell
    that from silence, so in a silence it says something to itself. Times are seconds of a clock that never jumps.
    """

    def __init__(self, now_s: float) -> None:
        self._heard_s = now_s
        self._asked_s: float | None = None

    def heard(self, now_s: float) -> None:
        """A message came, whichever."""
        self._heard_s = now_s
        self._asked_s = None

    def must_ask(self, now_s: float) -> bool:
        """Whether it is time to send oneself a message; once in a silence."""
        if self._asked_s is not None or now_s - self._heard_s < SILENCE_S:
            return False
        self._asked_s = now_s
        return True

    def is_deaf(self, now_s: float) -> bool:
        """To be asked after what has come was read: who slept must read first."""
        return self._asked_s is not None and now_s - self._asked_s >= ECHO_S_MAX

"""Watches that the threads which read readers and lines still turn: one that stands still says nothing itself."""

from __future__ import annotations

import logging
import threading
from typing import Protocol

from config.clock import Clock

log = logging.getLogger(__name__)

LOOK_S = 1.0
STALLED_S = 5.0
"""Longer than any pause that a thread of ours makes by itself."""


class Turning(Protocol):
    """Something with a thread of its own. What is called here comes from the watch's thread."""

    @property
    def name(self) -> str: ...

    def beaten_s(self) -> float:
        """Boot time at which its thread was last seen to turn."""

    def stalled(self, detail: str) -> None:
        """It turns no more; ``detail`` says so, and what to do."""

    def resumed(self) -> None:
        """It turns again."""


class ThreadWatch:
    """Looks once a second. Add before ``start``."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.watched: list[Turning] = []
        self._still: set[int] = set()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="thread-watch", daemon=True)

    def add(self, *watched: Turning) -> None:
        self.watched += watched

    def start(self) -> None:
        if self.watched:
            self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def look(self) -> None:
        """Once over all of them; what was found is told once."""
        now_s = self._clock.boottime_s()
        for number, watched in enumerate(self.watched):
            try:
                self._look_at(number, watched, now_s)
            except Exception:
                log.exception("%s could not be looked at", watched.name)

    def _look_at(self, number: int, watched: Turning, now_s: float) -> None:
        still_s = now_s - watched.beaten_s()
        if still_s > STALLED_S and number not in self._still:
            self._still.add(number)
            detail = f"{watched.name} has stood still for {still_s:.0f} s; start the doors' process anew"
            log.critical("%s", detail)
            watched.stalled(detail)
        elif still_s <= STALLED_S and number in self._still:
            self._still.discard(number)
            log.warning("%s turns again", watched.name)
            watched.resumed()

    def _run(self) -> None:
        while not self._stopping.wait(LOOK_S):
            self.look()

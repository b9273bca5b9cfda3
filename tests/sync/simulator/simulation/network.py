"""What lies between the ends: a broker that may lose, repeat, mix up and hold back, and a line that may be cut."""

from __future__ import annotations

import random
from collections.abc import Callable, Collection

HELD_BACK_MAX = 200
"""A broker that has more waiting forgets the oldest, as real ones do."""


class Road:
    """Messages in one direction. Belongs to one world."""

    def __init__(
        self, name: str, faults: Collection[str], dice: random.Random, sometimes: Callable[[str], None]
    ) -> None:
        self._name = name
        self._faults = faults
        self._dice = dice
        self._sometimes = sometimes
        self._waiting: list[bytes] = []
        self._late: list[tuple[int, bytes]] = []
        """(step at which it comes after all, message)"""

    def __bool__(self) -> bool:
        return bool(self._waiting or self._late)

    def put(self, messages: Collection[bytes]) -> None:
        self._waiting += messages
        del self._waiting[:-HELD_BACK_MAX]

    def take(self, step: int, *, faulty: bool) -> bytes | None:
        """The next message to arrive, if one does."""
        for place, (due, message) in enumerate(self._late):
            if due <= step:
                del self._late[place]
                self._sometimes("a message came long after it was sent")
                return message
        if not self._waiting:
            return None
        overtakes = faulty and len(self._waiting) > 1 and self._strikes("overtake", 0.3)
        message = self._waiting.pop(self._dice.randrange(1, len(self._waiting)) if overtakes else 0)
        if not faulty:
            return message
        if self._strikes("drop", 0.15):
            return None
        if self._strikes("repeat", 0.15):
            self._waiting.insert(self._dice.randrange(len(self._waiting) + 1), message)
        if self._strikes("late", 0.06):
            self._late.append((step + self._dice.randrange(5, 60), message))
            if self._dice.random() < 0.5:
                return None
        return message

    def lose(self) -> None:
        """The broker was wiped, or the line is cut: what waited is gone."""
        self._waiting.clear()

    def _strikes(self, fault: str, share: float) -> bool:
        if fault not in self._faults or self._dice.random() >= share:
            return False
        self._sometimes(f"{fault} on the road {self._name}")
        return True

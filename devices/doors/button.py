"""A button beside a door (request to exit)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable

ReportPress = Callable[[], None]
"""Called on a thread of the driver once a press. It may only enqueue."""


class Button(ABC):
    """One button, named after its door."""

    def __init__(self, door: str) -> None:
        self.door = door

    @abstractmethod
    def start(self, report: ReportPress) -> None:
        """Report every debounced press from now on. One held since before the start is none."""

    @abstractmethod
    def close(self) -> None:
        """No report follows."""

"""A door contact: whether the leaf stands open, as far as anybody can tell."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from enum import StrEnum


class ContactState(StrEnum):
    OPEN = "open"
    CLOSED = "closed"
    UNKNOWN = "unknown"
    """Not read yet."""
    FAULT = "fault"
    """It cannot be read, or says what no healthy contact can say."""


ReportContact = Callable[[ContactState], None]
"""Called on a thread of the driver with the first state and every later one. It may only enqueue."""


class Contact(ABC):
    """One contact, named after its door."""

    def __init__(self, door: str) -> None:
        self.door = door

    @property
    @abstractmethod
    def state(self) -> ContactState:
        """The state last reported."""

    @abstractmethod
    def start(self, report: ReportContact) -> None:
        """Report the state now, and every debounced change from now on."""

    @abstractmethod
    def close(self) -> None:
        """No report follows."""

"""A lock, as the door sees it: what it was told, and what a sensor says it is. The two are never mixed."""

from __future__ import annotations

from abc import ABC, abstractmethod
from enum import StrEnum


class LockState(StrEnum):
    LOCKED = "locked"
    UNLOCKED = "unlocked"
    UNKNOWN = "unknown"
    """No sensor, or none that can be believed. Never stands for locked."""


class Lock(ABC):
    """One lock, named after its door. Made in the locked state, without passing through unlocked."""

    def __init__(self, door: str) -> None:
        self.door = door

    @property
    @abstractmethod
    def commanded(self) -> LockState:
        """What it was last told; ``UNKNOWN`` after a command failed or it was let go."""

    @property
    @abstractmethod
    def measured(self) -> LockState:
        """What can be measured of it now; ``UNKNOWN`` where nothing is measured."""

    @abstractmethod
    def lock(self) -> None:
        """Raises ``LockFault``."""

    @abstractmethod
    def unlock(self) -> None:
        """Raises ``LockFault``."""

    @abstractmethod
    def let_go(self) -> None:
        """Stop driving it: the relay falls to rest, and the lock to what was declared for the loss of the
        controller. The lock cannot be used after that; a second call does nothing. Never raises.
        """

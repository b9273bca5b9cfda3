"""A lock, as the door sees it: what it was told, and what a sensor says it is. The two are never mixed."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from enum import StrEnum


class LockState(StrEnum):
    LOCKED = "locked"
    UNLOCKED = "unlocked"
    UNKNOWN = "unknown"
    """No sensor, or none that can be believed. Never stands for locked."""


ReportMoved = Callable[[], None]
"""Called on a thread of the driver when something else is measured than before. It may only enqueue."""


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

    @property
    @abstractmethod
    def trouble(self) -> str | None:
        """Why nothing can be measured though something should; None when it can be, or where no sensor is."""

    @abstractmethod
    def watch(self, report: ReportMoved) -> None:
        """Report every change of what is measured from now on: a bolt may be moved by a key, or by force.
        A lock that cannot be used says so at once.
        """

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

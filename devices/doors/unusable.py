"""What stands in for a lock or a contact that could not be claimed: the rest of the zone runs, and this one says
at every use what is wrong.
"""

from __future__ import annotations

from ..errors import LockFault
from .contact import Contact, ContactState, ReportContact
from .lock import Lock, LockState, ReportMoved


class UnusableLock(Lock):
    """Takes no command; nothing is known of it."""

    def __init__(self, door: str, problem: str) -> None:
        super().__init__(door)
        self._problem = problem

    @property
    def commanded(self) -> LockState:
        return LockState.UNKNOWN

    @property
    def measured(self) -> LockState:
        return LockState.UNKNOWN

    @property
    def trouble(self) -> str | None:
        return self._problem

    def watch(self, report: ReportMoved) -> None:
        report()

    def lock(self) -> None:
        raise LockFault(self.door, self._problem)

    def unlock(self) -> None:
        raise LockFault(self.door, self._problem)

    def let_go(self) -> None:
        pass


class UnusableContact(Contact):
    """Reports a fault, once."""

    @property
    def state(self) -> ContactState:
        return ContactState.FAULT

    def start(self, report: ReportContact) -> None:
        report(ContactState.FAULT)

    def close(self) -> None:
        pass

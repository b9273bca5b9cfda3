"""A lock's monitor contact: a switch that the bolt itself moves, read on a GPIO line."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from typing import Any

from .inputs import InputLine, InputWatch
from .lock import LockState, ReportMoved

log = logging.getLogger(__name__)


class Monitor(ABC):
    """What a lock measures of itself."""

    @property
    @abstractmethod
    def state(self) -> LockState:
        """``UNKNOWN`` until it was read, and while it cannot be believed."""

    @property
    @abstractmethod
    def trouble(self) -> str | None:
        """Why it cannot be believed; None when it can."""

    @abstractmethod
    def watch(self, report: ReportMoved) -> None:
        """Report every change of either from now on; one that is of no use says so at once."""


class GpioMonitor(Monitor):
    """A monitor contact on one line, asserted while the bolt is in."""

    def __init__(
        self,
        door: str,
        *,
        pin: int,
        pull_up: bool,
        active_low: bool,
        debounce_s: float,
        factory: Any,
        watch: InputWatch,
    ) -> None:
        self._door = door
        self._state = LockState.UNKNOWN
        self._trouble: str | None = None
        self._report: ReportMoved | None = None
        line = InputLine(
            f"the monitor contact of the lock of {door}",
            pin=pin,
            pull_up=pull_up,
            active_low=active_low,
            debounce_s=debounce_s,
            factory=factory,
            on_settled=lambda bolted: self._tell(LockState.LOCKED if bolted else LockState.UNLOCKED, None),
            on_fault=lambda detail: self._tell(LockState.UNKNOWN, f"its monitor contact is of no use: {detail}"),
        )
        watch.add(line)

    @property
    def state(self) -> LockState:
        return self._state

    @property
    def trouble(self) -> str | None:
        return self._trouble

    def watch(self, report: ReportMoved) -> None:
        self._report = report

    def _tell(self, state: LockState, trouble: str | None) -> None:
        if trouble is not None:
            log.error("the lock of %s: %s", self._door, trouble)
        self._state, self._trouble = state, trouble
        if self._report is not None:
            self._report()


class UnusableMonitor(Monitor):
    """Stands in for one that could not be claimed."""

    def __init__(self, problem: str) -> None:
        self._problem = problem

    @property
    def state(self) -> LockState:
        return LockState.UNKNOWN

    @property
    def trouble(self) -> str | None:
        return f"its monitor contact is of no use: {self._problem}"

    def watch(self, report: ReportMoved) -> None:
        report()

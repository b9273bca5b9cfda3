"""Lock, contact and button on GPIO lines, through gpiozero.

The pin factory is passed in: ``lgpio_factory()`` on the machine, gpiozero's ``MockFactory`` in a test.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from typing import Any

from gpiozero import OutputDevice

from ..errors import LockFault, NoGpio, PinUnavailable
from .button import Button, ReportPress
from .contact import Contact, ContactState, ReportContact
from .inputs import InputLine, InputWatch
from .lock import Lock, LockState, ReportMoved
from .monitor import Monitor

log = logging.getLogger(__name__)


def lgpio_factory(chip: int | None = None) -> Any:
    """The real pins. lgpio makes a FIFO in the working directory when it is loaded, so that is put off until
    here; the directory must be writable (systemd: RuntimeDirectory and WorkingDirectory). Raises ``NoGpio``.
    """
    try:
        from .steady_lgpio import SteadyLGPIOFactory

        return SteadyLGPIOFactory(chip)
    except Exception as error:
        raise NoGpio(error) from error


class GpioLock(Lock):
    """A lock behind a relay on one line.

    ``energised_when_unlocked`` follows from the lock's hardware and the relay's wiring
    (``LockSettings.energised_when_unlocked``). The output is read back after each command; what the bolt does,
    only a ``monitor`` knows: without one ``measured`` is unknown.
    """

    def __init__(
        self,
        door: str,
        *,
        pin: int,
        active_high: bool,
        energised_when_unlocked: bool,
        factory: Any,
        monitor: Monitor | None = None,
    ) -> None:
        super().__init__(door)
        self._monitor = monitor
        self._energised_when_unlocked = energised_when_unlocked
        self._mutex = threading.Lock()
        self._commanded = LockState.LOCKED
        try:
            self._relay: OutputDevice | None = OutputDevice(
                pin, active_high=active_high, initial_value=not energised_when_unlocked, pin_factory=factory
            )
        except Exception as error:
            raise PinUnavailable(pin, f"the lock of {door}", error) from error

    @property
    def commanded(self) -> LockState:
        return self._commanded

    @property
    def measured(self) -> LockState:
        return LockState.UNKNOWN if self._monitor is None else self._monitor.state

    @property
    def trouble(self) -> str | None:
        return None if self._monitor is None else self._monitor.trouble

    def watch(self, report: ReportMoved) -> None:
        if self._monitor is not None:
            self._monitor.watch(report)

    def lock(self) -> None:
        self._drive(LockState.LOCKED, energise=not self._energised_when_unlocked)

    def unlock(self) -> None:
        self._drive(LockState.UNLOCKED, energise=self._energised_when_unlocked)

    def _drive(self, wanted: LockState, *, energise: bool) -> None:
        with self._mutex:
            self._commanded = LockState.UNKNOWN
            if self._relay is None:
                raise LockFault(self.door, "it has been let go")
            try:
                self._relay.value = energise
                read_back = bool(self._relay.value)
            except Exception as error:
                raise LockFault(self.door, f"its GPIO line cannot be driven: {error}") from error
            if read_back is not energise:
                raise LockFault(self.door, f"its GPIO line reads {read_back} after it was set to {energise}")
            self._commanded = wanted

    def let_go(self) -> None:
        with self._mutex:
            relay, self._relay = self._relay, None
            self._commanded = LockState.UNKNOWN
        if relay is None:
            return
        # At rest first: a line that becomes an input floats, and an active-low relay board may take it for on.
        for step in (relay.off, relay.close):
            try:
                step()
            except Exception:
                log.exception("the lock of %s could not be let go in full", self.door)


class GpioContact(Contact):
    """A contact on one line, asserted while the door is closed."""

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
        super().__init__(door)
        self._state = ContactState.UNKNOWN
        self._report: ReportContact | None = None
        line = InputLine(
            f"the contact of {door}",
            pin=pin,
            pull_up=pull_up,
            active_low=active_low,
            debounce_s=debounce_s,
            factory=factory,
            on_settled=lambda closed: self._tell(ContactState.CLOSED if closed else ContactState.OPEN),
            on_fault=self._tell_fault,
        )
        watch.add(line)

    @property
    def state(self) -> ContactState:
        return self._state

    def start(self, report: ReportContact) -> None:
        self._report = report
        if self._state is not ContactState.UNKNOWN:
            report(self._state)

    def close(self) -> None:
        self._report = None

    def _tell_fault(self, detail: str) -> None:
        log.error("the contact of %s: %s", self.door, detail)
        self._tell(ContactState.FAULT)

    def _tell(self, state: ContactState) -> None:
        self._state = state
        report = self._report
        if report is not None:
            report(state)


class GpioButton(Button):
    """A button on one line, asserted while it is pressed."""

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
        super().__init__(door)
        self._report: ReportPress | None = None
        self._seen_released = False
        line = InputLine(
            f"the button of {door}",
            pin=pin,
            pull_up=pull_up,
            active_low=active_low,
            debounce_s=debounce_s,
            factory=factory,
            on_settled=self._tell,
            on_fault=lambda detail: log.error("the button of %s: %s", door, detail),
        )
        watch.add(line)

    def start(self, report: ReportPress) -> None:
        self._report = report

    def close(self) -> None:
        self._report = None

    def _tell(self, pressed: bool) -> None:
        if not pressed:
            self._seen_released = True
        elif self._seen_released and (report := self._report) is not None:
            report()


def release_pins(pins: list[int], factory: Any) -> list[str]:
    """Make each line an input, whatever it was: its relay falls to rest. Returns what went wrong, a line each.

    Raspberry Pi kernels keep driving an output after its process was killed (unless ``strict_gpiod`` is set);
    claiming the line as an input clears it.
    """
    problems: list[str] = []
    for number in pins:
        try:
            pin = factory.pin(number)
            with contextlib.closing(pin):
                pin.function = "input"
        except Exception as error:
            problems.append(str(PinUnavailable(number, "a lock", error)))
    return problems

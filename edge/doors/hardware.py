"""The zone's door hardware, built from the settings: each device real or simulated, behind the same interface.

A device that cannot be set up is replaced by one that reports its fault; the others run.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from config.clock import Clock, SystemClock
from config.zone import DoorSettings, InputSettings, Secured, ZoneSettings
from custody.events import PartId
from devices.doors.button import Button
from devices.doors.contact import Contact
from devices.doors.lock import Lock, LockState
from devices.doors.simulated import (
    FIRE_INPUT,
    SimulatedButton,
    SimulatedContact,
    SimulatedFireInput,
    SimulatedLock,
)
from devices.doors.simulated_line import SimulatedLine
from devices.doors.unusable import UnusableContact, UnusableLock
from devices.errors import DeviceError
from devices.readers.reader import (
    CardRead,
    PinEntered,
    ProvisioningEnded,
    Reader,
    ReaderChanged,
    ReaderFact,
    TamperChanged,
)
from devices.simulation import Bench
from devices.thread_watch import ThreadWatch, Turning

from .facts import (
    ButtonPressed,
    CardPresented,
    ContactReported,
    Fact,
    FireReported,
    LockReported,
    PinPresented,
    ProvisionEnded,
    ReaderReported,
    TamperReported,
)
from .reader_hardware import Makers, ReaderBuilder

if TYPE_CHECKING:
    from devices.doors.monitor import Monitor

log = logging.getLogger(__name__)

SOCKET_NAME = "sim-doors.sock"
Take = Callable[[Fact], None]


@dataclass
class Hardware:
    """Every device of the doors. Kept for as long as the process lives: gpiozero holds its callbacks weakly."""

    locks: dict[PartId, Lock] = field(default_factory=dict)
    contacts: dict[PartId, Contact] = field(default_factory=dict)
    buttons: dict[PartId, Button] = field(default_factory=dict)
    readers: dict[PartId, Reader] = field(default_factory=dict)
    fire: Contact | None = None
    """The fire system's; ``CLOSED`` is no alarm."""
    bench: Bench | None = None
    starters: list[Callable[[], None]] = field(default_factory=list)
    """What runs beneath the devices (input watch, reader buses): started after they listen."""
    turning: list[Turning] = field(default_factory=list)
    """What has a thread of its own."""
    closers: list[Callable[[], None]] = field(default_factory=list)

    def start(self, take: Take) -> None:
        """Report every fact to ``take`` from now on, the state of each contact first."""
        for lock in self.locks.values():
            lock.watch(lambda lock=lock: take(_measured(lock)))  # type: ignore[misc]
        for door, contact in self.contacts.items():
            contact.start(lambda state, door=door: take(ContactReported(door, state)))  # type: ignore[misc]
        for door, button in self.buttons.items():
            button.start(lambda door=door: take(ButtonPressed(door)))  # type: ignore[misc]
        if self.fire is not None:
            self.fire.start(lambda state: take(FireReported(state)))
        for reader in self.readers.values():
            reader.start(lambda fact: take(as_fact(fact)))
        for start in self.starters:
            start()
        if self.bench is not None:
            self.bench.start()

    def close(self) -> None:
        """Every lock is let go, then everything else ends; what fails on the way is logged."""
        steps = [lock.let_go for lock in self.locks.values()]
        steps += [contact.close for contact in self.contacts.values()]
        steps += [button.close for button in self.buttons.values()]
        steps += [] if self.fire is None else [self.fire.close]
        steps += [reader.close for reader in self.readers.values()]
        steps += self.closers
        if self.bench is not None:
            steps.append(self.bench.stop)
        for step in steps:
            try:
                step()
            except Exception:
                log.exception("a device did not close in good order")


def _measured(lock: Lock) -> LockReported:
    return LockReported(lock.door, lock.measured, lock.trouble, by_itself=True)


def as_fact(fact: ReaderFact) -> Fact:
    """A driver's fact as the core's."""
    match fact:
        case CardRead():
            return CardPresented(fact.reader, fact.number)
        case PinEntered():
            return PinPresented(fact.reader, fact.pin)
        case ReaderChanged():
            return ReaderReported(fact.reader, fact.state, fact.detail)
        case TamperChanged():
            return TamperReported(fact.reader, fact.tampered)
        case ProvisioningEnded():
            return ProvisionEnded(fact.reader, fact.keyed, fact.detail)


def build(settings: ZoneSettings, *, clock: Clock | None = None, pin_factory: Any = None) -> Hardware:
    """All devices, not yet started; locks are locked from here on.

    ``clock`` times the real ones, so it must run in real time whatever the zone's clock does; by default the
    machine's. ``pin_factory`` is gpiozero's; by default lgpio's, loaded only when a line is declared.
    """
    hardware = Hardware()
    builder = _Builder(settings, hardware, clock or SystemClock(), pin_factory)
    for door in settings.doors:
        builder.add_door(door)
    builder.add_fire_input()
    builder.add_readers()
    builder.watch_threads()
    return hardware


class _Builder:
    def __init__(self, settings: ZoneSettings, hardware: Hardware, clock: Clock, pin_factory: Any) -> None:
        self._settings = settings
        self._hardware = hardware
        self._clock = clock
        self._pin_factory = pin_factory
        self._inputs: Any = None
        self._canary: Any = None
        self._watch = ThreadWatch(clock)

    def add_door(self, door: DoorSettings) -> None:
        self._hardware.locks[door.id] = self._lock(door)
        if door.contact is not None:
            self._hardware.contacts[door.id] = self._contact(door.id, door.contact)
        if door.button is not None:
            button = self._button(door.id, door.button)
            if button is not None:
                self._hardware.buttons[door.id] = button

    def _lock(self, door: DoorSettings) -> Lock:
        lock = door.lock
        if lock.driver == "simulated":
            rests = LockState.LOCKED if lock.on_controller_loss is Secured.LOCKED else LockState.UNLOCKED
            line = SimulatedLine(self._settings.relay_file(door.id))
            simulated = SimulatedLock(door.id, rests=rests, line=line)
            simulated.stand_on(self._bench())
            return simulated
        try:
            from devices.doors.gpio import GpioLock

            return GpioLock(
                door.id,
                pin=_pin(lock.pin),
                active_high=lock.active_high,
                energised_when_unlocked=lock.energised_when_unlocked,
                factory=self._pins(),
                monitor=None if lock.monitor is None else self._monitor(door.id, lock.monitor),
            )
        except DeviceError as error:
            log.critical("door %s has no lock that can be driven: %s", door.id, error)
            return UnusableLock(door.id, str(error))

    def _monitor(self, door: PartId, monitor: InputSettings) -> Monitor:
        from devices.doors.monitor import GpioMonitor, UnusableMonitor

        try:
            return GpioMonitor(door, **self._line(monitor))
        except DeviceError as error:
            log.critical("the lock of %s has no monitor contact that can be read: %s", door, error)
            return UnusableMonitor(str(error))

    def _contact(self, door: PartId, contact: InputSettings) -> Contact:
        if contact.driver == "simulated":
            simulated = SimulatedContact(door)
            simulated.stand_on(self._bench())
            return simulated
        try:
            from devices.doors.gpio import GpioContact

            return GpioContact(door, **self._line(contact))
        except DeviceError as error:
            log.critical("%s has no contact that can be read: %s", door, error)
            return UnusableContact(door)

    def add_fire_input(self) -> None:
        fire = self._settings.fire
        if fire is None:
            return
        if fire.driver == "simulated":
            simulated = SimulatedFireInput()
            simulated.stand_on(self._bench())
            self._hardware.fire = simulated
        else:
            self._hardware.fire = self._contact(FIRE_INPUT, fire)

    def _button(self, door: PartId, button: InputSettings) -> Button | None:
        if button.driver == "simulated":
            simulated = SimulatedButton(door)
            simulated.stand_on(self._bench())
            return simulated
        try:
            from devices.doors.gpio import GpioButton

            return GpioButton(door, **self._line(button))
        except DeviceError as error:
            log.critical("door %s has no button that can be read: %s", door, error)
            return None

    def _line(self, line: InputSettings) -> dict[str, Any]:
        factory = self._pins()
        if self._inputs is None:
            from devices.doors.inputs import InputWatch

            self._inputs = InputWatch(self._clock)
            self._watch.add(self._inputs)
            self._hardware.starters.append(self._inputs.start)
            self._hardware.closers.append(self._inputs.stop)
        return {
            "pin": _pin(line.pin),
            "pull_up": line.pull_up,
            "active_low": line.active_low,
            "debounce_s": line.debounce_s,
            "factory": factory,
            "watch": self._inputs,
        }

    def _pins(self) -> Any:
        if self._pin_factory is None:
            from devices.doors.gpio import lgpio_factory

            self._pin_factory = lgpio_factory()
            self._hardware.closers.append(self._pin_factory.close)
            self._lgpio_canary()
        return self._pin_factory

    def _lgpio_canary(self) -> Any:
        if self._canary is None:
            # lgpio starts threads and makes a FIFO when it is loaded: only where it is needed.
            from devices.lgpio_canary import Canary

            self._canary = Canary(self._clock)
            self._watch.add(self._canary)
            self._hardware.closers.append(self._canary.close)
        return self._canary

    def _bench(self) -> Bench:
        if self._hardware.bench is None:
            self._hardware.bench = Bench(self._settings.run_dir / SOCKET_NAME)
        return self._hardware.bench

    def add_readers(self) -> None:
        makers = Makers(pins=self._pins, canary=self._lgpio_canary, bench=self._bench)
        ReaderBuilder(self._settings, self._hardware, self._clock, self._watch, makers).add_all()

    def watch_threads(self) -> None:
        """Last of all: it watches only what was started before it."""
        self._hardware.turning = self._watch.watched
        self._hardware.starters.append(self._watch.start)
        self._hardware.closers.insert(0, self._watch.stop)


def _pin(number: int | None) -> int:
    assert number is not None, "the settings refuse a gpio device without a pin"
    return number

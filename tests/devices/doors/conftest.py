"""The hardware of one door twice: on gpiozero's mock pins and as the simulated twin, moved by the same hands."""

import queue
import time

import pytest
from gpiozero.pins.mock import MockFactory

from config.clock import SystemClock
from devices.doors.contact import ContactState
from devices.doors.gpio import GpioButton, GpioContact, GpioLock
from devices.doors.inputs import InputWatch
from devices.doors.lock import LockState
from devices.doors.monitor import GpioMonitor
from devices.doors.simulated import SimulatedButton, SimulatedContact, SimulatedLock

WITHIN_S = 30.0
LOCK, CONTACT, BUTTON, MONITOR = 17, 27, 22, 5


class GpioRig:
    """A fail-secure strike on pin 17, its monitor on 5, a contact on 27, a button on 22; pull-ups, active low."""

    def __init__(self, debounce_s=0.02):
        self.factory = MockFactory()
        self.watch = InputWatch(SystemClock())
        inputs = {"pull_up": True, "active_low": True, "debounce_s": debounce_s, "factory": self.factory}
        self.lock = GpioLock(
            "front-door",
            pin=LOCK,
            active_high=True,
            energised_when_unlocked=True,
            factory=self.factory,
            monitor=GpioMonitor("front-door", pin=MONITOR, watch=self.watch, **inputs),
        )
        self.contact = GpioContact("front-door", pin=CONTACT, watch=self.watch, **inputs)
        self.button = GpioButton("front-door", pin=BUTTON, watch=self.watch, **inputs)
        self.shut_leaf()
        self.turn_bolt(LockState.LOCKED)

    def start(self, report_contact, report_press):
        self.contact.start(report_contact)
        self.button.start(report_press)
        self.watch.start()

    def turn_bolt(self, state):
        pin = self.factory.pin(MONITOR)
        (pin.drive_low if state is LockState.LOCKED else pin.drive_high)()

    def break_bolts_sensor(self):
        def fail():
            raise OSError("the chip is gone")

        self.factory.pin(MONITOR)._get_state = fail

    def is_unlocked(self):
        return bool(self.factory.pin(LOCK).state)

    def open_leaf(self):
        self.factory.pin(CONTACT).drive_high()

    def shut_leaf(self):
        self.factory.pin(CONTACT).drive_low()

    def press(self):
        self.factory.pin(BUTTON).drive_low()
        time.sleep(0.06)  # a finger is slower than the debouncing
        self.factory.pin(BUTTON).drive_high()

    def close(self):
        self.contact.close()
        self.button.close()
        self.watch.stop()
        self.lock.let_go()
        self.factory.reset()


class SimulatedRig:
    def __init__(self):
        self.lock = SimulatedLock("front-door", rests=LockState.LOCKED)
        self.contact = SimulatedContact("front-door")
        self.button = SimulatedButton("front-door")

    def start(self, report_contact, report_press):
        self.contact.start(report_contact)
        self.button.start(report_press)

    def is_unlocked(self):
        return self.lock.measured is LockState.UNLOCKED

    def turn_bolt(self, state):
        self.lock._turn([state])

    def break_bolts_sensor(self):
        self.lock._follow(["blind"])

    def open_leaf(self):
        self.contact.set(ContactState.OPEN)

    def shut_leaf(self):
        self.contact.set(ContactState.CLOSED)

    def press(self):
        self.button.press()

    def close(self):
        self.contact.close()
        self.button.close()
        self.lock.let_go()


class Reports:
    """What the inputs reported, in order."""

    def __init__(self):
        self.contact = queue.Queue()
        self.presses = queue.Queue()
        self.moved = queue.Queue()

    def next_state(self):
        return self.contact.get(timeout=WITHIN_S)

    def next_press(self):
        return self.presses.get(timeout=WITHIN_S)

    def quiet(self, for_s=0.4):
        """No state is reported for a while longer than the re-reading of the lines."""
        try:
            return self.contact.get(timeout=for_s) is None
        except queue.Empty:
            return True


@pytest.fixture(params=[GpioRig, SimulatedRig], ids=["gpio", "simulated"])
def rig(request):
    rig = request.param()
    yield rig
    rig.close()


@pytest.fixture
def gpio_rig():
    rig = GpioRig()
    yield rig
    rig.close()


@pytest.fixture
def patient_rig():
    """Its lines must stand still for a second, which no busy machine makes of a chatter."""
    rig = GpioRig(debounce_s=1.0)
    yield rig
    rig.close()


@pytest.fixture
def reports():
    return Reports()

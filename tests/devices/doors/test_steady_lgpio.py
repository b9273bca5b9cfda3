"""The real lgpio path of gpiozero over a chip that records what is done to its lines."""

import lgpio
import pytest

from devices.doors.gpio import GpioLock, release_pins
from devices.doors.steady_lgpio import SteadyLGPIOFactory

PIN = 17
PI_4B = 0xC03111


class RecordingChip:
    """Stands where the kernel's GPIO chip would: no test machine has one."""

    def __init__(self):
        self.outputs = []
        self.is_output = False
        self.level = 0

    def claim_output(self, handle, gpio, level=0, flags=0):
        self.is_output, self.level = True, level
        self.outputs.append(level)
        return 0

    def claim_input(self, handle, gpio, flags=0):
        self.is_output = False
        return 0

    def write(self, handle, gpio, level):
        self.level = int(level)
        self.outputs.append(int(level))
        return 0

    def read(self, handle, gpio):
        return self.level

    def mode(self, handle, gpio):
        return 1 << 1 if self.is_output else 0


@pytest.fixture
def chip(monkeypatch):
    chip = RecordingChip()
    calls = {
        "gpiochip_open": lambda number: 1,
        "gpiochip_close": lambda handle: 0,
        "gpio_claim_output": chip.claim_output,
        "gpio_claim_input": chip.claim_input,
        "gpio_write": chip.write,
        "gpio_read": chip.read,
        "gpio_get_mode": chip.mode,
    }
    for name, call in calls.items():
        monkeypatch.setattr(lgpio, name, call)
    return chip


@pytest.fixture
def factory(chip):
    class OnAPi4(SteadyLGPIOFactory):
        def _get_revision(self):
            return PI_4B

    factory = OnAPi4(0)
    yield factory
    factory.close()


@pytest.mark.parametrize(
    ("active_high", "energised_when_unlocked", "locked_level"),
    [(True, True, 0), (False, True, 1), (True, False, 1), (False, False, 0)],
)
def test_a_lock_never_passes_through_unlocked_at_its_construction(
    chip, factory, active_high, energised_when_unlocked, locked_level
):
    lock = GpioLock(
        "front-door",
        pin=PIN,
        active_high=active_high,
        energised_when_unlocked=energised_when_unlocked,
        factory=factory,
    )
    assert chip.outputs == [locked_level]
    lock.unlock()
    lock.lock()
    assert chip.outputs == [locked_level, 1 - locked_level, locked_level]


def test_a_lock_let_go_is_at_rest_before_its_line_becomes_an_input(chip, factory):
    lock = GpioLock("front-door", pin=PIN, active_high=False, energised_when_unlocked=True, factory=factory)
    lock.unlock()
    lock.let_go()
    assert chip.outputs == [1, 0, 1] and not chip.is_output


def test_releasing_a_pin_makes_an_input_of_a_line_that_a_dead_process_left_driven(chip, factory):
    chip.is_output, chip.level = True, 1
    assert release_pins([PIN], factory) == []
    assert not chip.is_output


def test_a_pin_that_cannot_be_released_is_named_and_the_others_are_still_released(chip, factory):
    chip.is_output = True
    (problem,) = release_pins([99, PIN], factory)
    assert "pin 99" in problem and not chip.is_output

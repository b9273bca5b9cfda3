import threading
import time

import pytest
from gpiozero.pins.mock import MockFactory

from config.clock import SystemClock
from devices.doors.contact import ContactState
from devices.doors.gpio import GpioContact, GpioLock
from devices.doors.inputs import InputWatch
from devices.errors import PinUnavailable

CONTACT = 27


def test_a_bouncing_contact_is_reported_once(gpio_rig, reports):
    gpio_rig.start(reports.contact.put, lambda: None)
    reports.next_state()

    for _ in range(5):
        gpio_rig.open_leaf()
        gpio_rig.shut_leaf()
    gpio_rig.open_leaf()

    assert reports.next_state() is ContactState.OPEN
    assert reports.quiet()


def test_a_glitch_shorter_than_the_debouncing_is_no_opening(gpio_rig, reports):
    gpio_rig.start(reports.contact.put, lambda: None)
    reports.next_state()
    gpio_rig.open_leaf()
    gpio_rig.shut_leaf()
    assert reports.quiet()


def test_a_lost_edge_is_healed_by_reading_again(gpio_rig, reports):
    gpio_rig.start(reports.contact.put, lambda: None)
    reports.next_state()

    gpio_rig.factory.pin(CONTACT)._change_state(True)  # the level moves, no edge is delivered

    assert reports.next_state() is ContactState.OPEN


def test_edges_from_a_thread_of_the_library_are_taken(gpio_rig, reports):
    gpio_rig.start(reports.contact.put, lambda: None)
    reports.next_state()
    thread = threading.Thread(target=gpio_rig.open_leaf)
    thread.start()
    thread.join()
    assert reports.next_state() is ContactState.OPEN


def test_a_listener_that_fails_stops_neither_its_own_nor_another_input(gpio_rig, reports):
    def fail(state):
        reports.contact.put(state)
        raise RuntimeError("a listener's own fault")

    gpio_rig.start(fail, lambda: reports.presses.put(True))
    assert reports.next_state() is ContactState.CLOSED
    gpio_rig.open_leaf()
    assert reports.next_state() is ContactState.OPEN
    gpio_rig.press()
    assert reports.next_press()


def test_a_line_that_cannot_be_read_is_a_fault_and_recovers(gpio_rig, reports):
    class Broken(RuntimeError):
        pass

    pin = gpio_rig.factory.pin(CONTACT)
    healthy = pin._get_state
    gpio_rig.start(reports.contact.put, lambda: None)
    reports.next_state()

    def fail():
        raise Broken("the chip is gone")

    pin._get_state = fail
    assert reports.next_state() is ContactState.FAULT
    assert reports.quiet()
    pin._get_state = healthy
    assert reports.next_state() is ContactState.CLOSED


def test_lines_whose_thread_stands_still_are_not_known_until_it_turns_again(gpio_rig, reports):
    gpio_rig.start(reports.contact.put, lambda: None)
    reports.next_state()
    gpio_rig.watch.stalled("the reading of the GPIO inputs has stood still for 6 s")
    assert reports.next_state() is ContactState.FAULT
    assert reports.next_state() is ContactState.CLOSED


def test_a_line_that_never_stands_still_is_a_fault(patient_rig, reports):
    patient_rig.start(reports.contact.put, lambda: None)
    reports.next_state()
    stop = threading.Event()

    def chatter():
        while not stop.wait(0.005):
            patient_rig.open_leaf()
            patient_rig.shut_leaf()

    thread = threading.Thread(target=chatter)
    thread.start()
    try:
        assert reports.next_state() is ContactState.FAULT
    finally:
        stop.set()
        thread.join()
    assert reports.next_state() is ContactState.CLOSED


def test_a_pull_down_contact_that_is_high_when_closed_reads_right():
    factory, watch = MockFactory(), InputWatch(SystemClock())
    contact = GpioContact(
        "yard", pin=5, pull_up=False, active_low=False, debounce_s=0.0, factory=factory, watch=watch
    )
    contact.start(lambda state: None)
    watch.start()
    try:
        factory.pin(5).drive_high()
        until = time.monotonic() + 30
        while contact.state is not ContactState.CLOSED and time.monotonic() < until:
            time.sleep(0.01)
        assert contact.state is ContactState.CLOSED
    finally:
        watch.stop()
        factory.reset()


def test_a_pin_that_is_taken_is_refused_with_its_number_and_the_mend():
    factory = MockFactory()
    lock = GpioLock("front-door", pin=17, active_high=True, energised_when_unlocked=True, factory=factory)
    with pytest.raises(PinUnavailable, match=r"pin 17 of the lock of back-door.*gpioinfo"):
        GpioLock("back-door", pin=17, active_high=True, energised_when_unlocked=True, factory=factory)
    lock.let_go()


def test_a_glitch_is_no_opening_though_the_thread_that_judges_it_comes_late(gpio_rig, reports):
    late = threading.Event()

    def hold_up(state):
        reports.contact.put(state)
        late.wait(5)

    gpio_rig.start(hold_up, lambda: reports.presses.put(True))
    reports.next_state()
    gpio_rig.open_leaf()
    gpio_rig.shut_leaf()
    gpio_rig.press()  # longer than the debouncing, so a real one, late or not
    late.set()
    assert reports.next_press()
    assert reports.quiet()

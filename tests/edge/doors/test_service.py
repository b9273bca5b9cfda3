"""The shell: what is on disk when a relay moves, and what holds when the disk takes nothing."""

import sqlite3
import threading
import time

import pytest

from config.clock import ManualClock, SystemClock
from devices.doors.contact import ContactState
from devices.doors.lock import LockState
from devices.doors.simulated import SimulatedContact, SimulatedLock
from devices.readers.reader import Feedback, ReaderState
from devices.readers.simulated import SimulatedReader
from edge.doors.facts import (
    ButtonPressed,
    CardPresented,
    ContactReported,
    OpenRequested,
    ProvisionRequested,
    ReaderReported,
)
from edge.doors.hardware import Hardware
from edge.doors.layout import Layout
from edge.doors.service import DoorService
from sync.errors import LedgerUnwritable
from sync.ledger import Ledger

CARD = "04A1B2C3"


class MovableDisk:
    """A ledger whose disk can be taken away; everything else is the real one."""

    def __init__(self, ledger):
        self.ledger = ledger
        self.gone = False

    def append(self, *drafts):
        if self.gone:
            raise LedgerUnwritable(self.ledger.directory, "no space left on device")
        return self.ledger.append(*drafts)


class Zone:
    def __init__(self, settings):
        self.clock = ManualClock()
        self.ledger = Ledger.create(settings.ledger_dir, zone="nz01", deployment="fourmusts", clock=self.clock)
        self.ledger.directory = settings.ledger_dir
        self.disk = MovableDisk(self.ledger)
        self.on_disk_when_moved = []
        self.lock = SimulatedLock("front-door", rests=LockState.LOCKED, on_command=self.moved)
        self.readers = {
            f"front-door-{side}": SimulatedReader(f"front-door-{side}", cards={}) for side in ("in", "out")
        }
        layout = Layout.of(settings)
        locks = {name: SimulatedLock(name, rests=LockState.LOCKED) for name in layout.doors}
        hardware = Hardware(
            locks={**locks, "front-door": self.lock},
            contacts={"front-door": SimulatedContact("front-door")},
            readers=self.readers,
        )
        self.service = DoorService(layout, hardware, self.disk, self.clock)

    def moved(self, state):
        self.on_disk_when_moved.append((state, self.types()))

    def types(self):
        return [e.type for e in self.ledger.events() if e.type.startswith(("door.", "command."))]

    def tap(self, side="in", card=CARD):
        self.service.turn(CardPresented(f"front-door-{side}", card))
        return self.readers[f"front-door-{side}"].shown.get_nowait()

    def contact(self, state):
        self.service.turn(ContactReported("front-door", ContactState(state)))

    def wait(self, seconds, step_s=0.1):
        for _ in range(round(seconds / step_s)):
            self.clock.advance(step_s)
            self.service.turn(None)


@pytest.fixture
def zone(settings):
    zone = Zone(settings)
    zone.contact("closed")
    while not zone.service._facts.empty():  # what its locks answered at the start
        zone.service.turn(zone.service._facts.get_nowait())
    yield zone
    zone.ledger.close()


def test_a_grant_is_on_disk_when_the_relay_moves(zone):
    assert zone.tap() is Feedback.GRANTED
    assert zone.on_disk_when_moved == [(LockState.UNLOCKED, ["door.closed", "door.granted"])]


def test_an_unlocked_door_is_locked_at_the_end_of_its_time(zone):
    zone.tap()
    zone.wait(4.9)
    assert zone.lock.commanded is LockState.UNLOCKED
    zone.wait(0.2)
    assert zone.lock.commanded is LockState.LOCKED
    zone.wait(1)
    assert zone.types()[-1] == "door.not_taken"


@pytest.mark.parametrize("step_s", [-7200.0, 7200.0])
def test_a_step_of_the_wall_clock_neither_shortens_nor_lengthens_an_unlocking(zone, step_s):
    zone.tap()
    zone.wait(2)
    zone.clock.step_wall(step_s)
    zone.wait(2.9)
    assert zone.lock.commanded is LockState.UNLOCKED
    zone.wait(0.2)
    assert zone.lock.commanded is LockState.LOCKED


def test_nobody_is_let_in_when_the_grant_cannot_be_recorded(zone):
    zone.disk.gone = True
    assert zone.tap("in") is Feedback.DENIED
    assert zone.lock.commanded is LockState.LOCKED and zone.on_disk_when_moved == []


def test_whoever_is_inside_may_leave_though_nothing_can_be_recorded(zone):
    zone.disk.gone = True
    assert zone.tap("out") is Feedback.GRANTED
    assert zone.lock.commanded is LockState.UNLOCKED
    zone.wait(5)
    assert zone.lock.commanded is LockState.LOCKED


def test_what_was_missed_is_written_later_with_the_time_at_which_it_happened(zone):
    zone.disk.gone = True
    happened_us = zone.clock.now_us()
    zone.tap("out")
    zone.contact("open")
    zone.contact("closed")
    zone.wait(20)
    assert zone.types() == ["door.closed"]

    zone.disk.gone = False
    zone.wait(6)

    assert zone.types() == ["door.closed", "door.granted", "door.opened", "door.closed"]
    missed = next(e for e in zone.ledger.events() if e.type == "door.granted")
    assert missed.time_us == happened_us and missed.written_us > happened_us
    assert zone.tap("in") is Feedback.GRANTED


def test_a_door_is_locked_though_the_disk_fails_in_the_same_moment(zone):
    zone.tap()
    zone.contact("open")
    zone.disk.gone = True
    zone.contact("closed")
    assert zone.lock.commanded is LockState.LOCKED
    zone.disk.gone = False
    zone.wait(6)
    assert zone.types()[-2:] == ["door.opened", "door.closed"]


def test_a_jammed_bolt_is_a_fault_and_its_recovery_is_told(zone):
    zone.tap()
    zone.wait(1)
    zone.service.turn(zone.service._next_fact())
    zone.lock._follow(["jam"])
    zone.wait(5)
    for _ in range(10):
        zone.service.turn(zone.service._next_fact())
    assert "door.fault" in zone.types()
    zone.lock._follow(["free"])
    zone.wait(3)
    for _ in range(10):
        zone.service.turn(zone.service._next_fact())
    faults = [e.data["state"] for e in zone.ledger.events() if e.type == "door.fault"]
    assert faults == ["fault", "restored"]


def test_a_relay_that_fails_is_a_fault_and_the_process_goes_on(zone):
    zone.lock._follow(["dead"])
    zone.tap()
    zone.service.turn(zone.service._next_fact())
    assert zone.types()[-2:] == ["door.granted", "door.fault"]
    zone.lock._follow(["free"])
    zone.wait(10)
    assert zone.tap() is Feedback.GRANTED and zone.lock.commanded is LockState.UNLOCKED


def test_a_device_that_floods_the_queue_is_dropped_not_waited_for(zone, caplog):
    for _ in range(10_001):
        zone.service.take(CardPresented("front-door-in", CARD))
    assert "was dropped" in caplog.text


def test_a_fact_that_breaks_the_core_leaves_the_doors_working(zone, caplog):
    zone.service.turn(object())
    assert "could not be followed" in caplog.text
    assert zone.tap() is Feedback.GRANTED


def test_a_zone_that_starts_on_a_full_disk_lets_people_out_and_tells_its_start_later(settings):
    zone = Zone(settings)
    told = []

    def announce():
        zone.disk.append()
        told.append("started")

    zone.service._announce = announce
    zone.disk.gone = True
    stop = threading.Event()
    stop.set()
    zone.service.serve(stop)
    assert zone.tap("in") is Feedback.DENIED and zone.tap("out") is Feedback.GRANTED and told == []
    zone.disk.gone = False
    zone.wait(6)
    assert told == ["started"] and zone.tap("in") is Feedback.GRANTED
    zone.ledger.close()


def test_a_door_where_nothing_happens_costs_next_to_no_processor_time(settings):
    zone = Zone(settings)
    zone.service._clock = SystemClock()
    stop = threading.Event()
    used_s = []

    def serve():
        began_s = time.thread_time()
        zone.service.serve(stop)
        used_s.append(time.thread_time() - began_s)

    thread = threading.Thread(target=serve)
    thread.start()
    time.sleep(0.5)
    stop.set()
    thread.join()
    zone.ledger.close()
    assert used_s[0] < 0.1


class BrokenLock(SimulatedLock):
    """Its driver fails with an error that no interface promises."""

    broken = False

    def lock(self):
        if self.broken:
            raise OSError("the GPIO chip is gone")
        super().lock()

    @property
    def measured(self):
        if self.broken:
            raise OSError("the GPIO chip is gone")
        return super().measured


def test_a_lock_whose_driver_fails_does_not_keep_the_others_unlocked(zone):
    broken = BrokenLock("front-door", rests=LockState.LOCKED)
    zone.service._hardware.locks["front-door"] = broken
    hatch = zone.service._hardware.locks["hatch"]
    zone.tap()
    zone.service.turn(ButtonPressed("hatch"))
    assert hatch.commanded is LockState.UNLOCKED
    broken.broken = True
    zone.wait(6)
    for _ in range(10):
        zone.service.turn(zone.service._next_fact())
    assert hatch.commanded is LockState.LOCKED
    fault = next(e.data for e in zone.ledger.events() if e.type == "door.fault")
    assert fault["part"] == "lock" and "the GPIO chip is gone" in fault["detail"]


def test_a_reader_that_cannot_show_anything_stops_nobody(zone, caplog):
    def show(feedback):
        raise OSError("the bus is gone")

    zone.readers["front-door-in"].show = show
    zone.service.turn(CardPresented("front-door-in", CARD))
    assert zone.lock.commanded is LockState.UNLOCKED and "could not show" in caplog.text
    assert zone.tap("out") is Feedback.GRANTED


def test_a_reader_with_a_key_is_not_given_one_and_whoever_asked_is_told(zone):
    zone.service.turn(ReaderReported("front-door-in", ReaderState.INSECURE, "as it was"))
    zone.service.turn(ProvisionRequested("front-door-in", "m0001"))
    zone.service.turn(zone.service._facts.get_nowait())
    refused = list(zone.ledger.events())[-1]
    assert (refused.type, refused.data["actor"]) == ("command.refused", "m0001")
    assert "has a key already" in refused.data["reason"]


def test_nothing_is_opened_from_afar_when_it_cannot_be_recorded(zone):
    zone.disk.gone = True
    zone.service.turn(OpenRequested("front-door", "m0001"))
    assert zone.lock.commanded is LockState.LOCKED
    zone.disk.gone = False
    zone.wait(6)
    assert zone.types()[-1] == "command.refused"


def test_a_door_is_locked_in_time_though_the_disk_makes_the_doors_wait(settings):
    """Another process holds the ledger: an append may wait ten seconds for it, a dying card for ever."""
    zone = Zone(settings)
    zone.service = DoorService(zone.service.state.layout, zone.service._hardware, zone.ledger, SystemClock())
    front = settings.doors[0]
    quick = front.model_copy(update={"lock": front.lock.model_copy(update={"unlock_s": 0.3})})
    zone.service.state.layout.doors["front-door"] = quick
    stop = threading.Event()
    thread = threading.Thread(target=zone.service.serve, args=[stop])
    thread.start()
    other = sqlite3.connect(next(settings.ledger_dir.glob("*.sqlite3")), isolation_level=None)
    try:
        zone.service.take(CardPresented("front-door-in", CARD))
        assert zone.readers["front-door-in"].shown.get(timeout=30) is Feedback.GRANTED
        other.execute("BEGIN IMMEDIATE")
        zone.service.take(CardPresented("front-door-in", "DEADBEEF"))
        ends_s = time.monotonic() + 30
        while zone.lock.commanded is LockState.UNLOCKED:
            assert time.monotonic() < ends_s, "the lock stayed open while the ledger was waited for"
            time.sleep(0.01)
        assert zone.readers["front-door-in"].shown.empty(), "the doors' thread still waits"
    finally:
        other.execute("ROLLBACK")
        other.close()
        stop.set()
        thread.join()
        zone.ledger.close()

"""The door process whole: real ledger, real threads, simulated hardware driven through its socket."""

import threading
import time

import pytest
from argon2 import PasswordHasher

from config.clock import SystemClock
from config.zone import ZoneSettings
from custody.events import Draft
from devices.doors.lock import LockState
from devices.simulation import SimulationError, drive
from edge.doors.hardware import build
from edge.doors.process import run
from edge.pulse import is_alive
from sync.errors import LedgerMissing
from sync.ledger import Ledger

from .conftest import lock, officer, zone_of

WITHIN_S = 60.0


class Running:
    def __init__(self, settings):
        self.settings = settings
        self.clock = SystemClock()
        self.ledger = Ledger.create(settings.ledger_dir, zone="nz01", deployment="fourmusts", clock=self.clock)
        self.hardware = build(settings)
        self.stop = threading.Event()
        arguments = (settings, self.clock, self.stop)
        self.thread = threading.Thread(target=run, args=arguments, kwargs={"hardware": self.hardware})

    def start(self):
        self.thread.start()
        self.until(lambda: (self.settings.run_dir / "sim-doors.sock").exists())
        self.until(lambda: self.types().count("door.closed") == 3)
        return self

    def end(self):
        self.stop.set()
        if self.thread.ident is not None:
            self.thread.join(WITHIN_S)
        assert not self.thread.is_alive()
        self.ledger.close()

    def sim(self, text):
        return drive(self.settings.run_dir, text.split())

    def types(self):
        return [event.type for event in self.ledger.events()]

    def ask(self, command, door="front-door", actor="m0001"):
        data = {"command": command, "actor": actor, "reason": None, "args": {"door": door}}
        self.ledger.append(Draft("command.received", data))

    def again(self):
        """The process ends and starts, on the same ledger and new hardware."""
        self.stop.set()
        self.thread.join(WITHIN_S)
        assert not self.thread.is_alive()
        self.stop.clear()
        self.hardware = build(self.settings)
        closed = self.types().count("door.closed")
        arguments = (self.settings, self.clock, self.stop)
        self.thread = threading.Thread(target=run, args=arguments, kwargs={"hardware": self.hardware})
        self.thread.start()
        self.until(lambda: self.types().count("door.closed") == closed + 3)

    def last(self, type_):
        return [event for event in self.ledger.events() if event.type == type_][-1].data

    def until(self, condition):
        ends_s = time.monotonic() + WITHIN_S
        while not condition():
            assert time.monotonic() < ends_s, f"it did not happen; the ledger has {self.types()}"
            time.sleep(0.01)


@pytest.fixture
def run_zone(tmp_path):
    """Runs the small zone with these changes of its tables."""
    started = []

    def start(**changes):
        settings = ZoneSettings.model_validate({**zone_of(tmp_path / "state"), **changes})
        started.append(Running(settings))
        return started[-1].start()

    yield start
    for running in started:
        running.end()


@pytest.fixture
def running(settings):
    running = Running(settings)
    yield running
    running.end()


def test_a_day_at_a_door_is_in_the_ledger_in_its_order(running):
    running.start()
    assert running.sim("tap front-door p0231") == "tapped: granted"
    assert running.sim("lock front-door") == "commanded unlocked, measured unlocked"
    running.sim("open front-door")
    running.until(lambda: "door.opened" in running.types())
    running.sim("close front-door")
    running.until(lambda: running.sim("lock front-door") == "commanded locked, measured locked")
    assert running.sim("tap front-door DEADBEEF") == "tapped: denied"
    running.sim("open front-door")
    running.until(lambda: "door.forced" in running.types())

    told = running.types()
    assert told[0] == "ledger.opened"
    assert told.index("zone.described") < told.index("zone.started") < told.index("door.granted")
    doors = [type_ for type_ in told if type_.startswith("door.")][3:]
    assert doors == [
        "door.granted",
        "door.opened",
        "door.closed",
        "door.denied",
        "door.opened",
        "door.forced",
    ]


def test_the_grant_is_in_the_ledger_before_the_relay_moves(running):
    seen = []
    lock = running.hardware.locks["front-door"]
    lock._on_command = lambda state: seen.append((state, "door.granted" in running.types()))
    running.start()
    running.sim("tap front-door p0231")
    assert seen == [(LockState.UNLOCKED, True)]


def test_a_person_that_the_panel_registered_is_brought_in_by_the_officer_who_came_with_him(running):
    running.start()
    stay = "nz01-20261123-004"
    officer = {"id": "p0231", "rank": "police", "sex": "m"}
    running.ledger.append(
        Draft(
            "stay.arrived",
            {
                "stay": stay,
                "person": "c0ffee",
                "category": "suspect",
                "sex": "m",
                "flags": [],
                "case": {"id": "c-1", "kind": "criminal"},
                "measure": {"kind": "none", "limit_hours": None, "document": None, "since": None},
                "brought_by": [officer],
                "via": "front-door",
                "exempt": None,
            },
            f"stay/{stay}",
        )
    )

    def brought_in():
        running.sim("tap front-door p0231")
        granted = running.last("door.granted")
        return (granted["purpose"], granted["stay"]) == ("bring_in", stay)

    running.until(brought_in)


def test_a_command_in_the_ledger_opens_a_door_or_is_refused(running):
    running.start()

    def ask(actor):
        data = {"command": "open", "actor": actor, "reason": "visitor", "args": {"door": "front-door"}}
        running.ledger.append(Draft("command.received", data))

    ask("p0231")
    running.until(lambda: "command.refused" in running.types())
    assert running.hardware.locks["front-door"].commanded is LockState.LOCKED
    ask("m0001")
    running.until(lambda: running.hardware.locks["front-door"].commanded is LockState.UNLOCKED)
    assert running.last("door.released") == {"door": "front-door", "cause": "remote", "actor": "m0001"}


def test_a_bolt_that_is_moved_by_a_key_is_in_the_ledger_and_so_is_its_return(running):
    running.start()
    running.sim("turn front-door unlocked")
    running.until(lambda: "door.fault" in running.types())
    assert "measures unlocked" in running.last("door.fault")["detail"]
    running.sim("turn front-door locked")
    running.until(lambda: running.last("door.fault")["state"] == "restored")


def test_it_shows_its_pulse_and_ends_it(running):
    running.start()
    alive = lambda: is_alive(running.settings.run_dir, "doors", running.clock)  # noqa: E731
    running.until(alive)
    running.stop.set()
    running.thread.join(WITHIN_S)
    assert not alive()


def test_a_stop_in_the_middle_of_an_unlocking_lets_go_of_the_lock_and_is_recorded(running):
    running.start()
    running.sim("tap front-door p0231")
    lock = running.hardware.locks["front-door"]
    assert lock.measured is LockState.UNLOCKED
    running.stop.set()
    running.thread.join(WITHIN_S)
    assert lock.measured is LockState.LOCKED and lock.commanded is LockState.UNKNOWN
    assert running.types()[-1] == "zone.stopped"
    with pytest.raises(SimulationError, match="is the zone running"):
        running.sim("tap front-door p0231")


def test_one_broken_reader_leaves_the_others_working(running):
    running.start()
    running.sim("reader front-door-in offline")
    running.until(lambda: "door.fault" in running.types())
    with pytest.raises(SimulationError, match="offline"):
        running.sim("tap front-door p0231")
    assert running.sim("tap front-door p0231 out") == "tapped: granted"


def test_without_a_ledger_it_does_not_start_and_names_the_command(settings):
    with pytest.raises(LedgerMissing, match="fourmusts init"):
        run(settings, SystemClock(), threading.Event())


def test_a_card_and_its_pin_open_and_no_line_has_the_pin(run_zone):
    pin_hash = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1).hash("90210777")
    running = run_zone(
        officer=[officer("p0231", ["guard"], pin_hash=pin_hash)],
        access=[{"door": "front-door", "level": "card_and_pin"}],
    )
    running.sim("tap front-door p0231")
    running.sim("pin front-door 4711")
    running.until(lambda: "door.denied" in running.types())
    assert running.last("door.denied")["reason"] == "wrong_pin"
    running.sim("tap front-door p0231")
    running.sim("pin front-door 90210777")
    running.until(lambda: "door.granted" in running.types())
    assert not any(b"90210777" in event.line for event in running.ledger.events())


def test_a_lockdown_and_a_release_outlast_a_restart(run_zone):
    running = run_zone()
    running.ask("lockdown")
    running.ask("release", "hatch")
    running.until(lambda: running.types().count("door.mode") == 2)
    running.again()
    running.until(lambda: running.hardware.locks["hatch"].commanded is LockState.UNLOCKED)
    assert running.sim("tap front-door p0231") == "tapped: denied"
    assert running.last("door.denied")["detail"] == "lockdown"
    running.ask("secure", "hatch")
    running.ask("lockdown.end")
    running.until(lambda: running.types().count("door.mode") == 4)
    running.until(lambda: running.hardware.locks["hatch"].commanded is LockState.LOCKED)
    assert running.sim("tap front-door p0231") == "tapped: granted"


def test_who_is_inside_is_known_after_a_restart(run_zone):
    running = run_zone(access=[{"door": "front-door", "passback": "hard"}])
    running.sim("tap front-door p0231")
    running.sim("open front-door")
    running.until(lambda: "door.opened" in running.types())
    running.sim("close front-door")
    running.again()
    assert running.sim("tap front-door p0231") == "tapped: denied"
    assert running.last("door.denied")["reason"] == "passback"


def test_a_fire_is_recorded_and_its_doors_stay_open_until_somebody_secures_them(run_zone, tmp_path):
    doors = zone_of(tmp_path / "state")["door"]
    doors[0]["lock"] = lock(
        hardware="power_to_lock", relay="normally_closed", on_controller_loss="locked", on_power_loss="unlocked"
    )
    running = run_zone(door=doors, fire={"driver": "simulated"})
    assert running.sim("fire alarm on") == "its contact is open"
    running.until(lambda: "door.released" in running.types())
    assert running.last("door.released") == {"door": "front-door", "cause": "fire", "actor": None}
    running.until(lambda: running.hardware.locks["front-door"].commanded is LockState.UNLOCKED)
    running.ask("secure")
    running.until(lambda: "command.refused" in running.types())
    assert running.sim("fire alarm off") == "its contact is closed"
    assert running.sim("fire alarm off") == "its contact was closed already"
    running.ask("secure")
    running.until(lambda: running.hardware.locks["front-door"].commanded is LockState.LOCKED)
    with pytest.raises(SimulationError, match="can be on, off, fault"):
        running.sim("fire alarm loud")

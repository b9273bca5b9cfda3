"""The overseer speaks for the zone as a whole, into a real ledger."""

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import cast

import pytest

from config.clock import ManualClock
from config.zone import ZoneSettings, load_zone
from custody.events import Draft, Event, parse_time
from edge.overseer import HEARTBEAT_S, Overseer
from edge.pulse import PULSE_VALID_S, Pulse
from sync.errors import LedgerUnwritable
from sync.ledger import Ledger

MANUAL = Path(__file__).parents[2] / "config" / "zone.toml"
Overseen = tuple[Ledger, ManualClock, ZoneSettings]


@pytest.fixture
def zone(tmp_path: Path) -> Iterator[Overseen]:
    settings = load_zone(MANUAL)
    settings = settings.model_copy(update={"zone": settings.zone.model_copy(update={"state_dir": tmp_path})})
    clock = ManualClock()
    ledger = Ledger.create(settings.ledger_dir, zone="nz01", deployment="nanzheng", clock=clock)
    yield ledger, clock, settings
    ledger.close()


class SteadyClock(ManualClock):
    """A manual clock whose waits last long enough for a thread to be stopped in between."""

    def real_s(self, clock_s: float) -> float:
        return 60.0


class BriskClock(ManualClock):
    """A manual clock whose waits are short; ``turned`` once somebody has waited three times."""

    def __init__(self) -> None:
        super().__init__()
        self.turned = threading.Event()
        self._waits = 0

    def real_s(self, clock_s: float) -> float:
        self._waits += 1
        if self._waits > 3:
            self.turned.set()
        return 0.02


def observed(zone: Overseen, act: Callable[[ManualClock], None]) -> list[Event]:
    """What the overseer writes at its next look, after ``act``."""
    ledger, clock, settings = zone
    overseer = Overseer(settings, ledger, clock)
    act(clock)
    written = ledger.append(*overseer.observe())
    return written


def test_a_heartbeat_says_which_parts_live_and_what_the_disk_has_left(zone: Overseen) -> None:
    _, clock, settings = zone
    Pulse(settings.run_dir, "doors", clock).beat()
    heartbeat = observed(zone, lambda clock: None)[-1]
    assert heartbeat.type == "zone.heartbeat"
    assert heartbeat.data["parts"] == {"doors": True, "cameras": False, "link": False, "panel": False}
    assert heartbeat.data["disk"]["free_bytes"] > 0


def test_cameras_are_unknown_from_the_last_sign_of_life_of_a_dead_camera_process(zone: Overseen) -> None:
    _, clock, settings = zone
    Pulse(settings.run_dir, "cameras", clock).beat()
    died_us = clock.now_us()
    written = observed(zone, lambda clock: clock.advance(PULSE_VALID_S + 10))
    states = [event for event in written if event.type == "camera.state"]
    assert [event.data["camera"] for event in states] == [camera.id for camera in settings.cameras]
    assert {event.data["state"] for event in states} == {"unknown"}
    assert {parse_time(event.data["since"])[0] for event in states} == {died_us}


def test_a_dead_camera_process_is_said_once(zone: Overseen) -> None:
    ledger, clock, settings = zone
    overseer = Overseer(settings, ledger, clock)
    assert len(overseer.observe()) == 1 + len(settings.cameras)
    assert len(overseer.observe()) == 1


def test_a_step_of_the_wall_clock_is_written_and_the_passing_of_time_is_not(zone: Overseen) -> None:
    assert (
        next(event.type for event in observed(zone, lambda clock: clock.advance(HEARTBEAT_S))) != "clock.stepped"
    )
    stepped = observed(zone, lambda clock: clock.step_wall(-7.5))[0]
    assert (stepped.type, stepped.data["by_s"]) == ("clock.stepped", -7.5)


def test_a_start_describes_the_zone_and_says_whether_the_last_stop_was_orderly(zone: Overseen) -> None:
    ledger, _, settings = zone
    clock = SteadyClock()
    for _ in range(2):
        overseer = Overseer(settings, ledger, clock)
        overseer.start()
        overseer.stop("test")
    killed, started_again = Overseer(settings, ledger, clock), Overseer(settings, ledger, clock)
    killed.start()
    started_again.start()
    started = [event.data["clean"] for event in ledger.events() if event.type == "zone.started"]
    assert started == [False, True, True, False]
    described = next(event for event in ledger.events() if event.type == "zone.described")
    assert [room["id"] for room in described.data["rooms"]] == [room.id for room in settings.rooms]
    assert described.data["doors"][0]["from"] == "outside"
    for overseer in (killed, started_again):
        overseer.stop("test")


class MovableDisk:
    """A ledger whose disk can be taken away; everything else is the real one."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.gone = False

    def append(self, *drafts: Draft) -> list[Event]:
        if self.gone:
            raise LedgerUnwritable(self.ledger.directory, "no space left on device")
        return self.ledger.append(*drafts)


def test_what_a_full_disk_did_not_take_is_told_when_it_takes_lines_again(zone: Overseen) -> None:
    ledger, clock, settings = zone
    disk = MovableDisk(ledger)
    overseer = Overseer(settings, cast(Ledger, disk), clock)
    clock.step_wall(-7.5)
    disk.gone = True
    with pytest.raises(LedgerUnwritable):
        overseer.look()
    disk.gone = False
    overseer.look()
    types = [event.type for event in ledger.events()]
    assert types.count("clock.stepped") == 1
    assert types.count("camera.state") == len(settings.cameras)


def test_a_look_that_fails_for_whatever_reason_does_not_silence_the_zone_for_good(zone: Overseen) -> None:
    ledger, _, settings = zone
    clock = BriskClock()
    overseer = Overseer(settings, ledger, clock)
    overseer.start()
    state_dir = settings.zone.state_dir
    try:
        overseer._settings = settings.model_copy(
            update={"zone": settings.zone.model_copy(update={"state_dir": state_dir / "unmounted"})}
        )
        assert clock.turned.wait(10)
        overseer._settings = settings
        ends_s = time.monotonic() + 60
        while not any(event.type == "zone.heartbeat" for event in ledger.events()):
            assert time.monotonic() < ends_s, "no heartbeat was written any more"
            time.sleep(0.01)
    finally:
        overseer.stop("test")


def test_a_mark_that_cannot_be_written_does_not_spoil_the_stop(zone: Overseen) -> None:
    ledger, _, settings = zone
    overseer = Overseer(settings, ledger, SteadyClock())
    overseer.start()
    overseer._clean_mark = settings.zone.state_dir / "unmounted" / "mark"
    overseer.stop("test")
    assert [event.type for event in ledger.events()][-1] == "zone.stopped"

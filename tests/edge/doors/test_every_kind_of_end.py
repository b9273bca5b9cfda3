"""The door process ended in every way while a door is unlocked; its relays are watched from outside.

What is held here is the table in docs/en/doors.md.
"""

import os
import random
import resource
import signal
import threading
from contextlib import suppress

import pytest
from door_process import Board, until

from devices.doors.simulated_line import Level
from devices.simulation import SimulationError

SOAK = bool(os.environ.get("FOURMUSTS_SOAK"))
SEEDS = range(30) if SOAK else [1]
CUTS = 200 if SOAK else 3


@pytest.fixture(scope="module")
def zone(tmp_path_factory):
    """One zone that dies again and again."""
    board = Board(tmp_path_factory.mktemp("board"))
    yield board
    board.close()


@pytest.fixture
def board(zone):
    """It runs, and a door is unlocked."""
    if zone.process is None:
        zone.start()
    assert zone.tap() == zone.tap("gate") == "tapped: granted"
    assert (zone.relay(), zone.relay("gate")) == (Level.ENERGISED, Level.AT_REST)
    zone.grants = len(zone.events("door.granted"))
    yield zone
    if zone.process is not None and zone.process.poll() is not None:
        zone.process = None


def some_time(seed):
    threading.Event().wait(random.Random(seed).uniform(0.0, 0.3))


def assert_all_is_as_declared(board, *, clean):
    """After the end, and what systemd does then: the relays, the ledger, the next start, and the record of it."""
    assert {board.relay(door) for door in ("front-door", "hatch", "gate")} == {Level.UNDRIVEN}
    assert board.breaches() == []
    assert len(board.events("door.granted")) >= board.grants

    board.start()
    assert (board.relay(), board.relay("hatch"), board.relay("gate")) == (Level.AT_REST,) * 2 + (Level.ENERGISED,)
    assert board.events("zone.started")[-1].data["clean"] is clean
    assert board.sim("lock front-door") == "commanded locked, measured locked"


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("asked", [signal.SIGTERM, signal.SIGINT])
def test_asked_to_stop_it_lets_go_of_the_locks_by_itself_and_says_so(board, asked, seed):
    some_time(seed)
    board.kill(asked)
    assert board.ended() == 0
    assert board.relay() is Level.UNDRIVEN, "before anything else is run"
    assert any(message.get("STOPPING") == "1" for message in iter(lambda: board.systemd.hear(0), None))
    board.stop_post()
    stopped = board.events("zone.stopped")[-1]
    assert stopped.data["reason"] == "the door process was asked to stop"
    assert_all_is_as_declared(board, clean=True)


@pytest.mark.parametrize("seed", SEEDS)
def test_killed_it_leaves_the_relay_as_it_was_until_systemd_lets_go_of_it(board, seed):
    some_time(seed)
    board.kill(signal.SIGKILL)
    assert board.ended() == -signal.SIGKILL
    assert board.relay() is Level.ENERGISED, "nobody was left to move it"
    board.stop_post()
    assert_all_is_as_declared(board, clean=False)


@pytest.mark.parametrize("seed", SEEDS)
def test_killed_without_systemd_it_locks_at_its_next_start(board, seed):
    some_time(seed)
    board.kill(signal.SIGKILL)
    board.ended()
    board.start()
    assert board.relay() is Level.AT_REST and board.relay("gate") is Level.ENERGISED
    assert board.breaches() == [] and board.events("zone.started")[-1].data["clean"] is False


@pytest.mark.parametrize("seed", SEEDS)
def test_stopped_dead_it_feeds_the_watchdog_no_more_and_systemd_ends_it(board, seed):
    board.systemd.until(lambda message: message.get("WATCHDOG") == "1")
    some_time(seed)
    board.kill(signal.SIGSTOP)
    until(lambda: board.systemd.hear(2.0) is None)  # WatchdogSec of the unit that it is told
    board.kill(signal.SIGABRT)
    board.kill(signal.SIGCONT)
    assert board.ended() == -signal.SIGABRT
    assert "Fatal Python error: Aborted" in board.log.read_text(), "what each thread did is in the log"
    board.stop_post()
    assert_all_is_as_declared(board, clean=False)


@pytest.mark.parametrize("seed", SEEDS)
def test_without_memory_it_still_locks_in_time_or_dies_and_is_let_go(board, seed):
    """The end by the kernel for want of memory is a SIGKILL; before that, allocations fail."""
    assert board.tap("hatch") == "tapped: granted"
    some_time(seed)
    resource.prlimit(board.pid, resource.RLIMIT_AS, (0, resource.RLIM_INFINITY))
    until(lambda: board.relay("hatch") is not Level.ENERGISED or board.process.poll() is not None)
    board.kill(signal.SIGKILL)
    board.ended()
    board.stop_post()
    assert_all_is_as_declared(board, clean=False)


def fill(pipe):
    other_end = os.open(f"/proc/self/fd/{pipe}", os.O_WRONLY | os.O_NONBLOCK)
    with suppress(BlockingIOError):
        while os.write(other_end, b"x"):
            pass
    os.close(other_end)


def test_a_core_that_hangs_is_named_its_door_is_locked_and_the_watchdog_left_to_bark(board):
    """Its log is a pipe that nobody reads any more: whoever writes a line waits for ever."""
    board.kill(signal.SIGTERM)
    board.ended()
    reading, writing = os.pipe()
    board.start(stderr=writing)
    assert board.tap("hatch") == "tapped: granted"
    fill(writing)
    board.sim("open hatch")  # a transition, so a line of the log
    until(lambda: board.relay("hatch") is Level.AT_REST)
    said = board.systemd.until(lambda message: "not fed" in message.get("STATUS", ""))
    assert "the doors' core has stood still" in said["STATUS"] and "WATCHDOG" not in said
    assert [m for m in iter(lambda: board.systemd.hear(2.0), None) if "WATCHDOG" in m] == []
    # SIGABRT would write what each thread does into that pipe, and wait too: TimeoutAbortSec, then this.
    board.kill(signal.SIGKILL)
    board.ended()
    os.close(reading)
    os.close(writing)
    board.stop_post()
    assert_all_is_as_declared(board, clean=False)


def test_whatever_the_moment_a_relay_that_moved_has_its_grant_on_disk(zone):
    """The ledger first: killed around a tap, thousandths of a second apart."""
    moments = random.Random(5)
    if zone.process is None:
        zone.start()
    moved = 0
    for cut in range(CUTS):
        before = len(zone.events("door.granted"))

        def tap():
            with suppress(SimulationError, OSError):
                zone.tap()

        tapping = threading.Thread(target=tap)
        tapping.start()
        if cut % 3 == 2:
            until(lambda: zone.relay() is Level.ENERGISED)
        else:
            threading.Event().wait(moments.uniform(0.0, 0.03))
        zone.kill(signal.SIGKILL)
        zone.ended()
        tapping.join()
        if zone.relay() is Level.ENERGISED:
            moved += 1
            assert len(zone.events("door.granted")) == before + 1
        zone.stop_post()
        zone.start()
    assert zone.breaches() == []
    assert moved >= CUTS // 3

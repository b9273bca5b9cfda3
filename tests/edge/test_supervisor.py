"""The supervisor of a zone's processes, with real processes."""

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from edge.supervisor import Supervisor

WRITES_ITS_PID = "import os,sys,time,pathlib; pathlib.Path(sys.argv[1]).open('a').write(f'{os.getpid()}\\n'); "
SLEEPS = WRITES_ITS_PID + "time.sleep(600)"
DIES = WRITES_ITS_PID + "sys.exit(3)"


def wait_for(condition: Callable[[], bool], seconds: float = 60) -> None:
    deadline_s = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline_s, "waited too long"
        time.sleep(0.01)


def pids(file: Path) -> list[int]:
    return [int(line) for line in file.read_text().split()] if file.exists() else []


def lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@contextmanager
def supervised(commands: dict[str, list[str]]) -> Iterator[threading.Event]:
    stop = threading.Event()
    thread = threading.Thread(target=Supervisor(commands).run, args=(stop,))
    thread.start()
    try:
        yield stop
    finally:
        stop.set()
        thread.join(30)
        assert not thread.is_alive()


def test_a_part_that_is_killed_is_started_again_and_the_others_are_left_alone(tmp_path: Path) -> None:
    doors, panel = tmp_path / "doors", tmp_path / "panel"
    commands = {name.name: [sys.executable, "-c", SLEEPS, str(name)] for name in (doors, panel)}
    with supervised(commands):
        wait_for(lambda: len(pids(doors)) == 1 and len(pids(panel)) == 1)
        os.kill(pids(panel)[0], 9)
        wait_for(lambda: len(pids(panel)) == 2)
        assert lives(pids(doors)[0])
        assert len(pids(doors)) == 1


def test_a_part_that_dies_at_once_is_started_again_later_each_time(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "link"
    with supervised({"link": [sys.executable, "-c", DIES, str(file)]}):
        wait_for(lambda: len(pids(file)) == 3)
    delays = [str(record.args[2]) for record in caplog.records if isinstance(record.args, tuple)]
    assert delays[:2] == ["0.5", "1.0"]


def test_a_stop_ends_every_part(tmp_path: Path) -> None:
    file = tmp_path / "doors"
    with supervised({"doors": [sys.executable, "-c", SLEEPS, str(file)]}) as stop:
        wait_for(lambda: len(pids(file)) == 1)
        stop.set()
        wait_for(lambda: not lives(pids(file)[0]))

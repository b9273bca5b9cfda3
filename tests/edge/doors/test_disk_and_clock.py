"""The real door process on a disk that takes nothing, and under a wall clock that is stepped."""

import os
import resource
import subprocess
import time
from pathlib import Path

import pytest
from door_process import Board, until

from devices.doors.simulated_line import Level

DISK_BYTES = 2 * 1024 * 1024


class Disk:
    """Under the ledger: a small file system that is filled up, or one that at some moment refuses every write.

    The second is made by a limit on the size of files; it stands in for the first where none may be mounted.
    """

    def __init__(self, folder, kind):
        self.folder = folder
        folder.mkdir(parents=True)
        mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "fourmusts-test", str(folder)]
        self.mounted = (
            kind == "full" and os.geteuid() == 0 and subprocess.run(mount, capture_output=True).returncode == 0
        )
        self.filler = folder / "filler"

    def fill(self, pid):
        if not self.mounted:
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (1024, resource.RLIM_INFINITY))
            return
        with self.filler.open("wb", buffering=0) as file:
            try:
                while file.write(b"x" * 512):
                    pass
            except OSError:
                return

    def free(self, pid):
        if not self.mounted:
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        self.filler.unlink(missing_ok=True)

    def close(self):
        if self.mounted:
            subprocess.run(["umount", str(self.folder)], check=True)


@pytest.fixture(params=["full", "refusing"])
def disk(tmp_path, request):
    disk = Disk(tmp_path / "state" / "ledger", request.param)
    yield disk
    disk.close()


@pytest.fixture
def board(tmp_path, disk):
    board = Board(tmp_path)
    yield board
    board.close()


def test_when_the_disk_takes_nothing_nobody_comes_in_everybody_gets_out_and_it_is_told_later(board, disk):
    board.start()
    assert board.tap(side="in") == "tapped: granted"
    disk.fill(board.pid)
    until(lambda: board.tap("front-door", "in") == "tapped: denied")  # its file may have some room left

    assert "the doors cannot record" in board.log.read_text()
    assert board.tap("gate", "out") == "tapped: granted" and board.relay("gate") is Level.AT_REST
    assert board.tap("hatch", "out") == "tapped: granted"
    until(lambda: board.relay("hatch") is Level.AT_REST)
    board.sim("open gate")

    disk.free(board.pid)
    until(lambda: any(event.data["door"] == "gate" for event in board.events("door.opened")))
    assert board.breaches() == []
    denied = [event for event in board.events("door.denied") if event.data.get("detail") == "ledger_unwritable"]
    out = [event for event in board.events("door.granted") if event.data["direction"] == "out"]
    assert denied and {event.data["door"] for event in out} == {"gate", "hatch"}
    assert all("recordedtime" in event.line.decode() for event in [*denied, *out]), "that it is late shows"
    until(lambda: board.tap("front-door", "in") == "tapped: granted")


FAKETIME = next(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))


@pytest.mark.parametrize("step_s", [-3600, 3600])
def test_a_wall_clock_that_is_stepped_moves_no_relock(tmp_path, step_s):
    """libfaketime steps what the process takes for the wall clock; the machine's is left alone."""
    board, step = Board(tmp_path), tmp_path / "step"
    step.write_text("+0")
    try:
        board.start(
            LD_PRELOAD=str(FAKETIME),
            FAKETIME_TIMESTAMP_FILE=str(step),
            FAKETIME_NO_CACHE="1",
            FAKETIME_DONT_FAKE_MONOTONIC="1",
        )
        began_s = time.monotonic()
        assert board.tap("hatch") == "tapped: granted"
        step.write_text(f"{step_s:+d}")
        until(lambda: board.relay("hatch") is Level.AT_REST)
        assert time.monotonic() - began_s >= 1.0, "unlock_s of the hatch"
        assert board.tap() == "tapped: granted"
        (hatch,), (front,) = (
            [event for event in board.events("door.granted") if event.data["door"] == door]
            for door in ("hatch", "front-door")
        )
        stepped_s = (front.time_us - hatch.time_us) / 1e6 - (front.boottime_s - hatch.boottime_s)
        assert stepped_s == pytest.approx(step_s, abs=60), "it was stepped, and only boot time was not"
        assert board.breaches() == []
    finally:
        board.close()

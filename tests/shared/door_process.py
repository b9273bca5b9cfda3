"""The real door process, and what stands around it on a board: systemd, and somebody who watches the relays.

Nothing here looks into the process: relays are the files that outlive it, systemd is a datagram socket.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from config.clock import SystemClock
from config.zone import load_zone
from custody.events import Event
from devices.doors.simulated_line import Level, level_of
from devices.simulation import drive
from sync.check import Level as Depth
from sync.check import check
from sync.ledger import Ledger

WITHIN_S = 60.0
"""Generous: a machine may be busy with anything else."""
PROJECT = Path(__file__).parents[2]
CARD = "04A1B2C3"

ZONE = """
[zone]
id = "nz01"
name = "North"
state_dir = "state"
[[room]]
id = "street"
name = "Street"
area = "outside"
[[room]]
id = "corridor"
name = "Corridor"
[[officer]]
id = "p0231"
name = "P"
rank = "police"
sex = "f"
card = "{card}"
roles = ["guard"]
"""
DOOR = """
[[door]]
id = "{id}"
name = "{id}"
from = "street"
to = "corridor"
contact = {{ driver = "simulated" }}
[door.lock]
driver = "simulated"
hardware = "{hardware}"
on_controller_loss = "{rests}"
on_power_loss = "{rests}"
unlock_s = {unlock_s}
[[reader]]
id = "{id}-in"
door = "{id}"
direction = "in"
driver = "simulated"
[[reader]]
id = "{id}-out"
door = "{id}"
direction = "out"
driver = "simulated"
"""
STRIKE = {"hardware": "power_to_unlock", "rests": "locked"}
MAGNET = {"hardware": "power_to_lock", "rests": "unlocked"}


class Systemd:
    """The socket that a unit of Type=notify is given, and what came in through it."""

    def __init__(self, folder: Path) -> None:
        self.address = str(folder / "notify")
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(self.address)
        self.heard: list[dict[str, str]] = []

    def hear(self, within_s: float) -> dict[str, str] | None:
        """The next message, or None when there is none for so long."""
        if not select.select([self._socket], [], [], within_s)[0]:
            return None
        lines = self._socket.recv(4096).decode().splitlines()
        self.heard.append(dict(line.split("=", 1) for line in lines))
        return self.heard[-1]

    def until(self, wanted: Callable[[dict[str, str]], bool]) -> dict[str, str]:
        ends_s = time.monotonic() + WITHIN_S
        while time.monotonic() < ends_s:
            message = self.hear(1.0)
            if message is not None and wanted(message):
                return message
        raise AssertionError(f"systemd was not told; it heard {self.heard[-5:]}")

    def close(self) -> None:
        self._socket.close()


class Board:
    """front-door and hatch are fail-secure (unlocked for a minute, and for a second), gate is held by a magnet."""

    def __init__(self, folder: Path, state_dir: Path | None = None) -> None:
        self.file = folder / "zone.toml"
        doors = [("front-door", STRIKE, 60), ("hatch", STRIKE, 1), ("gate", MAGNET, 60)]
        texts = [DOOR.format(id=id_, unlock_s=unlock_s, **kind) for id_, kind, unlock_s in doors]
        self.file.write_text(ZONE.format(card=CARD) + "".join(texts))
        if state_dir is not None:
            self.file.write_text(self.file.read_text().replace('"state"', f'"{state_dir}"'))
        self.settings = load_zone(self.file)
        self.clock = SystemClock()
        Ledger.create(self.settings.ledger_dir, zone="nz01", deployment="fourmusts", clock=self.clock).close()
        self.systemd = Systemd(folder)
        self.log = folder / "doors.log"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, *, watchdog_s: float = 2.0, stderr: int | None = None, **environment: str) -> None:
        """Returns once it has told systemd that it is ready."""
        given = {"NOTIFY_SOCKET": self.systemd.address, "WATCHDOG_USEC": str(round(watchdog_s * 1e6))}
        # No one write of a small file is in the way of the disk's full test: Python's own caches are not written.
        environ = {
            **os.environ,
            "PYTHONPATH": str(PROJECT),
            "PYTHONDONTWRITEBYTECODE": "1",
            **given,
            **environment,
        }
        command = [sys.executable, "-m", "fourmusts", "doors", "--config", str(self.file)]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(command, env=environ, stderr=log if stderr is None else stderr)
        self.systemd.until(lambda message: message.get("READY") == "1")

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    def kill(self, number: signal.Signals) -> None:
        os.kill(self.pid, number)

    def ended(self) -> int:
        assert self.process is not None
        status = self.process.wait(WITHIN_S)
        self.process = None
        return status

    def stop_post(self) -> None:
        """What systemd runs after every kind of end."""
        command = [sys.executable, "-m", "edge.doors.release_locks", str(self.file)]
        subprocess.run(command, check=True, env={**os.environ, "PYTHONPATH": str(PROJECT)})

    def sim(self, words: str) -> str:
        return drive(self.settings.run_dir, words.split())

    def tap(self, door: str = "front-door", side: str = "in") -> str:
        return self.sim(f"tap {door} {CARD} {side}")

    def relay(self, door: str = "front-door") -> Level:
        return level_of(self.settings.relay_file(door))

    @contextlib.contextmanager
    def ledger(self) -> Iterator[Ledger]:
        ledger = Ledger.open(self.settings.ledger_dir, zone="nz01", deployment="fourmusts", clock=self.clock)
        try:
            yield ledger
        finally:
            ledger.close()

    def events(self, type_: str) -> list[Event]:
        with self.ledger() as ledger:
            return [event for event in ledger.events() if event.type == type_]

    def breaches(self) -> list[str]:
        with self.ledger() as ledger:
            return [str(breach) for breach in check(ledger, Depth.FULL)]

    def close(self) -> None:
        if self.process is not None:
            self.kill(signal.SIGKILL)
            self.ended()
        self.systemd.close()


def until(condition: Callable[[], bool]) -> None:
    ends_s = time.monotonic() + WITHIN_S
    while not condition():
        assert time.monotonic() < ends_s, "it did not happen"
        time.sleep(0.01)

"""Mosquitto for the benchmarks: as config/broker/ sets it up, and as the bridge that others would use."""

from __future__ import annotations

import getpass
import shutil
import socket
import subprocess
import time
from collections.abc import Iterable
from pathlib import Path

from sync import keys
from sync.broker import free_port
from sync.mosquitto import render

STARTING_S_MAX = 10.0


class MosquittoMissing(RuntimeError):
    """mosquitto is not installed."""


class Mosquitto:
    """A broker process; ended by its own id."""

    def __init__(self, configuration: Path, port: int) -> None:
        self.port = port
        self._configuration = configuration
        self._process: subprocess.Popen[bytes] | None = None
        with configuration.open("a") as opened:
            opened.write(f"\nuser {getpass.getuser()}\n")

    def start(self) -> None:
        self._process = subprocess.Popen(
            [program(), "-c", str(self._configuration)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        ends_s = time.monotonic() + STARTING_S_MAX
        while not _listens(self.port):
            if time.monotonic() > ends_s:
                raise RuntimeError(f"mosquitto -c {self._configuration} did not start")
            time.sleep(0.02)

    def kill(self) -> None:
        """kill -9."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait()


def program() -> str:
    found = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")
    if found is None:
        raise MosquittoMissing("mosquitto is not installed; apt install mosquitto")
    return found


def make_keys(directory: Path, zones: Iterable[str]) -> Path:
    """Keys and certificates of a deployment with these zones."""
    authority = directory / "authority"
    keys.make_authority(authority, "bench")
    keys.make_broker(authority, directory / "broker", ["127.0.0.1"])
    keys.make_headquarters(authority, directory / "hq", "bench")
    for zone in zones:
        keys.make_zone_certificate(authority, directory / zone, zone)
        keys.make_zone_key(directory / zone, "bench", zone)
    return directory


def ours(directory: Path, keys_dir: Path) -> Mosquitto:
    """The broker as we configure it: mutual TLS, ACL, TCP_NODELAY."""
    port = free_port()
    return Mosquitto(render(directory, keys_dir=keys_dir / "broker", port=port, bind="127.0.0.1"), port)


def plain(directory: Path) -> Mosquitto:
    """Headquarters' broker for the bridge, with nothing dropped on its side."""
    port = free_port()
    directory.mkdir()
    file = directory / "mosquitto.conf"
    file.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\nmax_queued_messages 0\n")
    return Mosquitto(file, port)


def bridged(directory: Path, remote_port: int) -> Mosquitto:
    """A local broker that stores and forwards: persistence on, everything else as Debian ships it."""
    port = free_port()
    directory.mkdir()
    file = directory / "mosquitto.conf"
    file.write_text(
        f"listener {port} 127.0.0.1\nallow_anonymous true\nmax_queued_messages 0\n"
        f"persistence true\npersistence_location {directory}/\n"
        f"connection headquarters\naddress 127.0.0.1:{remote_port}\ntopic # out 1\ncleansession false\n"
        "restart_timeout 1\n"
    )
    return Mosquitto(file, port)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0

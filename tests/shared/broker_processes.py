"""Real brokers for the tests, each in a process of its own that is ended by its id."""

from __future__ import annotations

import getpass
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

from config.central import Broker
from sync import mosquitto, nats
from sync.broker import free_port
from sync.session import Endpoint

STARTING_S_MAX = 60.0
_EMBEDDED = """
import sys
from sync.broker import EmbeddedBroker
broker = EmbeddedBroker(int(sys.argv[1]))
broker.start()
sys.stdin.read()
broker.stop()
"""


class BrokerProcess:
    """A broker on a port of its own. ``keys`` is a directory with those of everyone, or ``None`` without TLS."""

    secured = True
    """Whether it knows by its certificate who somebody is, and lets nobody speak in another's name."""

    def __init__(self, directory: Path, keys: Path) -> None:
        directory.mkdir(parents=True)
        self.port = free_port()
        self.keys = keys
        self.directory = directory
        self.log = directory / "broker.log"
        self._process: subprocess.Popen[bytes] | None = None

    def command(self) -> list[str]:
        raise NotImplementedError

    def start(self) -> None:
        with self.log.open("ab") as log:
            # Its input closes with this process, whatever ends that.
            self._process = subprocess.Popen(self.command(), stdin=subprocess.PIPE, stdout=log, stderr=log)
        ends_s = time.monotonic() + STARTING_S_MAX
        while not self._listens():
            assert self._process.poll() is None, self.log.read_text(errors="replace")
            assert time.monotonic() < ends_s, f"{self.command()} did not start"
            time.sleep(0.005)

    def kill(self) -> None:
        """As the power cut does it."""
        assert self._process is not None
        self._process.kill()
        self._gone()

    def wipe(self) -> None:
        """Everything that it ever stored is lost; for a broker that does not run."""

    def stop(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            self._gone()

    def endpoint(self, who: str) -> Endpoint:
        """How ``who`` gets there."""
        directory = self.keys / who
        return Endpoint("127.0.0.1", self.port, directory / "ca.crt", directory / "tls.crt", directory / "tls.key")

    def settings(self, who: str) -> Broker:
        found = self.endpoint(who)
        return Broker(host=found.host, port=found.port, ca=found.ca, certificate=found.certificate, key=found.key)

    def _gone(self) -> None:
        assert self._process is not None and self._process.stdin is not None
        self._process.wait(60)
        self._process.stdin.close()

    def _listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0


class Mosquitto(BrokerProcess):
    """Mosquitto as config/broker/ sets it up: mutual TLS and an ACL."""

    def __init__(self, directory: Path, keys: Path) -> None:
        super().__init__(directory, keys)
        self._configuration = mosquitto.render(
            directory, keys_dir=keys / "broker", port=self.port, bind="127.0.0.1"
        )
        with self._configuration.open("a") as opened:
            opened.write(f"user {getpass.getuser()}\n")  # started as root it would give up the right to its keys

    def command(self) -> list[str]:
        return [shutil.which("mosquitto") or "/usr/sbin/mosquitto", "-c", str(self._configuration)]


class NatsServer(BrokerProcess):
    """nats-server's MQTT gateway as config/broker/ sets it up: mutual TLS, permissions for each zone."""

    def __init__(self, directory: Path, keys: Path) -> None:
        super().__init__(directory, keys)
        zones = sorted(path.name for path in keys.glob("nz*"))
        self._configuration = nats.render(
            directory,
            keys_dir=keys / "broker",
            zones=zones,
            port=self.port,
            bind="127.0.0.1",
            client_port=free_port(),
        )

    def command(self) -> list[str]:
        return [shutil.which("nats-server") or "/usr/sbin/nats-server", "-c", str(self._configuration)]

    def wipe(self) -> None:
        shutil.rmtree(self.directory / "nats")


class EmbeddedAmqtt(BrokerProcess):
    """The demo's own broker: no TLS, and everyone may say everything."""

    secured = False

    def command(self) -> list[str]:
        return [sys.executable, "-c", _EMBEDDED, str(self.port)]

    def endpoint(self, who: str) -> Endpoint:
        return Endpoint("127.0.0.1", self.port)

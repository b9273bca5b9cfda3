"""Zones and headquarters as they are deployed: the real commands in processes of their own, each on its own line
to the broker. The register of a zone is written from here, all the while."""

from __future__ import annotations

import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from broker_processes import BrokerProcess
from click.testing import CliRunner
from lines import Line

from config.clock import SystemClock
from custody.events import Draft
from fourmusts import main
from sync.broker import free_port
from sync.keys import HEADQUARTERS_KEY, ZONE_KEY, load_signing_key
from sync.ledger import Ledger

TOGETHER_MAX = 4
PAUSE_S = 0.02
SETTLING_S_MAX = 240.0
_TLS = 'ca = "keys/ca.crt"\ncertificate = "keys/tls.crt"\nkey = "keys/tls.key"\n'
DOORS = ("front-door", "interview-1", "cell-2")


def until(condition: Callable[[], object], what: Callable[[], str]) -> None:
    """Wait until it holds; fails with what there is instead."""
    ends_s = time.monotonic() + SETTLING_S_MAX
    while not condition():
        assert time.monotonic() < ends_s, what()
        time.sleep(0.02)


class Program:
    """A process of ours that can be killed and started again; its words go to a file."""

    def __init__(self, folder: Path, name: str, *words: str) -> None:
        self._command = [sys.executable, "-m", "fourmusts", *words]
        self._folder = folder
        self.log = folder / f"{name}.log"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command, cwd=self._folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )

    def kill(self) -> None:
        self._signal(signal.SIGKILL)

    def stop(self) -> int:
        """Ask it to end, as systemd does; its exit status."""
        return self._signal(signal.SIGTERM)

    def freeze(self) -> None:
        """It lives, and does not read."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def _signal(self, number: signal.Signals) -> int:
        if self._process is None:
            return 0
        self._process.send_signal(number)
        self._process.send_signal(signal.SIGCONT)
        return self._process.wait(60)


class Zone:
    """A zone: its ledger, a writer that never stops, the link's process and its line to the broker."""

    def __init__(self, folder: Path, name: str, broker: BrokerProcess, seed: int) -> None:
        self.name = name
        self.line = Line(broker.port)
        self.folder = folder / name
        self.made: list[str] = []
        """Ids of the events that were appended, in their order."""
        self._dice = random.Random(seed)
        shutil.copytree(broker.keys / name, self.folder / "keys")
        headquarters = load_signing_key(broker.keys / "hq" / HEADQUARTERS_KEY).verifier
        (self.folder / "zone.toml").write_text(
            f'[zone]\nid = "{name}"\nname = "{name}"\ndeployment = "test"\nstate_dir = "."\n'
            f'[headquarters]\nhost = "127.0.0.1"\nport = {self.line.port}\n'
            f'verifier_key = "{headquarters}"\n{_TLS if broker.secured else ""}'
            f'[[room]]\nid = "hall"\nname = "hall"\n'
        )
        _run("init", "--config", str(self.folder / "zone.toml"))
        self.link = Program(self.folder, "link", "link", "--config", "zone.toml")
        clock = SystemClock(fixed_utc_offset_s=28_800)
        self.ledger = Ledger.open(self.folder / "ledger", zone=name, deployment="test", clock=clock)
        self._stop = threading.Event()
        self._writer = threading.Thread(target=self._write, name=f"writer-{name}")

    def start(self) -> None:
        self.link.start()
        self._writer.start()

    def falls_silent(self) -> None:
        """The last event is written; the link goes on."""
        self._stop.set()
        self._writer.join(60)
        assert not self._writer.is_alive()

    def size(self) -> int:
        return self.ledger.spans()[-1][0].size()

    def cosigned(self) -> int:
        return self.ledger.spans()[-1][0].cosigned()[0]

    def close(self) -> None:
        self._stop.set()
        self.link.stop()
        self._writer.join(60)
        self.ledger.close()
        self.line.close()

    def _write(self) -> None:
        while not self._stop.wait(self._dice.random() * 2 * PAUSE_S):
            drafts = [self._draft() for _ in range(self._dice.randint(1, TOGETHER_MAX))]
            self.made += [event.id for event in self.ledger.append(*drafts)]

    def _draft(self) -> Draft:
        return Draft(self._dice.choice(("door.opened", "door.closed")), {"door": self._dice.choice(DOORS)})


class Deployment:
    """Everything around one broker. Use as a context manager: whatever happens, no process is left."""

    def __init__(self, folder: Path, broker: BrokerProcess, zones: int, seed: int) -> None:
        self.broker = broker
        self.folder = folder / "hq"
        self.database = self.folder / "central.sqlite3"
        self.line = Line(broker.port)
        shutil.copytree(broker.keys / "hq", self.folder / "keys")
        self.zones = [
            Zone(folder, f"nz{number:02}", broker, seed * 100 + number) for number in range(1, zones + 1)
        ]
        enrolled = "".join(
            f'[[zone]]\nid = "{name}"\nname = "{name}"\nverifier_key = "{self.verifier_key(name)}"\n'
            for name in (*(zone.name for zone in self.zones), "nz99")
        )
        (self.folder / "central.toml").write_text(
            f'[bureau]\nname = "test"\ndeployment = "test"\nstate_dir = "."\n'
            f'[broker]\nhost = "127.0.0.1"\nport = {self.line.port}\n{_TLS if broker.secured else ""}'
            f"[web]\nport = {free_port()}\n{enrolled}"
        )
        _run("central", "init", "--config", str(self.folder / "central.toml"))
        self.central = Program(self.folder, "central", "central", "run", "--config", "central.toml")

    def verifier_key(self, zone: str) -> str:
        return str(load_signing_key(self.broker.keys / zone / ZONE_KEY).verifier)

    def __enter__(self) -> Deployment:
        self.broker.start()
        self.central.start()
        for zone in self.zones:
            zone.start()
        return self

    def __exit__(self, *_: object) -> None:
        for zone in self.zones:
            zone.close()
        self.central.stop()
        self.line.close()
        self.broker.stop()

    def everything_safe(self, zone: Zone) -> bool:
        return zone.cosigned() == zone.size()

    def settle(self) -> None:
        """Nothing more happens, and everything arrives."""
        for zone in self.zones:
            zone.falls_silent()
        for zone in self.zones:
            until(lambda zone=zone: self.everything_safe(zone), lambda zone=zone: self.told(zone))

    def told(self, zone: Zone) -> str:
        """Where it stands, for whoever looks for the reason."""
        logs = [zone.link.log, self.folder / "central.log", self.broker.log]
        ends = [f"--- {log}\n" + "\n".join(log.read_text(errors="replace").splitlines()[-25:]) for log in logs]
        return f"{zone.name}: headquarters cosigned {zone.cosigned()} of {zone.size()}\n" + "\n".join(ends)


def _run(*words: str) -> Any:
    done = CliRunner().invoke(main, list(words), catch_exceptions=False)
    assert done.exit_code == 0, done.output

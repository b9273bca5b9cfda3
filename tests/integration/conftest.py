"""A zone, a broker and headquarters as they are deployed: real commands, processes, certificates and devices."""

from __future__ import annotations

import getpass
import json
import re
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from string import Template
from typing import Any

import pytest

from config.zone import ZoneSettings, load_zone
from devices.cameras.clips import Passage, write_clip
from devices.readers.osdp_peer import OsdpPeer
from devices.simulation import drive
from sync.broker import free_port

HERE = Path(__file__).parent
RTSP_SERVER = HERE.parent / "devices" / "rtsp" / "server.py"
READER_KEY = bytes(range(16))
CARD_BITS, CARD = 32, bytes.fromhex("0A1B2C3D")


def until(condition: Callable[[], object], what: str, timeout_s: float = 60.0) -> Any:
    """Wait for ``condition`` to hold and return what it gave; fails with ``what``."""
    ends_s = time.monotonic() + timeout_s
    while True:
        try:
            if found := condition():
                return found
        except (OSError, urllib.error.HTTPError):
            pass  # Nobody answers yet; the time below decides.
        assert time.monotonic() < ends_s, what
        time.sleep(0.02)


def fourmusts(*words: str, cwd: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "fourmusts", *words], cwd=cwd, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@dataclass
class Deployment:
    """Everything, running. ``end(name)`` kills one of its processes as a power cut would."""

    folder: Path
    settings: ZoneSettings
    panel_url: str
    central_url: str
    reader: OsdpPeer
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def start(self, name: str, *command: str) -> None:
        log = (self.folder / f"{name}.log").open("ab")
        self.processes[name] = subprocess.Popen(command, stdout=log, stderr=log, cwd=self.folder)
        log.close()

    def end(self, name: str) -> None:
        self.processes[name].kill()
        self.processes[name].wait(20)

    def log(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text(errors="replace")

    def tap(self) -> None:
        self.reader.present(CARD_BITS, CARD)

    def sim(self, *words: str) -> str:
        return drive(self.settings.run_dir, words)

    def act(self, name: str, **fields: Any) -> dict[str, Any]:
        request = urllib.request.Request(
            f"{self.panel_url}/api/v1/acts/{name}",
            data=json.dumps({"by": "p0231", **fields}).encode(),
            headers={"Content-Type": "application/json", "Origin": self.panel_url},
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                written: dict[str, Any] = json.load(answer)
                return written
        except urllib.error.HTTPError as error:
            raise AssertionError(error.read().decode()) from error

    def at_panel(self, path: str) -> Any:
        return _get(f"{self.panel_url}/api/v1/{path}")

    def at_headquarters(self, path: str) -> Any:
        return _get(f"{self.central_url}/api/v1/{path}")


def _get(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=30) as answer:
        return json.load(answer)


def _verifier_key(text: str) -> str:
    found = re.search(r'verifier_key = "(.+)"', text)
    assert found is not None, text
    return found[1]


@pytest.fixture
def deployment(tmp_path: Path) -> Iterator[Deployment]:
    ports = {name: free_port() for name in ("broker", "panel", "web")}
    with ExitStack() as ending:
        reader = ending.enter_context(OsdpPeer(key=READER_KEY))
        clip = tmp_path / "clip.mp4"
        write_clip(clip, [Passage(120)])
        rtsp = subprocess.Popen(
            ["/usr/bin/python3", str(RTSP_SERVER), str(clip)], stdout=subprocess.PIPE, text=True
        )
        assert rtsp.stdout is not None
        url = rtsp.stdout.readline().removeprefix("ready ").strip()
        (tmp_path / "keys").mkdir()
        broker_dir, zone_dir, hq_dir = tmp_path / "broker", tmp_path / "zone", tmp_path / "hq"
        for directory in (zone_dir, hq_dir):
            directory.mkdir()
        authority = ("--authority", str(tmp_path / "authority"))
        fourmusts("keys", "authority", "authority", "--deployment", "test", cwd=tmp_path)
        fourmusts(
            "keys",
            "broker",
            "broker",
            *authority,
            "--host",
            "localhost",
            "--port",
            str(ports["broker"]),
            cwd=tmp_path,
        )
        hq_key = _verifier_key(
            fourmusts("keys", "headquarters", "hq/state/keys", *authority, "--deployment", "test", cwd=tmp_path)
        )
        fourmusts("keys", "certificate", "zone/state/keys", "nz01", *authority, cwd=tmp_path)
        zone_file = zone_dir / "zone.toml"
        zone_file.write_text(
            Template((HERE / "zone.toml").read_text()).substitute(
                broker_port=ports["broker"],
                panel_port=ports["panel"],
                headquarters_key=hq_key,
                reader_port=reader.port,
                camera_url=url,
                card=CARD.hex().upper(),
            )
        )
        key_file = zone_dir / "front-in.scbk"
        key_file.write_text(READER_KEY.hex())
        key_file.chmod(0o600)
        zone_key = _verifier_key(fourmusts("init", "--config", str(zone_file), cwd=tmp_path))
        central_file = hq_dir / "central.toml"
        central_file.write_text(
            f'[bureau]\nname = "试验"\ndeployment = "test"\nstate_dir = "state"\n'
            f'[broker]\nhost = "localhost"\nport = {ports["broker"]}\n'
            f'ca = "state/keys/ca.crt"\ncertificate = "state/keys/tls.crt"\nkey = "state/keys/tls.key"\n'
            f"[web]\nport = {ports['web']}\n"
            f'[[zone]]\nid = "nz01"\nname = "试验办案区"\nverifier_key = "{zone_key}"\n'
        )
        fourmusts("central", "init", "--config", str(central_file), cwd=tmp_path)
        built = Deployment(
            tmp_path,
            load_zone(zone_file),
            f"http://127.0.0.1:{ports['panel']}",
            f"http://127.0.0.1:{ports['web']}",
            reader,
        )
        built.processes["rtsp"] = rtsp
        ending.callback(_end_all, built)
        configuration = broker_dir / "mosquitto.conf"
        with configuration.open("a") as opened:
            opened.write(f"user {getpass.getuser()}\n")  # started as root it would give up the right to its keys
        built.start("broker", shutil.which("mosquitto") or "/usr/sbin/mosquitto", "-c", str(configuration))
        python = (sys.executable, "-m", "fourmusts")
        built.start("central", *python, "central", "run", "--config", str(central_file))
        for part in ("doors", "cameras", "link", "panel"):
            built.start(part, *python, part, "--config", str(zone_file))
        until(lambda: all(built.at_panel("now")["parts"].values()), "the zone is not up")
        until(lambda: built.at_headquarters("zones"), "headquarters is not up")
        yield built


def _end_all(built: Deployment) -> None:
    for process in built.processes.values():
        process.terminate()
    for process in built.processes.values():
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout is not None:
            process.stdout.close()


@pytest.fixture(name="until")
def until_fixture() -> Callable[..., Any]:
    return until

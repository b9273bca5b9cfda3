"""The demo's stage: keys and settings in a folder, a broker in process, the zones and headquarters beside it."""

from __future__ import annotations

import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from string import Template

from config.clock import Timelapse
from config.zone import ZoneSettings, load_zone
from sync.broker import EmbeddedBroker
from sync.keys import HEADQUARTERS_KEY, make_signing_key, make_zone_key
from sync.note import KeyType

from .hands import DemoError, Hands, get_json

HERE = Path(__file__).parent
DEPLOYMENT = "demo"
ZONES = {"nz01": "centre.toml", "nz02": "station.toml"}
PANEL_PORTS = {"nz01": 8400, "nz02": 8401}
WEB_PORT = 8500
READY_S_MAX = 120.0
STOP_S_MAX = 25.0
LOOK_S = 0.1


@dataclass(frozen=True)
class Ports:
    """Where the demo's pages are; the broker takes a free port."""

    panels: dict[str, int]
    web: int


@dataclass(frozen=True)
class Stage:
    """Everything runs and answers."""

    hands: dict[str, Hands]
    panel_urls: dict[str, str]
    central_url: str
    timelapse: Timelapse


@contextmanager
def set_up(
    folder: Path, ports: Ports, timelapse: Timelapse, told: Callable[[str], None], stop: threading.Event
) -> Iterator[Stage]:
    """Build the stage in ``folder`` (an earlier demo's is removed) and take it down at the end.

    ``told`` is given a sentence at each step. Raises ``DemoError``, also when ``stop`` is set meanwhile.
    """
    _clear(folder)
    with ExitStack() as ending:
        told("starting the broker in process (amqtt)")
        broker = EmbeddedBroker()
        broker.start()
        ending.callback(broker.stop)
        told("making keys and settings")
        zones = _write_settings(folder, broker.port, ports)
        lapse = ["--timelapse", timelapse.encode()]
        for id_ in zones:
            _run_once("init", "--config", str(_zone_file(folder, id_)), *lapse)
        central_file = str(folder / "hq" / "central.toml")
        _run_once("central", "init", "--config", central_file)
        told("starting headquarters")
        central_url = f"http://127.0.0.1:{ports.web}"
        cast = _Cast(folder, ending, stop)
        cast.start("central", ["central", "run", "--config", central_file, *lapse])
        for id_ in zones:
            told(f"starting the four processes of {id_}")
            cast.start(id_, ["edge", "--config", str(_zone_file(folder, id_)), *lapse])
        panel_urls = {id_: f"http://127.0.0.1:{ports.panels[id_]}" for id_ in zones}
        told("waiting for pages, doors and cameras")
        cast.wait_until(f"{central_url} answers", lambda: bool(get_json(f"{central_url}/api/v1/zones")))
        for id_, settings in zones.items():
            cast.wait_until(f"{id_} is ready", partial(_ready, panel_urls[id_], settings))
        hands = {
            id_: Hands(panel_url=panel_urls[id_], run_dir=settings.run_dir) for id_, settings in zones.items()
        }
        yield Stage(hands, panel_urls, central_url, timelapse)
        told("stopping everything")


def _clear(folder: Path) -> None:
    mark = folder / ".fourmusts-demo"
    if folder.exists() and any(folder.iterdir()) and not mark.exists():
        raise DemoError(f"{folder} holds something else than a demo; choose another one with --folder")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    mark.touch()


def _zone_file(folder: Path, zone: str) -> Path:
    return folder / zone / "zone.toml"


def _write_settings(folder: Path, broker_port: int, ports: Ports) -> dict[str, ZoneSettings]:
    hq_dir = folder / "hq"
    hq_key = make_signing_key(
        hq_dir / "state" / "keys" / HEADQUARTERS_KEY, f"{DEPLOYMENT}/hq", KeyType.COSIGNATURE
    )
    zones: dict[str, ZoneSettings] = {}
    enrolled: list[str] = []
    for id_, template in ZONES.items():
        file = _zone_file(folder, id_)
        file.parent.mkdir()
        text = Template((HERE / template).read_text()).substitute(
            broker_port=broker_port, panel_port=ports.panels[id_], headquarters_key=hq_key.verifier
        )
        file.write_text(text)
        zones[id_] = load_zone(file)
        key = make_zone_key(zones[id_].keys_dir, DEPLOYMENT, id_)
        enrolled.append(
            f'[[zone]]\nid = "{id_}"\nname = "{zones[id_].zone.name}"\nverifier_key = "{key.verifier}"\n'
        )
    central = Template((HERE / "central.toml").read_text())
    (hq_dir / "central.toml").write_text(
        central.substitute(broker_port=broker_port, web_port=ports.web, zones="\n".join(enrolled))
    )
    return zones


def _run_once(*words: str) -> None:
    done = subprocess.run([sys.executable, "-m", "fourmusts", *words], capture_output=True, text=True, check=False)
    if done.returncode:
        raise DemoError(f"fourmusts {' '.join(words)} failed: {done.stderr.strip()}")


class _Cast:
    """The processes of the demo; what each says goes to ``<folder>/<name>.log``."""

    def __init__(self, folder: Path, ending: ExitStack, stop: threading.Event) -> None:
        self._folder = folder
        self._ending = ending
        self._stop = stop
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str, words: list[str]) -> None:
        output = self._ending.enter_context(self._log(name).open("wb"))
        # A session of its own: Ctrl-C at the terminal reaches the demo alone, which then ends them in order.
        process = subprocess.Popen(
            [sys.executable, "-m", "fourmusts", *words], stdout=output, stderr=output, start_new_session=True
        )
        self._processes[name] = process
        self._ending.callback(_end, process)

    def wait_until(self, what: str, condition: Callable[[], bool]) -> None:
        """Raises ``DemoError`` when it takes too long or a process has ended, with the end of its log."""
        deadline_s = time.monotonic() + READY_S_MAX
        while not _holds(condition):
            for name, process in self._processes.items():
                if process.poll() is not None:
                    said = self._log(name).read_text(errors="replace").strip()[-2000:]
                    raise DemoError(f"{name} ended with status {process.returncode}:\n{said}")
            if time.monotonic() > deadline_s:
                raise DemoError(f"after {READY_S_MAX:.0f} s still not so: {what}; see {self._folder}/*.log")
            if self._stop.wait(LOOK_S):
                raise DemoError("stopped before everything was ready")

    def _log(self, name: str) -> Path:
        return self._folder / f"{name}.log"


def _holds(condition: Callable[[], bool]) -> bool:
    try:
        return condition()
    except (OSError, ValueError):
        return False  # Nobody answers yet.


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_S_MAX)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _ready(panel_url: str, settings: ZoneSettings) -> bool:
    """Every part lives, and every camera has been seen to record."""
    parts = get_json(f"{panel_url}/api/v1/now")["parts"]
    cameras = get_json(f"{panel_url}/api/v1/cameras")
    recording = [camera["camera"] for camera in cameras if camera["state"] == "recording"]
    return all(parts.values()) and len(recording) == len(settings.cameras)

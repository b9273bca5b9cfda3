"""Headquarters as a process of its own, a real Mosquitto, and a real zone's link at the other end."""

from __future__ import annotations

import contextlib
import random
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import orjson
import paho.mqtt.client as paho
import pytest
from click.testing import CliRunner
from door_process import Systemd
from paho.mqtt.enums import CallbackAPIVersion
from playwright.sync_api import Page, expect, sync_playwright

from central.errors import PartEnded
from central.process import Headquarters
from config.clock import SystemClock
from custody.events import Draft
from fourmusts import main
from sync.keys import make_zone_key
from sync.ledger import Ledger
from sync.note import Checkpoint, KeyType, Note, VerifierKey
from sync.protocol.zone import ZoneEnd
from sync.session import Endpoint
from sync.zone_link import ZoneLink

DEADLINE_S = 90.0
STAY = "nz01-20261123-001"
CHROMIUM = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def wait_for(condition: Callable[[], Any], what: str) -> Any:
    deadline_s = time.monotonic() + DEADLINE_S
    while True:
        if found := condition():
            return found
        assert time.monotonic() < deadline_s, f"waited too long for {what}"
        time.sleep(0.02)


@pytest.fixture
def broker_port(tmp_path: Path) -> Iterator[int]:
    port = free_port()
    configuration = tmp_path / "mosquitto.conf"
    configuration.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\nset_tcp_nodelay true\n")
    command = [shutil.which("mosquitto") or "/usr/sbin/mosquitto", "-c", str(configuration)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_for(lambda: _listens(port), "mosquitto")
    yield port
    process.terminate()
    process.wait(DEADLINE_S)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


class Central:
    """``fourmusts central`` with a configuration of its own, as an operator runs it."""

    def __init__(self, directory: Path, broker_port: int, zone_key: VerifierKey) -> None:
        self.port = free_port()
        self.config = directory / "central.toml"
        self.config.write_text(
            f'[bureau]\nname = "南郑区公安分局"\ndeployment = "test"\nstate_dir = "hq"\n'
            f"[broker]\nport = {broker_port}\n[web]\nport = {self.port}\n"
            f'[[zone]]\nid = "nz01"\nname = "办案管理中心"\nverifier_key = "{zone_key}"\n'
        )
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def init(self) -> VerifierKey:
        shown = CliRunner().invoke(main, ["central", "init", "--config", str(self.config)], catch_exceptions=False)
        assert shown.exit_code == 0, shown.output
        return VerifierKey.parse(shown.output.split('"')[1])

    def start(self) -> None:
        command = [sys.executable, "-m", "fourmusts", "central", "run", "--config", str(self.config)]
        self.process = subprocess.Popen(command)
        wait_for(lambda: _listens(self.port), "headquarters")

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        assert self.process is not None
        self.process.send_signal(how)
        status = self.process.wait(DEADLINE_S)
        self.process = None
        return status

    def get(self, path: str, **query: Any) -> Any:
        return httpx.get(f"{self.url}/api/v1/{path}", params=query).json()


class Zone:
    """A ledger, and the link that carries it."""

    def __init__(self, directory: Path, broker_port: int) -> None:
        self.clock = SystemClock(fixed_utc_offset_s=28_800)
        self.key = make_zone_key(directory / "zone-keys", "test", "nz01")
        self.ledger = Ledger.create(directory / "ledger", zone="nz01", deployment="test", clock=self.clock)
        self._broker = Endpoint("127.0.0.1", broker_port)
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def connect(self, headquarters: VerifierKey) -> None:
        end = ZoneEnd(self.ledger, self.key, headquarters, self.clock, random.Random(1))
        link = ZoneLink(end, self.ledger, self._broker, self.clock)
        self._thread = threading.Thread(target=link.run, args=(self._stop, lambda: None))
        self._thread.start()

    def close(self) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join(DEADLINE_S)
        self.ledger.close()

    def brings_in(self) -> None:
        """Somebody who is questioned before the search."""
        officer = {"id": "p0231", "rank": "police", "sex": "m"}
        arrived = {
            "stay": STAY,
            "person": "sha256:00",
            "category": "suspect",
            "sex": "m",
            "flags": [],
            "case": {"id": "A1", "kind": "criminal"},
            "measure": {"kind": "criminal_summons", "limit_hours": 12, "document": "D1", "since": None},
            "brought_by": [officer],
            "via": "front",
            "exempt": None,
        }
        entered = {"stay": STAY, "door": "front", "room": "talk-1", "escorts": [officer]}
        started = {"stay": STAY, "activity": "i1", "kind": "interview", "room": "talk-1"}
        self.ledger.append(
            Draft("stay.arrived", arrived),
            Draft("stay.entered", entered),
            Draft("activity.started", {**started, "officers": [officer], "exempt": None}),
        )


@pytest.fixture
def zone(tmp_path: Path, broker_port: int) -> Iterator[Zone]:
    made = Zone(tmp_path, broker_port)
    yield made
    made.close()


@pytest.fixture
def hq(tmp_path: Path, broker_port: int, zone: Zone) -> Iterator[Central]:
    made = Central(tmp_path, broker_port, zone.key.verifier)
    zone.connect(made.init())
    made.start()
    yield made
    if made.process is not None:
        made.stop(signal.SIGKILL)


@pytest.fixture
def idle(tmp_path: Path) -> Central:
    """Configured, not set up and not running; nobody is at its broker's port."""
    key = make_zone_key(tmp_path / "zone-keys", "test", "nz01")
    return Central(tmp_path, 1, key.verifier)


@pytest.fixture
def page() -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=CHROMIUM)
        yield browser.new_page(viewport={"width": 1360, "height": 900})
        browser.close()


def breaches(hq: Central) -> set[str]:
    return {one["rule"] for one in hq.get("findings", verdict="breach")["items"]}


def test_from_the_zones_ledger_to_a_finding_on_the_feed(hq: Central, zone: Zone, broker_port: int) -> None:
    heard: list[tuple[str, dict[str, Any]]] = []
    listener = paho.Client(CallbackAPIVersion.VERSION2, client_id="listener")
    listener.on_message = lambda client, data, message: heard.append(
        (message.topic, orjson.loads(message.payload))
    )
    listener.connect("127.0.0.1", broker_port)
    listener.subscribe("v1/feed/#", qos=1)
    listener.loop_start()
    zone.brings_in()
    wait_for(lambda: "M2.1" in breaches(hq), "the breach")
    topic = "v1/feed/nz01/finding/raised"
    raised = wait_for(
        lambda: [e for t, e in heard if t == topic and e["data"]["rule"] == "M2.1"], "the finding on the feed"
    )
    listener.loop_stop()
    listener.disconnect()
    assert raised[0]["source"] == "/zones/hq" and raised[0]["data"]["stay"] == STAY
    told = [event["type"] for t, event in heard if event["source"] == "/zones/nz01"]
    assert told == ["ledger.opened", "stay.arrived", "stay.entered", "activity.started"]
    assert hq.get("zones/nz01")["presence"] == "live"


def test_killed_at_any_moment_headquarters_loses_and_doubles_nothing(hq: Central, zone: Zone) -> None:
    for count in range(3):
        zone.ledger.append(*[Draft("door.opened", {"door": "front"})] * 40)
        wait_for(lambda sent=count * 40: hq.get("zones/nz01")["lines"] > sent, "the first lines")
        hq.stop(signal.SIGKILL)
        hq.start()
    zone.brings_in()
    size = len(list(zone.ledger.events()))
    wait_for(lambda: hq.get("zones/nz01")["lines"] == size, "every line")
    wait_for(lambda: "M2.1" in breaches(hq), "the breach")
    (one,) = hq.get("findings", rule="M2.1")["items"]
    assert [step["state"] for step in hq.get(f"findings/{one['id']}")["history"]] == ["raised"]


def test_a_zone_cosigns_headquarters_own_ledger_and_finds_out_a_restored_one(
    zone: Zone, broker_port: int, tmp_path: Path
) -> None:
    hq = Central(tmp_path, broker_port, zone.key.verifier)
    zone.connect(hq.init())
    database, backup = tmp_path / "hq" / "central.sqlite3", tmp_path / "backup.sqlite3"
    _copy(database, backup)
    hq.start()
    try:
        kept = wait_for(lambda: _rows(database, "SELECT note FROM cosignatures"), "the zone's cosignature")
        assert Note.parse(kept[0][0]).verify(zone.key.verifier.of_type(KeyType.COSIGNATURE)) is not None
        held = zone.ledger.directory / "headquarters.tree"
        log = Checkpoint.parse(Note.parse(held.read_text()).text).origin
        hq.stop()
        _copy(backup, database)
        hq.start()
        wait_for(lambda: log not in held.read_text(), "the new ledger of headquarters")
        told = [event for event in zone.ledger.events() if event.type == "headquarters.rollback"]
        assert log.rpartition("/")[2] in {event.data["ledger"] for event in told}
        told_of = {"headquarters_rollback", "own_rollback"}
        wait_for(lambda: told_of <= {one["kind"] for one in hq.get("evidence")}, "both as evidence")
    finally:
        if hq.process is not None:
            hq.stop(signal.SIGKILL)


def _rows(database: Path, query: str) -> list[tuple[str]]:
    with contextlib.closing(sqlite3.connect(database)) as opened:
        return opened.execute(query).fetchall()


def _copy(source: Path, target: Path) -> None:
    with contextlib.closing(sqlite3.connect(source)) as old, contextlib.closing(sqlite3.connect(target)) as new:
        old.backup(new)


def test_a_link_that_died_ends_headquarters_instead_of_leaving_it_deaf() -> None:
    well = SimpleNamespace(check=lambda: None)
    parts: Any = SimpleNamespace(
        **dict.fromkeys(("judging", "feed", "witnesses", "dispatch", "web"), well),
        link=SimpleNamespace(alive=False),
    )
    with pytest.raises(PartEnded, match="link to the broker"):
        Headquarters.check(parts)


def test_a_signal_ends_headquarters_in_good_order(hq: Central) -> None:
    with httpx.stream("GET", f"{hq.url}/api/v1/live") as live:  # an open page must not keep it
        assert live.status_code == 200
        assert hq.stop(signal.SIGTERM) == 0
    hq.start()
    assert hq.stop(signal.SIGINT) == 0


def test_the_dashboard_changes_while_one_looks_at_it(hq: Central, zone: Zone, page: Page) -> None:
    page.goto(hq.url)
    expect(page.locator("#live")).to_have_text("实时")
    expect(page.locator("#latest")).to_contain_text("未发现问题")
    zone.brings_in()
    expect(page.locator("#latest")).to_contain_text("未检查先讯（询）问", timeout=DEADLINE_S * 1000)
    expect(page.locator("#inside")).to_contain_text(STAY)
    page.get_by_role("link", name="未检查先讯（询）问").first.click()
    expect(page.locator("#evidence")).to_contain_text("activity.started")
    page.get_by_role("link", name="English").click()
    expect(page.locator("h1")).to_contain_text("Questioned before the search")


def test_what_one_has_chosen_and_scrolled_to_stays_when_the_page_changes(
    hq: Central, zone: Zone, page: Page
) -> None:
    page.goto(f"{hq.url}/findings")
    expect(page.locator("#live")).to_have_text("实时")
    page.locator("select[name=must]").select_option("2")
    zone.brings_in()
    expect(page.locator("#findings")).to_contain_text(STAY, timeout=DEADLINE_S * 1000)
    assert page.locator("select[name=must]").input_value() == "2"


def test_systemd_is_told_that_it_serves_that_it_turns_and_that_it_stops(
    idle: Central, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    systemd = Systemd(tmp_path)
    monkeypatch.setenv("NOTIFY_SOCKET", systemd.address)
    monkeypatch.setenv("WATCHDOG_USEC", "1000000")
    idle.init()
    idle.start()
    try:
        assert "1 zones are enrolled" in systemd.until(lambda told: told.get("READY") == "1")["STATUS"]
        systemd.until(lambda told: told.get("WATCHDOG") == "1")
    finally:
        assert idle.stop() == 0
    systemd.until(lambda told: told.get("STOPPING") == "1")
    systemd.close()


def test_without_init_the_error_names_the_command(idle: Central) -> None:
    shown = CliRunner().invoke(main, ["central", "run", "--config", str(idle.config)])
    assert shown.exit_code == 1 and "headquarters.key" in shown.output


def test_init_twice_keeps_the_key_and_shows_nobody_else_anything(idle: Central) -> None:
    assert str(idle.init()) == str(idle.init())
    state = idle.config.parent / "hq"
    assert state.stat().st_mode & 0o077 == 0
    assert (state / "keys" / "headquarters.key").stat().st_mode & 0o077 == 0


def test_a_taken_port_is_named_with_its_mend(idle: Central) -> None:
    idle.init()
    with socket.create_server(("127.0.0.1", idle.port)):
        shown = CliRunner().invoke(main, ["central", "run", "--config", str(idle.config)])
    assert shown.exit_code == 1
    assert f"127.0.0.1:{idle.port} cannot be used" in shown.output and "another port" in shown.output


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("port = ", 'host = "0.0.0.0"\nport = '), "there is no sign-in yet"),
        (('id = "nz01"', 'id = "hq"'), "headquarters' own name"),
        (('verifier_key = "test/', 'verifier_key = "other/'), "verifier_key"),
        (("[web]", "[wbe]"), "did you mean 'web'"),
    ],
)
def test_a_wrong_configuration_names_the_key_and_the_mend(
    idle: Central, change: tuple[str, str], says: str
) -> None:
    text = idle.config.read_text()
    wrong = idle.config.with_name("wrong.toml")
    head, _, web = text.partition("[web]")
    wrong.write_text(head + ("[web]" + web).replace(*change, 1))
    idle.init()
    shown = CliRunner().invoke(main, ["central", "run", "--config", str(wrong)])
    assert shown.exit_code == 1 and says in shown.output

"""The road to headquarters against bare paho QoS 1, and against the local broker with a bridge that others use.

Everything goes through one mosquitto with mutual TLS, set up as config/broker/ says; the other end is a process of
its own; headquarters stores with central's database in SQLite.
"""

from __future__ import annotations

import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from config.clock import SystemClock
from sync.keys import HEADQUARTERS_KEY, ZONE_KEY, load_signing_key
from sync.ledger import Ledger
from sync.protocol.zone import ZoneEnd
from sync.session import Endpoint
from sync.zone_link import ZoneLink

from . import brokers, report
from .days import EVENTS_A_DAY, LINE_BYTES, fill
from .ledger import DRAFT
from .peers import DOWN, UP, bare_client

WAIT_S_MAX = 60.0
BRIDGED_MESSAGES = 2000
ZONE = "nz01"
ZONES = 27
CATCH_UP_S_MAX = 600.0
BARE_WINDOW = 20
"""Messages on the way that paho allows by default; its throughput is best there."""


class Zone:
    """A zone's ledger with its link running in a thread, and the size that was confirmed last."""

    def __init__(self, directory: Path, keys: Path, port: int, name: str = ZONE) -> None:
        clock = SystemClock()
        mine = keys / name
        begin = Ledger.open if directory.exists() else Ledger.create
        self.ledger = begin(directory, zone=name, deployment="bench", clock=clock)
        self.file = self.ledger.spans()[0][0]
        self._confirmed = 0
        self._changed = threading.Condition()
        cosigner = load_signing_key(keys / "hq" / HEADQUARTERS_KEY).verifier
        end = ZoneEnd(
            self.ledger,
            load_signing_key(mine / ZONE_KEY),
            cosigner,
            clock,
            random.Random(1),
            on_confirmed=self._on_confirmed,
        )
        endpoint = Endpoint("127.0.0.1", port, mine / "ca.crt", mine / "tls.crt", mine / "tls.key")
        self._link = ZoneLink(end, self.ledger, endpoint, clock)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._link.run, args=(self._stop, lambda: None))

    def start(self) -> None:
        self._thread.start()

    def wait_for(self, size: int, wait_s_max: float = WAIT_S_MAX) -> None:
        with self._changed:
            if not self._changed.wait_for(lambda: self._confirmed >= size, wait_s_max):
                raise RuntimeError(f"headquarters confirmed {self._confirmed} of {size} lines in {wait_s_max:g} s")

    def stop(self) -> None:
        self._stop.set()
        self._thread.join()
        self.ledger.close()

    def _on_confirmed(self, log: str, size: int) -> None:
        with self._changed:
            self._confirmed = size
            self._changed.notify_all()


def main() -> None:
    quick = report.arguments("link", __doc__ or "").quick
    directory = Path(tempfile.mkdtemp(prefix="bench-link-", dir=Path.cwd()))
    try:
        figures = _measure(directory, quick)
    except brokers.MosquittoMissing as missing:
        report.say(str(missing))
        figures = {}
    finally:
        shutil.rmtree(directory)
    report.finish("link", figures)


def _measure(directory: Path, quick: bool) -> dict[str, float]:
    keys = brokers.make_keys(directory / "keys", [f"nz{number:02}" for number in range(1, ZONES + 1)])
    broker = brokers.ours(directory / "broker", keys)
    broker.start()
    try:
        rounds = 2 if quick else 7
        idle = _idle(directory, keys, broker.port, rounds, 200 if quick else 500)
        catchup = _catch_up(directory, keys, broker.port, 2 if quick else 5, 1400 if quick else 3 * EVENTS_A_DAY)
    finally:
        broker.stop()
    return {**idle, **catchup, **_bridge(directory)}


def _idle(directory: Path, keys: Path, port: int, rounds: int, count: int) -> dict[str, float]:
    report.say(f"idle: one event at a time, {count} in each of {rounds} rounds, in turns with bare paho")
    echoed: list[float] = []
    acked: list[float] = []
    confirmed: list[float] = []
    least: list[float] = []
    """There and back, and the commit at either end without which nobody may say that the event is safe."""
    for number in range(rounds):
        with peer("echo", port, keys):
            puback_ms, echo_ms = _bare_round_trips(port, keys, count)
            acked.append(puback_ms)
            echoed.append(echo_ms)
        least.append(echo_ms + 2 * _bare_commit_ms(directory / f"bare-{number}.sqlite3", count))
        with peer("headquarters", port, keys, _fresh(directory, f"idle-{number}")):
            confirmed.append(_our_round_trips(directory / f"zone-idle-{number}", keys, port, count))
    ratio = report.median(mine / bare for mine, bare in zip(confirmed, echoed, strict=True))
    above_least = report.median(mine / bare for mine, bare in zip(confirmed, least, strict=True))
    report.table(
        [
            ["one event, p50", "ms", "ours ÷ it"],
            ["bare paho, to PUBACK", report.median(acked), report.median(confirmed) / report.median(acked)],
            ["bare paho, there and back", report.median(echoed), ratio],
            ["the same, and a bare SQLite commit at either end", report.median(least), above_least],
            ["append to verified cosignature", report.median(confirmed), 1.0],
        ]
    )
    return {
        "idle_ack_ratio": ratio,
        "idle_ack_above_least_ratio": above_least,
        "idle_ack_p50_ms": report.median(confirmed),
    }


def _bare_commit_ms(file: Path, count: int) -> float:
    """p50 of an insert and commit as durable as ours, on the same disk."""
    connection = sqlite3.connect(file, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("CREATE TABLE line (sequence INTEGER PRIMARY KEY, line BLOB)")
    took: list[float] = []
    for _ in range(count):
        began_s = time.perf_counter()
        connection.execute("INSERT INTO line (line) VALUES (?)", (b"x" * 439,))
        took.append(time.perf_counter() - began_s)
    connection.close()
    return report.median(took) * 1000


def _bare_round_trips(port: int, keys: Path, count: int) -> tuple[float, float]:
    """(p50 to the PUBACK, p50 to the echo) in ms."""
    client = bare_client(port, keys, "nz01")
    back, subscribed = threading.Event(), threading.Event()
    client.on_message = lambda *_: back.set()
    client.on_subscribe = lambda *_: subscribed.set()
    client.subscribe(DOWN, qos=1)
    subscribed.wait(10)
    to_puback: list[float] = []
    to_echo: list[float] = []
    for _ in range(count):
        back.clear()
        began_s = time.perf_counter()
        info = client.publish(UP, b"x" * 439, qos=1)
        info.wait_for_publish(10)
        to_puback.append(time.perf_counter() - began_s)
        if not back.wait(10):
            raise RuntimeError("the echo did not come back")
        to_echo.append(time.perf_counter() - began_s)
    _leave(client)
    return report.median(to_puback) * 1000, report.median(to_echo) * 1000


def _our_round_trips(directory: Path, keys: Path, port: int, count: int) -> float:
    """p50 from before the append to after the verified, kept cosignature, in ms."""
    zone = Zone(directory, keys, port)
    zone.start()
    zone.wait_for(1)
    took: list[float] = []
    for number in range(count):
        began_s = time.perf_counter()
        zone.ledger.append(DRAFT)
        zone.wait_for(number + 2)
        took.append(time.perf_counter() - began_s)
    zone.stop()
    return report.median(took) * 1000


def _catch_up(directory: Path, keys: Path, port: int, rounds: int, each: int) -> dict[str, float]:
    count = ZONES * each
    report.say(
        f"catch-up: {ZONES} zones with {each:,} events each ({each / EVENTS_A_DAY:.2g} days), {rounds} rounds "
        "in turns with bare paho, a message an event"
    )
    backlogs = _backlogs(directory, each)
    bare: list[float] = []
    ours: list[float] = []
    memory_mb: dict[str, list[tuple[float, float]]] = {"headquarters": [], "zones": []}
    for number in range(rounds):
        with peer("sink", port, keys):
            bare.append(_bare_messages_s(port, keys, 15_000))
        copies = directory / f"catch-up-{number}"
        shutil.copytree(backlogs, copies)
        with peer("headquarters", port, keys, _fresh(directory, f"catchup-{number}")) as headquarters:
            with peer("zones", port, keys, str(copies), str(CATCH_UP_S_MAX)) as zones:
                ours.append(count / float(zones.tell("go")))
            memory_mb["zones"].append(zones.memory_mb())
        memory_mb["headquarters"].append(headquarters.memory_mb())
        shutil.rmtree(copies)
    ratio = report.median(mine / other for mine, other in zip(ours, bare, strict=True))
    report.table(
        [
            ["catch-up", "events/s", "÷ bare"],
            ["bare paho QoS 1, to PUBACK", report.median(bare), 1.0],
            ["ours, to headquarters' commit and back", report.median(ours), ratio],
        ]
    )
    peaks = {who: report.median(most for most, _ in found) for who, found in memory_mb.items()}
    before = {who: report.median(first for _, first in found) for who, found in memory_mb.items()}
    rows: list[list[str | float]] = [[who, before[who], peaks[who]] for who in peaks]
    report.table([["memory, MB", "before", "most"], *rows])
    return {
        "catchup_ratio": ratio,
        "catchup_events_per_s": report.median(ours),
        "headquarters_grew_mb": peaks["headquarters"] - before["headquarters"],
        "zones_grew_mb": peaks["zones"] - before["zones"],
    }


def _backlogs(directory: Path, each: int) -> Path:
    """A ledger with so many events for each zone."""
    made = directory / "backlogs"
    for number in range(1, ZONES + 1):
        fill(made / f"nz{number:02}", f"nz{number:02}", each)
    return made


def _bare_messages_s(port: int, keys: Path, count: int) -> float:
    client = bare_client(port, keys, "nz01")
    free = threading.Semaphore(BARE_WINDOW)
    client.on_publish = lambda *_: free.release()
    began_s = time.perf_counter()
    for _ in range(count):
        free.acquire()
        client.publish(UP, b"x" * LINE_BYTES, qos=1)
    for _ in range(BARE_WINDOW):
        free.acquire()
    took_s = time.perf_counter() - began_s
    _leave(client)
    return count / took_s


def _bridge(directory: Path) -> dict[str, float]:
    """Messages that a local mosquitto confirmed while the line was down, and that never came to headquarters."""
    report.say(f"bridge: {BRIDGED_MESSAGES:,} messages to a local mosquitto while the line is down, then kill -9")
    far = brokers.plain(directory / "far")
    local = brokers.bridged(directory / "local", far.port)
    local.start()
    confirmed = _publish_all(local.port)
    local.kill()
    far.start()
    try:
        arrived: set[bytes] = set()
        subscribed = threading.Event()
        client = paho.Client(CallbackAPIVersion.VERSION2, client_id="hq", protocol=paho.MQTTv311)
        client.on_message = lambda _client, _data, message: arrived.add(bytes(message.payload))
        client.on_connect = _subscribe_all
        client.on_subscribe = lambda *_: subscribed.set()
        client.connect("127.0.0.1", far.port)
        client.loop_start()
        subscribed.wait(10)
        local.start()
        _publish_marker(local.port, arrived)
        _leave(client)
    finally:
        local.kill()
        far.stop()
    lost = confirmed - len(arrived - {b"marker"})
    report.table([["bridge", "messages"], ["confirmed", confirmed], ["lost after kill -9", lost]])
    return {"bridge_lost_share": lost / confirmed}


def _subscribe_all(client: paho.Client, *_: Any) -> None:
    client.subscribe("#", qos=1)


def _publish_all(port: int) -> int:
    """Publish, each message with a payload of its own; returns how many PUBACKs came."""
    confirmed = 0
    done = threading.Event()

    def on_publish(*_: Any) -> None:
        nonlocal confirmed
        confirmed += 1
        if confirmed == BRIDGED_MESSAGES:
            done.set()

    client = paho.Client(CallbackAPIVersion.VERSION2, client_id="nz01", protocol=paho.MQTTv311)
    client.on_publish = on_publish
    client.connect("127.0.0.1", port)
    client.loop_start()
    for number in range(BRIDGED_MESSAGES):
        client.publish(UP, b"%d" % number, qos=1)
    done.wait(30)
    _leave(client)
    return confirmed


def _publish_marker(port: int, arrived: set[bytes]) -> None:
    """What was queued goes before what is new: when a new message has arrived, nothing else will."""
    client = paho.Client(CallbackAPIVersion.VERSION2, client_id="nz01", protocol=paho.MQTTv311)
    client.connect("127.0.0.1", port)
    client.loop_start()
    ends_s = time.monotonic() + WAIT_S_MAX
    client.publish(UP, b"marker", qos=1)
    while b"marker" not in arrived:
        if time.monotonic() > ends_s:
            raise RuntimeError("the bridge did not come back; the share that it lost is not known")
        time.sleep(0.05)
    time.sleep(0.5)  # on the bridge's window of 20 a queued message may still be behind the new one
    _leave(client)


class Peer:
    """The other end, in a process of its own (``bench.peers``)."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self._last_words = ""

    def tell(self, line: str) -> str:
        """What it answers to a line."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()
        return self._process.stdout.readline()

    def end(self) -> None:
        self._last_words, _ = self._process.communicate(timeout=60)

    def memory_mb(self) -> tuple[float, float]:
        """(the most that it had, what it had when it was ready), after its end."""
        most, ready = self._last_words.split()
        return float(most), float(ready)


@contextmanager
def peer(role: str, port: int, keys: Path, *rest: str) -> Iterator[Peer]:
    command = [sys.executable, "-m", "bench.peers", role, str(port), str(keys), *rest]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    made = Peer(process)
    try:
        if process.stdout.readline() != "ready\n":
            raise RuntimeError(f"the peer {role} did not start")
        yield made
    finally:
        made.end()


def _fresh(directory: Path, name: str) -> str:
    made = directory / f"hq-{name}"
    made.mkdir()
    return str(made)


def _leave(client: paho.Client) -> None:
    client.disconnect()
    client.loop_stop()


if __name__ == "__main__":
    main()

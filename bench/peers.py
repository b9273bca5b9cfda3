"""The other ends of ``bench.link``, each in a process of its own: ``python -m bench.peers ROLE …``.

A peer says ``ready`` on its output when it is, and ends when its input closes. Then it says the most memory that
it had, and what it had when it was ready, in MB.
"""

from __future__ import annotations

import resource
import socket
import sys
import threading
import time
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from config.central import Broker
from config.clock import SystemClock
from config.running import collect_less
from sync.headquarters_link import HeadquartersLink
from sync.keys import HEADQUARTERS_KEY, ZONE_KEY, load_signing_key
from sync.protocol.headquarters import HeadquartersEnd

UP, DOWN = "v1/nz01/up", "v1/nz01/down"


def main() -> None:
    role, port, keys, *rest = sys.argv[1:]
    match role:
        case "headquarters":
            headquarters(int(port), Path(keys), Path(rest[0]))
        case "zones":
            zones(int(port), Path(keys), Path(rest[0]), float(rest[1]))
        case "echo":
            echo(int(port), Path(keys))
        case "sink":
            sink(int(port), Path(keys))


def bare_client(port: int, keys: Path, who: str) -> paho.Client:
    """paho as its users use it, with its own thread; at the same broker, with the same TLS and TCP_NODELAY."""
    client = paho.Client(CallbackAPIVersion.VERSION2, client_id=who, protocol=paho.MQTTv311)
    mine = keys / who
    client.tls_set(str(mine / "ca.crt"), str(mine / "tls.crt"), str(mine / "tls.key"))
    client.on_socket_open = _no_delay
    connected = threading.Event()
    client.on_connect = lambda *_: connected.set()
    client.connect("127.0.0.1", port)
    client.loop_start()
    if not connected.wait(10):
        raise SystemExit(f"{who} could not connect to the broker on port {port}")
    return client


def headquarters(port: int, keys: Path, directory: Path) -> None:
    """Headquarters' own code with central's database in SQLite."""
    # Here and not above: the bare peers need none of it, and it takes seconds to load.
    from central.process import own_signature
    from central.store.database import Database
    from central.store.logs import LogTable
    from central.store.own import OwnLedger

    clock = SystemClock()
    database = Database.create(f"sqlite:///{directory}/central.sqlite3")
    OwnLedger.create(database, clock)
    signer = load_signing_key(keys / "hq" / HEADQUARTERS_KEY)
    store = LogTable(database, OwnLedger(database, clock, own_signature(signer, clock)), clock)
    enrolled = {path.name: load_signing_key(path / ZONE_KEY).verifier for path in keys.glob("nz*")}
    end = HeadquartersEnd(store, signer, enrolled, clock)
    mine = keys / "hq"
    broker = Broker(
        host="127.0.0.1", port=port, ca=mine / "ca.crt", certificate=mine / "tls.crt", key=mine / "tls.key"
    )
    collect_less()
    link = HeadquartersLink(end, broker, on_advanced=lambda zone, log, first, lines: None)
    link.start()
    if not link.connected.wait(10):
        raise SystemExit("headquarters could not connect")
    _until_told()
    link.stop()


def zones(port: int, keys: Path, backlogs: Path, wait_s_max: float) -> None:
    """A link for each ledger in ``backlogs``, each in a thread. They start when told to (a line of input), and
    this says how many seconds passed until headquarters had confirmed everything."""
    from .link import Zone

    made = [Zone(path, keys, port, path.name) for path in sorted(backlogs.iterdir())]
    memory_mb = _memory_mb()
    print("ready", flush=True)
    sys.stdin.readline()
    began_s = time.perf_counter()
    for zone in made:
        zone.start()
    for zone in made:
        zone.wait_for(zone.file.size(), wait_s_max)
    print(time.perf_counter() - began_s, flush=True)
    for zone in made:
        zone.stop()
    _end_of(memory_mb)


def echo(port: int, keys: Path) -> None:
    """Sends every message back."""
    client = bare_client(port, keys, "hq")

    def send_back(client: paho.Client, _: Any, message: paho.MQTTMessage) -> None:
        client.publish(DOWN, message.payload, qos=1)

    client.on_message = send_back
    _subscribe(client, UP)
    _until_told()


def sink(port: int, keys: Path) -> None:
    """Takes every message and does nothing with it."""
    client = bare_client(port, keys, "hq")
    client.on_message = lambda *_: None
    _subscribe(client, UP)
    _until_told()


def _subscribe(client: paho.Client, topic: str) -> None:
    subscribed = threading.Event()
    client.on_subscribe = lambda *_: subscribed.set()
    client.subscribe(topic, qos=1)
    if not subscribed.wait(10):
        raise SystemExit(f"the subscription to {topic} was not confirmed")


def _until_told() -> None:
    memory_mb = _memory_mb()
    print("ready", flush=True)
    sys.stdin.read()
    _end_of(memory_mb)


def _end_of(ready_mb: float) -> None:
    sys.stdin.read()
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, ready_mb, flush=True)


def _memory_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1024**2


def _no_delay(client: Any, userdata: Any, sock: Any) -> None:
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


if __name__ == "__main__":
    main()

"""Commands by ``fourmusts central command`` through a running headquarters, Mosquitto and a zone's link; and
that everything that goes over the broker meanwhile is as the published document says.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import paho.mqtt.client as paho
import pytest
from click.testing import CliRunner
from paho.mqtt.enums import CallbackAPIVersion

from fourmusts import main

from ..sync.asyncapi_document import Document
from . import test_process
from .test_process import Central, Zone, wait_for

broker_port, zone, hq = test_process.broker_port, test_process.zone, test_process.hq

ROSTER = """
[[officer]]
id = "p0231"
name = "民警甲"
rank = "police"
sex = "m"
card = "0A1B2C3D"
roles = ["guard"]
"""


class Listener:
    """Hears everything at the broker, from before anybody else is there."""

    def __init__(self, port: int) -> None:
        self.heard: list[tuple[str, bytes]] = []
        self._subscribed = threading.Event()
        self._client = paho.Client(CallbackAPIVersion.VERSION2, client_id="listener")
        self._client.on_message = lambda client, data, message: self.heard.append(
            (message.topic, bytes(message.payload))
        )
        self._client.on_subscribe = lambda *_: self._subscribed.set()
        self._client.connect("127.0.0.1", port)
        self._client.subscribe("v1/#", qos=1)
        self._client.loop_start()
        assert self._subscribed.wait(test_process.DEADLINE_S)

    def close(self) -> None:
        self._client.loop_stop()
        self._client.disconnect()


@pytest.fixture
def listener(broker_port: int) -> Iterator[Listener]:
    made = Listener(broker_port)
    yield made
    made.close()


def central(hq: Central, *words: str) -> str:
    shown = CliRunner().invoke(main, ["central", *words, "--config", str(hq.config)], catch_exceptions=False)
    assert shown.exit_code == 0, shown.output
    return shown.output


def test_what_goes_over_the_broker_is_what_the_published_document_says(
    listener: Listener, hq: Central, zone: Zone, tmp_path: Path
) -> None:
    zone.brings_in()
    (tmp_path / "roster.toml").write_text(ROSTER)
    file = str(tmp_path / "roster.toml")
    told = central(hq, "command", "roster", "nz01", file, "--as", "hq-duty", "--wait", "90")
    assert "nz01 roster.set" in told and "by hq-duty: received" in told
    central(hq, "command", "open", "nz01", "front", "--as", "hq-duty", "--wait", "0")
    opened = wait_for(lambda: [c for c in hq.get("commands") if c["state"] == "received"][1:], "both commands")
    assert {one["name"] for one in hq.get("commands")} == {"roster.set", "open"}
    received = [event for event in zone.ledger.events() if event.type == "command.received"]
    assert opened[0]["answer"] in {event.id for event in received}
    assert "open (front) by hq-duty: received" in central(hq, "command", "list", "--zone", "nz01")

    document = Document()
    wanted = {  # a proof comes only after minutes, when headquarters' own tree has grown
        *("hello", "batch", "status", "ack", "command", "tree"),
        *("zoneState", "headquartersState", "checkpoint"),
        *("event.stay.entered", "event.finding.raised", "event.command.issued", "event.command.received"),
    }
    seen: set[str] = set()
    checked = 0

    def everything_was_heard() -> bool:
        nonlocal checked
        while checked < len(listener.heard):
            seen.add(document.check(*listener.heard[checked]))
            checked += 1
        return wanted <= seen

    try:
        wait_for(everything_was_heard, "messages of every kind")
    except AssertionError as error:
        raise AssertionError(f"{error}; never heard: {', '.join(sorted(wanted - seen))}") from error

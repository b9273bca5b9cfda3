"""From a card at a custody zone's door to a breach flagged at headquarters, on real parts: OSDP, RTSP, mosquitto
with mutual TLS, SQLite, the commands as they are deployed.
"""

from __future__ import annotations

import sqlite3
from typing import Any

import pytest

from config.clock import SystemClock
from sync.ledger import Ledger

pytestmark = pytest.mark.timeout(300)

OFFICERS = ["p0231", "p0145"]


def types_of(deployment: Any) -> list[str]:
    """Every event type in the zone's own ledger, oldest first."""
    return [event.type for event in events_of(deployment)]


def events_of(deployment: Any) -> list[Any]:
    zone = deployment.settings.zone
    ledger = Ledger.open(
        deployment.settings.ledger_dir, zone=zone.id, deployment=zone.deployment, clock=SystemClock()
    )
    try:
        return list(ledger.events())
    finally:
        ledger.close()


def camera(deployment: Any) -> dict[str, Any]:
    (found,) = deployment.at_panel("cameras")
    return dict(found)


def bring_in(deployment: Any, until: Any) -> str:
    """A suspect arrives, an officer's card opens the door, they go in; the stay's number."""
    arrived = deployment.act(
        "arrive",
        sex="m",
        case={"id": "A1", "kind": "criminal"},
        measure={"kind": "criminal_summons", "limit_hours": 12},
        brought_by=OFFICERS,
        via="front-door",
    )
    stay = str(arrived["stay"])
    until(lambda: deployment.reader.secured, "the reader is not online")
    deployment.tap()
    until(lambda: "door.granted" in types_of(deployment), "the card was not granted")
    deployment.sim("open", "front-door")
    deployment.sim("close", "front-door")
    until(lambda: "door.closed" in types_of(deployment)[-6:], "the door did not close")
    deployment.act("enter", stay=stay, door="front-door", room="corridor", escorts=OFFICERS)
    return stay


def rules_at_headquarters(deployment: Any) -> dict[str, str]:
    return {item["rule"]: item["verdict"] for item in deployment.at_headquarters("findings")["items"]}


def test_a_card_at_the_door_becomes_a_breach_at_headquarters(deployment: Any, until: Any) -> None:
    until(lambda: camera(deployment)["state"] == "recording", "the camera was not seen to record")
    stay = bring_in(deployment, until)

    granted = next(event for event in events_of(deployment) if event.type == "door.granted")
    assert granted.data["purpose"] == "bring_in"
    assert granted.data["stay"] == stay
    assert granted.data["officer"]["id"] == "p0231"

    deployment.act(
        "start-activity", stay=stay, kind="interview", room="interview-1", officers=OFFICERS, override="情况紧急"
    )
    until(lambda: rules_at_headquarters(deployment).get("M2.1") == "breach", "headquarters did not flag M2.1")

    deployment.end("rtsp")
    until(lambda: camera(deployment)["state"] == "lost", "the lost camera was not noticed")
    assert camera(deployment)["faults"] == ["no_signal"]

    deployment.act("leave", stay=stay, door="front-door", escorts=["p0231"], override="来不及报批")
    until(lambda: rules_at_headquarters(deployment).get("M1.5") == "breach", "headquarters did not flag M1.5")


def test_what_dies_on_the_way_loses_nothing_and_doubles_nothing(deployment: Any, until: Any) -> None:
    for victim in ("broker", "central", "link"):
        command = deployment.processes[victim].args
        deployment.end(victim)
        stay = deployment.act(
            "arrive",
            sex="f",
            case={"id": victim, "kind": "criminal"},
            measure={"kind": "none"},
            brought_by=OFFICERS,
            via="front-door",
        )["stay"]
        deployment.start(victim, *command)
        until(lambda stay=stay: deployment.at_headquarters(f"stays/{stay}"), f"{stay} never came after {victim}")

    def same_everywhere() -> bool:
        here = {event.id for event in events_of(deployment)}
        there = [row[0] for row in stored(deployment)]
        assert len(there) == len(set(there)), "an event is stored twice"
        return here == set(there)

    until(same_everywhere, "headquarters does not hold exactly the zone's events")


def stored(deployment: Any) -> list[tuple[str]]:
    """Ids of every event of the zone, read from headquarters' database."""
    database = deployment.folder / "hq" / "state" / "central.sqlite3"
    connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    try:
        return connection.execute("SELECT id FROM events WHERE zone = 'nz01'").fetchall()
    finally:
        connection.close()


def test_a_card_that_nobody_knows_and_a_camera_that_does_not_answer_leave_the_rest_running(
    deployment: Any, until: Any
) -> None:
    until(lambda: deployment.reader.secured, "the reader is not online")
    deployment.end("rtsp")
    deployment.reader.present(32, bytes.fromhex("FFFFFFFF"))
    until(lambda: "door.denied" in types_of(deployment), "the unknown card was not refused")
    denied = next(event for event in events_of(deployment) if event.type == "door.denied")
    assert denied.data["reason"] == "unknown_card"
    until(lambda: camera(deployment)["state"] == "lost", "the lost camera was not noticed")
    assert bring_in(deployment, until)
    assert all(deployment.at_panel("now")["parts"].values())

"""The panel's JSON API over a real ledger, served for real."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from config.clock import ManualClock
from config.zone import ZoneSettings
from edge.panel.server import PanelServer, PortTaken
from edge.register.persons import DATABASE_FILE, Persons
from edge.register.requests import ACTS
from sync.ledger import Ledger

Until = Callable[[Callable[[], Any]], Any]

ARRIVAL: dict[str, Any] = {
    "by": "p0231",
    "sex": "m",
    "case": {"id": "A2026-117", "kind": "criminal"},
    "measure": {"kind": "criminal_summons", "limit_hours": 12},
    "brought_by": ["p0231", "p0145"],
    "via": "front-door",
    "identity": {"name": "张三丰", "id_number": "610721199001011234"},
}


def act(client: httpx.Client, name: str, **fields: Any) -> httpx.Response:
    return client.post(f"/api/v1/acts/{name}", json={"by": "p0231", **fields})


def arrived(client: httpx.Client, **fields: Any) -> str:
    answer = act(client, "arrive", **{**ARRIVAL, **fields})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["stay"])


def test_an_act_answers_with_the_lines_that_it_became(client: httpx.Client, ledger: Ledger) -> None:
    stay = arrived(client)
    answer = act(client, "enter", stay=stay, door="front-door", room="corridor", escorts=["p0231"])
    assert answer.status_code == 201
    event = answer.json()["events"][0]
    assert (event["type"], event["data"]["room"]) == ("stay.entered", "corridor")
    assert event["time"] == event["recordedtime"] and event["time"].endswith("+08:00")
    assert [line.id for line in ledger.events()][-1] == event["id"]


def test_every_act_of_the_pages_has_an_address_and_a_schema(client: httpx.Client) -> None:
    paths = client.get("/api/v1/openapi.json").json()["paths"]
    for model in ACTS:
        posted = paths[f"/api/v1/acts/{model.NAME}"]["post"]
        assert posted["requestBody"]["content"]["application/json"]["schema"]["$ref"].endswith(model.__name__)
        assert "409" in posted["responses"]


def test_what_the_musts_forbid_is_a_problem_that_names_the_rule_and_the_way_on(client: httpx.Client) -> None:
    stay = arrived(client)
    act(client, "enter", stay=stay, door="front-door", room="corridor")
    asked = {"stay": stay, "kind": "interview", "room": "interview-1", "officers": ["p0231", "p0145"]}
    refused = act(client, "start-activity", **asked)
    problem = refused.json()
    assert refused.status_code == 409
    assert refused.headers["content-type"] == "application/problem+json"
    assert problem["type"] == "urn:fourmusts:problem:forbidden"
    assert problem["override_possible"] is True
    assert [(o["rule"], o["title"]) for o in problem["obstacles"]] == [
        ("M2.1", "未检查先讯（询）问"),
        ("M2.5", "未采集基本信息"),
    ]
    gone_on = act(client, "start-activity", override="人质下落不明", **asked)
    assert gone_on.json()["events"][0]["data"]["override"]["rules"] == ["M2.1", "M2.5"]


@pytest.mark.parametrize(
    ("headers", "title"),
    [
        ({}, "本办案区台账中没有 nz01-20261123-999。"),
        ({"Accept-Language": "en-GB,en"}, "There is no stay nz01-20261123-999 in this zone's register."),
        ({"Accept-Language": "fr"}, "本办案区台账中没有 nz01-20261123-999。"),
    ],
)
def test_problems_speak_the_callers_language(client: httpx.Client, headers: dict[str, str], title: str) -> None:
    answer = client.get("/api/v1/stays/nz01-20261123-999", headers=headers)
    assert (answer.status_code, answer.json()["title"]) == (404, title)


def test_a_malformed_act_names_the_fields_and_repeats_nothing_of_a_person(client: httpx.Client) -> None:
    answer = act(client, "arrive", **{**ARRIVAL, "sex": "x", "identity": {"name": "张三丰", "nick": "阿丰"}})
    assert answer.status_code == 422
    assert [field["field"] for field in answer.json()["fields"]] == ["identity.nick", "sex"]
    assert "阿丰" not in answer.text and "张三丰" not in answer.text


def test_a_stay_shows_its_state_and_no_name(client: httpx.Client, until: Until) -> None:
    stay = arrived(client)
    act(client, "enter", stay=stay, door="front-door", room="corridor", escorts=["p0231", "a0112"])
    found = until(lambda: client.get(f"/api/v1/stays/{stay}").json())
    assert (found["inside"], found["room"], found["next"]) == (True, "corridor", "start-search")
    assert found["guarded_by"] == ["p0231", "a0112"]
    assert found["deadline"] == "2026-11-23T21:00:00.000000+08:00"
    everything = client.get("/api/v1/stays").text + client.get(f"/api/v1/stays/{stay}/events").text
    assert "张" not in everything and "610721" not in everything


def test_looking_at_an_identity_takes_a_purpose_and_is_written(client: httpx.Client, ledger: Ledger) -> None:
    stay = arrived(client)
    assert act(client, "view-identity", stay=stay, purpose="").status_code == 422
    answer = act(client, "view-identity", stay=stay, purpose="核对证件")
    assert answer.json()["identity"]["name"] == "张三丰"
    assert [line.type for line in ledger.events()][-1] == "record.viewed"


def test_a_broken_must_is_found_here_too(client: httpx.Client, clock: ManualClock, until: Until) -> None:
    stay = arrived(client)
    act(client, "enter", stay=stay, door="front-door", room="corridor", escorts=["p0231"])
    asked = {"stay": stay, "kind": "interview", "room": "interview-1", "officers": ["p0231", "p0145"]}
    act(client, "start-activity", override="人质下落不明", **asked)
    clock.advance(120)
    act(client, "care", stay=stay, kind="water")
    found = until(lambda: [f for f in client.get("/api/v1/findings").json() if f["rule"] == "M2.1"])
    assert (found[0]["stay"], found[0]["verdict"]) == (stay, "breach")
    assert until(lambda: client.get(f"/api/v1/stays/{stay}").json()["verdicts"].get("2")) == "breached"


def test_what_another_process_writes_is_seen(
    client: httpx.Client, settings: ZoneSettings, clock: ManualClock, until: Until
) -> None:
    zone = settings.zone
    other = Ledger.open(settings.ledger_dir, zone=zone.id, deployment=zone.deployment, clock=clock)
    from custody.events import Draft

    before = client.get("/api/v1/now").json()["ledger_size"]
    other.append(Draft("door.opened", {"door": "front-door"}))
    assert until(lambda: client.get("/api/v1/now").json()["ledger_size"] == before + 1)
    other.close()


def test_a_full_disk_is_said_and_loses_nothing(
    client: httpx.Client, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sync.errors import LedgerUnwritable

    stay = arrived(client)

    def full(*drafts: object) -> None:
        raise LedgerUnwritable(ledger.directory / "x.sqlite3", "database or disk is full")

    monkeypatch.setattr(ledger, "append", full)
    answer = act(client, "enter", stay=stay, door="front-door", room="corridor")
    assert answer.status_code == 503
    assert "没有记录" in answer.json()["title"] and "disk is full" in answer.json()["detail"]
    monkeypatch.undo()
    assert act(client, "enter", stay=stay, door="front-door", room="corridor").status_code == 201


def test_a_taken_port_says_what_to_do(server: PanelServer) -> None:
    with pytest.raises(PortTaken, match="set another"):
        PanelServer(server._app, "127.0.0.1", server.port)


def test_the_records_of_persons_close_with_the_panel(persons: Persons, client: httpx.Client) -> None:
    stay = arrived(client)
    assert persons.destroy(stay) == 1
    answer = act(client, "view-identity", stay=stay, purpose="核对证件")
    assert answer.json() == {"stay": stay, "identity": None}


def test_a_record_that_does_not_open_stops_nobody_from_registering(
    client: httpx.Client, settings: ZoneSettings
) -> None:
    stay = arrived(client)
    with sqlite3.connect(settings.zone.state_dir / DATABASE_FILE) as database:
        database.execute("UPDATE record SET sealed = zeroblob(64)")
    database.close()
    assert client.get("/").status_code == 200
    assert act(client, "enter", stay=stay, door="front-door", room="corridor").status_code == 201
    answer = act(client, "view-identity", stay=stay, purpose="核对证件")
    assert (answer.status_code, answer.json()["type"]) == (500, "urn:fourmusts:problem:person_record")

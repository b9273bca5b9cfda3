from __future__ import annotations

import re
from typing import Any

import orjson
import pytest
from fastapi.testclient import TestClient

from central.store.logs import LogTable
from config.clock import ManualClock
from sync.merkle import leaf_hash, verify_inclusion

BAD = "nz01-20261123-002"
PAGES = ("/", "/zones/nz01", "/zones/nz02", "/stays", f"/stays/{BAD}", "/findings", "/evidence")


def test_every_enrolled_zone_is_listed_with_what_is_known(told: Any, web: TestClient) -> None:
    zones = {zone["id"]: zone for zone in web.get("/api/v1/zones").json()}
    assert list(zones) == ["nz01", "nz02", "nz03"]
    first, never = zones["nz01"], zones["nz02"]
    assert (first["presence"], first["lines"], first["behind"]) == ("live", len(told.hand.lines), 0)
    assert first["heartbeat"]["disk"]["retention_days"] == 94.0
    assert (never["presence"], never["heard"], never["inside"]) == ("never", None, 0)
    marks = {must["must"]: must["mark"] for must in first["musts"]}
    assert (marks[1], marks[2], marks[4]) == ("breach", "breach", "breach")


def test_a_zone_that_fell_silent_is_never_shown_as_kept(told: Any, web: TestClient, clock: ManualClock) -> None:
    clock.advance(149)
    assert web.get("/api/v1/zones/nz01").json()["presence"] == "live"
    clock.advance(2)
    silent = web.get("/api/v1/zones/nz01").json()
    assert silent["presence"] == "silent"
    assert "kept" not in {must["mark"] for must in silent["musts"]}


def test_a_zone_whose_lines_are_not_judged_is_never_shown_as_kept(
    told: Any, web: TestClient, store: LogTable, judging: Any
) -> None:
    for _ in range(3):
        told.minutes(1)
        told.hand.advance(store)
    stalled = web.get("/api/v1/zones/nz01").json()
    assert (stalled["presence"], stalled["behind"] > 0) == ("live", True)
    assert "kept" not in {must["mark"] for must in stalled["musts"]}
    while judging.judge_due("nz01"):
        pass
    assert "kept" in {must["mark"] for must in web.get("/api/v1/zones/nz01").json()["musts"]}


def test_a_clock_of_headquarters_that_was_set_back_makes_no_silent_zone_live(
    told: Any, web: TestClient, clock: ManualClock
) -> None:
    clock.step_wall(-3600)
    assert web.get("/api/v1/zones/nz01").json()["presence"] == "silent"


def test_a_stay_is_told_by_its_own_zone_whatever_another_writes_of_it(
    told: Any, web: TestClient, hand: Any, store: LogTable, judging: Any
) -> None:
    before = web.get(f"/api/v1/stays/{BAD}/events").json()
    other = hand("nz02", "00000000000000b2")
    other.write("stay.moved", {"stay": BAD, "room": "wait-1", "escorts": []})
    other.advance(store)
    judging.judge_due("nz02")
    assert web.get(f"/api/v1/stays/{BAD}/events").json() == before
    assert web.get(f"/api/v1/stays/{BAD}").json()["zone"] == "nz01"


def test_the_will_of_a_zone_makes_it_silent_at_once(told: Any, web: TestClient, records: Any) -> None:
    records.set_connected("nz01", False)
    assert web.get("/api/v1/zones/nz01").json()["presence"] == "silent"
    records.set_connected("nz01", True)
    assert web.get("/api/v1/zones/nz01").json()["presence"] == "live"


def test_what_a_zone_signs_counts_more_than_what_the_broker_says(
    told: Any, web: TestClient, records: Any, store: LogTable
) -> None:
    records.set_connected("nz01", False)
    told.minutes(1)
    told.hand.advance(store)
    assert web.get("/api/v1/zones/nz01").json()["presence"] == "live"


def test_who_is_inside_can_be_asked(told: Any, web: TestClient, store: LogTable, judging: Any) -> None:
    assert web.get("/api/v1/stays", params={"inside": True}).json()["items"] == []
    third = told.arrives(3)
    told.enters(third)
    told.minutes(1)
    told.hand.advance(store)
    judging.judge_due("nz01")
    (inside,) = web.get("/api/v1/stays", params={"inside": True, "zone": "nz01"}).json()["items"]
    assert (inside["stay"], inside["room"], inside["category"]) == (third, "hall", "suspect")
    assert web.get("/api/v1/zones/nz01").json()["inside"] == 1


def test_findings_are_filtered_by_every_field(told: Any, web: TestClient) -> None:
    every = web.get("/api/v1/findings", params={"limit": 500}).json()["items"]
    assert {one["rule"] for one in every} >= {"M1.5", "M2.1", "M4.1"}
    for name in ("zone", "stay", "must", "rule", "verdict", "severity"):
        for value in {one[name] for one in every} - {None}:
            found = web.get("/api/v1/findings", params={name: value, "limit": 500}).json()["items"]
            assert found == [one for one in every if one[name] == value], (name, value)
    assert web.get("/api/v1/findings", params={"zone": "nz02"}).json()["items"] == []
    assert web.get("/api/v1/findings", params={"state": "open", "limit": 500}).json()["items"] == every
    assert web.get("/api/v1/findings", params={"state": "closed"}).json()["items"] == []


def test_findings_since_a_time_include_what_still_lasts(told: Any, web: TestClient) -> None:
    found = web.get("/api/v1/findings", params={"since": "2026-11-23T23:00:00Z"}).json()["items"]
    assert {one["end"] for one in found} == {None}
    assert "M1.5" in {one["rule"] for one in found}


def test_pages_visit_every_finding_once(told: Any, web: TestClient) -> None:
    every = [one["id"] for one in web.get("/api/v1/findings", params={"limit": 500}).json()["items"]]
    visited: list[str] = []
    after: str | None = None
    while True:
        page = web.get("/api/v1/findings", params={"limit": 2, **({"after": after} if after else {})}).json()
        visited += [one["id"] for one in page["items"]]
        after = page["next"]
        if after is None:
            break
    assert visited == every and len(every) > 2


def test_a_finding_says_its_sentence_evidence_and_history(told: Any, web: TestClient) -> None:
    (out,) = web.get("/api/v1/findings", params={"rule": "M1.5"}).json()["items"]
    full = web.get(f"/api/v1/findings/{out['id']}").json()
    assert BAD in full["sentence"]["zh"] and "without a valid approval" in full["sentence"]["en"]
    assert told.ids["left"] in full["evidence"]
    (raised,) = full["history"]
    assert raised["state"] == "raised" and raised["finding"]["id"] == out["id"]
    said = web.get(f"/api/v1/events/{raised['event']}").json()
    assert said["zone"] == "hq" and said["event"]["data"]["id"] == out["id"]


def test_an_event_comes_byte_for_byte_with_a_proof_that_verifies(told: Any, web: TestClient) -> None:
    id_ = told.ids["covered"]
    found = web.get(f"/api/v1/events/{id_}").json()
    line = found["line"].encode()
    assert line == told.hand.lines[found["sequence"] - 1]
    proof = web.get(f"/api/v1/events/{id_}/proof").json()
    assert bytes.fromhex(proof["leaf"]) == leaf_hash(line)
    path = [bytes.fromhex(step) for step in proof["path"]]
    root = bytes.fromhex(proof["root"])
    assert verify_inclusion(leaf_hash(line), proof["sequence"] - 1, proof["size"], path, root)
    assert proof["checkpoint"] == told.hand.head().checkpoint


def test_the_events_of_a_stay_come_in_the_order_in_which_they_happened(told: Any, web: TestClient) -> None:
    events = [one["event"] for one in web.get(f"/api/v1/stays/{BAD}/events").json()]
    assert [event["type"] for event in events][:3] == ["stay.arrived", "stay.entered", "activity.started"]
    assert {event["source"] for event in events} == {"/zones/nz01"}


@pytest.mark.parametrize(
    ("path", "status", "says"),
    [
        ("/api/v1/zones/nz99", 404, "no zone 'nz99'"),
        ("/api/v1/stays/nz01-20260101-001", 404, "no stay"),
        ("/api/v1/findings/none", 404, "no finding"),
        ("/api/v1/events/none", 404, "no event"),
        ("/api/v1/events/none/proof", 404, "no event"),
        ("/api/v1/findings?must=7", 422, "query.must"),
        ("/api/v1/findings?after=yesterday", 422, "not the `next` of a page"),
        (f"/api/v1/findings?after={'9' * 23}.x", 422, "not the `next` of a page"),
        (f"/findings?after={'9' * 5000}.x", 422, "not the `next` of a page"),
        ("/api/v1/findings?since=2026-11-23T09:00:00", 422, "no UTC offset"),
        ("/api/v1/findings?limit=100000", 422, "query.limit"),
        ("/api/v1/nothing", 404, "Not Found"),
    ],
)
def test_errors_are_problem_details_that_say_what_to_do(
    web: TestClient, path: str, status: int, says: str
) -> None:
    answer = web.get(path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    found = answer.json()
    assert found["status"] == status and says in found["detail"]


def test_a_person_who_asks_for_what_is_not_there_gets_a_page(web: TestClient) -> None:
    answer = web.get("/zones/nz99", headers={"accept": "text/html"})
    assert answer.status_code == 404
    assert "无法显示" in answer.text and "text/html" in answer.headers["content-type"]


def test_a_person_who_asks_wrongly_gets_a_page(web: TestClient) -> None:
    answer = web.get("/findings?must=9", headers={"accept": "text/html"})
    assert answer.status_code == 422
    assert "query.must" in answer.text and "text/html" in answer.headers["content-type"]


def test_the_interface_describes_itself(web: TestClient) -> None:
    described = web.get("/api/v1/openapi.json").json()
    assert {"/api/v1/zones", "/api/v1/findings", "/api/v1/events/{event}/proof"} <= set(described["paths"])
    assert all(path.startswith("/api/v1/") for path in described["paths"])
    for path, methods in described["paths"].items():
        for method in methods.values():
            assert method.get("description") or method.get("summary"), path


@pytest.mark.parametrize("path", [*PAGES, "/static/live.js", "/api/v1/zones", "/metrics", "/zones/none"])
def test_nothing_foreign_and_nothing_inline_is_ever_run(told: Any, web: TestClient, path: str) -> None:
    answer = web.get(path, headers={"accept": "text/html"})
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy and "http" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    if "text/html" in answer.headers["content-type"]:
        assert not re.search(r"<[^>]+\s(on\w+|style)=", answer.text)
        assert not re.search(r"<script(?![^>]*\ssrc=)", answer.text)
        assert not re.search(r"(src|href)=\"(https?:)?//", answer.text)


def test_a_name_that_points_here_from_elsewhere_is_refused(web: TestClient) -> None:
    assert web.get("/api/v1/zones", headers={"host": "evil.example"}).status_code == 400
    assert web.get("/api/v1/zones", headers={"host": "127.0.0.1:8500"}).status_code == 200


def test_text_from_a_zone_never_becomes_markup(told: Any, web: TestClient, store: LogTable, judging: Any) -> None:
    described = next(orjson.loads(line)["data"] for line in told.hand.lines if b'"zone.described"' in line)
    described["rooms"][1]["name"] = "<script>alert(1)</script>"
    told.hand.write("zone.described", described)
    told.hand.advance(store)
    judging.judge_due("nz01")
    page = web.get("/zones/nz01").text
    assert "<script>alert" not in page and "&lt;script&gt;alert" in page


def test_prometheus_reads_zones_findings_and_silence(told: Any, web: TestClient, clock: ManualClock) -> None:
    clock.advance(30)
    text = web.get("/metrics").text
    assert 'fourmusts_zone_silent_seconds{zone="nz01"} 30.0' in text
    assert re.search(r'fourmusts_zone_findings\{must="1",verdict="breach",zone="nz01"\} [1-9]', text)
    assert 'fourmusts_zone_inside{zone="nz02"} 0.0' in text


def test_evidence_is_listed_with_what_was_wrong(web: TestClient, store: LogTable) -> None:
    store.keep_evidence("nz02", None, "wrong_signature", "signed by somebody else", b"message")
    (one,) = web.get("/api/v1/evidence", params={"zone": "nz02"}).json()
    assert (one["kind"], one["detail"], one["times"]) == ("wrong_signature", "signed by somebody else", 1)
    assert web.get("/api/v1/evidence", params={"zone": "nz01"}).json() == []

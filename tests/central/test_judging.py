from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import orjson
import pytest
from sqlalchemy import text

from central.feed import Feed
from central.judging import Judging
from central.store.database import Database
from central.store.feeding import FeedMarks
from central.store.logs import LogTable
from central.store.own import OwnLedger
from central.store.proofs import Proofs
from central.store.queries import FindingFilter, Queries
from central.store.records import Records
from config.clock import ManualClock
from config.policy import load_policy
from custody.court import judge
from custody.events import format_utc, parse_line
from sync.merkle import verify_inclusion

Hands = Callable[..., Any]
DEADLINE_S = 90.0


class Road:
    """A link that takes everything at once."""

    feed_waiting = 0

    def __init__(self) -> None:
        self.taken: list[tuple[str, str, bytes]] = []

    def publish_tree(self, checkpoint: str) -> None:
        assert checkpoint

    def publish_feed(self, zone: str, type: str, line: bytes) -> None:
        self.taken.append((zone, type, line))


def drain(judging: Judging, zone: str = "nz01") -> None:
    while judging.judge_due(zone):
        pass


def on_record(database: Database, **wanted: Any) -> list[dict[str, Any]]:
    rows = Queries(database).findings(FindingFilter(**wanted), limit=500).rows
    return [{**orjson.loads(row["json"]), "state": row["state"]} for row in rows]


def own_lines(database: Database, own: OwnLedger, clock: ManualClock) -> list[dict[str, Any]]:
    lines = LogTable(database, own, clock).lines("hq", own.id, 1, 10_000)
    return [orjson.loads(line) for line in lines]


def wait_for(condition: Callable[[], bool]) -> None:
    deadline_s = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline_s, "waited too long"
        time.sleep(0.01)


def test_what_headquarters_finds_is_what_the_judge_finds(told: Any, database: Database) -> None:
    expected = judge([parse_line(line) for line in told.hand.lines], load_policy(None))
    found = {one["id"]: {**one, "state": None} for one in on_record(database)}
    assert found == {one.id: {**one.to_dict(), "state": None} for one in expected}


def test_the_breaches_of_the_day_are_flagged_with_their_evidence(told: Any, database: Database) -> None:
    breaches = {(one["rule"], one["stay"]): one for one in on_record(database, verdict="breach")}
    bad = "nz01-20261123-002"
    assert {("M2.1", bad), ("M4.1", bad), ("M1.5", bad)} <= set(breaches)
    assert told.ids["unsearched"] in breaches["M2.1", bad]["evidence"]
    assert told.ids["covered"] in breaches["M4.1", bad]["evidence"]
    assert told.ids["left"] in breaches["M1.5", bad]["evidence"]
    assert breaches["M1.5", bad]["end"] is None


def test_every_finding_is_a_provable_line_of_headquarters_own_ledger(
    told: Any, database: Database, own: OwnLedger, clock: ManualClock
) -> None:
    raised = [line for line in own_lines(database, own, clock) if line["type"] == "finding.raised"]
    assert {line["data"]["id"] for line in raised} == {one["id"] for one in on_record(database)}
    for line in raised:
        proof = Proofs(database).inclusion(line["id"])
        assert proof is not None
        assert verify_inclusion(proof.leaf, proof.sequence - 1, proof.size, proof.path, proof.root)
        assert f"{proof.size} {proof.root.hex()}" in proof.checkpoint


def test_accepted_checkpoints_stand_in_headquarters_own_ledger(
    told: Any, database: Database, own: OwnLedger, clock: ManualClock
) -> None:
    accepted = [line for line in own_lines(database, own, clock) if line["type"] == "checkpoint.accepted"]
    assert accepted[-1]["data"] == {
        "zone": "nz01",
        "log": told.hand.log,
        "size": len(told.hand.lines),
        "checkpoint": told.hand.head().checkpoint,
    }


def test_findings_and_events_go_onto_the_feed_as_plain_events(told: Any, database: Database) -> None:
    road = Road()
    Feed(FeedMarks(database), road).publish_due()
    of_zone = [line for _, type_, line in road.taken if not type_.startswith(("finding.", "checkpoint."))]
    assert of_zone == told.hand.lines
    announced = [
        orjson.loads(line) for zone, type_, line in road.taken if (zone, type_) == ("nz01", "finding.raised")
    ]
    assert {line["data"]["id"] for line in announced} == {one["id"] for one in on_record(database)}
    assert {line["specversion"] for line in announced} == {"1.0"}


def test_one_that_lasts_is_announced_once_however_long_it_lasts(
    told: Any, store: LogTable, judging: Judging, database: Database
) -> None:
    (out,) = on_record(database, rule="M1.5")
    told.minutes(30)
    told.hand.advance(store)
    drain(judging)
    (still,) = on_record(database, rule="M1.5")
    assert still["seconds"] >= out["seconds"] + 1800
    assert [step["state"] for step in Queries(database).finding_history(out["id"])] == ["raised"]


def test_one_that_ends_is_changed_and_keeps_its_history(
    told: Any, store: LogTable, judging: Judging, database: Database
) -> None:
    (out,) = on_record(database, rule="M1.5")
    data = {"stay": out["stay"], "door": "front", "room": "talk-1", "escorts": []}
    told.hand.write("stay.returned", data)
    told.minutes(1)
    told.hand.advance(store)
    drain(judging)
    (ended,) = on_record(database, rule="M1.5")
    assert (ended["id"], ended["state"]) == (out["id"], "changed") and ended["end"] is not None
    history = Queries(database).finding_history(out["id"])
    assert [step["state"] for step in history] == ["raised", "changed"]
    assert [orjson.loads(step["json"])["end"] for step in history] == [None, ended["end"]]


def test_one_that_an_audit_refutes_is_closed_and_never_deleted(
    told: Any, store: LogTable, judging: Judging, database: Database, own: OwnLedger, clock: ManualClock
) -> None:
    (gap,) = on_record(database, rule="M4.1", verdict="breach")
    covered = [[gap["start"], gap["end"]]]
    audit = {
        "camera": "cam-talk-1",
        "start": gap["start"],
        "end": gap["end"],
        "covered": covered,
        "audio": covered,
        "source": "local",
        "clock_offset_s": 0.0,
        "uncertainty_s": 0.1,
        "manifest": "00" * 32,
    }
    told.hand.write("recording.audited", audit)
    told.minutes(1)
    told.hand.advance(store)
    drain(judging)
    (refuted,) = on_record(database, rule="M4.1")
    assert (refuted["id"], refuted["state"]) == (gap["id"], "closed")
    assert [step["state"] for step in Queries(database).finding_history(gap["id"])] == ["raised", "closed"]
    announced = [line for line in own_lines(database, own, clock) if line["type"] == "finding.changed"]
    assert [(line["data"]["id"], line["data"]["verdict"]) for line in announced][-1:] == [(gap["id"], "kept")]


def test_lines_committed_before_a_crash_are_judged_by_the_next_process(
    hand: Hands, store: LogTable, url: str, clock: ManualClock, database: Database, story: Any
) -> None:
    day = story(hand())
    day.a_day()
    day.hand.advance(store)
    assert on_record(database) == []
    anew = Database.open(url)
    own = OwnLedger(anew, clock, lambda log, size, root: f"{size} {root.hex()}")
    judged: list[str] = []
    second = Judging(Records(anew, own, clock), load_policy(None), lambda zone, done: judged.append(zone))
    second.start()
    wait_for(lambda: not Records(anew, own, clock).zones_behind())
    second.stop()
    anew.close()
    assert set(judged) == {"nz01"}
    assert {"M2.1", "M4.1", "M1.5"} <= {one["rule"] for one in on_record(database)}


def test_a_new_process_goes_on_without_saying_anything_twice(
    told: Any, store: LogTable, records: Records, database: Database, own: OwnLedger, clock: ManualClock
) -> None:
    before = own_lines(database, own, clock)
    told.minutes(1)
    told.hand.advance(store)
    drain(Judging(records, load_policy(None), lambda zone, done: None))
    fresh = own_lines(database, own, clock)[len(before) :]
    assert [line["type"] for line in fresh] == ["checkpoint.accepted"]


def test_the_outcome_does_not_depend_on_how_the_day_was_batched(
    told: Any, store: LogTable, judging: Judging, hand: Hands, database: Database
) -> None:
    pieces = hand("nz02", "00000000000000c3")
    elsewhere = ((b"nz01", b"nz02"), (told.hand.log.encode(), pieces.log.encode()), (b"-7000-8", b"-7111-9"))
    for line in told.hand.lines:
        for here, there in elsewhere:
            line = line.replace(here, there)
        pieces.raw(line)
        if len(pieces.lines) % 7 == 0:
            pieces.advance(store)
            drain(judging, "nz02")
    pieces.advance(store)
    drain(judging, "nz02")
    at_once, in_pieces = (
        sorted(
            (one["rule"], one["start"], one["end"] or "", one["seconds"]) for one in on_record(database, **wanted)
        )
        for wanted in ({"zone": "nz01"}, {"zone": "nz02", "state": "open"})
    )
    assert at_once and at_once == in_pieces


def test_the_register_of_stays_follows(told: Any, database: Database) -> None:
    rows = {
        row["stay"]: row for row in (Queries(database).stay(f"nz01-20261123-{nr:03d}") for nr in (1, 2)) if row
    }
    good, bad = rows["nz01-20261123-001"], rows["nz01-20261123-002"]
    assert not good["inside"] and good["exited_us"] is not None
    assert not bad["inside"] and bad["exited_us"] is None and bad["room"] is None
    assert bad["must_1"] == bad["must_2"] == bad["must_4"] == "breached"


@pytest.mark.parametrize("lines_at_once", [1000, 7])
def test_a_correction_is_seen_in_the_register_of_stays(
    told: Any,
    store: LogTable,
    judging: Judging,
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
    lines_at_once: int,
) -> None:
    monkeypatch.setattr("central.store.records.CHUNK_LINES", lines_at_once)
    data = {
        "corrects": told.ids["left"],
        "reason": "wrong person",
        "by": {"id": "p1", "rank": "police", "sex": "m"},
    }
    told.hand.write("record.corrected", {**data, "data": {}, "time": None, "void": True})
    told.minutes(1)
    told.hand.advance(store)
    drain(judging)
    row = Queries(database).stay("nz01-20261123-002")
    assert row is not None and row["inside"] and row["room"] == "talk-1"
    assert [one["state"] for one in on_record(database, rule="M1.5")] == ["closed"]


@pytest.mark.parametrize("judged_apart", [True, False])
def test_a_line_that_moved_to_a_new_ledger_is_told_to_the_register_once(
    story: Any, hand: Hands, store: LogTable, judging: Judging, database: Database, judged_apart: bool
) -> None:
    day = story(hand())
    stay = day.arrives(1)
    day.enters(stay)
    day.exits(stay)
    day.hand.advance(store)
    if judged_apart:
        drain(judging)
    later = hand("nz01", "00000000000000a2")
    data = {"stay": stay, "door": "front", "room": "hall", "escorts": []}
    later.write("stay.entered", data, id_=day.ids["entered"])
    later.advance(store)
    drain(judging)
    row = Queries(database).stay(stay)
    assert row is not None and not row["inside"]


def test_a_zone_that_cannot_be_judged_does_not_stop_the_others(
    hand: Hands, store: LogTable, records: Records, database: Database, story: Any
) -> None:
    good, bad = story(hand("nz01")), story(hand("nz02", "00000000000000b2"))
    for one in (bad, good):
        one.opens()
        one.hand.advance(store)
    with database.writing() as connection:  # as a damaged disk would
        connection.execute(
            text(
                "UPDATE lines SET line = x'00' WHERE seq = 2 "
                "AND log_key = (SELECT key FROM logs WHERE zone = 'nz02')"
            )
        )
    judged = threading.Event()
    judging = Judging(records, load_policy(None), lambda zone, done: judged.set())
    judging.start()
    assert judged.wait(DEADLINE_S)
    judging.stop()
    assert records.zones_behind() == ["nz02"]


def test_the_overview_knows_up_to_when_a_zone_is_known(told: Any, database: Database, clock: ManualClock) -> None:
    row = Queries(database).zones()["nz01"]
    assert row["known_us"] == clock.now_us()
    assert orjson.loads(row["heartbeat"])["disk"]["retention_days"] == 94.0
    assert [room["id"] for room in orjson.loads(row["described"])["rooms"]][:2] == ["outside", "hall"]
    assert format_utc(row["heard_us"]) == format_utc(clock.now_us())

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from central.store.database import Database
from central.store.errors import DatabaseForeign, DatabaseMissing, DatabaseUnreachable, OwnLedgerMissing
from central.store.evidence import MAX_EVIDENCE_A_ZONE
from central.store.logs import LogTable
from central.store.own import OwnLedger
from central.store.proofs import Proofs
from central.store.queries import Queries
from sync.merkle import leaf_hash, verify_inclusion
from sync.store import Head, LogStore

Hands = Callable[..., Any]
HEARTBEAT = {
    "parts": {"doors": True},
    "clock": {"synchronised": True, "offset_s": 0.01, "uncertainty_s": 0.02},
    "disk": {"free_bytes": 1, "retention_days": 90.0},
}


def test_a_log_that_never_spoke_has_size_zero(store: LogTable) -> None:
    assert store.head("nz01", "00000000000000a1") == Head(0, (), "")
    assert store.lines("nz01", "00000000000000a1", 1, 10) == []


def test_what_was_advanced_is_read_back_byte_for_byte(store: LogTable, hand: Hands) -> None:
    zone = hand()
    for _ in range(5):
        zone.write("zone.heartbeat", HEARTBEAT)
    assert zone.advance(store)
    assert store.lines("nz01", zone.log, 2, 3) == zone.lines[1:4]
    assert store.head("nz01", zone.log) == zone.head()


def test_the_store_is_what_the_protocol_asks_for(store: LogTable) -> None:
    asked: LogStore = store
    assert asked is store


def test_a_batch_on_a_size_that_has_moved_changes_nothing(store: LogTable, hand: Hands) -> None:
    zone = hand()
    zone.write("zone.heartbeat", HEARTBEAT)
    assert zone.advance(store)
    head, lines = zone.head(), zone.lines
    assert not store.advance("nz01", zone.log, known_size=0, head=head, lines=lines)
    assert store.head("nz01", zone.log).size == 1
    zone.write("zone.heartbeat", HEARTBEAT)
    assert not store.advance("nz01", zone.log, known_size=5, head=Head(6, head.edge, ""), lines=lines[:1])


def test_of_two_writers_of_one_log_one_is_told_that_it_was_late(store: LogTable, hand: Hands) -> None:
    zone = hand()
    for _ in range(20):
        zone.write("zone.heartbeat", HEARTBEAT)
    gate = threading.Barrier(4)
    outcomes: list[bool] = []

    def write() -> None:
        gate.wait()
        outcomes.append(store.advance("nz01", zone.log, known_size=0, head=zone.head(), lines=zone.lines))

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == [False, False, False, True]
    assert store.lines("nz01", zone.log, 1, 100) == zone.lines


def test_lines_that_do_not_lead_to_the_head_are_refused_whole(store: LogTable, hand: Hands) -> None:
    zone = hand()
    zone.write("zone.heartbeat", HEARTBEAT)
    head = zone.head()
    with pytest.raises(ValueError, match="not to the head's"):
        store.advance(
            "nz01", zone.log, known_size=0, head=Head(1, (bytes(32),), head.checkpoint), lines=zone.lines
        )
    assert store.head("nz01", zone.log).size == 0


def test_an_event_that_moved_to_a_new_ledger_counts_once(store: LogTable, hand: Hands, database: Database) -> None:
    old, new = hand(log="00000000000000a1"), hand(log="00000000000000b2")
    id_ = old.write("zone.heartbeat", HEARTBEAT)
    old.advance(store)
    assert new.write("zone.heartbeat", HEARTBEAT, id_=id_) == id_
    new.write("zone.heartbeat", HEARTBEAT)
    assert new.advance(store)
    assert store.lines("nz01", new.log, 1, 10) == new.lines
    row = Queries(database).event(id_)
    assert row is not None and row["log"] == old.log
    with database.read.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM events WHERE zone = 'nz01'")).scalar() == 2


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (b"not json", "no event: not JSON"),
        (b'{"specversion":"1.0"}', "'time' is missing"),
        (b'"a text"', "not a JSON object"),
    ],
)
def test_a_line_that_is_no_event_is_kept_flagged_and_stops_nothing(
    store: LogTable, hand: Hands, database: Database, line: bytes, why: str
) -> None:
    zone = hand()
    zone.write("zone.heartbeat", HEARTBEAT)
    zone.raw(line)
    after = zone.write("zone.heartbeat", HEARTBEAT)
    assert zone.advance(store)
    assert store.lines("nz01", zone.log, 1, 3) == zone.lines
    kept = Queries(database).evidence("nz01")
    assert len(kept) == 1
    assert kept[0]["kind"] == "broken_line" and kept[0]["message"] == line
    assert "line 2" in kept[0]["detail"] and why in kept[0]["detail"]
    assert Queries(database).event(after) is not None


def test_an_event_that_breaks_its_schema_is_kept_and_not_counted(
    store: LogTable, hand: Hands, database: Database
) -> None:
    zone = hand()
    id_ = zone.write("door.held", {"door": "front", "seconds": "long"})
    assert zone.advance(store)
    assert Queries(database).event(id_) is None
    assert "data.seconds" in Queries(database).evidence("nz01")[0]["detail"]


def test_a_line_that_claims_another_zone_or_place_is_kept_and_not_counted(
    store: LogTable, hand: Hands, database: Database
) -> None:
    stranger, zone = hand("nz02"), hand("nz01")
    stranger.write("zone.heartbeat", HEARTBEAT)
    zone.raw(stranger.lines[0])
    assert zone.advance(store)
    assert "claims the place nz02" in Queries(database).evidence("nz01")[0]["detail"]


def test_a_zone_cannot_write_what_is_headquarters_to_write(
    store: LogTable, hand: Hands, database: Database
) -> None:
    zone = hand()
    zone.write("finding.excused", {"finding": "f", "reason": "r", "by": "a", "second": "b"})
    assert zone.advance(store)
    assert "headquarters' to write" in Queries(database).evidence("nz01")[0]["detail"]


def test_an_event_type_with_a_wildcard_never_reaches_a_topic(
    store: LogTable, hand: Hands, database: Database
) -> None:
    zone = hand()
    zone.write("door/#", {})
    assert zone.advance(store)
    assert "its type" in Queries(database).evidence("nz01")[0]["detail"]


def test_the_same_bad_message_again_is_counted_not_kept_again(store: LogTable, database: Database) -> None:
    for _ in range(3):
        store.keep_evidence("nz01", None, "wrong_signature", "no\0 good", b"bytes")
    kept = Queries(database).evidence()
    assert [(one["times"], one["message"], one["detail"]) for one in kept] == [(3, b"bytes", "no good")]


def test_a_zone_cannot_fill_the_disk_with_bad_messages(store: LogTable, database: Database) -> None:
    with database.writing() as connection:
        connection.execute(
            text(
                "WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < :many) "
                "INSERT INTO evidence (zone, kind, detail, digest, message, first_us, last_us, times) "
                "SELECT 'nz01', 'malformed', '', randomblob(32), x'00', 1, 1, 1 FROM n"
            ),
            {"many": MAX_EVIDENCE_A_ZONE},
        )
    store.keep_evidence("nz01", None, "malformed", "one more", b"more")
    store.keep_evidence("nz02", None, "malformed", "another zone", b"more")
    assert {one["detail"] for one in Queries(database).evidence(limit=2)} == {"another zone", ""}
    with database.read.connect() as connection:
        kept = connection.execute(text("SELECT count(*) FROM evidence WHERE zone = 'nz01'")).scalar()
    assert kept == MAX_EVIDENCE_A_ZONE


def test_a_rewritten_ledger_is_said_in_headquarters_own_ledger(store: LogTable, own: OwnLedger) -> None:
    store.keep_evidence("nz01", "00000000000000a1", "wrong_root", "size 7", b"batch")
    store.keep_evidence("nz01", "00000000000000a1", "wrong_root", "size 7", b"batch")
    lines = [orjson.loads(line) for line in store.lines("hq", own.id, 1, 10)]
    assert [line["type"] for line in lines] == ["ledger.fork"]
    assert lines[0]["data"]["zone"] == "nz01" and lines[0]["data"]["log"] == "00000000000000a1"


def test_every_line_can_be_proven_against_the_signed_size(
    store: LogTable, hand: Hands, database: Database
) -> None:
    zone = hand()
    ids = []
    for size in (3, 1, 9, 4):
        ids += [zone.write("zone.heartbeat", HEARTBEAT) for _ in range(size)]
        assert zone.advance(store)
    proofs = Proofs(database)
    for seq, id_ in enumerate(ids, 1):
        found = proofs.inclusion(id_)
        assert found is not None
        assert (found.sequence, found.size, found.checkpoint) == (seq, 17, zone.head().checkpoint)
        assert found.leaf == leaf_hash(zone.lines[seq - 1])
        assert verify_inclusion(found.leaf, seq - 1, 17, found.path, found.root)
    assert proofs.inclusion("nobody") is None


def test_a_commit_is_on_disk_before_it_is_acknowledged(database: Database) -> None:
    with database.read.connect() as connection:
        assert connection.execute(text("PRAGMA journal_mode")).scalar() == "wal"
        assert connection.execute(text("PRAGMA synchronous")).scalar() == 2


def test_a_database_that_nobody_made_names_the_command(tmp_path: Path) -> None:
    with pytest.raises(DatabaseMissing, match="central init"):
        Database.open(f"sqlite:///{tmp_path / 'none.sqlite3'}")
    with pytest.raises(DatabaseUnreachable, match="state_dir"):
        Database.open(f"sqlite:///{tmp_path / 'no' / 'folder' / 'none.sqlite3'}")


def test_a_database_of_another_version_is_refused(url: str, database: Database) -> None:
    with database.writing() as connection:
        connection.execute(text("UPDATE schema_version SET version = 99"))
    with pytest.raises(DatabaseForeign, match="99"):
        Database.open(url)


def test_headquarters_own_ledger_is_never_begun_by_itself(tmp_path: Path, clock: Any) -> None:
    bare = Database.create(f"sqlite:///{tmp_path / 'bare.sqlite3'}")
    with pytest.raises(OwnLedgerMissing, match="central init"):
        OwnLedger(bare, clock, lambda log, size, root: "")
    bare.close()


def test_a_transaction_that_fails_leaves_nothing_and_lets_the_next_one_write(database: Database) -> None:
    with pytest.raises(RuntimeError, match="halfway"), database.writing() as connection:
        connection.execute(text("INSERT INTO zones (zone) VALUES ('nz08')"))
        raise RuntimeError("halfway")
    with database.writing() as connection:
        connection.execute(text("INSERT INTO zones (zone) VALUES ('nz09')"))
    assert set(Queries(database).zones()) == {"nz09", "hq"}


def test_a_full_disk_takes_no_batch_by_halves_and_the_next_attempt_succeeds(
    store: LogTable, hand: Hands, database: Database
) -> None:
    def pages(command: str) -> int:
        with database.read.connect() as connection:
            return int(connection.exec_driver_sql(f"PRAGMA {command}").scalar_one())

    zone = hand()
    zone.write("door.opened", {"door": "front"})
    assert zone.advance(store)
    before = store.head("nz01", zone.log)
    for _ in range(200):
        zone.write("door.opened", {"door": "front"})
    pages(f"max_page_count = {pages('page_count')}")
    with pytest.raises(OperationalError, match="full"):
        zone.advance(store)
    assert store.head("nz01", zone.log) == before
    assert len(store.lines("nz01", zone.log, 1, 1000)) == 1
    pages("max_page_count = 1000000")
    assert zone.advance(store)
    assert store.head("nz01", zone.log).size == 201

"""The ledger on real SQLite files."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from config.clock import ManualClock
from custody.events import Draft, LedgerReason, SchemaBroken, parse_line
from sync.check import Level, check
from sync.errors import LedgerDamaged, LedgerExists, LedgerForeign, LedgerMissing, LedgerUnwritable
from sync.ledger import Ledger
from sync.merkle import CompactRange, inclusion_proof, leaf_hash, verify_inclusion


def opened(door: str = "front-door") -> Draft:
    return Draft("door.opened", {"door": door})


def same_ledger(ledger: Ledger, clock: ManualClock) -> Ledger:
    return Ledger.open(ledger.directory, zone="nz01", deployment="test", clock=clock)


def test_a_ledger_begins_by_saying_so(ledger: Ledger) -> None:
    (first,) = ledger.events()
    assert (first.type, first.sequence, first.ledger) == ("ledger.opened", 1, ledger.id)
    assert first.data == {"follows": None, "reason": "first"}


def test_what_was_appended_is_there_when_the_ledger_is_opened_again(ledger: Ledger, clock: ManualClock) -> None:
    written = ledger.append(
        opened(), Draft("door.closed", {"door": "front-door"}, time_us=clock.now_us() - 5_000_000)
    )
    ledger.close()
    read = list(same_ledger(ledger, clock).events())
    assert read[1:] == written
    assert [event.sequence for event in read] == [1, 2, 3]
    late = read[2]
    assert late.written_us - late.time_us == 5_000_000


def test_each_event_gets_an_id_of_its_own_and_the_zone_s_clocks(ledger: Ledger, clock: ManualClock) -> None:
    clock.advance(12.5)
    first, second = ledger.append(opened(), opened())
    assert first.id != second.id
    assert first.id[14] == "7"  # UUIDv7
    assert (first.written_us, first.boottime_s, first.bootid) == (clock.now_us(), clock.boottime_s(), clock.bootid)
    assert first.utc_offset_s == 28_800


def test_an_event_that_breaks_its_schema_is_refused_and_nothing_is_written(ledger: Ledger) -> None:
    with pytest.raises(SchemaBroken, match=r"door\.opened: data\.door"):
        ledger.append(opened(), Draft("door.opened", {}))
    with pytest.raises(SchemaBroken, match="bytes"):
        ledger.append(opened(), Draft("door.opened", {"door": "front-door", "note": "x" * 50_000}))
    assert len(list(ledger.events())) == 1
    assert ledger.append(opened())[0].sequence == 2


def test_an_unknown_type_is_kept(ledger: Ledger) -> None:
    (event,) = ledger.append(Draft("window.opened", {"window": 3}))
    assert list(ledger.events())[-1] == event


def test_a_ledger_is_never_made_by_opening_one(tmp_path: Path, clock: ManualClock) -> None:
    with pytest.raises(LedgerMissing, match="fourmusts init"):
        Ledger.open(tmp_path / "gone", zone="nz01", deployment="test", clock=clock)
    assert not (tmp_path / "gone").exists()


def test_a_ledger_is_not_made_over_another(ledger: Ledger, clock: ManualClock) -> None:
    with pytest.raises(LedgerExists, match=ledger.id):
        Ledger.create(ledger.directory, zone="nz01", deployment="test", clock=clock)


def test_a_ledger_of_another_zone_is_refused(ledger: Ledger, clock: ManualClock) -> None:
    with pytest.raises(LedgerForeign, match=r"test/nz01.*test/nz02.*zone\.toml"):
        Ledger.open(ledger.directory, zone="nz02", deployment="test", clock=clock)


def test_a_file_that_is_no_ledger_is_named(tmp_path: Path, clock: ManualClock) -> None:
    (tmp_path / "0123456789abcdef.sqlite3").write_bytes(b"not a database, but long enough to be looked at" * 40)
    with pytest.raises(LedgerDamaged, match=r"0123456789abcdef\.sqlite3.*not a database"):
        Ledger.open(tmp_path, zone="nz01", deployment="test", clock=clock)


def test_the_tree_is_over_the_exact_bytes_and_proves_every_line(ledger: Ledger) -> None:
    for count in (1, 7, 64, 3):
        ledger.append(*[opened(f"door-{number}") for number in range(count)])
    ((file, _),) = ledger.spans()
    lines = [event.line for event in ledger.events()]
    size = file.size()
    assert size == len(lines) == 76
    for earlier in range(size + 1):
        assert file.root(earlier) == CompactRange().extended(lines[:earlier])[0].root()
    for index, line in enumerate(lines):
        proof = inclusion_proof(file.subtree, index, size)
        assert verify_inclusion(leaf_hash(line), index, size, proof, file.root(size))


def test_the_database_syncs_every_commit(ledger: Ledger) -> None:
    ((file, _),) = ledger.spans()
    file.keep_cosigned(1, "a note", 0)  # it alone is not synced, and must leave nothing behind
    assert file._connection.execute("PRAGMA synchronous").fetchone() == (2,)
    assert file._connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def fill_the_disk(ledger: Ledger) -> None:
    """From now on the file may not grow: SQLite answers as on a full disk."""
    ((file, _),) = ledger.spans()
    pages = file._connection.execute("PRAGMA page_count").fetchone()[0]
    file._connection.execute(f"PRAGMA max_page_count = {pages}")


def test_a_full_disk_fails_the_append_cleanly_and_the_ledger_stays_usable(
    ledger: Ledger, clock: ManualClock
) -> None:
    fill_the_disk(ledger)
    big = [Draft("check.note", {"note": "x" * 4000}) for _ in range(20)]
    before = len(list(ledger.events()))
    with pytest.raises(LedgerUnwritable, match="full"):
        ledger.append(*big)
    ((file, _),) = ledger.spans()
    assert not file._connection.in_transaction
    file._connection.execute("PRAGMA max_page_count = 1000000")
    (event,) = ledger.append(opened())
    assert event.sequence == before + 1
    assert file.root(before + 1) == CompactRange().extended([e.line for e in ledger.events()])[0].root()
    assert len(list(same_ledger(ledger, clock).events())) == before + 1


def test_a_disk_that_cannot_be_written_says_where_and_what_to_do(ledger: Ledger) -> None:
    ((file, _),) = ledger.spans()
    file._connection.execute("PRAGMA query_only = 1")
    with pytest.raises(LedgerUnwritable, match=rf"{file.path}: the events were not written.*df "):
        ledger.append(opened())
    file._connection.execute("PRAGMA query_only = 0")
    assert ledger.append(opened())[0].sequence == 2


def test_threads_that_append_at_once_lose_nothing_and_leave_no_gap(ledger: Ledger) -> None:
    def append(number: int) -> None:
        for _ in range(20):
            ledger.append(opened(f"door-{number}"))

    threads = [threading.Thread(target=append, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    events = list(ledger.events())
    assert [event.sequence for event in events] == list(range(1, 82))
    assert len({event.id for event in events}) == 81


OTHER_PROCESS = """
import sys
from pathlib import Path
from config.clock import ManualClock
from custody.events import Draft
from sync.ledger import Ledger
other = Ledger.open(Path(sys.argv[1]), zone="nz01", deployment="test", clock=ManualClock())
for _ in range(int(sys.argv[2])):
    other.append(Draft("door.opened", {"door": "back-door"}))
"""


def append_elsewhere(directory: Path, count: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", OTHER_PROCESS, str(directory), str(count)])


def test_another_process_may_append_too(ledger: Ledger) -> None:
    process = append_elsewhere(ledger.directory, 30)
    for _ in range(30):
        ledger.append(opened())
    assert process.wait(30) == 0
    ((file, _),) = ledger.spans()
    lines = [event.line for event in ledger.events()]
    assert [parse_line(line).sequence for line in lines] == list(range(1, 62))
    assert file.root(61) == CompactRange().extended(lines)[0].root()


def test_a_follower_gets_everything_once_in_order(ledger: Ledger) -> None:
    follower = ledger.follow()
    assert [event.type for event in follower.poll()] == ["ledger.opened"]
    assert follower.poll() == []
    written = ledger.append(opened(), opened())
    assert follower.wait(5.0) == written
    assert follower.wait(0.0) == []
    follower.close()


def test_a_follower_from_now_on_sees_only_what_comes(ledger: Ledger) -> None:
    ledger.append(opened())
    follower = ledger.follow(from_start=False)
    assert follower.poll() == []
    written = ledger.append(opened("back-door"))
    assert follower.wait(5.0) == written


def test_a_follower_waits_for_what_another_process_appends(ledger: Ledger) -> None:
    follower = ledger.follow(from_start=False)
    process = append_elsewhere(ledger.directory, 3)
    got = []
    while len(got) < 3:
        news = follower.wait(20.0)
        assert news, "the other process's events were not seen"
        got += news
    assert process.wait(30) == 0
    assert [event.data["door"] for event in got] == ["back-door"] * 3


def test_a_backlog_comes_in_portions(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sync.follower.POLL_LINES_MAX", 10)
    ledger.append(*[opened() for _ in range(24)])
    follower = ledger.follow()
    assert [len(follower.poll()) for _ in range(4)] == [10, 10, 5, 0]


def succeed(ledger: Ledger, cosigned_size: int) -> None:
    file, _ = ledger.spans()[-1]
    ledger.succeed(file, cosigned_size, LedgerReason.ROLLBACK)


def test_a_successor_cites_the_old_ledger_and_takes_its_uncosigned_tail(
    ledger: Ledger, clock: ManualClock
) -> None:
    old = ledger.id
    written = ledger.append(*[opened(f"door-{number}") for number in range(6)])
    old_root = ledger.spans()[0][0].root(4)
    clock.advance(60)
    succeed(ledger, 4)
    assert ledger.id != old
    events = list(ledger.events())
    assert [event.id for event in events if event.type == "door.opened"] == [event.id for event in written]
    assert [event.ledger for event in events] == [old] * 4 + [ledger.id] * 4
    assert [event.sequence for event in events] == [1, 2, 3, 4, 1, 2, 3, 4]
    assert events[4].data == {
        "follows": {"ledger": old, "size": 4, "root": old_root.hex()},
        "reason": "rollback",
    }
    moved, original = events[5], written[3]
    assert (moved.time_us, moved.written_us, moved.boottime_s) == (
        original.time_us,
        original.written_us,
        original.boottime_s,
    )
    assert ledger.append(opened())[0].sequence == 5


def test_everybody_moves_on_to_the_successor(ledger: Ledger, clock: ManualClock) -> None:
    other = same_ledger(ledger, clock)
    quick, slow, fresh = ledger.follow(), other.follow(), other.follow(from_start=False)
    written = ledger.append(*[opened(f"door-{number}") for number in range(6)])
    seen_by_quick = quick.poll()
    succeed(ledger, 4)
    after = other.append(opened("back-door"))
    assert after[0].ledger == ledger.id
    ids = [event.id for event in [*written, *after]]
    assert [e.id for e in [*seen_by_quick, *quick.poll()] if e.type == "door.opened"] == ids
    assert [e.id for e in slow.poll() if e.type == "door.opened"] == ids
    assert [e.id for e in fresh.poll() if e.type == "door.opened"] == ids


def test_an_interrupted_succession_is_ended_by_whoever_opens_the_ledger(
    ledger: Ledger, clock: ManualClock
) -> None:
    written = ledger.append(opened(), opened())
    file, _ = ledger.spans()[-1]
    file.close_at(2, "rollback")  # and here the process was killed
    again = same_ledger(ledger, clock)
    assert again.id != file.id
    assert [event.id for event in again.events() if event.type == "door.opened"] == [event.id for event in written]
    assert ledger.append(opened())[0].ledger == again.id


def test_two_machines_that_end_the_same_succession_do_not_give_one_id_to_two_ledgers(
    ledger: Ledger, clock: ManualClock, tmp_path: Path
) -> None:
    """An image of the disk is of the moment at which the process was killed."""
    ledger.append(opened())
    file, _ = ledger.spans()[-1]
    file.close_at(1, "rollback")
    ledger.close()
    shutil.copytree(ledger.directory, tmp_path / "image")
    first = same_ledger(ledger, clock)
    second = Ledger.open(tmp_path / "image", zone="nz01", deployment="test", clock=clock)
    assert len({file.id, first.id, second.id}) == 3
    assert [event.id for event in first.events()][2:] == [event.id for event in second.events()][2:]


def test_killed_between_making_a_successor_and_naming_it_everybody_finds_it(
    ledger: Ledger, clock: ManualClock
) -> None:
    written = ledger.append(opened(), opened())
    old, _ = ledger.spans()[-1]
    follower = same_ledger(ledger, clock).follow()
    succeed(ledger, 2)
    newest = ledger.id
    ledger.close()
    with sqlite3.connect(old.path) as database:
        database.execute("UPDATE ledger SET successor = ''")
    database.close()
    assert [event.id for event in follower.poll() if event.type == "door.opened"] == [one.id for one in written]
    again = same_ledger(ledger, clock)
    assert [file.id for file, _ in again.spans()] == [old.id, newest]
    assert list(check(again, Level.FULL)) == []


def test_what_a_killed_process_left_of_a_ledger_goes_when_the_next_is_made(ledger: Ledger) -> None:
    left = [ledger.directory / f"00000000deadbeef.new{end}" for end in ("", "-wal", "-shm")]
    for path in left:
        path.write_bytes(b"half a ledger")
    other = ledger.directory / "headquarters.tree.new"
    other.write_bytes(b"somebody else's")
    succeed(ledger, 1)
    assert [path.exists() for path in (*left, other)] == [False, False, False, True]


def test_a_successor_that_finds_no_room_leaves_nothing_open_and_is_made_later(
    ledger: Ledger, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = ledger.append(opened())
    with monkeypatch.context() as full:

        def no_room(*_: object, **__: object) -> None:
            raise sqlite3.OperationalError("database or disk is full")

        full.setattr("sync.ledger_file.LedgerFile.append", no_room)
        with pytest.raises(LedgerUnwritable, match="full"):
            succeed(ledger, 1)
    opened_files = {path.readlink().name for path in Path("/proc/self/fd").iterdir() if path.is_symlink()}
    assert [name for name in opened_files if ".new" in name] == []
    assert [event.id for event in same_ledger(ledger, clock).events() if event.type == "door.opened"] == [
        event.id for event in written
    ]


def test_a_branch_repeats_the_end_of_a_closed_ledger_beside_the_chain(ledger: Ledger, clock: ManualClock) -> None:
    written = ledger.append(*[opened(f"door-{number}") for number in range(6)])
    closed, _ = ledger.spans()[0]
    succeed(ledger, 5)
    before = [event.id for event in ledger.events()]
    assert ledger.branch_off(closed, 3, 5)
    assert not ledger.branch_off(closed, 4, 5), "the first has that line too"
    (branch,) = same_ledger(ledger, clock).branches()
    first, *moved = [parse_line(line) for line in branch.all_lines()]
    cited = {"ledger": closed.id, "size": 3, "root": closed.root(3).hex()}
    assert first.data == {"follows": cited, "reason": "rollback"}
    assert [(event.id, event.ledger) for event in moved] == [(event.id, branch.id) for event in written[2:4]]
    assert [event.id for event in same_ledger(ledger, clock).events()] == before
    assert ledger.branch_off(closed, 2, 5), "now one more line is to be had"
    assert len(ledger.branches()) == 2


def test_an_old_ledger_restored_from_before_its_end_is_closed_again(ledger: Ledger, clock: ManualClock) -> None:
    ledger.append(opened(), opened())
    old, _ = ledger.spans()[-1]
    succeed(ledger, 3)
    ledger.close()
    with sqlite3.connect(old.path) as database:
        database.execute("UPDATE ledger SET successor = NULL, successor_size = NULL, successor_reason = NULL")
    database.close()
    again = same_ledger(ledger, clock)
    succession = again.spans()[0][0].succession()
    assert succession is not None
    assert succession.id == again.id
    assert again.append(opened())[0].ledger == again.id


def test_two_ledgers_that_follow_the_same_one_are_an_error_that_names_both(
    ledger: Ledger, clock: ManualClock, tmp_path: Path
) -> None:
    succeed(ledger, 1)
    newest, _ = ledger.spans()[-1]
    ledger.close()
    copy = newest.path.with_name("00000000deadbeef.sqlite3")
    copy.write_bytes(newest.path.read_bytes())
    with sqlite3.connect(copy) as database:
        database.execute("UPDATE ledger SET id = '00000000deadbeef'")
    database.close()
    with pytest.raises(LedgerDamaged, match="both follow"):
        same_ledger(ledger, clock)


def test_evidence_is_kept_but_not_without_end(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sync.ledger_file.EVIDENCE_ROWS_MAX", 3)
    file, _ = ledger.spans()[-1]
    for number in range(5):
        file.keep_evidence("malformed", "not JSON", b"%d" % number, 0)
    assert [message for _, _, message in file.evidence()] == [b"2", b"3", b"4"]


def test_without_a_bell_a_follower_still_finds_out_by_itself(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sync.bell._watch", lambda file: None)
    follower = ledger.follow(from_start=False)
    assert follower.fileno() is None
    timer = threading.Timer(0.05, lambda: ledger.append(opened()))
    timer.start()
    assert [event.type for event in follower.wait(10.0)] == ["door.opened"]
    timer.join()
    follower.close()


def test_a_bell_wakes_a_follower_long_before_its_next_poll(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sync.follower.POLL_S", 60.0)
    follower = ledger.follow(from_start=False)
    timer = threading.Timer(0.05, lambda: ledger.append(opened()))
    timer.start()
    assert [event.type for event in follower.wait(30.0)] == ["door.opened"]
    timer.join()
    follower.close()

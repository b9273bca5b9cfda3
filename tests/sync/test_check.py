"""Each invariant of a ledger, broken by hand in its file, is found by the check that promises to."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator

import orjson
import pytest

from config.clock import ManualClock
from custody.events import Draft, LedgerReason
from sync.check import LEVEL, Breach, Invariant, Level, check
from sync.ledger import Ledger
from sync.note import Checkpoint, SigningKey, cosigned

RETIRED_SIZE = 6
SIZE = 12


def note(ledger: Ledger, place: int, size: int, zone_key: SigningKey, headquarters_key: SigningKey) -> str:
    file, _ = ledger.spans()[place]
    checkpoint = Checkpoint(file.identity.origin, size, file.root(size))
    return cosigned(checkpoint.signed(zone_key), headquarters_key, 1_700_000_000)


@pytest.fixture
def full(ledger: Ledger, zone_key: SigningKey, headquarters_key: SigningKey) -> Ledger:
    """Two ledgers, the first closed at line 6 two lines behind it moved; of both a part is pruned."""
    ledger.append(*[Draft("door.opened", {"door": f"door-{number}"}) for number in range(7)])
    old, _ = ledger.spans()[0]
    old.keep_cosigned(RETIRED_SIZE, note(ledger, 0, RETIRED_SIZE, zone_key, headquarters_key), 0)
    old.prune([2, 3], before_us=1, now_us=2)
    ledger.succeed(old, RETIRED_SIZE, LedgerReason.ROLLBACK)
    ledger.append(*[Draft("door.closed", {"door": f"door-{number}"}) for number in range(9)])
    new, _ = ledger.spans()[1]
    assert new.size() == SIZE
    new.keep_cosigned(8, note(ledger, 1, 8, zone_key, headquarters_key), 0)
    new.prune([4, 5], before_us=1, now_us=2)
    return ledger


def broken(
    ledger: Ledger, clock: ManualClock, level: Level, key: SigningKey, sql: str, place: int = 1, *values: object
) -> list[Breach]:
    """What the check finds after ``sql`` has been at one of the files."""
    file, _ = ledger.spans()[place]
    ledger.close()
    with sqlite3.connect(file.path) as database:
        assert database.execute(sql, values).rowcount > 0 or sql.startswith("DROP"), "nothing was broken"
    database.close()
    again = Ledger.open(ledger.directory, zone="nz01", deployment="test", clock=clock)
    try:
        return list(check(again, level, key.verifier))
    finally:
        again.close()


@pytest.fixture
def check_after(full: Ledger, clock: ManualClock, headquarters_key: SigningKey) -> Iterator[Callable[..., None]]:
    """Breaks the ledger and asserts that the invariant is found broken, and from its level on only."""

    def run(invariant: Invariant, sequence: int | None, sql: str, *values: object, place: int = 1) -> None:
        found = broken(full, clock, LEVEL[invariant], headquarters_key, sql, place, *values)
        assert (invariant, sequence) in {(breach.invariant, breach.sequence) for breach in found}, found
        if LEVEL[invariant] > Level.QUICK:
            cheaper = Ledger.open(full.directory, zone="nz01", deployment="test", clock=clock)
            below = list(check(cheaper, Level(LEVEL[invariant] - 1), headquarters_key.verifier))
            cheaper.close()
            assert invariant not in {breach.invariant for breach in below}

    yield run


@pytest.mark.parametrize("level", Level)
def test_a_ledger_in_order_passes_every_level(full: Ledger, headquarters_key: SigningKey, level: Level) -> None:
    assert list(check(full, level, headquarters_key.verifier)) == []


def test_every_invariant_has_a_number_and_a_level() -> None:
    assert [one.name for one in Invariant] == [f"L{number}" for number in range(1, len(Invariant) + 1)]
    assert set(LEVEL) == set(Invariant)


def test_l1_a_file_under_another_name(full: Ledger, clock: ManualClock) -> None:
    file, _ = full.spans()[0]
    full.close()
    file.path.rename(file.path.with_name("00000000deadbeef.sqlite3"))
    again = Ledger.open(full.directory, zone="nz01", deployment="test", clock=clock)
    (breach,) = check(again, Level.QUICK)
    assert (breach.invariant, breach.ledger) == (Invariant.L1, file.id)


@pytest.mark.parametrize("sequence", [8, 12])
def test_l2_an_edge_with_a_hole(check_after: Callable[..., None], sequence: int) -> None:
    check_after(
        Invariant.L2, 12, "UPDATE line SET subtrees = substr(subtrees, 1, 32) WHERE sequence = ?", sequence
    )


def test_l2_a_newest_line_that_is_another(check_after: Callable[..., None]) -> None:
    check_after(Invariant.L2, 12, "UPDATE line SET line = CAST(line || ' ' AS BLOB) WHERE sequence = 12")


def test_l3_less_than_was_cosigned(check_after: Callable[..., None]) -> None:
    check_after(Invariant.L3, 7, "DELETE FROM line WHERE sequence > 7")


def test_l3_another_root_than_the_cosigned_one(check_after: Callable[..., None]) -> None:
    check_after(
        Invariant.L3,
        8,
        "UPDATE line SET subtrees = CAST(substr(subtrees, 1, 96) || zeroblob(32) AS BLOB) WHERE sequence = 8",
    )


def test_l3_a_line_missing_that_the_cosigned_root_needs(
    full: Ledger, check_after: Callable[..., None], zone_key: SigningKey, headquarters_key: SigningKey
) -> None:
    full.spans()[1][0].keep_cosigned(11, note(full, 1, 11, zone_key, headquarters_key), 0)
    check_after(Invariant.L3, 11, "DELETE FROM line WHERE sequence = 11")


def test_l4_an_old_ledger_that_says_another_size(check_after: Callable[..., None]) -> None:
    # Opening the ledger closes one that says nothing; one that says something else is left as it is.
    check_after(Invariant.L4, None, "UPDATE ledger SET successor_size = 5", place=0)


def test_l4_an_old_ledger_whose_root_is_not_the_cited_one(check_after: Callable[..., None]) -> None:
    check_after(Invariant.L4, 1, "UPDATE line SET subtrees = zeroblob(64) WHERE sequence = 6", place=0)


def test_a_branch_is_checked_as_the_ledgers_of_the_chain_are(
    full: Ledger, clock: ManualClock, headquarters_key: SigningKey
) -> None:
    full.branch_off(full.spans()[0][0], 4, RETIRED_SIZE)
    assert list(check(full, Level.FULL, headquarters_key.verifier)) == []
    (branch,) = full.branches()
    full.close()
    with sqlite3.connect(branch.path) as database:
        database.execute("UPDATE ledger SET follows_size = 5")
        database.execute("UPDATE line SET line = CAST(line || ' ' AS BLOB) WHERE sequence = 3")
    database.close()
    again = Ledger.open(full.directory, zone="nz01", deployment="test", clock=clock)
    found = {(breach.invariant, breach.ledger, breach.sequence) for breach in check(again, Level.NORMAL)}
    again.close()
    assert found == {
        (Invariant.L2, branch.id, 3),
        (Invariant.L4, branch.id, 1),
        (Invariant.L6, branch.id, 3),
    }


def test_l5_a_gap(check_after: Callable[..., None]) -> None:
    check_after(Invariant.L5, 8, "DELETE FROM line WHERE sequence = 7")


@pytest.mark.parametrize("sequence", [3, 6, 8])
def test_l6_a_line_rewritten(check_after: Callable[..., None], sequence: int) -> None:
    check_after(
        Invariant.L6,
        sequence,
        "UPDATE line SET line = CAST(replace(line, 'door-', 'gate-') AS BLOB) WHERE sequence = ?",
        sequence,
    )


def test_l6_the_hash_of_a_pruned_line_changed(check_after: Callable[..., None]) -> None:
    check_after(
        Invariant.L6,
        4,
        "UPDATE line SET subtrees = CAST(zeroblob(32) || substr(subtrees, 33) AS BLOB) WHERE sequence = 4",
    )


def test_l7_a_line_pruned_that_was_not_cosigned(check_after: Callable[..., None]) -> None:
    check_after(Invariant.L7, 10, "UPDATE line SET line = x'' WHERE sequence = 10")


def test_l7_a_pruning_behind_a_cosignature_of_another_tree(full: Ledger, clock: ManualClock,
        zone_key: SigningKey, headquarters_key: SigningKey) -> None:  # fmt: skip
    file, _ = full.spans()[1]
    foreign = Checkpoint(file.identity.origin, 12, bytes(32)).signed(zone_key)
    found = broken(full, clock, Level.NORMAL, headquarters_key, "UPDATE pruning SET cosigned = ?", 1, foreign)
    assert [(breach.invariant, breach.sequence) for breach in found] == [(Invariant.L7, 12)]


def test_l8_a_line_of_another_place(full: Ledger, clock: ManualClock, headquarters_key: SigningKey) -> None:
    written = next(full.spans()[1][0].all_lines(12))
    fields = orjson.loads(written) | {"id": "another", "sequence": "000000000099"}
    assert [one.invariant for one in rewritten(full, clock, headquarters_key, orjson.dumps(fields))] == [
        Invariant.L8
    ]


@pytest.mark.parametrize("line", [b"{", b"\xff", b"[]"])
def test_l8_a_line_that_is_no_event(
    full: Ledger, clock: ManualClock, headquarters_key: SigningKey, line: bytes
) -> None:
    assert [one.invariant for one in rewritten(full, clock, headquarters_key, line)] == [Invariant.L8]


def test_l8_a_line_that_breaks_its_schema(full: Ledger, clock: ManualClock, headquarters_key: SigningKey) -> None:
    fields = orjson.loads(next(full.spans()[1][0].all_lines(12))) | {"data": {}}
    (breach,) = rewritten(full, clock, headquarters_key, orjson.dumps(fields))
    assert (breach.invariant, breach.sequence) == (Invariant.L8, 13)
    assert "data.door" in breach.detail


def test_l9_an_id_twice(full: Ledger, clock: ManualClock, headquarters_key: SigningKey) -> None:
    # Line 6 of the old ledger counts; its lines 7 and 8 were moved and stand twice with good reason.
    (there,) = full.spans()[0][0].lines(6, 1)
    fields = orjson.loads(next(full.spans()[1][0].all_lines(12)))
    fields |= {"id": orjson.loads(there)["id"], "sequence": "000000000013"}
    (breach,) = rewritten(full, clock, headquarters_key, orjson.dumps(fields))
    assert (breach.invariant, breach.sequence) == (Invariant.L9, 13)
    assert full.spans()[0][0].id in breach.detail


def rewritten(ledger: Ledger, clock: ManualClock, key: SigningKey, line: bytes) -> list[Breach]:
    """What a full check finds when ``line``, whatever it is, was appended under the schema's guard."""
    file, _ = ledger.spans()[1]
    file.append(lambda size: [line])
    return list(check(ledger, Level.FULL, key.verifier))


def test_l10_a_cosignature_by_somebody_else(full: Ledger, zone_key: SigningKey) -> None:
    found = list(check(full, Level.FULL, zone_key.verifier.of_type(zone_key.verifier.type)))
    other = SigningKey.generate("test/other", zone_key.verifier.type)
    assert {one.invariant for one in check(full, Level.FULL, other.verifier)} == {Invariant.L10}
    assert found == []  # the zone's own signature stands on it too


def test_l11_a_table_missing(check_after: Callable[..., None]) -> None:
    check_after(Invariant.L11, None, "DROP TABLE nonce")


@pytest.mark.parametrize("level", Level)
def test_l11_a_table_missing_that_every_level_needs(
    full: Ledger, clock: ManualClock, headquarters_key: SigningKey, level: Level
) -> None:
    (found,) = broken(full, clock, level, headquarters_key, "DROP TABLE cosigned")
    assert found.invariant is Invariant.L11 and "no such table: cosigned" in found.detail


def test_l11_pages_that_sqlite_cannot_read(full: Ledger, clock: ManualClock, headquarters_key: SigningKey) -> None:
    file, _ = full.spans()[0]
    full.close()
    raw = bytearray(file.path.read_bytes())
    # Of the table of lines, whose root page is the second: its cells are said to lie elsewhere.
    raw[8192 + 8 : 8192 + 40] = b"\xff" * 32
    file.path.write_bytes(raw)
    again = Ledger.open(full.directory, zone="nz01", deployment="test", clock=clock)
    assert Invariant.L11 in {breach.invariant for breach in check(again, Level.FULL, headquarters_key.verifier)}

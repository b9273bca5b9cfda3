"""Old lines are given up behind headquarters' cosignature alone, and nothing that rests on them breaks."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest

from config.clock import ManualClock
from custody.events import Draft, Event, LedgerReason
from sync.check import Level, check
from sync.errors import LedgerPruned, LedgerUncosigned
from sync.ledger import Ledger
from sync.merkle import consistency_proof, inclusion_proof, leaf_hash, verify_consistency, verify_inclusion
from sync.note import Checkpoint, SigningKey, cosigned
from sync.proof import NotProvable, prove
from sync.protocol.headquarters import HeadquartersEnd
from sync.protocol.zone import ZoneEnd
from sync.pruning import Pruned, prune

DAY_S = 86_400.0
RETENTION_DAYS = 30
STAY = "nz01-20261123-001"


def doors(ledger: Ledger, count: int) -> list[Event]:
    return ledger.append(*[Draft("door.opened", {"door": f"door-{number % 3}"}) for number in range(count)])


@pytest.fixture
def cosign(zone_key: SigningKey, headquarters_key: SigningKey) -> Callable[[Ledger, int], None]:
    """Headquarters has the newest ledger up to that size."""

    def run(ledger: Ledger, size: int) -> None:
        file, _ = ledger.spans()[-1]
        checkpoint = Checkpoint(file.identity.origin, size, file.root(size))
        file.keep_cosigned(size, cosigned(checkpoint.signed(zone_key), headquarters_key, 1), 0)

    return run


@pytest.fixture
def aged(ledger: Ledger, clock: ManualClock, cosign: Callable[[Ledger, int], None]) -> Ledger:
    """201 lines older than the retention, 20 younger, all cosigned."""
    doors(ledger, 200)
    clock.advance((RETENTION_DAYS + 1) * DAY_S)
    doors(ledger, 20)
    cosign(ledger, 221)
    return ledger


def test_old_lines_go_and_those_that_still_say_how_things_are_stay(aged: Ledger) -> None:
    assert prune(aged, RETENTION_DAYS) == Pruned(lines=197, waiting=0)
    kept = list(aged.events())
    assert [event.sequence for event in kept] == [1, 199, 200, 201, *range(202, 222)]
    assert prune(aged, RETENTION_DAYS) == Pruned(lines=0, waiting=0)
    (written,) = doors(aged, 1)
    assert written.sequence == 222


def test_a_dry_run_gives_nothing_up(aged: Ledger) -> None:
    assert prune(aged, RETENTION_DAYS, dry=True) == Pruned(lines=197, waiting=0)
    assert len(list(aged.events())) == 221


def test_what_is_not_cosigned_stays_however_old(
    ledger: Ledger, clock: ManualClock, cosign: Callable[[Ledger, int], None]
) -> None:
    doors(ledger, 200)
    clock.advance(400 * DAY_S)
    assert prune(ledger, RETENTION_DAYS) == Pruned(lines=0, waiting=197)
    cosign(ledger, 50)
    assert prune(ledger, RETENTION_DAYS) == Pruned(lines=49, waiting=148)
    file, _ = ledger.spans()[0]
    with pytest.raises(LedgerUncosigned, match=r"line 51 .* only 50"):
        file.prune([50, 51], before_us=0, now_us=0)
    assert len(list(ledger.events())) == 201 - 49


def test_what_is_within_the_retention_stays(aged: Ledger, clock: ManualClock) -> None:
    assert prune(aged, RETENTION_DAYS + 2) == Pruned(lines=0, waiting=0)


def test_every_proof_about_what_is_left_can_still_be_made(aged: Ledger) -> None:
    file, _ = aged.spans()[0]
    size, root = 221, file.root(221)
    roots = {old: file.root(old) for old in range(size + 1)}
    prune(aged, RETENTION_DAYS)
    for event in aged.events():
        proof = inclusion_proof(file.subtree, event.sequence - 1, size)
        assert verify_inclusion(leaf_hash(event.line), event.sequence - 1, size, proof, root)
    for old in range(size + 1):
        assert file.root(old) == roots[old]
        assert verify_consistency(old, size, consistency_proof(file.subtree, old, size), roots[old], root)


def test_a_line_that_is_kept_is_proved_at_its_own_place_and_one_that_is_gone_at_headquarters(
    aged: Ledger, zone_key: SigningKey, headquarters_key: SigningKey
) -> None:
    events = list(aged.events())
    prune(aged, RETENTION_DAYS)
    for event in aged.events():
        made = prove(aged, event.id)
        assert (made.extra, made.index) == (event.line, event.sequence - 1)
        assert verify_inclusion(leaf_hash(event.line), made.index, 221, made.path, aged.spans()[0][0].root(221))
    with pytest.raises(NotProvable, match="fourmusts central proof"):
        prove(aged, events[50].id)


def test_the_check_passes_and_the_file_says_what_was_given_up_behind_which_cosignature(
    aged: Ledger, headquarters_key: SigningKey, clock: ManualClock
) -> None:
    prune(aged, RETENTION_DAYS)
    assert list(check(aged, Level.FULL, headquarters_key.verifier)) == []
    file, _ = aged.spans()[0]
    (pruning,) = file.prunings()
    assert (pruning.lines, pruning.cosigned_size, pruning.pruned_us) == (197, 221, clock.now_us())
    assert pruning.before_us == clock.now_us() - RETENTION_DAYS * 86_400_000_000
    assert pruning.cosigned == file.cosigned()[1]


def test_room_that_was_given_up_is_used_again(
    ledger: Ledger, clock: ManualClock, cosign: Callable[[Ledger, int], None]
) -> None:
    doors(ledger, 4000)
    clock.advance((RETENTION_DAYS + 1) * DAY_S)
    cosign(ledger, 4001)
    file, _ = ledger.spans()[0]
    pages = file._connection.execute("PRAGMA page_count").fetchone()[0]
    prune(ledger, RETENTION_DAYS)
    doors(ledger, 2500)
    assert file._connection.execute("PRAGMA page_count").fetchone()[0] <= pages


def test_a_follower_reads_over_the_gaps_and_everybody_goes_on(aged: Ledger) -> None:
    before = aged.follow()
    assert len(before.poll()) == 221
    prune(aged, RETENTION_DAYS)
    written = doors(aged, 2)
    assert before.poll() == written
    fresh = aged.follow()
    assert [event.sequence for event in fresh.poll()] == [1, 199, 200, 201, *range(202, 224)]
    before.close()
    fresh.close()


def test_a_stay_that_is_not_over_is_kept_whole_with_the_zone_s_lines_around_it(
    ledger: Ledger, clock: ManualClock, cosign: Callable[[Ledger, int], None]
) -> None:
    doors(ledger, 10)
    clock.advance(2 * DAY_S)
    doors(ledger, 10)
    ledger.append(Draft("stay.entered", {"stay": STAY, "door": "d", "room": "r", "escorts": []}))
    clock.advance(3 * DAY_S)
    doors(ledger, 10)
    clock.advance(100 * DAY_S)
    cosign(ledger, 32)
    assert prune(ledger, RETENTION_DAYS).lines == 7
    assert [event.sequence for event in ledger.events()] == [1, *range(9, 33)]
    ledger.append(
        Draft(
            "stay.exited",
            {
                "stay": STAY,
                "door": "d",
                "reason": "released",
                "destination": None,
                "belongings": "none",
                "signed": True,
            },
        )
    )
    clock.advance((RETENTION_DAYS + 1) * DAY_S)
    cosign(ledger, 33)
    prune(ledger, RETENTION_DAYS)
    assert [event.sequence for event in ledger.events()] == [1, 30, 31, 32]


def test_lines_over_a_whole_chain_go_each_behind_its_own_cosignature(
    ledger: Ledger, clock: ManualClock, cosign: Callable[[Ledger, int], None], headquarters_key: SigningKey
) -> None:
    doors(ledger, 20)
    cosign(ledger, 15)
    ledger.succeed(ledger.spans()[0][0], 15, LedgerReason.ROLLBACK)
    doors(ledger, 20)
    clock.advance((RETENTION_DAYS + 1) * DAY_S)
    cosign(ledger, 10)
    assert prune(ledger, RETENTION_DAYS) == Pruned(lines=14 + 9, waiting=27 - 10 - 3)
    events = list(ledger.events())
    assert [event.sequence for event in events] == [1, 1, *range(11, 28)]
    assert list(check(ledger, Level.FULL, headquarters_key.verifier)) == []


def test_lines_of_a_branch_go_with_those_that_they_repeat(
    ledger: Ledger,
    clock: ManualClock,
    cosign: Callable[[Ledger, int], None],
    zone_key: SigningKey,
    headquarters_key: SigningKey,
) -> None:
    doors(ledger, 20)
    cosign(ledger, 21)
    closed, _ = ledger.spans()[0]
    ledger.succeed(closed, 21, LedgerReason.ROLLBACK)
    ledger.branch_off(closed, 11, 21)
    (branch,) = ledger.branches()
    clock.advance((RETENTION_DAYS + 1) * DAY_S)
    assert prune(ledger, RETENTION_DAYS) == Pruned(lines=17, waiting=7)
    checkpoint = Checkpoint(branch.identity.origin, 11, branch.root(11))
    branch.keep_cosigned(11, cosigned(checkpoint.signed(zone_key), headquarters_key, 1), 0)
    assert prune(ledger, RETENTION_DAYS) == Pruned(lines=7, waiting=0)
    assert len(list(branch.all_lines())) == 1 + 3
    assert list(check(ledger, Level.FULL, headquarters_key.verifier)) == []


class Road:
    """The ledger's end of the road and a headquarters that can be given an old backup back."""

    def __init__(
        self, ledger: Ledger, store: Any, zone_key: SigningKey, key: SigningKey, clock: ManualClock
    ) -> None:
        self.zone = ZoneEnd(ledger, zone_key, key.verifier, clock, random.Random(1))
        self.headquarters = HeadquartersEnd(store, key, {"nz01": zone_key.verifier}, clock)

    def carry(self) -> None:
        """From a new connection until neither has anything to say."""
        self.zone.connected()
        while messages := self.zone.poll(0.0):
            for message in messages:
                for answer in self.headquarters.receive("nz01", message):
                    self.zone.receive(answer, 0.0)


@pytest.mark.parametrize("backup_is_old", [False, True])
def test_headquarters_restored_from_a_backup_within_the_retention_gets_everything_again(
    ledger: Ledger,
    clock: ManualClock,
    new_store: Callable[..., Any],
    zone_key: SigningKey,
    headquarters_key: SigningKey,
    caplog: pytest.LogCaptureFixture,
    backup_is_old: bool,
) -> None:
    store = new_store()
    road = Road(ledger, store, zone_key, headquarters_key, clock)
    doors(ledger, 50)
    if backup_is_old:
        road.carry()
        backup = store.image()
    doors(ledger, 50)
    road.carry()
    clock.advance((RETENTION_DAYS + 1) * DAY_S)
    if not backup_is_old:
        backup = store.image()
    doors(ledger, 50)
    road.carry()
    assert prune(ledger, RETENTION_DAYS).lines == 97
    store.restore(backup)
    road.carry()
    everything = {event.id for event in ledger.events()}
    if backup_is_old:  # it lacks lines that nobody has any more: said, not skipped
        assert store.head("nz01", ledger.id).size == 51
        assert "restore a newer one" in caplog.text
        assert road.zone.unconfirmed > 0
    else:
        assert everything <= store.event_ids("nz01")
        assert store.head("nz01", ledger.id).size == ledger.spans()[0][0].size()


def test_lines_that_are_given_up_are_never_sent_as_if_they_were_none(aged: Ledger) -> None:
    prune(aged, RETENTION_DAYS)
    file, _ = aged.spans()[0]
    assert len(file.lines(199, 10)) == 10
    with pytest.raises(LedgerPruned, match=r"line 198 .*retention_days"):
        file.lines(198, 10)

"""The test of the test: the product with one guard taken out. Each of these must break a promise, or the simulator
and the adversaries would not notice if somebody took that guard out for good.

Most are caught by seeds. What takes an enemy rather than an accident is caught by one of the ``adversaries``.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from simulation import adversaries
from simulation.disk import Image
from simulation.runs import run
from simulation.world import Broken
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

import sync.ledger
import sync.ledger_file
from central.store import schema
from central.store.dialect import insert_many
from sync.ledger_database import connect
from sync.merkle import CompactRange
from sync.note import cosigned
from sync.protocol.headquarters import Advance, HeadquartersEnd
from sync.protocol.messages import Ack, Batch, encode
from sync.protocol.road import Road
from sync.protocol.zone import ZoneEnd
from sync.store import Head

pytestmark = pytest.mark.timeout(900)
"""Work, not time, is what is limited here: a loaded machine may take long."""

SEEDS_MAX = 300
Patch = pytest.MonkeyPatch
Mutant = Callable[[Patch], None]


def acknowledges_before_it_commits(patch: Patch) -> None:
    real = HeadquartersEnd._advance

    def advance(end: Any, outcome: Any, name: str, first: int, lines: Any, note: str) -> None:
        try:
            real(end, outcome, name, first, lines, note)
        except OperationalError:
            outcome.replies.append(encode(Ack(name, cosigned(note, end._signer, end._now_s()))))

    patch.setattr(HeadquartersEnd, "_advance", advance)


def accepts_gaps(patch: Patch) -> None:
    real = HeadquartersEnd._advance

    def advance(end: Any, outcome: Any, name: str, first: int, lines: Any, note: str) -> None:
        head = end._known_anew(outcome.zone, name)
        if first <= head.size + 1:
            real(end, outcome, name, first, lines, note)
            return
        tree, _ = CompactRange(head.size, head.edge).extended(lines)
        end._store.advance(
            outcome.zone, name, known_size=head.size, head=Head(tree.size, tree.edge, note), lines=lines
        )
        outcome.advances.append(Advance(outcome.zone, name, head.size + 1, lines))
        outcome.replies.append(encode(Ack(name, cosigned(note, end._signer, end._now_s()))))

    patch.setattr(HeadquartersEnd, "_advance", advance)


def checks_no_root(patch: Patch) -> None:
    class Unchecked(CompactRange):
        def extended(self, lines: Any) -> Any:
            grown, completed = super().extended(lines)
            return Unchecked(grown.size, grown.edge), completed

        def root(self) -> Any:
            return _Anything()

    patch.setattr("sync.protocol.headquarters.CompactRange", Unchecked)
    patch.setattr(HeadquartersEnd, "_contradicts", lambda *_: False)


class _Anything:
    def __eq__(self, other: object) -> bool:
        return True

    def __ne__(self, other: object) -> bool:
        return False


def checks_no_overlap(patch: Patch) -> None:
    def beyond(end: Any, zone: str, name: str, head: Head, first: int, lines: Any) -> Any:
        return lines[min(head.size - first + 1, len(lines)) :]

    patch.setattr(HeadquartersEnd, "_beyond_overlap", beyond)


def counts_moved_events_again(patch: Patch) -> None:
    def insert_all(connection: Any, table: Any, rows: Any, *, new: bool) -> None:
        if table is schema.events:
            known = select(schema.events.c.id).where(schema.events.c.id.in_([row[0] for row in rows]))
            moved = set(connection.execute(known).scalars())
            rows = [(f"{id_}@{log_key}" if id_ in moved else id_, log_key, *rest) for id_, log_key, *rest in rows]
        insert_many(connection, table, rows, new=new)

    patch.setattr("central.store.logs.insert_many", insert_all)


def forgets_retired_ledgers(patch: Patch) -> None:
    real = sync.ledger.Ledger.spans
    patch.setattr(
        ZoneEnd, "_look_at_ledgers", _with_spans(ZoneEnd._look_at_ledgers, lambda ledger: real(ledger)[-1:])
    )


def _with_spans(method: Any, spans: Any) -> Any:
    def wrapped(end: Any) -> None:
        with pytest.MonkeyPatch.context() as inside:
            inside.setattr(sync.ledger.Ledger, "spans", spans)
            method(end)

    return wrapped


def uses_numbers_again_after_a_rollback(patch: Patch) -> None:
    patch.setattr(ZoneEnd, "_leave", lambda *_: None)


def names_a_successor_before_it_is_made(patch: Patch) -> None:
    real = sync.ledger.Ledger._make_after

    def make_after(ledger: Any, old: Any, *how: Any) -> str:
        with pytest.MonkeyPatch.context() as inside:
            inside.setattr(sync.ledger, "new_id", lambda: old.root(1).hex()[:16])
            return real(ledger, old, *how)

    patch.setattr(sync.ledger.Ledger, "_make_after", make_after)


def lets_a_closed_ledger_part_from_headquarters(patch: Patch) -> None:
    patch.setattr(ZoneEnd, "_branch_off", lambda *_: None)


def loses_the_tail_of_a_ledger_that_it_leaves(patch: Patch) -> None:
    patch.setattr(sync.ledger, "_moved", lambda *_: [])


def takes_what_was_cosigned_once_for_shared(patch: Patch) -> None:
    def shared(road: Any, checkpoint: Any, proof: Any, asked: int) -> int:
        if road.has(checkpoint):
            return int(checkpoint.size)
        return int(road.held) if road.held <= checkpoint.size else 0

    patch.setattr(Road, "shared_with", shared)


def believes_old_answers(patch: Patch) -> None:
    patch.setattr(ZoneEnd, "_answers", lambda *_: True)


def frees_what_was_only_sent(patch: Patch) -> None:
    real = ZoneEnd._next_batch

    def next_batch(end: Any, road: Any, *, at_once: bool) -> Batch | None:
        batch = real(end, road, at_once=at_once)
        road.cosigned = max(road.cosigned, road.sent)
        road.on_the_way.clear()
        return batch

    patch.setattr(ZoneEnd, "_next_batch", next_batch)


def keeps_a_rollback_of_headquarters_to_itself(patch: Patch) -> None:
    patch.setattr(ZoneEnd, "_record_rollback", lambda *_: True)


def sends_nothing_twice(patch: Patch) -> None:
    patch.setattr(ZoneEnd, "_send_again", lambda *_: None)


def writes_without_syncing(patch: Patch) -> None:
    def unsynced(path: Path) -> Any:
        connection = connect(path)
        connection.execute("PRAGMA synchronous = NORMAL")
        return connection

    patch.setattr(sync.ledger_file, "connect", unsynced)


def believes_any_signature(patch: Patch) -> None:
    patch.setattr("sync.note.VerifierKey.verify", lambda *_: None)


CAUGHT_BY_SEEDS: tuple[tuple[Mutant, int], ...] = (
    (acknowledges_before_it_commits, 3),
    (accepts_gaps, 0),
    (counts_moved_events_again, 0),
    (forgets_retired_ledgers, 120),
    (uses_numbers_again_after_a_rollback, 0),
    (loses_the_tail_of_a_ledger_that_it_leaves, 0),
    (believes_old_answers, 0),
    (keeps_a_rollback_of_headquarters_to_itself, 0),
    (writes_without_syncing, 0),
)
"""And a seed from which on it does not take long."""

CAUGHT_BY_ADVERSARIES: tuple[tuple[Mutant, adversaries.Adversary], ...] = (
    (checks_no_root, adversaries.a_batch_of_another_history_joins),
    (checks_no_overlap, adversaries.a_line_is_rewritten_and_sent_again),
    (takes_what_was_cosigned_once_for_shared, adversaries.both_are_restored_until_their_histories_part),
    (believes_any_signature, adversaries.a_cosignature_is_forged),
    (uses_numbers_again_after_a_rollback, adversaries.two_machines_have_one_key),
    (frees_what_was_only_sent, adversaries.a_broker_confirms_and_loses),
    (lets_a_closed_ledger_part_from_headquarters, adversaries.a_closed_ledger_parts_from_headquarters),
    (names_a_successor_before_it_is_made, adversaries.an_image_is_of_the_moment_between_two_ledgers),
    (sends_nothing_twice, adversaries.a_broker_confirms_and_loses),
)


@pytest.mark.parametrize(("mutant", "first"), CAUGHT_BY_SEEDS)
def test_a_seed_catches(mutant: Mutant, first: int, place: Path, central: Image, monkeypatch: Patch) -> None:
    mutant(monkeypatch)
    seeds = range(first, first + SEEDS_MAX)
    assert any(run(seed, place, central).broken for seed in seeds), "no seed noticed it"


@pytest.mark.parametrize(("mutant", "adversary"), CAUGHT_BY_ADVERSARIES)
def test_an_adversary_catches(
    mutant: Mutant, adversary: adversaries.Adversary, tmp_path: Path, central: Image, monkeypatch: Patch
) -> None:
    mutant(monkeypatch)
    with pytest.raises(Broken):
        adversary(tmp_path, central)

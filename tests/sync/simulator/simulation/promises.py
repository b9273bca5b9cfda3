"""What must be true of every run once the road has healed. Each is one function; each says what it promises."""

from __future__ import annotations

from collections.abc import Sequence

import orjson

from custody.events import Event, HeadquartersRollback, LedgerReason, parse_line
from sync.ledger_file import LedgerFile
from sync.merkle import CompactRange
from sync.note import open_checkpoint

from .machines import CENTRAL, ZONE, ZONE_KEY
from .world import World

FORKS = ("wrong_root", "wrong_overlap")


def all_are_kept(world: World) -> None:
    """Every promise of the road, one after the other. Raises ``Broken`` with the first that is not kept."""
    for promise in (
        the_road_heals,
        the_zone_has_what_it_wrote,
        headquarters_has_what_the_zone_has,
        headquarters_keeps_what_it_acknowledged,
        every_event_counts_once,
        each_tree_is_that_of_its_lines,
        a_zone_leaves_a_ledger_that_was_rolled_back,
        headquarters_rollbacks_are_on_record,
        nobody_is_accused_without_cause,
        what_zones_did_is_told_in_headquarters_own_ledger,
    ):
        promise(world)


def the_road_heals(world: World) -> None:
    world.expect(world.zone.end.unconfirmed == 0, "everything that the zone has is acknowledged in the end")
    world.expect(world.at_rest(), "when all is acknowledged, nobody asks any more")


def the_zone_has_what_it_wrote(world: World) -> None:
    """Once and in order, whatever ledger it stands in by now."""
    written = world.zone.written()
    world.expect(set(written) >= world.books.present, "a zone loses no event that its ledger took")
    world.expect(set(written) <= world.books.present, "a zone has no event that it did not take")
    world.expect(written == sorted(written, key=_number), "events keep their order, and stand once in the chain")


def headquarters_has_what_the_zone_has(world: World) -> None:
    """Line for line, in each ledger as far as it counts."""
    stored = world.look_at_central()
    for branch in world.zone.ledger.branches():
        lines = stored.get(branch.id, ())
        world.expect(list(lines) == list(branch.all_lines()), f"headquarters has all of {branch.id}")
    for file, end in world.zone.ledger.spans():
        size = file.size() if end is None else end
        lines, there = stored.get(file.id, ()), list(file.all_lines(1, size))
        if end is None:
            world.expect(
                list(lines) == there, f"headquarters has {file.id}, in which the zone writes, and no more"
            )
        else:
            has_it = list(lines[:size]) == there or _is_branched_off(world, file, lines, there)
            world.expect(has_it, f"headquarters has all of {file.id}")


def _is_branched_off(world: World, closed: LedgerFile, lines: Sequence[bytes], there: Sequence[bytes]) -> bool:
    """Whether headquarters, which was restored itself, has other lines of that closed ledger from some number on,
    not less, and the zone's from there on stand in a branch of it."""
    same = next((place for place, pair in enumerate(zip(lines, there, strict=False)) if pair[0] != pair[1]), None)
    if same is None:
        return False
    world.sometimes("a closed ledger parted from headquarters, and its end was sent in a branch")
    branches = [file for file in world.zone.ledger.branches() if file.identity.follows == closed.id]
    branched = {parse_line(line).id for file in branches for line in file.all_lines()}
    return {parse_line(line).id for line in there[same:]} <= branched


def headquarters_keeps_what_it_acknowledged(world: World) -> None:
    stored = world.look_at_central()
    for log, size in world.books.acknowledged.items():
        world.expect(len(stored.get(log, ())) >= size, f"the {size} acknowledged lines of {log} are there")


def every_event_counts_once(world: World) -> None:
    standing = [parse_line(line).id for lines in world.look_at_central().values() for line in lines]
    sound = set(standing)
    if len(sound) < len(standing):
        world.sometimes("an event stands in two ledgers and counts once")
    counted = world.disks[1].rows("SELECT id FROM events WHERE zone = ?", ZONE, file=CENTRAL)
    ids = [row[0] for row in counted]
    world.expect(len(ids) == len(set(ids)), "no event counts twice")
    world.expect(set(ids) == sound, "every event that headquarters has counts, and no other")
    world.expect(set(ids) >= world.books.present, "every event that the zone took counts at headquarters")


def each_tree_is_that_of_its_lines(world: World) -> None:
    """Edge, stored subtrees and signed checkpoint of each ledger are those of its lines and no others."""
    stored = world.look_at_central()
    query = "SELECT log, key, size, edge, checkpoint FROM logs WHERE zone = ? AND size > 0"
    for log, key, size, edge, note in world.disks[1].rows(query, ZONE, file=CENTRAL):
        tree, completed = CompactRange().extended(stored[log])
        signed = open_checkpoint(note, ZONE_KEY.verifier)
        world.expect((tree.size, b"".join(tree.edge)) == (size, edge), f"the tree of {log} is that of its lines")
        world.expect((signed.size, signed.root) == (size, tree.root()), f"the zone has signed {log} as it stands")
        sequences = world.disks[1].rows(
            "SELECT seq, hashes FROM lines WHERE log_key = ? ORDER BY seq", key, file=CENTRAL
        )
        expected = list(enumerate(completed, 1))
        world.expect(sequences == expected, f"{log} has each number once, with the subtrees that it completes")


def a_zone_leaves_a_ledger_that_was_rolled_back(world: World) -> None:
    """Whoever reads the chain sees where a disk was restored: the ledger was left, and its successor cites it."""
    spans = world.zone.ledger.spans()
    openings = world.zone.openings()
    if len(spans) > 1:
        world.sometimes("a zone left a ledger that was rolled back")
    if len(spans) > 2:
        world.sometimes("a zone left two ledgers that were rolled back")
    world.expect(len(openings) == len(spans), "each ledger of the chain begins by saying what it follows")
    for (before, end), opening in zip(spans, openings[1:], strict=False):
        cited = {"ledger": before.id, "size": end, "root": before.root(end or 0).hex()}
        world.expect(opening["follows"] == cited, f"who follows {before.id} cites it as it was left")
        world.expect(opening["reason"] == LedgerReason.ROLLBACK, "here a ledger ends because of a rollback only")
    world.expect(spans[-1][0].id not in world.books.diverged, "a rolled back ledger is not written any more")


def headquarters_rollbacks_are_on_record(world: World) -> None:
    recorded = {event.data["cosigned"] for event in _told(world)}
    for log, note in world.books.rolled_back.items():
        world.expect(note in recorded, f"that headquarters fell behind with {log} stands in the zone's ledger")


def nobody_is_accused_without_cause(world: World) -> None:
    zone_restored = bool(world.met["zone restored"] or world.met["both restored"])
    central_restored = bool(world.met["headquarters restored"] or world.met["both restored"])
    kinds = {row[0] for row in world.disks[1].rows("SELECT DISTINCT kind FROM evidence", file=CENTRAL)}
    allowed = {*FORKS, "ledger_rollback"} if zone_restored else set()
    allowed |= {"headquarters_rollback"} if central_restored else set()
    world.expect(kinds <= allowed, f"headquarters keeps as evidence only what restored disks bring: {kinds}")
    kept = {kind for file, _ in world.zone.ledger.spans() for kind, _, _ in file.evidence()}
    allowed = {"ledger_rollback", "unknown_ledger"} if zone_restored else set()
    world.expect(kept <= allowed, f"a zone keeps as evidence only what a restored disk brings: {kept}")
    world.expect(zone_restored or len(world.zone.ledger.spans()) == 1, "without a restore there is one ledger")
    world.expect(central_restored or not _told(world), "headquarters is accused after a restore only")
    if _told(world):
        world.sometimes("a rollback of headquarters is on record")


def what_zones_did_is_told_in_headquarters_own_ledger(world: World) -> None:
    """Each proof of a fork and each ledger that was left, once."""
    own = "SELECT line FROM lines JOIN logs ON logs.key = log_key WHERE zone = 'hq'"
    told = [orjson.loads(line) for (line,) in world.disks[1].rows(own, file=CENTRAL)]
    forks = world.disks[1].rows(f"SELECT count(*) FROM evidence WHERE kind IN {FORKS}", file=CENTRAL)
    found = [line for line in told if line["type"] == "ledger.fork"]
    if found:
        world.sometimes("a zone that had gone on from an old image was told of its fork")
    world.expect(len(found) == forks[0][0], "each different proof of a fork is one line of headquarters' ledger")
    left = {line["data"]["log"] for line in told if line["type"] == "ledger.rollback"}
    for file, _ in world.zone.ledger.spans()[1:]:
        world.expect(file.id in left, f"that {file.id} goes on for a rolled back one stands there too")


def _told(world: World) -> list[Event]:
    return [event for event in world.zone.ledger.events() if event.type == HeadquartersRollback.TYPE]


def _number(event_id: str) -> int:
    return int(event_id[1:])

"""Proofs from headquarters' database, and the check of the whole of it, for the commands of headquarters."""

from __future__ import annotations

from sqlalchemy.exc import DatabaseError

from config.central import CentralSettings
from config.running import clock_of
from sync.check import Level
from sync.keys import HEADQUARTERS_KEY, load_signing_key
from sync.merkle import inclusion_proof
from sync.note import cosigned
from sync.proof import NotProvable, Proof
from sync.rotation import follow

from .process import own_signature, zone_keys
from .store import schema
from .store.check import check
from .store.database import Database
from .store.errors import DatabaseDamaged
from .store.own import OwnLedger
from .store.own_tree import OwnTree
from .store.proofs import subtrees
from .store.queries import Queries
from .store.rotations import Rotations


def prove(settings: CentralSettings, event_id: str) -> Proof:
    """The proof of an event of any ledger here. Raises ``NotProvable``.

    Of a zone's ledger, under the zone's last checkpoint, cosigned now: at this second it is the largest known. Of
    headquarters' own, under the checkpoint that most zones and witnesses have cosigned since.
    """
    clock = clock_of(settings.bureau.utc_offset_hours, None)
    signer = load_signing_key(settings.keys_dir / HEADQUARTERS_KEY)
    database = Database.open(settings.database_url)
    try:
        row = Queries(database).event(event_id)
        if row is None:
            raise NotProvable(
                f"{database.url}: no event has the id {event_id}. Look it up on the pages; what a zone has "
                "written and not sent yet is proven there: fourmusts proof"
            )
        size, note = row["size"], row["checkpoint"]
        if row["zone"] == schema.OWN_ZONE:
            tree = OwnTree(database, OwnLedger(database, clock, own_signature(signer, clock)), clock)
            size, note = tree.best_note(row["log"], row["seq"]) or (size, note)
        else:
            note = cosigned(note, signer, clock.now_us() // 1_000_000)
        with database.read.connect() as connection:
            path = inclusion_proof(subtrees(connection, row["log_key"]), row["seq"] - 1, size)
        return Proof(bytes(row["line"]), row["seq"] - 1, tuple(path), note)
    finally:
        database.close()


def broken(settings: CentralSettings, level: Level) -> tuple[list[str], str]:
    """(what does not hold, each with its place; what was looked at)"""
    database = Database.open(settings.database_url)
    own = load_signing_key(settings.keys_dir / HEADQUARTERS_KEY).verifier
    try:
        stored = Rotations(database)
        before = [rotation.old for rotation in stored.of(schema.OWN_ZONE)]
        keys = {zone: follow(key, stored.of(zone)) for zone, key in zone_keys(settings).items()}
        found = [
            f"{database.url}, ledger {one.ledger}{'' if one.sequence is None else f', line {one.sequence}'}: "
            f"{one.invariant.name} does not hold ({one.invariant}): {one.detail}"
            for one in check(database, level, {**keys, schema.OWN_ZONE: [*before, own]})
        ]
        logs, lines = Queries(database).totals()
    except DatabaseError as error:
        raise DatabaseDamaged(database.url, error.orig) from error
    finally:
        database.close()
    return found, f"{logs} ledgers, {lines} lines"

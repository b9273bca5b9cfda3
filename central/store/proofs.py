"""Proof that a line stands in a ledger (RFC 9162 section 2.1.3), from the hashes stored beside the lines."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, select

from sync.merkle import HASH_BYTES, CompactRange, Subtree, inclusion_proof, leaf_hash, subtree_place

from . import schema
from .database import Database
from .heads import split_edge


@dataclass(frozen=True)
class Inclusion:
    """``path`` leads from the leaf to the root that ``checkpoint`` signs."""

    zone: str
    log: str
    sequence: int
    size: int
    leaf: bytes
    path: list[bytes]
    root: bytes
    checkpoint: str


class Proofs:
    def __init__(self, database: Database) -> None:
        self._database = database

    def inclusion(self, event_id: str) -> Inclusion | None:
        """The proof for the event with this id in its ledger as it stands now; ``None`` when there is none."""
        events, logs, lines = schema.events, schema.logs, schema.lines
        with self._database.read.connect() as connection:
            query = select(logs, events.c.seq).join(events, events.c.log_key == logs.c.key)
            row = connection.execute(query.where(events.c.id == event_id)).one_or_none()
            if row is None:
                return None
            path = inclusion_proof(subtrees(connection, row.key), row.seq - 1, row.size)
            place = (lines.c.log_key == row.key, lines.c.seq == row.seq)
            line = connection.execute(select(lines.c.line).where(*place)).scalar_one()
        root = CompactRange(row.size, split_edge(row.edge)).root()
        return Inclusion(row.zone, row.log, row.seq, row.size, leaf_hash(line), path, root, row.checkpoint)


def subtrees(connection: Connection, log_key: int) -> Subtree:
    """The stored subtrees of a log, for as long as the connection is open."""
    lines = schema.lines.c

    def subtree(level: int, index: int) -> bytes:
        seq, offset = subtree_place(level, index)
        query = select(lines.hashes).where(lines.log_key == log_key, lines.seq == seq)
        found = connection.execute(query).scalar_one()
        return bytes(found[offset : offset + HASH_BYTES])

    return subtree

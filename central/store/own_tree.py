"""Headquarters' own ledger as others hold it to its history: proofs, and cosignatures by zones and witnesses."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from sqlalchemy import Connection, select

from config.clock import Clock
from sync.merkle import compact_range, consistency_proof
from sync.note import cosigned_by, split_note

from . import schema
from .database import Database
from .dialect import insert_or_replace
from .evidence import keep_evidence
from .own import OwnLedger, newest_log
from .proofs import subtrees

COSIGNATURES_MAX = 64
"""On one published checkpoint: enough for any court, and far below what a reader of notes may refuse (100)."""


class OwnTree:
    """What ``sync.protocol.tree.TreeStore`` asks, save what is published. Safe to share between threads."""

    def __init__(self, database: Database, own: OwnLedger, clock: Clock) -> None:
        self._database = database
        self._own = own
        self._clock = clock

    def head(self) -> tuple[str, int, bytes]:
        """(log, size, root) of the ledger that is written now."""
        with self._database.read.connect() as connection:
            known = newest_log(connection)
        return known.log, known.tree.size, known.tree.root()

    def own_root(self, log: str, size: int) -> bytes | None:
        """Root of one of headquarters' ledgers at that size; ``None`` if it is unknown or was never so large."""
        with self._database.read.connect() as connection:
            row = self._row(connection, log)
            if row is None or not 0 <= size <= row.size:
                return None
            return compact_range(subtrees(connection, row.key), size).root()

    def consistency(self, log: str, old: int, size: int) -> list[bytes]:
        """The consistency proof between two sizes that this ledger has had."""
        with self._database.read.connect() as connection:
            row = self._row(connection, log)
            assert row is not None and size <= row.size
            return consistency_proof(subtrees(connection, row.key), old, size)

    def cosigned_size(self, log: str, cosigner: str) -> int:
        """Up to which size this cosigner has cosigned the ledger; 0 if never."""
        table, logs = schema.cosignatures, schema.logs
        query = select(table.c.size).join(logs, logs.c.key == table.c.log_key)
        query = query.where(logs.c.log == log, table.c.cosigner == cosigner)
        with self._database.read.connect() as connection:
            return int(connection.execute(query).scalar_one_or_none() or 0)

    def keep_cosignature(self, log: str, size: int, cosigner: str, note: str) -> None:
        """Keep a verified note with the cosignature; of each cosigner the largest, for it includes the others."""
        table = schema.cosignatures
        with self._database.writing() as connection:
            row = self._row(connection, log)
            if row is None:
                return
            of_cosigner = (table.c.log_key == row.key, table.c.cosigner == cosigner)
            known = connection.execute(select(table.c.size).where(*of_cosigner)).scalar_one_or_none()
            if known is None or known < size:
                kept = {"log_key": row.key, "cosigner": cosigner, "size": size, "note": note}
                statement = insert_or_replace(connection, table)
                connection.execute(statement, [{**kept, "received_us": self._clock.now_us()}])

    def cosignatures(self, log: str, size: int) -> list[str]:
        """The cosignature lines of others on the checkpoint of exactly this size, in the order of their names."""
        table, logs = schema.cosignatures, schema.logs
        query = select(table.c.cosigner, table.c.note).join(logs, logs.c.key == table.c.log_key)
        query = query.where(logs.c.log == log, table.c.size == size).order_by(table.c.cosigner)
        with self._database.read.connect() as connection:
            rows = connection.execute(query.limit(COSIGNATURES_MAX)).all()
        return [line for row in rows for line in cosigned_by(row.note, row.cosigner)]

    def best_note(self, log: str, at_least: int) -> tuple[int, str] | None:
        """(size, note) of a checkpoint of at least that size, with as many cosignatures as there are on any."""
        table, logs = schema.cosignatures, schema.logs
        query = select(table.c.size, table.c.note).join(logs, logs.c.key == table.c.log_key)
        query = query.where(logs.c.log == log, table.c.size >= at_least)
        by_size: dict[int, list[str]] = defaultdict(list)
        with self._database.read.connect() as connection:
            for row in connection.execute(query):
                by_size[row.size].append(row.note)
        if not by_size:
            return None
        size = max(by_size, key=lambda size: (len(by_size[size]), -size))
        return size, _signed_by_own(by_size[size][0]) + "".join(self.cosignatures(log, size))

    def contradicted(self, zone: str, log: str, note: str, detail: str) -> None:
        """Keep it as evidence; if it is about the ledger that is written now, go on in a new one that cites it."""
        with self._database.writing() as connection:
            keep_evidence(connection, zone, log, "own_rollback", detail, note.encode(), self._clock.now_us())
            if newest_log(connection).log == log:
                self._own.succeed(connection)

    def _row(self, connection: Connection, log: str) -> Any:
        logs = schema.logs
        query = select(logs).where(logs.c.zone == schema.OWN_ZONE, logs.c.log == log)
        return connection.execute(query).one_or_none()


def _signed_by_own(note: str) -> str:
    """The note with headquarters' signature alone."""
    text, _ = split_note(note)
    owner = text.partition("\n")[0].rpartition("/")[0]
    return f"{text}\n" + "".join(cosigned_by(note, owner))

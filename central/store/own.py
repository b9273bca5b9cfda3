"""Headquarters' own ledger: what it did, in an order that it cannot change afterwards.

It stands in the same tables as the zones' ledgers, under the zone id ``hq``, so that a finding and the line that
announces it are one transaction. Its checkpoints are signed with headquarters' key; zones that fetch and keep
them hold headquarters to its history.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Sequence

from sqlalchemy import Connection, select

from config.clock import Clock
from custody.events import (
    Draft,
    Event,
    LedgerCited,
    LedgerOpened,
    LedgerReason,
    Stamp,
    check_data,
    draft,
    encode_line,
    event_id,
    parse_line,
)
from sync.merkle import CompactRange
from sync.store import Head

from . import schema
from .database import Database
from .dialect import insert_many
from .errors import OwnLedgerMissing
from .heads import KnownLog, event_row, known_log, split_edge, swap_head

_NEWEST = (
    select(schema.logs.c.key, schema.logs.c.log, schema.logs.c.size, schema.logs.c.edge)
    .where(schema.logs.c.zone == schema.OWN_ZONE)
    .order_by(schema.logs.c.key.desc())
    .limit(1)
)

Sign = Callable[[str, int, bytes], str]
"""(log id, size, root) → the checkpoint that headquarters signs for it."""


class OwnLedger:
    """Appends to headquarters' own ledger. Safe to share between threads: the caller's transaction orders them."""

    def __init__(self, database: Database, clock: Clock, sign: Sign) -> None:
        """Raises ``OwnLedgerMissing``; a ledger that began anew by itself would hide a lost one."""
        self._clock = clock
        self._sign = sign
        self._database = database
        with database.read.connect() as connection:
            if connection.execute(_NEWEST).first() is None:
                raise OwnLedgerMissing(database.url)

    @property
    def id(self) -> str:
        """Id of the ledger that is written now."""
        with self._database.read.connect() as connection:
            return newest_log(connection).log

    @staticmethod
    def create(database: Database, clock: Clock) -> None:
        """Begin the ledger, once. Harmless where there is one."""
        with database.writing() as connection:
            own = select(schema.logs.c.log).where(schema.logs.c.zone == schema.OWN_ZONE)
            if connection.execute(own).first() is None:
                known_log(connection, schema.OWN_ZONE, secrets.token_hex(8), clock.now_us())

    def append(self, connection: Connection, drafts: Sequence[Draft]) -> list[Event]:
        """Append inside the caller's writing transaction. Raises ``SchemaBroken``."""
        if not drafts:
            return []
        at_us = self._clock.now_us()
        known = newest_log(connection)
        written = [
            self._write(draft, known.log, known.tree.size + nr, at_us) for nr, draft in enumerate(drafts, 1)
        ]
        tree, hashes = known.tree.extended(event.line for event in written)
        head = Head(tree.size, tree.edge, self._sign(known.log, tree.size, tree.root()))
        if not swap_head(connection, known, head, at_us):
            raise RuntimeError("headquarters' own ledger moved meanwhile; this will be tried again")
        rows = [
            (known.key, event.sequence, event.line, completed, None)
            for event, completed in zip(written, hashes, strict=True)
        ]
        insert_many(connection, schema.lines, rows, new=False)
        events = [event_row(event, known.key, schema.OWN_ZONE) for event in written]
        insert_many(connection, schema.events, events, new=False)
        return written

    def succeed(self, connection: Connection) -> None:
        """Go on in a new ledger that cites the present one, whose next numbers were given before."""
        old = newest_log(connection)
        cited = LedgerCited(ledger=old.log, size=old.tree.size, root=old.tree.root().hex())
        known_log(connection, schema.OWN_ZONE, secrets.token_hex(8), self._clock.now_us())
        self.append(connection, [draft(LedgerOpened(follows=cited, reason=LedgerReason.ROLLBACK))])

    def _write(self, draft: Draft, log: str, sequence: int, at_us: int) -> Event:
        check_data(draft.type, draft.data)
        clock = self._clock
        stamp = Stamp(
            draft.id or event_id(at_us, os.urandom(10)),
            schema.OWN_ZONE,
            log,
            sequence,
            at_us,
            clock.utc_offset_s(at_us),
            clock.bootid,
            clock.boottime_s(),
        )
        return parse_line(encode_line(draft, stamp))


def newest_log(connection: Connection) -> KnownLog:
    """The last of headquarters' ledgers, as this transaction sees it."""
    row = connection.execute(_NEWEST).one()
    return KnownLog(row.key, row.log, CompactRange(row.size, split_edge(row.edge)))

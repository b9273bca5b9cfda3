"""The zones' ledgers as headquarters keeps them: what ``sync`` asks of a store (``sync.store.LogStore``)."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import repeat

from sqlalchemy import Connection, bindparam, select

from config.clock import Clock
from custody.events import Event, LedgerFork, LedgerRollback, draft
from sync.merkle import HASH_BYTES, subtree_place
from sync.store import Head

from . import schema
from .accusations import FORKS, ROLLBACK, accusation
from .database import Database
from .dialect import insert_many
from .evidence import keep_evidence
from .heads import find_log, known_log, split_edge, swap_head
from .indexing import placed, read_lines
from .own import OwnLedger

_OF_LOG = (schema.logs.c.zone == bindparam("of_zone"), schema.logs.c.log == bindparam("of_log"))
# Made once, as in ``heads``.
_HEAD = select(schema.logs.c.size, schema.logs.c.edge, schema.logs.c.checkpoint).where(*_OF_LOG)
_LINES = (
    select(schema.lines.c.line)
    .join(schema.logs, schema.logs.c.key == schema.lines.c.log_key)
    .where(*_OF_LOG, schema.lines.c.seq >= bindparam("first"), schema.lines.c.seq < bindparam("beyond"))
    .order_by(schema.lines.c.seq)
)
_HASHES = (
    select(schema.lines.c.hashes)
    .join(schema.logs, schema.logs.c.key == schema.lines.c.log_key)
    .where(*_OF_LOG, schema.lines.c.seq == bindparam("of_seq"))
)


class LogTable:
    """The ledgers of all zones in one database; safe to use from many threads and many processes.

    Fencing is the compare-and-swap on a log's size, so two writers of one log are harmless: one is told ``False``.
    """

    def __init__(self, database: Database, own: OwnLedger, clock: Clock) -> None:
        self._database = database
        self._own = own
        self._clock = clock

    def head(self, zone: str, log: str) -> Head:
        """How far this log is verified; size 0 if it is unknown."""
        with self._database.read.connect() as connection:
            row = connection.execute(_HEAD, {"of_zone": zone, "of_log": log}).one_or_none()
        return Head(0, (), "") if row is None else Head(row.size, split_edge(row.edge), row.checkpoint)

    def lines(self, zone: str, log: str, first: int, count: int) -> list[bytes]:
        """The exact bytes of up to ``count`` lines from sequence ``first`` on."""
        values = {"of_zone": zone, "of_log": log, "first": first, "beyond": first + count}
        with self._database.read.connect() as connection:
            return list(connection.execute(_LINES, values).scalars())

    def subtree(self, zone: str, log: str, level: int, index: int) -> bytes:
        """The stored hash of a perfect subtree (``merkle.Subtree``)."""
        seq, offset = subtree_place(level, index)
        with self._database.read.connect() as connection:
            hashes = connection.execute(_HASHES, {"of_zone": zone, "of_log": log, "of_seq": seq}).scalar_one()
        return bytes(hashes[offset : offset + HASH_BYTES])

    def advance(self, zone: str, log: str, *, known_size: int, head: Head, lines: Sequence[bytes]) -> bool:
        """Add verified lines and the new head in one transaction; on disk when it returns ``True``.

        ``False``: the log no longer has ``known_size``, somebody else was first; nothing was changed.
        Raises ``ValueError`` when the lines do not lead from the stored edge to ``head``: the tree is made here
        once more, so that what is stored cannot differ from what was verified.
        """
        at_us = self._clock.now_us()
        # Before the transaction, in which nobody else can write.
        reading = read_lines(zone, log, known_size + 1, lines)
        with self._database.writing() as connection:
            known = known_log(connection, zone, log, at_us) if known_size == 0 else find_log(connection, zone, log)
            if known is None or known.tree.size != known_size:
                return False
            tree, hashes = known.tree.extended(lines)
            if (tree.size, tree.edge) != (head.size, head.edge):
                raise ValueError(
                    f"{zone}/{log}: {len(lines)} lines lead to size {tree.size}, not to the head's {head.size}"
                )
            if not swap_head(connection, known, head, at_us):
                return False
            seqs = range(known_size + 1, head.size + 1)
            flaws = map(reading.flaws.get, seqs)
            rows = list(zip(repeat(known.key), seqs, lines, hashes, flaws, strict=False))
            insert_many(connection, schema.lines, rows, new=False)
            for seq, flaw in reading.flaws.items():
                line = lines[seq - seqs.start]
                keep_evidence(connection, zone, log, "broken_line", f"line {seq}: {flaw}", line, at_us)
            for event in reading.accusing:
                self._note_accusation(connection, event, at_us)
            insert_many(connection, schema.events, placed(reading.sound, known.key, zone), new=True)
        return True

    def keep_evidence(self, zone: str, log: str | None, kind: str, detail: str, message: bytes) -> None:
        """Keep a message that was not taken, with what is wrong with it. The same one again is only counted."""
        with self._database.writing() as connection:
            new = keep_evidence(connection, zone, log, kind, detail, message, self._clock.now_us())
            if new and kind in FORKS:
                self._own.append(connection, [draft(LedgerFork(zone=zone, log=log, detail=detail))])

    def _note_accusation(self, connection: Connection, event: Event, at_us: int) -> None:
        accused = accusation(event)
        if accused is None:
            return
        again = select(schema.events.c.id).where(schema.events.c.id == event.id)
        if connection.execute(again).first() is not None:
            return  # the line was moved here from a closed ledger
        kind, detail = accused
        new = keep_evidence(connection, event.zone, event.ledger, kind, detail, event.line, at_us)
        if new and kind == ROLLBACK:
            told = LedgerRollback(zone=event.zone, log=event.ledger, detail=detail)
            self._own.append(connection, [draft(told)])

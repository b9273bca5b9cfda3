"""How far each log is, inside the caller's transaction: found, begun and moved on by a compare-and-swap."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, bindparam, select, update

from custody.events import Event
from sync.merkle import HASH_BYTES, CompactRange
from sync.store import Head

from . import schema
from .dialect import insert_new, run
from .reading import stay_of

_LOGS = schema.logs.c
# Made once: they run with every batch, and SQLAlchemy takes longer to build one than SQLite to carry it out.
_FIND = select(_LOGS.key, _LOGS.size, _LOGS.edge).where(
    _LOGS.zone == bindparam("of_zone"), _LOGS.log == bindparam("of_log")
)
_SWAP = (
    update(schema.logs)
    .where(_LOGS.key == bindparam("of_key"), _LOGS.size == bindparam("known_size"))
    .values(
        size=bindparam("new_size"),
        edge=bindparam("new_edge"),
        checkpoint=bindparam("new_checkpoint"),
        advanced_us=bindparam("at_us"),
    )
)


@dataclass(frozen=True)
class KnownLog:
    """A log's key in the database, and its tree."""

    key: int
    log: str
    tree: CompactRange


def find_log(connection: Connection, zone: str, log: str) -> KnownLog | None:
    row: Any = run(connection, _FIND, {"of_zone": zone, "of_log": log}).fetchone()
    return None if row is None else KnownLog(row[0], log, CompactRange(row[1], split_edge(row[2])))


def known_log(connection: Connection, zone: str, log: str, at_us: int) -> KnownLog | None:
    """``find_log``, after making it at size 0 where it was unknown."""
    empty = {"zone": zone, "log": log, "size": 0, "edge": b"", "checkpoint": "", "advanced_us": at_us}
    connection.execute(insert_new(connection, schema.logs), [{**empty, "judged": 0, "fed": 0}])
    return find_log(connection, zone, log)


def swap_head(connection: Connection, known: KnownLog, head: Head, at_us: int) -> bool:
    """Compare-and-swap on the log's size: ``False`` when it has moved since it was read.

    On SQLite the write lock makes that impossible; on PostgreSQL this is what fences two workers.
    """
    values = {
        "of_key": known.key,
        "known_size": known.tree.size,
        "new_size": head.size,
        "new_edge": b"".join(head.edge),
        "new_checkpoint": head.checkpoint,
        "at_us": at_us,
    }
    return run(connection, _SWAP, values).rowcount == 1


def event_row(event: Event, log_key: int, zone: str) -> tuple[Any, ...]:
    """A row of the table of events, its columns in their order."""
    return (
        event.id,
        log_key,
        event.sequence,
        zone,
        event.type,
        stay_of(event.data),
        event.time_us,
        event.written_us,
    )


def split_edge(edge: bytes) -> tuple[bytes, ...]:
    return tuple(edge[at : at + HASH_BYTES] for at in range(0, len(edge), HASH_BYTES))

"""What always holds of headquarters' database, numbered, and the check of it at three levels of cost.

*quick* reads a few rows of each ledger whatever its size; *normal* reads every line and hashes it; *full* also
verifies the signatures, compares what was made of the lines with what they say, and lets SQLite check its own
pages. It may run while headquarters does: what is checked of a ledger is what was there when the check came to
it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, func, inspect, select
from sqlalchemy.exc import NoResultFound

from custody.events import FindingChanged, FindingRaised
from sync.check import Level
from sync.errors import BadNote
from sync.merkle import HASH_BYTES, CompactRange, compact_range, leaf_hash
from sync.note import Checkpoint, Note, VerifierKey
from sync.proof import ProofRefused, verify_checkpoint

from . import schema
from .database import Database
from .dialect import broken_pages
from .heads import event_row, split_edge
from .proofs import subtrees
from .reading import read_line

PAGE_LINES = 1000
WHOLE = "all of them"
"""Named as the ledger where the database itself does not hold."""


class Invariant(StrEnum):
    """Name and promise of each invariant; H1 to H3 are quick, H4 and H5 normal, the others full, and of H9 what
    needs no look into pages is quick too."""

    H1 = "the newest line is there and was hashed, and none is beyond the size"
    H2 = "the tree's right edge is the one that the stored hashes make"
    H3 = "the checkpoint is of this ledger, of its size and root, and so is each cosigned one at its size"
    H4 = "the lines are numbered from 1 on without a gap"
    H5 = "every stored hash is that of the bytes, or of the two hashes, below it"
    H6 = "the checkpoint is signed by the ledger's owner"
    H7 = "every sound line is found under its event's id, with what it says of itself, and nothing else is"
    H8 = "every step of a finding is a line of headquarters' own ledger, and each such line is one's step"
    H9 = "the database has its tables and indexes, and finds its own pages in order"


@dataclass(frozen=True, slots=True)
class Breach:
    """An invariant that does not hold: of which ledger, at which line (``None``: the whole), and what is found."""

    invariant: Invariant
    ledger: str
    sequence: int | None
    detail: str


def check(database: Database, level: Level, keys: Mapping[str, Sequence[VerifierKey]]) -> Iterator[Breach]:
    """Every breach, ledger by ledger; nothing when all is in order. ``keys``: those of each zone and of ``hq``."""
    with database.read.connect() as connection:
        tables, indexes = _missing(connection)
    for missing in [*tables, *indexes]:
        yield Breach(Invariant.H9, WHOLE, None, f"{missing} is missing")
    if not tables:
        yield from _read(database, level, keys)


def _missing(connection: Connection) -> tuple[list[str], list[str]]:
    """(tables, indexes) that the database should have and does not."""
    inspector = inspect(connection)
    found = set(inspector.get_table_names())
    tables = [f"the table {name}" for name in schema.metadata.tables if name not in found]
    indexes: list[str] = []
    for table in schema.metadata.tables.values():
        here = {one["name"] for one in inspector.get_indexes(table.name)} if table.name in found else set()
        wanted = sorted(str(index.name) for index in table.indexes)
        indexes += [f"the index {name} of {table.name}" for name in wanted if name not in here]
    return tables, indexes


def _read(database: Database, level: Level, keys: Mapping[str, Sequence[VerifierKey]]) -> Iterator[Breach]:
    with database.read.connect() as connection:
        logs = connection.execute(select(schema.logs).order_by(schema.logs.c.key)).all()
    for log in logs:
        with database.read.connect() as connection:
            name = f"{log.zone}/{log.log}"
            yield from _quick(connection, log, name)
            if level >= Level.NORMAL:
                yield from _lines(connection, log, name, says=level >= Level.FULL)
            if level >= Level.FULL:
                yield from _signature(log, name, keys.get(log.zone, ()))
    if level >= Level.FULL:
        with database.read.connect() as connection:
            yield from _steps(connection)
            yield from (Breach(Invariant.H9, WHOLE, None, found) for found in broken_pages(connection))


def _quick(connection: Connection, log: Any, name: str) -> Iterator[Breach]:
    lines = schema.lines.c
    last = connection.execute(select(func.max(lines.seq)).where(lines.log_key == log.key)).scalar_one() or 0
    if last < log.size:
        yield Breach(Invariant.H1, name, log.size, f"the lines end at {last}, the size is {log.size}")
        return
    try:
        tree = CompactRange(log.size, split_edge(log.edge))
    except ValueError as wrong:
        yield Breach(Invariant.H2, name, log.size, str(wrong))
        return
    if log.size:
        newest = connection.execute(
            select(schema.lines).where(lines.log_key == log.key, lines.seq == log.size)
        ).one_or_none()
        if newest is None or leaf_hash(newest.line) != newest.hashes[:HASH_BYTES]:
            yield Breach(Invariant.H1, name, log.size, "the newest line is not the one that was hashed")
        try:
            made = compact_range(subtrees(connection, log.key), log.size)
        except NoResultFound:
            yield Breach(Invariant.H2, name, log.size, "a line that completes a part of it is missing")
            return
        if made != tree:
            yield Breach(Invariant.H2, name, log.size, "the edge is another than the stored hashes make")
    yield from _agrees(name, log.checkpoint, log.size, tree.root())
    table = schema.cosignatures
    for row in connection.execute(select(table).where(table.c.log_key == log.key)):
        if row.size > log.size:
            yield Breach(Invariant.H3, name, log.size, f"{row.cosigner} cosigned {row.size} lines")
            continue
        try:
            root = compact_range(subtrees(connection, log.key), row.size).root()
        except NoResultFound:
            yield Breach(Invariant.H3, name, row.size, f"lines that {row.cosigner} cosigned are missing")
            continue
        yield from _agrees(name, row.note, row.size, root)


def _agrees(name: str, note: str, size: int, root: bytes) -> Iterator[Breach]:
    if not note:
        return  # of an empty tree nobody has signed anything
    try:
        found = Checkpoint.parse(Note.parse(note).text)
    except BadNote as bad:
        yield Breach(Invariant.H3, name, size, f"a checkpoint cannot be read: {bad}")
        return
    if not found.origin.endswith(f"/{name}") or (found.size, found.root) != (size, root):
        what = f"a checkpoint is of {found.origin} at size {found.size}"
        yield Breach(Invariant.H3, name, size, f"{what}, or has another root than the lines")


def _lines(connection: Connection, log: Any, name: str, *, says: bool) -> Iterator[Breach]:
    lines, tree, indexed = schema.lines.c, CompactRange(), 0
    while tree.size < log.size:
        wanted = (lines.log_key == log.key, lines.seq > tree.size, lines.seq <= log.size)
        query = select(lines.seq, lines.line, lines.hashes, lines.flaw).where(*wanted).order_by(lines.seq)
        page = connection.execute(query.limit(PAGE_LINES)).all()
        if not page:
            yield Breach(Invariant.H4, name, tree.size + 1, "this line and all after it are missing")
            return
        for row in page:
            if row.seq != tree.size + 1:
                yield Breach(Invariant.H4, name, row.seq, f"the line before it is {tree.size}")
                return
            tree, (expected,) = tree.extended([row.line])
            if expected != row.hashes:
                yield Breach(Invariant.H5, name, row.seq, "line and hashes do not belong together")
                return
        if says:
            counted, breaches = _indexed(connection, log, name, page)
            indexed += counted
            yield from breaches
    if (tree.size, tree.edge) != (log.size, split_edge(log.edge)):
        yield Breach(Invariant.H2, name, log.size, "the edge is another than the lines make")
    events = schema.events.c
    of_log = (
        select(func.count()).select_from(schema.events).where(events.log_key == log.key, events.seq <= log.size)
    )
    found = connection.execute(of_log).scalar_one()
    if says and found != indexed:
        yield Breach(Invariant.H7, name, None, f"{found} events are found under ids, {indexed} lines say so")


def _indexed(connection: Connection, log: Any, name: str, page: Sequence[Any]) -> tuple[int, list[Breach]]:
    """How many of these lines are found under their ids, and what is wrong with those that should be."""
    breaches: list[Breach] = []
    read = {row.seq: read_line(log.zone, log.log, row.seq, row.line) for row in page}
    sound = {seq: event for seq, (event, flaw) in read.items() if event is not None and flaw is None}
    if log.zone == schema.OWN_ZONE:  # whose own types are refused to zones
        sound = {seq: event for seq, (event, _) in read.items() if event is not None}
    events = schema.events
    found = connection.execute(select(events).where(events.c.id.in_([event.id for event in sound.values()])))
    rows = {row.id: row for row in found}
    count = 0
    for seq, event in sound.items():
        row = rows.get(event.id)
        if row is None:
            breaches.append(Breach(Invariant.H7, name, seq, f"event {event.id} is not found under its id"))
        elif (row.log_key, row.seq) == (log.key, seq):
            count += 1
            if tuple(row) != event_row(event, log.key, log.zone):
                breaches.append(Breach(Invariant.H7, name, seq, f"event {event.id} is indexed as another one"))
    return count, breaches


def _signature(log: Any, name: str, keys: Sequence[VerifierKey]) -> Iterator[Breach]:
    if not log.checkpoint:
        return
    try:
        verify_checkpoint(log.checkpoint, keys, witnesses=0)
    except ProofRefused as refused:
        yield Breach(Invariant.H6, name, log.size, str(refused))


def _steps(connection: Connection) -> Iterator[Breach]:
    history, events = schema.finding_history.c, schema.events.c
    own = select(events.id).where(events.zone == schema.OWN_ZONE)
    for row in connection.execute(select(history.finding, history.nr).where(history.event.not_in(own))):
        detail = f"step {row.nr} of finding {row.finding} is no line of it"
        yield Breach(Invariant.H8, schema.OWN_ZONE, None, detail)
    announcing = (events.zone == schema.OWN_ZONE, events.type.in_([FindingRaised.TYPE, FindingChanged.TYPE]))
    steps = select(history.event).join(schema.findings, schema.findings.c.id == history.finding)
    for row in connection.execute(select(events.id, events.seq).where(*announcing, events.id.not_in(steps))):
        detail = f"{row.id} is the step of no finding on record"
        yield Breach(Invariant.H8, schema.OWN_ZONE, row.seq, detail)

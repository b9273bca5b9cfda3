"""Commands to zones: what was given, what waits to be sent, and what the zones' own ledgers say became of it.

::

    waiting ──► received ──► done       the zone wrote that it has it; a door was opened
       │            └──────► refused    by the zone, with its reason
       ├──► refused
       ├──► superseded                  a newer document of its kind was given before the zone had this one
       └──► expired                     the zone never said anything in time; it may still say so late
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import orjson
from sqlalchemy import Connection, func, insert, select, update

from custody.events import (
    CommandIssued,
    CommandReceived,
    CommandRefused,
    DoorMode,
    DoorReleased,
    Event,
    draft,
    parse_line,
)
from sync.protocol.messages import Command, encode

from . import schema
from .database import Database
from .own import OwnLedger
from .queries import Row

DONE = (DoorReleased.TYPE, DoorMode.TYPE)
"""What says that a door did as it was told; its ``command`` is the command's id."""
ANSWERS = (CommandReceived.TYPE, CommandRefused.TYPE, *DONE)
CLOCKS_APART_US = 86_400_000_000
"""A zone's clock may be wrong by so much and its answer is still found."""
ANSWER_AWAITED_US = 600_000_000
"""How long after it was given the outcome of a received command is looked for."""


class CommandState(StrEnum):
    WAITING = "waiting"
    RECEIVED = "received"
    DONE = "done"
    REFUSED = "refused"
    EXPIRED = "expired"
    SUPERSEDED = "superseded"


@dataclass(frozen=True)
class Issue:
    """A signed command, and its arguments as they may be kept."""

    command: Command
    zone: str
    args: dict[str, Any]
    issued_us: int
    not_after_us: int
    version: int | None = None


@dataclass(frozen=True)
class Due:
    """A message that waits to be sent."""

    id: str
    zone: str
    message: bytes


class CommandTable:
    """Safe to share between threads and processes."""

    def __init__(self, database: Database, own: OwnLedger) -> None:
        self._database = database
        self._own = own

    def next_version(self, zone: str, name: str, now_us: int) -> int:
        """For a document: newer than any before, also than those that a lost database knew."""
        table = schema.commands.c
        query = select(func.max(table.version)).where(table.zone == zone, table.name == name)
        with self._database.read.connect() as connection:
            last = connection.execute(query).scalar()
        return max((last or 0) + 1, now_us // 1_000_000)

    def issue(self, issues: Sequence[Issue]) -> None:
        """Into headquarters' own ledger and among those that are sent, in one transaction."""
        with self._database.writing() as connection:
            for issue in issues:
                if issue.version is not None:
                    self._supersede(connection, issue)
                connection.execute(insert(schema.commands).values(**_row(issue)))
            self._own.append(connection, [draft(_announced(issue)) for issue in issues])

    def due(self, now_us: int) -> list[Due]:
        """All that wait, the oldest first; what has expired is marked so, and not among them."""
        table = schema.commands
        waiting = table.c.state == CommandState.WAITING
        query = select(table).where(waiting).order_by(table.c.issued_us, table.c.id)
        with self._database.read.connect() as connection:
            rows = connection.execute(query).all()
        if any(row.not_after_us < now_us for row in rows):
            overdue = update(table).where(waiting, table.c.not_after_us < now_us)
            with self._database.writing() as connection:
                connection.execute(overdue.values(state=CommandState.EXPIRED, message=None))
        return [Due(row.id, row.zone, row.message) for row in rows if row.not_after_us >= now_us]

    def settle(self, now_us: int) -> int:
        """Read what the zones' ledgers say of those without an outcome; how many have changed."""
        changed = 0
        for zone, since_us, ids in self._open(now_us):
            found = [event for event in self._answers(zone, since_us) if _command_of(event) in ids]
            if found:
                with self._database.writing() as connection:
                    changed += sum(_settle_one(connection, event) for event in found)
        return changed

    def commands(self, zone: str | None, *, limit: int) -> list[Row]:
        """The latest first."""
        table = schema.commands
        query = select(table).order_by(table.c.issued_us.desc(), table.c.id.desc()).limit(limit)
        if zone is not None:
            query = query.where(table.c.zone == zone)
        with self._database.read.connect() as connection:
            return [dict(row) for row in connection.execute(query).mappings()]

    def command(self, id_: str) -> Row | None:
        with self._database.read.connect() as connection:
            query = select(schema.commands).where(schema.commands.c.id == id_)
            row = connection.execute(query).mappings().first()
        return None if row is None else dict(row)

    # Inside

    def _supersede(self, connection: Connection, issue: Issue) -> None:
        table = schema.commands.c
        older = update(schema.commands).where(
            table.zone == issue.zone,
            table.name == issue.command.name,
            table.state == CommandState.WAITING,
            table.version < issue.version,
        )
        connection.execute(older.values(state=CommandState.SUPERSEDED, message=None))

    def _open(self, now_us: int) -> list[tuple[str, int, set[str]]]:
        """By zone: from when on to look, and for which commands."""
        table = schema.commands.c
        awaited = (CommandState.WAITING, CommandState.RECEIVED, CommandState.EXPIRED)
        query = select(table.id, table.zone, table.issued_us).where(
            table.state.in_(awaited),
            (table.state == CommandState.WAITING) | (table.not_after_us >= now_us - ANSWER_AWAITED_US),
        )
        found: dict[str, tuple[int, set[str]]] = {}
        with self._database.read.connect() as connection:
            for row in connection.execute(query):
                since_us, ids = found.get(row.zone, (row.issued_us, set()))
                found[row.zone] = min(since_us, row.issued_us), ids | {row.id}
        return [(zone, since_us - CLOCKS_APART_US, ids) for zone, (since_us, ids) in found.items()]

    def _answers(self, zone: str, since_us: int) -> list[Event]:
        events, lines = schema.events.c, schema.lines.c
        query = (
            select(lines.line)
            .join_from(schema.events, schema.lines, (lines.log_key == events.log_key) & (lines.seq == events.seq))
            .where(events.zone == zone, events.written_us >= since_us, events.type.in_(ANSWERS))
            .order_by(events.log_key, events.seq)
        )
        with self._database.read.connect() as connection:
            return [parse_line(line) for line in connection.execute(query).scalars()]


def _row(issue: Issue) -> dict[str, Any]:
    command = issue.command
    return {
        "id": command.id,
        "zone": issue.zone,
        "name": command.name,
        "args": orjson.dumps(issue.args).decode(),
        "actor": command.actor,
        "issued_us": issue.issued_us,
        "not_after_us": issue.not_after_us,
        "version": issue.version,
        "message": encode(command),
        "state": CommandState.WAITING,
    }


def _announced(issue: Issue) -> CommandIssued:
    command = issue.command
    return CommandIssued.model_validate(
        {
            "command": command.id,
            "zone": issue.zone,
            "name": command.name,
            "args": issue.args,
            "actor": command.actor,
            "not_after": command.not_after,
        }
    )


def _command_of(event: Event) -> str | None:
    """The id of the command that this line answers."""
    id_ = event.data.get("command" if event.type in DONE else "id")
    return id_ if isinstance(id_, str) else None


def _settle_one(connection: Connection, event: Event) -> int:
    """Take in one answer; the zone's ledger gives them in their order. 1 if that changed anything."""
    before = [CommandState.WAITING, CommandState.EXPIRED]
    state, reason = CommandState.REFUSED, event.data.get("reason")
    if event.type == CommandReceived.TYPE:
        state, reason = CommandState.RECEIVED, None
    elif event.type in DONE:
        state, reason = CommandState.DONE, None
    if state is not CommandState.RECEIVED and event.data.get("repeated") is not True:
        # Of a command that the zone has had, its being given once more says nothing.
        before.append(CommandState.RECEIVED)
    table = schema.commands
    of_it = table.c.id == _command_of(event), table.c.state.in_(before)
    values = {"state": state, "reason": reason, "answer": event.id, "message": None}
    return connection.execute(update(table).where(*of_it).values(**values)).rowcount

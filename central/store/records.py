"""What the judging of a zone reads and writes: unjudged lines in, findings and stays out, in one transaction."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import Connection, func, insert, select, update

from config.clock import Clock
from custody.events import Draft, Event, parse_line, parse_time

from ..findings import Change, Known, State
from . import schema
from .database import Database
from .dialect import insert_new, insert_or_replace
from .own import OwnLedger

CHUNK_LINES = 1000
"""Read at a time; bounds memory, not the result."""
KEPT = "kept"
"""What a breach or an unproven one turns into when a late audit or a correction shows that the must was kept."""


@dataclass(frozen=True)
class Unjudged:
    """Sound lines of a zone, and the marks that stand once they are judged (log key → sequence)."""

    events: list[Event]
    marks: Mapping[int, int]
    checkpoints: Mapping[str, tuple[int, str]]
    """Log id → (size, checkpoint) of the logs that are judged whole with this."""
    more: bool
    """There are further lines after the marks."""


@dataclass(frozen=True)
class Round:
    """The outcome of judging a zone once."""

    zone: str
    marks: Mapping[int, int]
    changes: Sequence[Change]
    stays: Sequence[Mapping[str, Any]]
    """Rows of the table ``stays``."""
    now: Mapping[str, Any]
    """Columns of the table ``zones`` to be set: known_us, described, heartbeat."""
    drafts: Sequence[Draft] = ()
    """What else goes into headquarters' own ledger with it."""


class Records:
    """Safe to share between threads."""

    def __init__(self, database: Database, own: OwnLedger, clock: Clock) -> None:
        self._database = database
        self._own = own
        self._clock = clock

    def zones_behind(self) -> list[str]:
        """Zones with lines that were committed and not judged yet, as after a crash in between."""
        logs = schema.logs.c
        behind = select(logs.zone).where(logs.judged < logs.size, logs.zone != schema.OWN_ZONE).distinct()
        with self._database.read.connect() as connection:
            return list(connection.execute(behind).scalars())

    def unjudged(self, zone: str, *, limit: int = CHUNK_LINES) -> Unjudged:
        """The next lines of each of the zone's logs after its mark, at most ``limit`` of each."""
        logs, lines = schema.logs, schema.lines
        events: list[Event] = []
        marks: dict[int, int] = {}
        more = False
        checkpoints: dict[str, tuple[int, str]] = {}
        with self._database.read.connect() as connection:
            behind = select(logs).where(logs.c.zone == zone, logs.c.judged < logs.c.size).order_by(logs.c.key)
            for log in connection.execute(behind).all():
                last = min(log.size, log.judged + limit)
                chosen = (lines.c.log_key == log.key, lines.c.seq > log.judged, lines.c.seq <= last)
                rows = connection.execute(
                    select(lines.c.line).where(*chosen, lines.c.flaw.is_(None)).order_by(lines.c.seq)
                )
                events.extend(parse_line(line) for line in rows.scalars())
                marks[log.key] = last
                more = more or last < log.size
                if last == log.size:
                    checkpoints[log.log] = (log.size, log.checkpoint)
        return Unjudged(events, marks, checkpoints, more)

    def judged(self, zone: str) -> Iterator[list[Event]]:
        """All sound lines of a zone up to the marks, some at a time, ledger by ledger."""
        logs, lines = schema.logs, schema.lines
        with self._database.read.connect() as connection:
            known = connection.execute(select(logs).where(logs.c.zone == zone).order_by(logs.c.key)).all()
        for log in known:
            for first in range(0, log.judged, CHUNK_LINES):
                last = min(log.judged, first + CHUNK_LINES)
                chosen = (lines.c.log_key == log.key, lines.c.seq > first, lines.c.seq <= last)
                query = select(lines.c.line).where(*chosen, lines.c.flaw.is_(None)).order_by(lines.c.seq)
                with self._database.read.connect() as connection:
                    found = list(connection.execute(query).scalars())
                yield [parse_line(line) for line in found]

    def findings(self, zone: str) -> dict[str, Known]:
        """Everything on record of a zone, closed ones too."""
        columns = schema.findings.c
        query = select(columns.id, columns.state, columns.json).where(columns.zone == zone)
        with self._database.read.connect() as connection:
            rows = connection.execute(query).all()
        return {row.id: Known(State(row.state), orjson.loads(row.json)) for row in rows}

    def stays(self, zone: str) -> dict[str, str]:
        """Stay → its ``json`` and verdicts as one text, to see which have changed."""
        columns = schema.stays.c
        with self._database.read.connect() as connection:
            rows = connection.execute(select(schema.stays).where(columns.zone == zone)).mappings()
            return {row["stay"]: stay_digest(dict(row)) for row in rows}

    def store(self, done: Round) -> None:
        """Findings, their history, the lines that announce them, stays and marks: all or nothing."""
        with self._database.writing() as connection:
            announced = [change for change in done.changes if change.announced]
            drafts = [_draft(change) for change in announced]
            lines = self._own.append(connection, [*drafts, *done.drafts])
            for change in done.changes:
                self._store_finding(connection, change)
            for change, line in zip(announced, lines, strict=False):
                self._store_step(connection, change, line)
            if done.stays:
                connection.execute(insert_or_replace(connection, schema.stays), list(done.stays))
            connection.execute(insert_new(connection, schema.zones), [{"zone": done.zone}])
            if done.now:
                of_zone = schema.zones.c.zone == done.zone
                connection.execute(update(schema.zones).where(of_zone).values(**done.now))
            for key, seq in done.marks.items():
                mark = update(schema.logs).where(schema.logs.c.key == key, schema.logs.c.judged < seq)
                connection.execute(mark.values(judged=seq))

    def set_connected(self, zone: str, connected: bool) -> None:
        """What the broker says of a zone's connection."""
        with self._database.writing() as connection:
            connection.execute(insert_new(connection, schema.zones), [{"zone": zone}])
            said = {"connected": connected, "connected_us": self._clock.now_us()}
            connection.execute(update(schema.zones).where(schema.zones.c.zone == zone).values(**said))

    def _store_finding(self, connection: Connection, change: Change) -> None:
        table, now_us = schema.findings, self._clock.now_us()
        row = finding_row(change, now_us)
        known = table.c.id == row["id"]
        raised_us = connection.execute(select(table.c.raised_us).where(known)).scalar_one_or_none()
        if raised_us is None:
            connection.execute(insert(table).values(**row, raised_us=now_us))
        else:
            connection.execute(update(table).where(known).values(**row))

    def _store_step(self, connection: Connection, change: Change, line: Event) -> None:
        table = schema.finding_history
        of_finding = table.c.finding == change.fields["id"]
        last = connection.execute(select(func.max(table.c.nr)).where(of_finding)).scalar()
        connection.execute(
            insert(table).values(
                finding=change.fields["id"],
                nr=(last or 0) + 1,
                state=change.state.value,
                at_us=line.written_us,
                json=orjson.dumps(change.fields).decode(),
                event=line.id,
            )
        )


def finding_row(change: Change, now_us: int) -> dict[str, Any]:
    fields = change.fields
    return {
        **{name: fields[name] for name in ("id", "zone", "stay", "must", "rule", "verdict", "severity")},
        "state": change.state.value,
        "start_us": parse_time(fields["start"])[0],
        "end_us": None if fields["end"] is None else parse_time(fields["end"])[0],
        "seconds": float(fields["seconds"]),
        "changed_us": now_us,
        "json": orjson.dumps(fields).decode(),
    }


def stay_digest(row: Mapping[str, Any]) -> str:
    columns = ("inside", "room", "exited_us", "must_0", "must_1", "must_2", "must_3", "must_4", "json")
    return "|".join(str(row[name]) for name in columns)


def _draft(change: Change) -> Draft:
    """The line that announces it. What no longer holds has changed to kept; ``closed`` is a person's word."""
    stay, fields, word = change.fields["stay"], dict(change.fields), change.state.value
    if change.state is State.CLOSED:
        fields, word = {**fields, "verdict": KEPT, "severity": "notice"}, State.CHANGED.value
    return Draft(f"finding.{word}", fields, f"stay/{stay}" if stay else None)

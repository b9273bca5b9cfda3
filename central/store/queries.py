"""What headquarters' pages and interfaces ask of the database. Nothing here writes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, or_, select, tuple_

from . import schema
from .database import Database

Row = Mapping[str, Any]

MAX_PAGE = 500


@dataclass(frozen=True, kw_only=True)
class FindingFilter:
    """Which findings; ``None`` is any. Times are UTC microseconds, ``since_us`` also takes what still lasts."""

    zone: str | None = None
    stay: str | None = None
    must: int | None = None
    rule: str | None = None
    verdict: str | None = None
    severity: str | None = None
    state: str | None = None
    """``open`` is all that are not closed."""
    since_us: int | None = None
    before_us: int | None = None


@dataclass(frozen=True, kw_only=True)
class StayFilter:
    zone: str | None = None
    inside: bool | None = None
    since_us: int | None = None
    """Begun since, or still inside."""


@dataclass(frozen=True)
class Page:
    """Rows, newest first, and where to go on (``None`` at the end)."""

    rows: Sequence[Row]
    next: tuple[int, str] | None


class Queries:
    """Questions to headquarters' database; each is one short read transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def zones(self) -> dict[str, Row]:
        """By zone id: what is known of each zone that ever sent anything or was seen at the broker."""
        logs = schema.logs.c
        heard = select(
            logs.zone,
            func.max(logs.advanced_us).label("heard_us"),
            func.sum(logs.size).label("lines"),
            func.sum(logs.size - logs.judged).label("behind"),
        ).group_by(logs.zone)
        inside = (
            select(schema.stays.c.zone, func.count().label("inside"))
            .where(schema.stays.c.inside)
            .group_by(schema.stays.c.zone)
        )
        found: dict[str, dict[str, Any]] = {}
        for statement in (select(schema.zones), heard, inside):
            for row in self._all(statement):
                found.setdefault(row["zone"], {}).update(row)
        return dict(found)

    def described(self, zone: str) -> str | None:
        """Data of the zone's last ``zone.described`` as JSON."""
        row = self._one(select(schema.zones.c.described).where(schema.zones.c.zone == zone))
        return None if row is None else row["described"]

    def finding_counts(self, since_us: int) -> dict[tuple[str, int, str], int]:
        """(zone, must, verdict) → how many open findings start since then or still last."""
        columns = schema.findings.c
        statement = (
            select(columns.zone, columns.must, columns.verdict, func.count().label("n"))
            .where(*_finding_conditions(FindingFilter(state="open", since_us=since_us)))
            .group_by(columns.zone, columns.must, columns.verdict)
        )
        return {(row["zone"], row["must"], row["verdict"]): row["n"] for row in self._all(statement)}

    def serious_count(self, since_us: int) -> int:
        conditions = _finding_conditions(FindingFilter(state="open", severity="serious", since_us=since_us))
        with self._database.read.connect() as connection:
            counted = select(func.count()).select_from(schema.findings).where(*conditions)
            return connection.execute(counted).scalar_one()

    def findings(self, wanted: FindingFilter, *, limit: int = 100, after: tuple[int, str] | None = None) -> Page:
        """Newest first. ``after`` is the ``next`` of the page before."""
        columns = schema.findings.c
        statement = select(schema.findings).where(*_finding_conditions(wanted))
        return self._page(statement, columns.start_us, columns.id, limit, after)

    def finding(self, id_: str) -> Row | None:
        return self._one(select(schema.findings).where(schema.findings.c.id == id_))

    def finding_history(self, id_: str) -> list[Row]:
        """Oldest first: raised, changed, closed."""
        history = schema.finding_history
        return self._all(select(history).where(history.c.finding == id_).order_by(history.c.nr))

    def stays(self, wanted: StayFilter, *, limit: int = 100, after: tuple[int, str] | None = None) -> Page:
        columns = schema.stays.c
        conditions: list[ColumnElement[bool]] = []
        if wanted.zone is not None:
            conditions.append(columns.zone == wanted.zone)
        if wanted.inside is not None:
            conditions.append(columns.inside == wanted.inside)
        if wanted.since_us is not None:
            conditions.append(or_(columns.begun_us >= wanted.since_us, columns.inside))
        return self._page(select(schema.stays).where(*conditions), columns.begun_us, columns.stay, limit, after)

    def stay(self, stay: str) -> Row | None:
        """As the zone says that stands in its id; another zone may have written of it by mistake or by intent."""
        columns = schema.stays.c
        return self._one(select(schema.stays).where(columns.zone == _zone_of(stay), columns.stay == stay))

    def event(self, id_: str) -> Row | None:
        """Its row, its exact bytes, and the size of the log in which it stands."""
        return self._one(self._with_line().where(schema.events.c.id == id_))

    def events(self, ids: Sequence[str]) -> dict[str, Row]:
        found = self._all(self._with_line().where(schema.events.c.id.in_(list(ids)[:MAX_PAGE])))
        return {row["id"]: row for row in found}

    def events_of_stay(self, stay: str, *, limit: int = MAX_PAGE) -> list[Row]:
        """Of its zone's own ledgers, by the time when they happened."""
        columns = schema.events.c
        of_stay = (columns.stay == stay, columns.zone == _zone_of(stay))
        order = (columns.time_us, columns.written_us, columns.seq)
        return self._all(self._with_line().where(*of_stay).order_by(*order).limit(limit))

    def logs(self, zone: str) -> list[Row]:
        """The zone's ledgers, the one that grew last first."""
        logs = schema.logs
        return self._all(select(logs).where(logs.c.zone == zone).order_by(logs.c.advanced_us.desc()))

    def totals(self) -> tuple[int, int]:
        """(ledgers, lines) of all zones and of headquarters."""
        logs = schema.logs.c
        row = self._all(select(func.count().label("logs"), func.coalesce(func.sum(logs.size), 0).label("lines")))[
            0
        ]
        return int(row["logs"]), int(row["lines"])

    def evidence(self, zone: str | None = None, *, limit: int = 100) -> list[Row]:
        """What was not taken as it came, latest first."""
        table = schema.evidence
        statement = select(table).order_by(table.c.last_us.desc(), table.c.key.desc()).limit(limit)
        return self._all(statement if zone is None else statement.where(table.c.zone == zone))

    def evidence_counts(self) -> dict[tuple[str, str], int]:
        """(zone, kind) → how many times."""
        columns = schema.evidence.c
        counted = select(columns.zone, columns.kind, func.sum(columns.times).label("n"))
        return {
            (row["zone"], row["kind"]): int(row["n"])
            for row in self._all(counted.group_by(columns.zone, columns.kind))
        }

    def _with_line(self) -> Select[Any]:
        events, lines, logs = schema.events, schema.lines, schema.logs
        place = and_(lines.c.log_key == events.c.log_key, lines.c.seq == events.c.seq)
        return (
            select(events, lines.c.line, logs.c.log, logs.c.size, logs.c.judged, logs.c.checkpoint)
            .join(lines, place)
            .join(logs, logs.c.key == events.c.log_key)
        )

    def _page(
        self,
        statement: Select[Any],
        moment: ColumnElement[int],
        id_: ColumnElement[str],
        limit: int,
        after: tuple[int, str] | None,
    ) -> Page:
        limit = max(1, min(limit, MAX_PAGE))
        if after is not None:
            statement = statement.where(tuple_(moment, id_) < tuple_(*after))
        rows = self._all(statement.order_by(moment.desc(), id_.desc()).limit(limit + 1))
        more = len(rows) > limit
        last = rows[limit - 1] if more else {}
        return Page(rows[:limit], (last[str(moment.key)], last[str(id_.key)]) if more else None)

    def _all(self, statement: Select[Any]) -> list[Row]:
        with self._database.read.connect() as connection:
            return [dict(row) for row in connection.execute(statement).mappings()]

    def _one(self, statement: Select[Any]) -> Row | None:
        found = self._all(statement.limit(1))
        return found[0] if found else None


def _zone_of(stay: str) -> str:
    """A stay's id is ``<zone>-<yyyymmdd>-<nnn>``."""
    return stay.partition("-")[0]


def _finding_conditions(wanted: FindingFilter) -> list[ColumnElement[bool]]:
    columns = schema.findings.c
    conditions: list[ColumnElement[bool]] = []
    for name in ("zone", "stay", "must", "rule", "verdict", "severity"):
        value = getattr(wanted, name)
        if value is not None:
            conditions.append(columns[name] == value)
    if wanted.state == "open":
        conditions.append(columns.state != "closed")
    elif wanted.state is not None:
        conditions.append(columns.state == wanted.state)
    if wanted.since_us is not None:
        lasting = and_(columns.end_us.is_(None), columns.state != "closed")
        conditions.append(or_(columns.start_us >= wanted.since_us, lasting))
    if wanted.before_us is not None:
        conditions.append(columns.start_us < wanted.before_us)
    return conditions

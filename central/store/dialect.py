"""The only place that knows which database it is. SQLite by default; PostgreSQL runs the same code."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, cast

from sqlalchemy import Connection, CursorResult, Dialect, Engine, Select, Table, Update, create_engine, event
from sqlalchemy.dialects import postgresql, sqlite

BUSY_TIMEOUT_MS = 30_000
"""How long a transaction waits for another process that is writing."""


def open_engine(url: str) -> Engine:
    """An engine whose committed transactions survive a power cut, and whose writers queue instead of failing."""
    engine = create_engine(url)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    return engine


def writing(engine: Engine) -> Engine:
    """The same engine for transactions that write: on SQLite they take the write lock at their start.

    A transaction that reads first and asks for the lock later would fail at once with "database is locked".
    """
    return engine.execution_options(fourmusts_writes=True)


def has_one_writer(engine: Engine) -> bool:
    """Whether only one transaction at a time can write."""
    return engine.dialect.name == "sqlite"


def _prepare_sqlite(connection: Any, record: Any) -> None:
    connection.isolation_level = None  # the driver must not begin transactions by itself; _begin_sqlite does
    for pragma in (
        f"busy_timeout = {BUSY_TIMEOUT_MS}",
        "journal_mode = WAL",
        "synchronous = FULL",  # NORMAL loses commits that a zone was already told of
        "wal_autocheckpoint = 4000",  # 16 MB: while zones catch up, every page is moved once and not ten times
        "foreign_keys = ON",
    ):
        connection.execute(f"PRAGMA {pragma}").close()


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get("fourmusts_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def broken_pages(connection: Connection) -> list[str]:
    """What SQLite finds wrong with its own pages and indexes; PostgreSQL has ``pg_amcheck`` for that."""
    if connection.dialect.name != "sqlite":
        return []
    found = [str(row[0]) for row in connection.exec_driver_sql("PRAGMA integrity_check")]
    return [] if found == ["ok"] else found


def insert_new(connection: Connection, table: Table) -> Any:
    """INSERT that leaves a row alone whose key is already there."""
    return _insert_new(connection.dialect.name, table)


def insert_many(connection: Connection, table: Table, rows: Sequence[tuple[Any, ...]], *, new: bool) -> None:
    """Insert many rows, each with a value for every column in the table's order; ``new``: leave those alone whose
    key is there.

    The driver gets the rows as they are: for a batch of lines SQLAlchemy's care for each value costs more than the
    database does. So only for columns that hold what the driver takes: numbers, texts, bytes.
    """
    if not rows:
        return
    sql, names = _insert_text(connection.dialect, table, new)
    if names is None:
        columns = [column.name for column in table.columns]
        connection.exec_driver_sql(sql, [dict(zip(columns, row, strict=True)) for row in rows])
    else:
        connection.exec_driver_sql(sql, list(rows))


def run(connection: Connection, statement: Select[Any] | Update, values: Mapping[str, Any]) -> CursorResult[Any]:
    """What ``execute`` does, for a statement that runs with every batch: it is compiled once, and the driver gets
    the values and gives the rows as they are."""
    sql, names = _text(connection.dialect, statement)
    return connection.exec_driver_sql(sql, values if names is None else tuple([values[name] for name in names]))


def insert_or_replace(connection: Connection, table: Table) -> Any:
    """INSERT that overwrites every other column of the row with the same primary key."""
    statement = _insert(connection.dialect.name, table)
    keys = [column.name for column in table.primary_key]
    others = {c.name: statement.excluded[c.name] for c in table.columns if c.name not in keys}
    return statement.on_conflict_do_update(index_elements=keys, set_=others)


@lru_cache
def _insert_text(dialect: Dialect, table: Table, new: bool) -> tuple[str, tuple[str, ...] | None]:
    """(SQL, names of its parameters in their order; ``None`` if the driver wants them by name)"""
    sql, names = _text(dialect, _insert_new(dialect.name, table) if new else _insert(dialect.name, table))
    assert names is None or names == tuple(column.name for column in table.columns)
    return sql, names


@lru_cache
def _text(dialect: Dialect, statement: Any) -> tuple[str, tuple[str, ...] | None]:
    compiled = statement.compile(dialect=dialect)
    return str(compiled), tuple(compiled.positiontup) if compiled.positional else None


@lru_cache
def _insert_new(dialect: str, table: Table) -> Any:
    return _insert(dialect, table).on_conflict_do_nothing()


def _insert(dialect: str, table: Table) -> Any:
    if dialect == "sqlite":
        return sqlite.insert(table)
    return cast(Any, postgresql.insert(table))

"""Opening headquarters' database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from threading import Lock

from sqlalchemy import Connection, Engine, insert, inspect, select
from sqlalchemy.exc import DatabaseError, OperationalError

from . import schema
from .dialect import has_one_writer, open_engine, writing
from .errors import DatabaseDamaged, DatabaseForeign, DatabaseMissing, DatabaseUnreachable


class Database:
    """Headquarters' database. ``read`` for questions, ``writing`` for changes; both are shared by all threads."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.read: Engine = open_engine(url)
        self._write: Engine = writing(self.read)
        # SQLite has one writer at a time, and whoever finds it busy sleeps for up to 100 ms: threads of a process
        # wait for each other here instead.
        self._turn: AbstractContextManager[object] = Lock() if has_one_writer(self.read) else nullcontext()

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that writes: committed, and on disk, when the block ends; undone when it raises."""
        with self._turn, self._write.begin() as connection:
            yield connection

    @classmethod
    def create(cls, url: str) -> Database:
        """Make the tables where there are none yet; harmless where they are. Raises ``StoreError``."""
        database = cls(url)
        try:
            with database.writing() as connection:
                if not inspect(connection).has_table(schema.schema_version.name):
                    schema.metadata.create_all(connection)
                    connection.execute(insert(schema.schema_version).values(version=schema.VERSION))
        except OperationalError as error:
            raise DatabaseUnreachable(url, error.orig) from error
        database.check()
        return database

    @classmethod
    def open(cls, url: str) -> Database:
        """Raises ``DatabaseMissing`` when nobody has made it, ``DatabaseForeign`` when another version did,
        ``DatabaseUnreachable``, ``DatabaseDamaged``."""
        database = cls(url)
        try:
            database.check()
        except OperationalError as error:
            raise DatabaseUnreachable(url, error.orig) from error
        except DatabaseError as error:
            raise DatabaseDamaged(url, error.orig) from error
        return database

    def check(self) -> None:
        with self.read.connect() as connection:
            made = inspect(connection).has_table(schema.schema_version.name)
            found = connection.execute(select(schema.schema_version.c.version)).scalar() if made else None
        if found == schema.VERSION:
            return
        self.close()
        raise DatabaseForeign(self.url, found, schema.VERSION) if made else DatabaseMissing(self.url)

    def close(self) -> None:
        self.read.dispose()

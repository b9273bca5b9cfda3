"""Opening headquarters' database."""

from __future__ import annotations

from sqlalchemy import Engine, insert, inspect, select
from sqlalchemy.exc import OperationalError

from . import schema
from .dialect import open_engine, writing
from .errors import DatabaseForeign, DatabaseMissing, DatabaseUnreachable


class Database:
    """Headquarters' database. ``read`` for questions, ``write`` for changes; both are shared by all threads."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.read: Engine = open_engine(url)
        self.write: Engine = writing(self.read)

    @classmethod
    def create(cls, url: str) -> Database:
        """Make the tables where there are none yet; harmless where they are. Raises ``StoreError``."""
        database = cls(url)
        try:
            with database.write.begin() as connection:
                if not inspect(connection).has_table(schema.schema_version.name):
                    schema.metadata.create_all(connection)
                    connection.execute(insert(schema.schema_version).values(version=schema.VERSION))
        except OperationalError as error:
            raise DatabaseUnreachable(url, error.orig) from error
        database.check()
        return database

    @classmethod
    def open(cls, url: str) -> Database:
        """Raises ``DatabaseMissing`` when nobody has made it, ``DatabaseForeign`` when another version did."""
        database = cls(url)
        try:
            database.check()
        except OperationalError as error:
            raise DatabaseUnreachable(url, error.orig) from error
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

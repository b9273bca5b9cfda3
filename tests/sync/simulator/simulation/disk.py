"""A machine's disk, with real SQLite on it: it can be copied, set back, fill up, and lose power at any statement.

The seam is the driver. While a ``Disk`` is installed, every connection that SQLite opens below its directory
reports each statement before and after it runs; the code under test is the product's own, down to the SQL.

What a power cut takes: whatever was written to a WAL after the last commit with ``synchronous=FULL``, and a name
whose directory was not synced. What a killed process loses: only what was not committed.
"""

from __future__ import annotations

import os
import random
import shutil
import sqlite3
import weakref
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

Image = dict[str, bytes]
WAL = "-wal"
UNLIMITED_PAGES = 2**30
_FULL = 2
_open_file = sqlite3.connect
_fsync = os.fsync


class PowerOff(BaseException):
    """The machine is off: no line of its code runs any more, so nothing may catch this but the simulator."""


class Disk:
    def __init__(self, directory: Path, dice: random.Random, sometimes: Callable[[str], None], name: str) -> None:
        self.directory = directory
        self._dice = dice
        self._sometimes = sometimes
        self._name = name
        self._connections: weakref.WeakSet[_Connection] = weakref.WeakSet()
        self._synced: dict[str, int] = {}
        """Length of each WAL that a power cut leaves."""
        self._named: set[str] = set()
        """Files whose name a power cut leaves."""
        self._fuse: int | None = None
        self._power = False
        self._left: Image | None = None
        """What is left on the disk of a machine that is off."""
        self.full = False

    # What befalls it

    def light_fuse(self, statements: int, *, power: bool) -> None:
        """Go off after so many more statements and syncs: killed, or without power."""
        self._fuse, self._power = statements, power

    def cut_off(self, *, power: bool) -> None:
        """Go off now. Afterwards ``come_back``."""
        self._left = self._after_power_cut() if power else self.image()
        self._fuse = None

    def fill(self, full: bool) -> None:
        """No file may grow any more, or may again."""
        self.full = full
        for connection in list(self._connections):
            connection.limit(full)

    def image(self) -> Image:
        """Everything on it, as a snapshot of the volume has it."""
        return {
            path.name: path.read_bytes()
            for path in sorted(self.directory.iterdir())
            if path.is_file() and not path.name.endswith("-shm")
        }

    def come_back(self, image: Image | None = None) -> None:
        """The machine can be started again: with what is left on the disk, or with an older image of it."""
        left = self._left if image is None else image
        assert left is not None, "it was not off"
        for connection in list(self._connections):
            connection.abandon()
        shutil.rmtree(self.directory, ignore_errors=True)
        self.directory.mkdir(parents=True)
        for name, content in left.items():
            (self.directory / name).write_bytes(content)
        self._left, self._fuse = None, None
        self._sync()

    def rows(self, query: str, *values: Any, file: str) -> list[Any]:
        """Look into a file from outside, as an auditor does: not a statement of the machine."""
        with _outside(self.directory / file) as connection:
            return connection.execute(query, values).fetchall()

    def write(self, statement: str, rows: Iterable[Any], *, file: str) -> None:
        """Change a file from outside, as a forger does."""
        with _outside(self.directory / file) as connection, connection:
            connection.executemany(statement, rows)

    # What its connections report

    def before(self) -> None:
        if self._left is not None:
            raise PowerOff
        self._burn("before")

    def committed(self, connection: _Connection) -> None:
        if connection.synchronous() >= _FULL:
            self._sync_wals()
        self._burn("after a commit")

    def after(self) -> None:
        self._burn("after")

    def joined(self, connection: _Connection) -> None:
        self._connections.add(connection)
        if self.full:
            connection.limit(True)

    def left(self, connection: _Connection) -> None:
        self._connections.discard(connection)

    def synced(self) -> None:
        """The directory was synced."""
        self.before()
        self._sync()

    @property
    def off(self) -> bool:
        return self._left is not None

    def _burn(self, where: str) -> None:
        if self._fuse is None:
            return
        self._fuse -= 1
        if self._fuse < 0:
            self._sometimes(f"{self._name} off {where}")
            self.cut_off(power=self._power)
            raise PowerOff

    def _sync(self) -> None:
        self._named = {path.name for path in self.directory.iterdir()}
        self._sync_wals()

    def _sync_wals(self) -> None:
        self._synced = {path.name: path.stat().st_size for path in self.directory.glob("*" + WAL)}

    def _after_power_cut(self) -> Image:
        left: Image = {}
        for name, content in self.image().items():
            kept = self._synced.get(name, 0) if name.endswith(WAL) else len(content)
            if kept < len(content):
                self._sometimes(f"{self._name}: a power cut took what was not synced")
            if name.endswith(".sqlite3") and name not in self._named and self._dice.random() < 0.5:
                self._sometimes(f"{self._name}: a power cut took a name that was not synced")
                name = name.removesuffix(".sqlite3") + ".new"
            left[name] = content[:kept]
        return left


class _Cursor(sqlite3.Cursor):
    def execute(self, sql: str, parameters: Any = (), /) -> _Cursor:
        connection = cast(_Connection, self.connection)
        connection.disk.before()
        super().execute(sql, parameters)
        connection.ran(sql)
        return self

    def executemany(self, sql: str, parameters: Iterable[Any], /) -> _Cursor:
        connection = cast(_Connection, self.connection)
        connection.disk.before()
        super().executemany(sql, parameters)
        connection.ran(sql)
        return self


class _Connection(sqlite3.Connection):
    disk: Disk

    def cursor(self, factory: Any = None) -> Any:
        return super().cursor(_Cursor)

    def execute(self, sql: str, parameters: Any = (), /) -> Any:
        return self.cursor().execute(sql, parameters)

    def executemany(self, sql: str, parameters: Iterable[Any], /) -> Any:
        return self.cursor().executemany(sql, parameters)

    def commit(self) -> None:
        self.disk.before()
        super().commit()
        self.disk.committed(self)

    def rollback(self) -> None:
        if not self.disk.off:
            super().rollback()

    def close(self) -> None:
        if not self.disk.off:
            self.abandon()

    def ran(self, sql: str) -> None:
        if sql == "COMMIT":
            self.disk.committed(self)
        else:
            self.disk.after()

    def synchronous(self) -> int:
        return int(self._raw("PRAGMA synchronous"))

    def limit(self, full: bool) -> None:
        self._raw(f"PRAGMA max_page_count = {1 if full else UNLIMITED_PAGES}")

    def abandon(self) -> None:
        self.disk.left(self)
        super().close()

    def _raw(self, sql: str) -> Any:
        return super().cursor(sqlite3.Cursor).execute(sql).fetchone()[0]


@contextmanager
def installed(disks: Iterable[Disk], dice: random.Random) -> Iterator[None]:
    """Within the block, what lies below the disks' directories is theirs, and chance comes from the dice."""
    by_directory = {str(disk.directory): disk for disk in disks}

    def of(path: str) -> Disk | None:
        plain = path.removeprefix("file://").partition("?")[0]
        return by_directory.get(str(Path(plain).parent)) or by_directory.get(plain)

    def connect(database: Any, *values: Any, **named: Any) -> sqlite3.Connection:
        disk = of(str(database))
        if disk is None:
            return _open_file(database, *values, **named)
        disk.before()
        connection = _open_file(database, *values, factory=_Connection, **named)
        connection.disk = disk
        disk.joined(connection)
        return connection

    def fsync(fd: int) -> None:
        disk = of(str(Path(f"/proc/self/fd/{fd}").readlink()))
        if disk is None:
            _fsync(fd)
        else:
            disk.synced()

    real = sqlite3.connect, sqlite3.dbapi2.connect, os.fsync, os.urandom
    sqlite3.connect, sqlite3.dbapi2.connect, os.fsync, os.urandom = connect, connect, fsync, dice.randbytes
    try:
        yield
    finally:
        sqlite3.connect, sqlite3.dbapi2.connect, os.fsync, os.urandom = real


@contextmanager
def _outside(path: Path) -> Iterator[sqlite3.Connection]:
    connection = _open_file(path)
    try:
        yield connection
    finally:
        connection.close()

"""The SQLite file that a ledger lies in: its tables, how it is opened, and what its errors are called."""

from __future__ import annotations

import contextlib
import math
import shutil
import sqlite3
from dataclasses import asdict, dataclass
from pathlib import Path

import sqlite_utils

from .errors import LedgerDamaged, LedgerFull, LedgerUnwritable

FORMAT = 2
TABLES = ("line", "cosigned", "evidence", "pruning", "nonce", "ledger")
PAGE_BYTES = 8192
"""Twice SQLite's: a page then holds some fifteen lines, and fewer pages are begun, summed and written a commit."""
BUSY_TIMEOUT_S = 10.0
"""How long a writer waits for the others; a commit takes milliseconds, so longer means a process hangs in one."""

ROOM_BYTES = 64 * 1024
"""Less is no room: what SQLite then calls an I/O error, or a file that it cannot open, is a full disk."""

_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_LACKING = ("no such table", "no such column")
_PERHAPS_FULL = (sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN)


@dataclass(frozen=True, slots=True)
class Identity:
    """Whose ledger this is and which one it follows. Written once, when the file is made."""

    id: str
    zone: str
    deployment: str
    reason: str
    created_us: int
    follows: str | None = None
    follows_size: int | None = None
    """How much of the ledger before counts: its later lines, if any, were moved here."""

    @property
    def origin(self) -> str:
        """First line of its checkpoints."""
        return f"{self.deployment}/{self.zone}/{self.id}"


def connect(path: Path) -> sqlite3.Connection:
    """A connection to an existing ledger file. Raises ``LedgerDamaged`` or ``LedgerUnwritable``."""
    try:
        connection = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode=rw",
            uri=True,
            isolation_level=None,
            check_same_thread=False,
            timeout=BUSY_TIMEOUT_S,
        )
        # Python's default is FULL too, but this is the promise of the file and must not hang on a build option.
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA schema_version")
    except sqlite3.Error as error:
        raise named(path, error) from error
    return connection


def make(path: Path, identity: Identity) -> None:
    """A new file with its tables and no line. Raises ``sqlite3.Error``, ``OSError``."""
    database = sqlite_utils.Database(path)
    with contextlib.closing(database.conn):
        database.execute(f"PRAGMA page_size = {PAGE_BYTES}")
        database.enable_wal()
        _make_tables(database, identity)


def _make_tables(database: sqlite_utils.Database, identity: Identity) -> None:
    # mypy: Database[name] may be a view in sqlite-utils; table() is always a table.
    database.table("line").create(
        {"sequence": int, "line": bytes, "subtrees": bytes},
        pk="sequence",
        not_null={"line", "subtrees"},
        strict=True,
    )
    database.table("cosigned").create({"size": int, "note": str, "received_us": int}, pk="size", strict=True)
    database.table("evidence").create(
        {"number": int, "kind": str, "detail": str, "message": bytes, "received_us": int}, pk="number", strict=True
    )
    database.table("pruning").create(
        {
            "number": int,
            "pruned_us": int,
            "before_us": int,
            "lines": int,
            "cosigned_size": int,
            "cosigned": str,
        },
        pk="number",
        strict=True,
    )
    database.table("nonce").create({"nonce": str, "not_after_us": int}, pk="nonce", strict=True)
    database.table("ledger").insert(
        {
            **asdict(identity),
            "format": FORMAT,
            "successor": None,
            "successor_size": None,
            "successor_reason": None,
        },
        pk="id",
        columns={
            "follows": str,
            "follows_size": int,
            "successor": str,
            "successor_size": int,
            "successor_reason": str,
        },
        strict=True,
    )


def named(path: Path, error: sqlite3.Error) -> LedgerDamaged | LedgerUnwritable:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in _DAMAGED or str(error).startswith(_LACKING):
        return LedgerDamaged(path, str(error))
    if code == sqlite3.SQLITE_BUSY:
        return LedgerUnwritable(
            path, f"another process has kept it locked for {BUSY_TIMEOUT_S:g} s; stop that one"
        )
    if code == sqlite3.SQLITE_FULL or (code in _PERHAPS_FULL and _free_bytes(path.parent) < ROOM_BYTES):
        return LedgerFull(path, str(error))
    return LedgerUnwritable(path, str(error))


def _free_bytes(directory: Path) -> float:
    try:
        return shutil.disk_usage(directory).free
    except OSError:
        return math.inf

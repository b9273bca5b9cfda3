"""One ledger: an SQLite file with its lines, their Merkle tree and what headquarters cosigned of it.

The durable path of an append, on one connection (WAL, ``synchronous=FULL``: one fsync a commit)::

    BEGIN IMMEDIATE                            orders the writers of all processes
    SELECT max(sequence), successor …          where the next line stands; whether this ledger is closed
    INSERT INTO line VALUES (…) × n            exact bytes, and beside them the subtrees that the line completes
    COMMIT                                     fsync of the WAL; only now the caller may act

The hash of a subtree stands in the row of the line that completes it, so lines and tree cannot disagree, and every
insert goes to the right edge of one B-tree.
"""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import sqlite_utils

from .durable import sync_directory
from .errors import LedgerDamaged, LedgerUnwritable
from .merkle import HASH_BYTES, CompactRange, compact_range, subtree_place

FORMAT = 1
SUFFIX = ".sqlite3"
BUSY_TIMEOUT_S = 10.0
"""How long a writer waits for the others; a commit takes milliseconds, so longer means a process hangs in one."""
EVIDENCE_ROWS_MAX = 1000
PAGE_LINES = 1000

_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


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


@dataclass(frozen=True, slots=True)
class Succession:
    """This ledger is closed: which one takes over, from which size on, and why."""

    id: str
    size: int
    reason: str


class LedgerClosed(Exception):
    """An append to a ledger that another one has succeeded; internal to ``sync``: the chain has moved on."""


class LedgerFile:
    """An open ledger. Safe to use from many threads; any number of processes may have the same file open."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.RLock()
        self._connection = connect(path)
        with self._reading():
            database = sqlite_utils.Database(self._connection)
            row = next(iter(database.query("SELECT * FROM ledger")), None)
        if row is None:
            raise LedgerDamaged(path, "the file says nothing about which ledger it is")
        if row.pop("format") != FORMAT:
            raise LedgerDamaged(path, "the file was written by a newer version of fourmusts; install that version")
        self.identity = Identity(**{name: row[name] for name in Identity.__dataclass_fields__})
        self._tree = CompactRange()

    @property
    def id(self) -> str:
        return self.identity.id

    # Writing

    def append(self, encode: Callable[[int], Sequence[bytes]]) -> None:
        """Append the lines that ``encode(size so far)`` returns, in one transaction; on disk when it returns.

        Raises ``LedgerClosed``, ``LedgerUnwritable`` or whatever ``encode`` raises; then nothing was written.
        """
        with self._transaction():
            size, successor = self._connection.execute(
                "SELECT (SELECT max(sequence) FROM line), (SELECT successor FROM ledger)"
            ).fetchone()
            if successor is not None:
                raise LedgerClosed
            tree = self._range(size or 0)
            lines = encode(tree.size)
            grown, completed = tree.extended(lines)
            self._connection.executemany(
                "INSERT INTO line (sequence, line, subtrees) VALUES (?, ?, ?)",
                zip(range(tree.size + 1, grown.size + 1), lines, completed, strict=True),
            )
        self._tree = grown

    def close_for(self, successor: str, size: int, reason: str) -> Succession:
        """Close this ledger for ever in favour of ``successor``; whoever was first is returned."""
        with self._transaction():
            found = self.succession()
            if found is None:
                found = Succession(successor, size, reason)
                self._connection.execute(
                    "UPDATE ledger SET successor = ?, successor_size = ?, successor_reason = ?",
                    (found.id, found.size, found.reason),
                )
        return found

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Keep every other writer of this file out, in any process."""
        with self._transaction():
            yield

    def keep_cosigned(self, size: int, note: str, received_us: int) -> None:
        """Remember headquarters' cosigned checkpoint; only the last is kept.

        Losing it costs a repeated transmission and nothing else, so it waits for no fsync of its own.
        """
        with self._unsynced_transaction():
            self._connection.execute("DELETE FROM cosigned")
            self._connection.execute("INSERT INTO cosigned VALUES (?, ?, ?)", (size, note, received_us))

    def keep_evidence(self, kind: str, detail: str, message: bytes, received_us: int) -> None:
        """Keep a message that was not taken, with the reason; the oldest go when there are too many."""
        with self._unsynced_transaction():
            cursor = self._connection.execute(
                "INSERT INTO evidence (kind, detail, message, received_us) VALUES (?, ?, ?, ?)",
                (kind, detail, message, received_us),
            )
            oldest = (cursor.lastrowid or 0) - EVIDENCE_ROWS_MAX
            self._connection.execute("DELETE FROM evidence WHERE number <= ?", (oldest,))

    def take_nonce(self, nonce: str, not_after_us: int, now_us: int) -> bool:
        """Whether this nonce of a command is new; from now on it is not. Synced: a restart must not forget it."""
        with self._transaction():
            self._connection.execute("DELETE FROM nonce WHERE not_after_us < ?", (now_us,))
            cursor = self._connection.execute("INSERT OR IGNORE INTO nonce VALUES (?, ?)", (nonce, not_after_us))
        return cursor.rowcount == 1

    # Reading

    def size(self) -> int:
        """How many lines there are."""
        with self._reading():
            return int(self._connection.execute("SELECT coalesce(max(sequence), 0) FROM line").fetchone()[0])

    def lines(self, first: int, count: int) -> list[bytes]:
        """Exact bytes of up to ``count`` lines from sequence ``first`` on; sequences count from 1."""
        with self._reading():
            rows = self._connection.execute(
                "SELECT line FROM line WHERE sequence >= ? AND sequence < ? ORDER BY sequence",
                (first, first + count),
            )
            return [row[0] for row in rows]

    def all_lines(self, first: int = 1, last: int | None = None) -> Iterator[bytes]:
        """The lines from ``first`` to ``last`` (by default the last there is when reached), page by page."""
        while last is None or first <= last:
            count = PAGE_LINES if last is None else min(PAGE_LINES, last - first + 1)
            page = self.lines(first, count)
            yield from page
            if len(page) < count:
                return
            first += count

    def subtree(self, level: int, index: int) -> bytes:
        """The stored hash of a perfect subtree (``merkle.Subtree``); ``LedgerDamaged`` if it is not there."""
        sequence, offset = subtree_place(level, index)
        with self._reading():
            row = self._connection.execute(
                "SELECT substr(subtrees, ?, ?) FROM line WHERE sequence = ?", (offset + 1, HASH_BYTES, sequence)
            ).fetchone()
        if row is None or len(row[0]) != HASH_BYTES:
            raise LedgerDamaged(self.path, f"line {sequence} or its hash of level {level} is missing")
        return bytes(row[0])

    def root(self, size: int) -> bytes:
        """Root of the tree of the first ``size`` lines."""
        with self._lock:
            return self._range(size).root()

    def cosigned(self) -> tuple[int, str]:
        """(size, note) of the last cosigned checkpoint held; (0, "") if there is none."""
        with self._reading():
            row = self._connection.execute("SELECT size, note FROM cosigned").fetchone()
        return (0, "") if row is None else (int(row[0]), str(row[1]))

    def succession(self) -> Succession | None:
        """Which ledger follows this one; ``None`` while it is open."""
        with self._reading():
            row = self._connection.execute(
                "SELECT successor, successor_size, successor_reason FROM ledger"
            ).fetchone()
        return None if row[0] is None else Succession(*row)

    def evidence(self) -> list[tuple[str, str, bytes]]:
        """(kind, what is wrong, message) of what was not taken, oldest first."""
        with self._reading():
            return list(self._connection.execute("SELECT kind, detail, message FROM evidence ORDER BY number"))

    def close(self) -> None:
        with self._lock:
            self._connection.close()

    # Inside

    def _range(self, size: int) -> CompactRange:
        """The tree at ``size``. The largest asked for is remembered: a ledger never changes below it, and what is
        sent is asked for again when its cosignature comes."""
        if self._tree.size == size:
            return self._tree
        found = compact_range(self.subtree, size)
        if size > self._tree.size:
            self._tree = found
        return found

    @contextlib.contextmanager
    def _reading(self) -> Iterator[None]:
        with self._lock:
            try:
                yield
            except sqlite3.Error as error:
                raise _named(self.path, error) from error

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        """One write transaction: committed at the end, or undone whole whatever went wrong."""
        with self._lock:
            try:
                self._connection.execute("BEGIN IMMEDIATE")
                yield
                self._connection.execute("COMMIT")
            except sqlite3.Error as error:
                self._undo()
                raise _named(self.path, error) from error
            except BaseException:
                self._undo()
                raise

    @contextlib.contextmanager
    def _unsynced_transaction(self) -> Iterator[None]:
        with self._lock:
            self._connection.execute("PRAGMA synchronous = NORMAL")
            try:
                with self._transaction():
                    yield
            finally:
                self._connection.execute("PRAGMA synchronous = FULL")

    def _undo(self) -> None:
        # After some disk errors SQLite has rolled back by itself; then there is nothing to undo.
        if self._connection.in_transaction:
            with contextlib.suppress(sqlite3.Error):
                self._connection.execute("ROLLBACK")
        if self._connection.in_transaction:
            self._connection.close()
            self._connection = connect(self.path)


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
        raise _named(path, error) from error
    return connection


def create(path: Path, identity: Identity, encode: Callable[[int], Sequence[bytes]]) -> None:
    """Make a ledger with its first lines. It appears under its name only when it is whole and on disk."""
    growing = path.with_suffix(".new")
    growing.unlink(missing_ok=True)
    try:
        database = sqlite_utils.Database(growing)
        database.enable_wal()
        _make_tables(database, identity)
        database.conn.close()
        file = LedgerFile(growing)
        file.append(encode)
        file.close()  # the last connection: it moves the WAL into the file and syncs it
        growing.replace(path)
        sync_directory(path.parent)
    except (sqlite3.Error, OSError) as error:
        raise LedgerUnwritable(path, str(error)) from error


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


def _named(path: Path, error: sqlite3.Error) -> LedgerDamaged | LedgerUnwritable:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in _DAMAGED:
        return LedgerDamaged(path, str(error))
    if code == sqlite3.SQLITE_BUSY:
        return LedgerUnwritable(
            path, f"another process has kept it locked for {BUSY_TIMEOUT_S:g} s; stop that one"
        )
    return LedgerUnwritable(path, str(error))

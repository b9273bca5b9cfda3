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
import re
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from .durable import sync_directory
from .errors import LedgerDamaged, LedgerPruned, LedgerUncosigned, LedgerUnwritable
from .ledger_database import FORMAT, TABLES, Identity, connect, make, named
from .merkle import HASH_BYTES, CompactRange, compact_range, subtree_place
from .once import Once, check, take

SUFFIX = ".sqlite3"
GROWING = ".new"
_UNFINISHED = re.compile(r"[0-9a-f]{16}(\.branch)?\.new(-wal|-shm|-journal)?")
EVIDENCE_ROWS_MAX = 1000
PAGE_LINES = 1000
MAX_SEQUENCE = 2**62


@dataclass(frozen=True, slots=True)
class Succession:
    """This ledger is closed: which one takes over (empty until it is made), from which size on, and why."""

    id: str
    size: int
    reason: str


@dataclass(frozen=True, slots=True)
class Pruning:
    """Lines that were given up together: all written before ``before_us``, all behind that cosigned checkpoint."""

    pruned_us: int
    before_us: int
    lines: int
    cosigned_size: int
    cosigned: str


class LedgerClosed(Exception):
    """An append to a ledger that another one has succeeded; internal to ``sync``: the chain has moved on."""


class LedgerFile:
    """An open ledger. Safe to use from many threads; any number of processes may have the same file open."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.RLock()
        self._connection = connect(path)
        self.identity = self._read_identity()
        self._tree = CompactRange()

    @property
    def id(self) -> str:
        return self.identity.id

    # Writing

    def append(self, encode: Callable[[int], Sequence[bytes]], *, once: Once | None = None) -> None:
        """Append the lines that ``encode(size so far)`` returns, in one transaction; on disk when it returns.

        Raises ``LedgerClosed``, ``LedgerUnwritable``, ``GivenBefore`` or whatever ``encode`` raises; then nothing
        was written.
        """
        with self._transaction():
            size, successor = self._connection.execute(
                "SELECT (SELECT max(sequence) FROM line), (SELECT successor FROM ledger)"
            ).fetchone()
            if successor is not None:
                raise LedgerClosed
            if once is not None:
                take(self._connection, once)
            tree = self._range(size or 0)
            lines = encode(tree.size)
            grown, completed = tree.extended(lines)
            # SQLite numbers the rows itself, one after the largest: a tenth less work than being told the number.
            self._connection.executemany(
                "INSERT INTO line (line, subtrees) VALUES (?, ?)", zip(lines, completed, strict=True)
            )
        self._tree = grown

    def close_at(self, size: int, reason: str) -> None:
        """Close this ledger for ever: its first ``size`` lines count. Does nothing if it is closed already."""
        with self._transaction():
            if self.succession() is None:
                self._succeeded(Succession("", size, reason))

    def hand_over(self, make: Callable[[Succession], str]) -> None:
        """Name the successor of this closed ledger, whose id ``make`` returns. In the meantime nobody else writes
        this file, in any process."""
        with self._transaction():
            succession = self.succession()
            if succession is None:
                raise LedgerDamaged(self.path, "it was to be handed over, but is not closed")
            self._succeeded(replace(succession, id=make(succession)))

    def note_successor(self, by: Succession) -> None:
        """See to it that this ledger says which one follows it."""
        found = self.succession()
        if found is None or found.id != by.id:
            with self._transaction():
                self._succeeded(by)

    def prune(self, sequences: Sequence[int], *, before_us: int, now_us: int) -> None:
        """Give up the bytes of these lines; their hashes stay, so that every proof of other lines can be made.

        Raises ``LedgerUncosigned`` if headquarters has not cosigned one of them; then nothing is given up.
        """
        if not sequences:
            return
        with self._transaction():
            size, note = self.cosigned()
            if max(sequences) > size:
                raise LedgerUncosigned(self.path, max(sequences), size)
            read = "SELECT sequence, subtrees FROM line WHERE sequence = ?"
            hashes = [self._connection.execute(read, (one,)).fetchone() for one in sequences]
            # An UPDATE would leave every page nearly empty; rows that are taken out and put in anew share pages.
            self._connection.executemany("DELETE FROM line WHERE sequence = ?", [(one,) for one in sequences])
            self._connection.executemany("INSERT INTO line (sequence, line, subtrees) VALUES (?, x'', ?)", hashes)
            self._connection.execute(
                "INSERT INTO pruning (pruned_us, before_us, lines, cosigned_size, cosigned) "
                "VALUES (?, ?, ?, ?, ?)",
                (now_us, before_us, len(sequences), size, note),
            )

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

    # Reading

    def size(self) -> int:
        """How many lines there are."""
        with self._reading():
            return int(self._connection.execute("SELECT coalesce(max(sequence), 0) FROM line").fetchone()[0])

    def lines(self, first: int, count: int) -> list[bytes]:
        """Exact bytes of up to ``count`` lines from sequence ``first`` on; sequences count from 1.

        Raises ``LedgerPruned`` when one of them is no longer kept.
        """
        rows = self.rows(first, count)
        for sequence, line, _ in rows:
            if not line:
                raise LedgerPruned(self.path, sequence)
        return [line for _, line, _ in rows]

    def all_lines(self, first: int = 1, last: int | None = None) -> Iterator[bytes]:
        """The lines that are kept from ``first`` to ``last`` (by default the last there is when reached), page by
        page."""
        while True:
            with self._reading():
                page = self._connection.execute(
                    "SELECT sequence, line FROM line WHERE sequence >= ? AND sequence <= ? AND length(line) > 0 "
                    "ORDER BY sequence LIMIT ?",
                    (first, MAX_SEQUENCE if last is None else last, PAGE_LINES),
                ).fetchall()
            for _, line in page:
                yield line
            if len(page) < PAGE_LINES:
                return
            first = page[-1][0] + 1

    def rows(self, first: int, count: int) -> list[tuple[int, bytes, bytes]]:
        """(sequence, line, hashes of the subtrees that it completes) of up to ``count`` lines from ``first`` on;
        the line is empty when it is pruned."""
        with self._reading():
            return self._connection.execute(
                "SELECT sequence, line, subtrees FROM line WHERE sequence >= ? AND sequence < ? ORDER BY sequence",
                (first, first + count),
            ).fetchall()

    def all_rows(self, last: int) -> Iterator[tuple[int, bytes, bytes]]:
        """The rows up to ``last``, page by page."""
        for first in range(1, last + 1, PAGE_LINES):
            yield from self.rows(first, min(PAGE_LINES, last - first + 1))

    def subtree(self, level: int, index: int) -> bytes:
        """The stored hash of a perfect subtree (``merkle.Subtree``); ``LedgerDamaged`` if it is not there."""
        sequence, offset = subtree_place(level, index)
        with self._reading():
            row = self._connection.execute(
                "SELECT substr(subtrees, ?, ?) FROM line WHERE sequence = ?", (offset + 1, HASH_BYTES, sequence)
            ).fetchone()
        if row is None or len(row[0] or b"") != HASH_BYTES:
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

    def check_once(self, once: Once) -> None:
        """Raises ``GivenBefore`` if an append with it would."""
        with self._reading():
            check(self._connection, once)

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

    def prunings(self) -> list[Pruning]:
        """When what was pruned, oldest first."""
        with self._reading():
            rows = self._connection.execute(
                "SELECT pruned_us, before_us, lines, cosigned_size, cosigned FROM pruning ORDER BY number"
            )
            return [Pruning(*row) for row in rows]

    def integrity(self) -> list[str]:
        """Tables that are not there, and what SQLite finds wrong with its own pages and indexes; it reads the
        whole file."""
        with self._reading():
            there = {name for (name,) in self._connection.execute("SELECT name FROM sqlite_master")}
            found = [str(row[0]) for row in self._connection.execute("PRAGMA integrity_check")]
        missing = [f"the table {name} is missing" for name in TABLES if name not in there]
        return missing + ([] if found == ["ok"] else found)

    def close(self) -> None:
        with self._lock:
            self._connection.close()

    # Inside

    def _succeeded(self, by: Succession) -> None:
        statement = "UPDATE ledger SET successor = ?, successor_size = ?, successor_reason = ?"
        self._connection.execute(statement, (by.id, by.size, by.reason))

    def _read_identity(self) -> Identity:
        with self._reading():
            cursor = self._connection.execute("SELECT * FROM ledger")
            found = cursor.fetchone()
        if found is None:
            raise LedgerDamaged(self.path, "the file says nothing about which ledger it is")
        row = dict(zip((column[0] for column in cursor.description), found, strict=True))
        if row["format"] != FORMAT:
            raise LedgerDamaged(
                self.path, f"the file has format {row['format']}, this version of fourmusts reads format {FORMAT}"
            )
        return Identity(**{name: row[name] for name in Identity.__dataclass_fields__})

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
                raise named(self.path, error) from error

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
                if getattr(error, "sqlite_errorcode", 0) == sqlite3.SQLITE_IOERR_FSYNC:
                    self._overwrite()
                raise named(self.path, error) from error
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

    def _overwrite(self) -> None:
        """After a commit whose fsync failed. SQLite has taken it back for all who have the file open, but it
        stands in the WAL and would count for who opens the file after a kill. Another commit takes its place."""
        with contextlib.suppress(sqlite3.Error):
            (number,) = self._connection.execute("PRAGMA user_version").fetchone()
            self._connection.execute(f"PRAGMA user_version = {1 - number}")


def create(path: Path, identity: Identity, encode: Callable[[int], Sequence[bytes]]) -> None:
    """Make a ledger with its first lines. It appears under its name only when it is whole and on disk."""
    growing = path.with_suffix(GROWING)
    try:
        for left in path.parent.glob(f"*{GROWING}*"):
            if _UNFINISHED.fullmatch(left.name):
                left.unlink(missing_ok=True)
        make(growing, identity)
        with contextlib.closing(LedgerFile(growing)) as file:
            file.append(encode)
        # Its last connection is closed: that moved the WAL into the file and synced it.
        growing.replace(path)
        sync_directory(path.parent)
    except (sqlite3.Error, OSError) as error:
        raise LedgerUnwritable(path, str(error)) from error

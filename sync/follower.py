"""Reading a ledger as it grows, from any process, without being told by anybody."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from custody.events import Event, parse_line

from .bell import Bell
from .errors import LedgerUnwritable
from .ledger_database import connect
from .ledger_file import MAX_SEQUENCE, LedgerFile

POLL_S = 0.02
"""How long a new event may go unnoticed where nobody rings (see ``bell``)."""
POLL_LINES_MAX = 10_000
"""Most events that one ``poll`` returns; what is left comes with the next, at once."""

Spans = Callable[[], Sequence[tuple[LedgerFile, int | None]]]


class Follower:
    """Delivers every event that the ledger keeps once, in order, over the chain. Belongs to one thread.

    ``PRAGMA data_version`` says for a few microseconds whether anyone else has written; only then lines are read.
    """

    def __init__(self, bell: Path, spans: Spans, *, from_start: bool) -> None:
        self._spans = spans
        self._bell = Bell(bell)
        chain = spans()
        self._file = chain[0][0] if from_start else chain[-1][0]
        self._read = 0 if from_start else self._file.size()
        self._connection = connect(self._file.path)
        self._version: int | None = None
        self._had: set[str] = set()
        """Ids of moved lines that were delivered already from the ledger where they stood first."""

    def poll(self) -> list[Event]:
        """What is new, or an empty list; at most ``POLL_LINES_MAX`` events. Never waits.

        Raises ``LedgerUnwritable`` when the file cannot be read.
        """
        self._bell.hush()
        try:
            return self._poll()
        except sqlite3.Error as error:
            raise LedgerUnwritable(self._file.path, f"reading failed: {error}") from error

    def wait(self, timeout_s: float) -> list[Event]:
        """What is new, waiting for it up to ``timeout_s`` real seconds."""
        ends_s = time.monotonic() + timeout_s
        while True:
            found = self.poll()
            left_s = ends_s - time.monotonic()
            if found or left_s <= 0:
                return found
            self._bell.wait(min(left_s, POLL_S))

    def fileno(self) -> int | None:
        """A descriptor that becomes readable when there may be something new; ``None`` if polling must do."""
        return self._bell.fileno()

    def close(self) -> None:
        self._connection.close()
        self._bell.close()

    def _poll(self) -> list[Event]:
        version = self._connection.execute("PRAGMA data_version").fetchone()[0]
        if version == self._version:
            return []
        found: list[Event] = []
        while len(found) < POLL_LINES_MAX:
            # Asked before reading: lines that appear in between are read, a later closing is seen next time.
            (last,) = self._connection.execute("SELECT successor_size FROM ledger").fetchone()
            room = POLL_LINES_MAX - len(found)
            read, events = self._lines(room, last)
            found += events
            if read == room:
                break
            if last is None:
                self._version = version
                break
            self._go_on(last)
            version = self._connection.execute("PRAGMA data_version").fetchone()[0]
        return found

    def _lines(self, room: int, last: int | None) -> tuple[int, list[Event]]:
        """(how many lines were read, those of them that were not delivered before)"""
        rows = self._connection.execute(
            "SELECT sequence, line FROM line WHERE sequence > ? AND sequence <= ? AND length(line) > 0 "
            "ORDER BY sequence LIMIT ?",
            (self._read, MAX_SEQUENCE if last is None else last, room),
        ).fetchall()
        if rows:
            self._read = rows[-1][0]
        events = [parse_line(row[1]) for row in rows]
        return len(rows), [event for event in events if event.id not in self._had]

    def _go_on(self, last: int) -> None:
        """To the ledger that took over. It holds again what stood in this one beyond ``last``."""
        beyond = self._connection.execute(
            "SELECT line FROM line WHERE sequence > ? AND sequence <= ? AND length(line) > 0", (last, self._read)
        )
        self._had |= {parse_line(row[0]).id for row in beyond}
        self._connection.close()
        self._file = next(file for file, _ in self._spans() if file.identity.follows == self._file.id)
        self._connection = connect(self._file.path)
        self._read = 0

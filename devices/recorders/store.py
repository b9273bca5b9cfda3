"""The index of stored segments: SQLite beside the files that it speaks of.

A row is written only after its file and the file's folder are on disk; so a row promises a file. The index itself
can be lost: whatever lies in the folders without a row is read again, packet by packet, when the recorder starts.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from typing import Any

import sqlite_utils

from custody.intervals import Interval

from .base import RecorderError

INDEX_NAME = "index.sqlite3"
BUSY_TIMEOUT_S = 10.0


@dataclass(frozen=True)
class Segment:
    """One stored file. ``sequence`` counts a camera's segments; two of one ``run`` whose numbers follow each other
    join without a hole. Times are UTC microseconds, from packets.
    """

    camera: str
    sequence: int
    run: str
    file: str
    """Relative to the recordings' folder."""
    start_us: int
    end_us: int
    packets: int
    key_frames: int
    longest_gap_us: int
    sound_packets: int
    bytes: int
    sha256: str
    ended: str
    """Why it ended: full, cut for an audit, lost, stopped, the clock was stepped, recovered …"""


@dataclass(frozen=True)
class Spans:
    picture: tuple[Interval, ...]
    sound: tuple[Interval, ...]


_COLUMNS = [field.name for field in fields(Segment)]
_NAMES = ", ".join(_COLUMNS)


class SegmentStore:
    """The recordings of a zone in ``directory``. Any number of processes and threads may use it at once.

    Raises ``RecorderError`` when the folder or its index cannot be used.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._lock = threading.Lock()
        try:
            directory.mkdir(parents=True, exist_ok=True)
            self._connection = sqlite3.connect(
                directory / INDEX_NAME, timeout=BUSY_TIMEOUT_S, check_same_thread=False, isolation_level=None
            )
            # NORMAL may forget the last rows in a power cut; their files are then found again: FULL buys nothing.
            self._connection.execute("PRAGMA journal_mode=WAL")
            self._connection.execute("PRAGMA synchronous=NORMAL")
            self._define(sqlite_utils.Database(self._connection))
        except (OSError, sqlite3.Error) as error:
            mend = "check that it is mounted and writable; a damaged index may be removed, it is made anew"
            raise RecorderError(f"{directory / INDEX_NAME} cannot be used: {error}; {mend}") from error

    def _define(self, db: sqlite_utils.Database) -> None:
        kinds = {"str": str, "int": int}
        columns = {field.name: kinds[str(field.type)] for field in fields(Segment)}
        keys = ("camera", "sequence")
        db.table("segment").create(columns, pk=keys, not_null=set(columns), if_not_exists=True)
        db.table("segment").create_index(["camera", "start_us"], if_not_exists=True)
        spans = {"camera": str, "sequence": int, "track": str, "start_us": int, "end_us": int}
        db.table("span").create(spans, not_null=set(spans), if_not_exists=True)
        db.table("span").create_index(list(keys), if_not_exists=True)

    def close(self) -> None:
        self._connection.close()

    def add(self, segment: Segment, spans: Spans) -> None:
        """Index a segment whose file is safely on disk, or replace what was said of it."""
        rows = [("picture", *interval) for interval in spans.picture] + [("sound", *part) for part in spans.sound]
        marks = ",".join("?" * len(_COLUMNS))
        key = (segment.camera, segment.sequence)
        with self._transaction() as cursor:
            cursor.execute(f"INSERT OR REPLACE INTO segment ({_NAMES}) VALUES ({marks})", astuple(segment))
            cursor.execute("DELETE FROM span WHERE camera = ? AND sequence = ?", key)
            cursor.executemany("INSERT INTO span VALUES (?, ?, ?, ?, ?)", [(*key, *row) for row in rows])

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Cursor]:
        with self._lock:
            cursor = self._connection.cursor()
            cursor.execute("BEGIN IMMEDIATE")
            try:
                yield cursor
                cursor.execute("COMMIT")
            except BaseException:
                cursor.execute("ROLLBACK")
                raise

    def _rows(self, sql: str, values: tuple[object, ...]) -> list[tuple[Any, ...]]:
        with self._lock:
            return self._connection.execute(sql, values).fetchall()

    def segments(self, camera: str, start_us: int, end_us: int) -> list[Segment]:
        """Those that overlap [start, end), by sequence."""
        where = "camera = ? AND start_us < ? AND end_us > ? ORDER BY sequence"
        rows = self._rows(f"SELECT {_NAMES} FROM segment WHERE {where}", (camera, end_us, start_us))
        return [Segment(*row) for row in rows]

    def spans(self, segment: Segment) -> Spans:
        sql = "SELECT track, start_us, end_us FROM span WHERE camera = ? AND sequence = ? ORDER BY start_us"
        rows = self._rows(sql, (segment.camera, segment.sequence))
        picture = tuple((start, end) for track, start, end in rows if track == "picture")
        return Spans(picture, tuple((start, end) for track, start, end in rows if track == "sound"))

    def next_sequence(self, camera: str) -> int:
        rows = self._rows("SELECT max(sequence) FROM segment WHERE camera = ?", (camera,))
        return int(rows[0][0] or 0) + 1

    def files(self, camera: str) -> set[str]:
        return {row[0] for row in self._rows("SELECT file FROM segment WHERE camera = ?", (camera,))}

"""What the tests of the ledger and of the road to headquarters share."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from broker_processes import EmbeddedAmqtt, Mosquitto

from config.clock import ManualClock
from custody.events import parse_line
from sync import keys
from sync.ledger import Ledger
from sync.merkle import CompactRange
from sync.note import KeyType, SigningKey
from sync.store import Head

TABLES = """
    CREATE TABLE log (zone TEXT, log TEXT, size INT, edge BLOB, checkpoint TEXT, PRIMARY KEY (zone, log));
    CREATE TABLE line (zone TEXT, log TEXT, sequence INT, line BLOB, PRIMARY KEY (zone, log, sequence));
    CREATE TABLE event (id TEXT PRIMARY KEY, zone TEXT, log TEXT, sequence INT);
    CREATE TABLE evidence (zone TEXT, log TEXT, kind TEXT, detail TEXT, message BLOB);
"""


class SqliteStore:
    """A ``LogStore`` in one SQLite database: the least that keeps its promises."""

    def __init__(self, path: str | Path = ":memory:") -> None:
        self._lock = threading.RLock()
        self.database = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self.database.execute("PRAGMA journal_mode = WAL")
        self.database.execute("PRAGMA synchronous = FULL")
        if not self.rows("SELECT name FROM sqlite_master"):
            self.database.executescript(TABLES)

    def rows(self, query: str, *values: object) -> list[tuple[object, ...]]:
        with self._lock:
            return self.database.execute(query, values).fetchall()

    def head(self, zone: str, log: str) -> Head:
        with self._lock:
            row = self.database.execute(
                "SELECT size, edge, checkpoint FROM log WHERE zone = ? AND log = ?", (zone, log)
            ).fetchone()
        if row is None:
            return Head(0, (), "")
        return Head(row[0], tuple(row[1][at : at + 32] for at in range(0, len(row[1]), 32)), row[2])

    def lines(self, zone: str, log: str, first: int, count: int) -> list[bytes]:
        query = (
            "SELECT line FROM line WHERE zone = ? AND log = ? AND sequence >= ? AND sequence < ? ORDER BY sequence"
        )
        with self._lock:
            return [row[0] for row in self.database.execute(query, (zone, log, first, first + count))]

    def subtree(self, zone: str, log: str, level: int, index: int) -> bytes:
        lines = self.lines(zone, log, (index << level) + 1, 1 << level)
        assert len(lines) == 1 << level
        return CompactRange().extended(lines)[0].root()

    def advance(self, zone: str, log: str, *, known_size: int, head: Head, lines: Sequence[bytes]) -> bool:
        with self._lock:
            self.database.execute("BEGIN IMMEDIATE")
            try:
                if self.head(zone, log).size != known_size:
                    self.database.execute("ROLLBACK")
                    return False
                self.database.execute(
                    "INSERT OR REPLACE INTO log VALUES (?, ?, ?, ?, ?)",
                    (zone, log, head.size, b"".join(head.edge), head.checkpoint),
                )
                for sequence, line in enumerate(lines, known_size + 1):
                    self.database.execute("INSERT INTO line VALUES (?, ?, ?, ?)", (zone, log, sequence, line))
                    self.database.execute(
                        "INSERT OR IGNORE INTO event VALUES (?, ?, ?, ?)",
                        (parse_line(line).id, zone, log, sequence),
                    )
                self.database.execute("COMMIT")
            except BaseException:
                self.database.execute("ROLLBACK")
                raise
        return True

    def keep_evidence(self, zone: str, log: str | None, kind: str, detail: str, message: bytes) -> None:
        with self._lock:
            self.database.execute(
                "INSERT INTO evidence VALUES (?, ?, ?, ?, ?)", (zone, log, kind, detail, message)
            )

    def event_ids(self, zone: str) -> set[object]:
        """Every event of a zone, counted once."""
        return {row[0] for row in self.rows("SELECT id FROM event WHERE zone = ?", zone)}

    def evidence_kinds(self) -> list[object]:
        return [row[0] for row in self.rows("SELECT kind FROM evidence")]

    def image(self) -> sqlite3.Connection:
        """The whole database as it is now, as a backup has it."""
        image = sqlite3.connect(":memory:", check_same_thread=False)
        with self._lock:
            self.database.backup(image)
        return image

    def restore(self, image: sqlite3.Connection) -> None:
        with self._lock:
            image.backup(self.database)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def ledger(tmp_path: Path, clock: ManualClock) -> Iterator[Ledger]:
    made = Ledger.create(tmp_path / "ledger", zone="nz01", deployment="test", clock=clock)
    yield made
    made.close()


@pytest.fixture
def new_store() -> Callable[..., SqliteStore]:
    return SqliteStore


@pytest.fixture(scope="session")
def zone_key() -> SigningKey:
    return SigningKey.generate("test/nz01", KeyType.NOTE)


@pytest.fixture(scope="session")
def headquarters_key() -> SigningKey:
    return SigningKey.generate("test/hq", KeyType.COSIGNATURE)


def until(condition: Callable[[], object], what: str, timeout_s: float = 60.0) -> None:
    """Wait until ``condition`` holds; it fails with ``what`` when that takes too long."""
    ends_s = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < ends_s, what
        time.sleep(0.005)


@pytest.fixture(name="until")
def until_fixture() -> Callable[..., None]:
    return until


@pytest.fixture(scope="session")
def deployment_keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Certificates and keys as ``fourmusts keys`` makes them: authority, broker, hq, nz01, nz02."""
    directory = tmp_path_factory.mktemp("keys")
    authority = directory / "authority"
    keys.make_authority(authority, "test")
    keys.make_broker(authority, directory / "broker", ["localhost", "127.0.0.1"])
    keys.make_headquarters(authority, directory / "hq", "test")
    for zone in ("nz01", "nz02"):
        keys.make_zone_certificate(authority, directory / zone, zone)
        keys.make_zone_key(directory / zone, "test", zone)
    keys.make_reader(authority, directory / "feed")
    return directory


@pytest.fixture
def mosquitto(tmp_path: Path, deployment_keys: Path) -> Iterator[Mosquitto]:
    broker = Mosquitto(tmp_path / "broker", deployment_keys)
    broker.start()
    yield broker
    broker.stop()


@pytest.fixture
def amqtt(tmp_path: Path, deployment_keys: Path) -> Iterator[EmbeddedAmqtt]:
    """A broker where everyone may say everything."""
    broker = EmbeddedAmqtt(tmp_path / "amqtt", deployment_keys)
    broker.start()
    yield broker
    broker.stop()

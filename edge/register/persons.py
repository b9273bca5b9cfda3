"""Who the people are: encrypted, at the zone, off the ledger, and destructible.

The ledger is for ever, so it holds no name and no number of anybody. It holds a commitment to a record::

    sha256:<hex of SHA-256(salt ‖ canonical JSON of the record)>

The salt (16 random bytes) lies with the record, sealed: who has only the ledger cannot try names against it,
and with the record destroyed nobody can. A record shown later can be proven to be the one that was meant.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import sqlite3
import threading
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from .errors import PersonKeyBroken, PersonRecordBroken

KEY_FILE = "persons.key"
DATABASE_FILE = "persons.sqlite3"
KEY_BYTES = 32
NONCE_BYTES = 12
SALT_BYTES = 16
RECORD_BYTES_MAX = 256 * 1024


class Paper(StrEnum):
    """What a record is about; each has its own commitment in the ledger."""

    IDENTITY = "identity"
    HEALTH = "health"
    PROPERTY = "property"


def create_key(path: Path) -> None:
    """Make the key of the persons' records, readable by its owner alone. An existing key is never replaced:
    that would lose every record. Raises ``FileExistsError``.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(secrets.token_bytes(KEY_BYTES).hex().encode() + b"\n")
        file.flush()
        os.fsync(file.fileno())


def read_key(path: Path) -> bytes:
    """The key in the file. Raises ``PersonKeyBroken`` when it is absent, open to others, or no key."""
    try:
        mode = path.stat().st_mode
        text = path.read_text().strip()
    except FileNotFoundError:
        raise PersonKeyBroken(
            path, "it does not exist", "run `fourmusts init`, or restore it from its backup"
        ) from None
    if mode & 0o077:
        raise PersonKeyBroken(path, f"others may read it (mode {mode & 0o777:o})", f"run `chmod 600 {path}`")
    try:
        key = bytes.fromhex(text)
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        raise PersonKeyBroken(path, f"it is not {2 * KEY_BYTES} hexadecimal digits", "restore it from its backup")
    return key


def commitment(salt: bytes, record: Mapping[str, Any]) -> str:
    """The commitment that the ledger holds."""
    canonical = orjson.dumps(dict(record), option=orjson.OPT_SORT_KEYS)
    return "sha256:" + hashlib.sha256(salt + canonical).hexdigest()


class Persons:
    """The records of persons in one SQLite file, each sealed with AES-256-GCM. Safe to share between threads.

    The stay and the paper are bound into the seal: a row moved to another stay does not open.
    """

    def __init__(self, file: Path, key: bytes) -> None:
        self._seal = AESGCM(key)
        self._lock = threading.Lock()
        file.parent.mkdir(parents=True, exist_ok=True)
        self._connection = sqlite3.connect(file, check_same_thread=False, isolation_level=None)
        file.chmod(0o600)
        # No WAL: a destroyed record must not survive in a log beside the database.
        self._connection.execute("PRAGMA journal_mode = DELETE")
        self._connection.execute("PRAGMA secure_delete = ON")
        self._connection.execute("PRAGMA synchronous = FULL")
        self._connection.execute(
            "CREATE TABLE IF NOT EXISTS record ("
            " stay TEXT NOT NULL, paper TEXT NOT NULL, commitment TEXT NOT NULL, sealed BLOB NOT NULL,"
            " PRIMARY KEY (stay, paper, commitment)) STRICT"
        )

    @classmethod
    def open(cls, state_dir: Path, keys_dir: Path) -> Persons:
        """The records of a zone. Raises ``PersonKeyBroken``."""
        return cls(state_dir / DATABASE_FILE, read_key(keys_dir / KEY_FILE))

    def keep(self, stay: str, paper: Paper, record: Mapping[str, Any]) -> str:
        """Seal and store a record; the earlier ones of that paper stay. Returns its commitment."""
        salt = secrets.token_bytes(SALT_BYTES)
        plain = salt + orjson.dumps(dict(record), option=orjson.OPT_SORT_KEYS)
        if len(plain) > RECORD_BYTES_MAX:
            raise PersonRecordBroken(
                stay, paper, f"it has {len(plain)} bytes, at most {RECORD_BYTES_MAX} are kept"
            )
        nonce = secrets.token_bytes(NONCE_BYTES)
        sealed = nonce + self._seal.encrypt(nonce, plain, _bound(stay, paper))
        committed = commitment(salt, record)
        with self._lock:
            self._connection.execute("INSERT INTO record VALUES (?, ?, ?, ?)", (stay, paper, committed, sealed))
        return committed

    def read(self, stay: str, paper: Paper) -> dict[str, Any] | None:
        """The latest record of that paper; None when there is none, or it was destroyed.

        Raises ``PersonRecordBroken`` when it does not open with this key.
        """
        with self._lock:
            found = self._connection.execute(
                "SELECT commitment, sealed FROM record WHERE stay = ? AND paper = ? ORDER BY rowid DESC LIMIT 1",
                (stay, paper),
            ).fetchone()
        if found is None:
            return None
        committed, sealed = found
        try:
            plain = self._seal.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], _bound(stay, paper))
        except InvalidTag:
            raise PersonRecordBroken(stay, paper, "it was sealed with another key, or it was changed") from None
        record = orjson.loads(plain[SALT_BYTES:])
        if commitment(plain[:SALT_BYTES], record) != committed:
            raise PersonRecordBroken(stay, paper, "it is not what its commitment says")
        assert isinstance(record, dict)
        return record

    def opens(self, stay: str, paper: Paper, committed: str) -> bool:
        """Whether the latest record of that paper is the one that the ledger committed to."""
        with self._lock:
            found = self._connection.execute(
                "SELECT 1 FROM record WHERE stay = ? AND paper = ? AND commitment = ?", (stay, paper, committed)
            ).fetchone()
        return found is not None

    def destroy(self, stay: str) -> int:
        """Destroy every record of a stay; returns how many. The ledger stays whole: it never held them."""
        with self._lock:
            return self._connection.execute("DELETE FROM record WHERE stay = ?", (stay,)).rowcount

    def close(self) -> None:
        with self._lock:
            self._connection.close()


def _bound(stay: str, paper: Paper) -> bytes:
    return f"{stay}/{paper.value}".encode()

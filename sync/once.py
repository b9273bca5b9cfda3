"""Commands that are followed once at most, however often they come and however often the zone is restarted.

A command's nonce is stored in the transaction that writes the command into the ledger: a crash leaves both or
neither. A nonce is forgotten when its command has expired, and the latest expiry that was forgotten is kept: a
clock that was wrong and is set back does not make an old command new.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

NONCES_MAX = 10_000
"""Of commands that have not expired. Headquarters alone can make them, so more is a fault: they are refused."""
_FORGOTTEN = ""
"""In place of a nonce: the latest expiry of those that were forgotten."""


@dataclass(frozen=True, slots=True)
class Once:
    """The nonce of a command, until when it may be given, and now; UTC microseconds."""

    nonce: str
    not_after_us: int
    now_us: int


class GivenBefore(Exception):
    """The line was not written; the text says why. Internal to ``sync``."""


def check(connection: sqlite3.Connection, once: Once) -> None:
    """Raises ``GivenBefore`` for what this ledger has seen, or may have forgotten."""
    (found,) = connection.execute("SELECT count(*) FROM nonce WHERE nonce = ?", (once.nonce,)).fetchone()
    if found or not once.nonce:
        raise GivenBefore("it was given before (its nonce is known)")
    row = connection.execute("SELECT not_after_us FROM nonce WHERE nonce = ?", (_FORGOTTEN,)).fetchone()
    if row is not None and once.not_after_us <= row[0]:
        raise GivenBefore(
            "it may have been given before: commands that were valid as long have expired here already, "
            "so this zone's clock was set back; give it again"
        )


def take(connection: sqlite3.Connection, once: Once) -> None:
    """From now on it is known. Inside the caller's transaction. Raises ``GivenBefore``."""
    check(connection, once)
    going = "FROM nonce WHERE not_after_us < ? OR nonce = ?"
    going_values = (once.now_us, _FORGOTTEN)
    (latest_us,) = connection.execute(f"SELECT max(not_after_us) {going}", going_values).fetchone()
    if latest_us is not None:
        connection.execute(f"DELETE {going}", going_values)
        connection.execute("INSERT INTO nonce VALUES (?, ?)", (_FORGOTTEN, latest_us))
    (known,) = connection.execute("SELECT count(*) FROM nonce WHERE nonce <> ?", (_FORGOTTEN,)).fetchone()
    if known >= NONCES_MAX:
        raise GivenBefore(f"{NONCES_MAX} commands are valid already; wait until some have expired")
    connection.execute("INSERT INTO nonce VALUES (?, ?)", (once.nonce, once.not_after_us))

"""Messages and lines that were not taken as they came."""

from __future__ import annotations

import hashlib

from sqlalchemy import Connection, insert, literal, select, update

from . import schema

MAX_EVIDENCE_BYTES = 128 * 1024
"""Of one bad message: more than the largest good one. What is beyond is cut off, its digest is of the whole."""
MAX_EVIDENCE_A_ZONE = 1000
"""Different bad messages kept of one zone and kind; a zone that sends more has made its point."""
MAX_DETAIL_CHARS = 2000


def keep_evidence(
    connection: Connection, zone: str, log: str | None, kind: str, detail: str, message: bytes, at_us: int
) -> bool:
    """Keep a message inside the caller's transaction; whether it is new. The same one again is only counted."""
    table = schema.evidence
    digest = hashlib.sha256(message).digest()
    same = (table.c.zone == zone, table.c.kind == kind, table.c.digest == digest)
    again = connection.execute(update(table).where(*same).values(times=table.c.times + 1, last_us=at_us))
    if again.rowcount:
        return False
    of_zone = select(literal(1)).where(table.c.zone == zone, table.c.kind == kind)
    if len(connection.execute(of_zone.limit(MAX_EVIDENCE_A_ZONE)).all()) == MAX_EVIDENCE_A_ZONE:
        return False
    text = detail.replace("\0", "")[:MAX_DETAIL_CHARS]  # PostgreSQL takes no NUL in a text
    fields = {"zone": zone, "log": log, "kind": kind, "detail": text, "digest": digest}
    cut = message[:MAX_EVIDENCE_BYTES]
    connection.execute(
        insert(table).values(**fields, message=cut, first_us=at_us, last_us=at_us, times=1),
    )
    return True

"""Reading a line of a zone's ledger as headquarters does: nothing in it may stop the stream."""

from __future__ import annotations

import re
from typing import Any

from custody.events import Event, MalformedLine, SchemaBroken, check_data, parse_line

OURS_TO_WRITE = (
    "finding.",
    "notice.",
    "order.issued",
    "order.closed",
    "checkpoint.",
    "ledger.fork",
    "ledger.rollback",
)
"""Types that only headquarters writes: a zone that could write them could excuse itself."""

_ID = re.compile(r"[\x21-\x7e]{1,64}")
_TYPE = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*")  # it becomes an MQTT topic: no wildcards, no separators
_STAY = re.compile(r"[0-9a-z]{1,23}-[0-9]{8}-[0-9]{3}")
MAX_TYPE_CHARS = 64


def stay_of(data: dict[str, Any]) -> str | None:
    """The stay that data names, if it names one properly (types that we do not know may say anything)."""
    stay = data.get("stay")
    return stay if isinstance(stay, str) and _STAY.fullmatch(stay) else None


def read_line(zone: str, log: str, seq: int, line: bytes) -> tuple[Event | None, str | None]:
    """(the event, what is wrong with it): a sound line has no flaw; without an envelope there is no event.

    A line is hashed where it stands, whatever it says; but only a sound one is judged and published.
    """
    try:
        event = parse_line(line)
    except MalformedLine as error:
        return None, f"no event: {error}"
    claimed = (event.zone, event.ledger, event.sequence)
    if claimed != (zone, log, seq):
        return event, f"claims the place {'/'.join(map(str, claimed))}, but stands at {zone}/{log}/{seq}"
    if not _ID.fullmatch(event.id):
        return event, "its id is not 1 to 64 printable ASCII characters"
    if not _TYPE.fullmatch(event.type) or len(event.type) > MAX_TYPE_CHARS:
        return event, "its type is not words of letters, digits, - and _ joined by dots, at most 64 characters"
    if event.type.startswith(OURS_TO_WRITE):
        return event, f"{event.type} is headquarters' to write, not a zone's"
    try:
        check_data(event.type, event.data)
    except SchemaBroken as error:
        return event, f"breaks the schema: {error}"
    return event, None

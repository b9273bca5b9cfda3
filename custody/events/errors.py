"""What can be wrong with an event."""

from __future__ import annotations

from ..errors import FourmustsError


class EventError(FourmustsError, ValueError):
    """An event that cannot be taken as it is."""


class MalformedLine(EventError):
    """A line that is no event at all: not JSON, or without the envelope of events.md."""


class SchemaBroken(EventError):
    """An event whose ``data`` breaks the schema of its type."""

    def __init__(self, type_: str, detail: str) -> None:
        super().__init__(f"{type_}: {detail}; the fields of each type are in docs/schema/{type_}.json")
        self.type = type_

"""The lines of the last good heartbeats, should one of them be corrected, or its id come again in another line."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

import orjson

from .events import Event, parse_line


class Recent:
    """Lines by id: the last ``keep`` surely, never more than twice as many.

    Hardly ever is one asked for, so their ids are not read before.
    """

    __slots__ = ("_lines", "_unread", "keep")

    def __init__(self, keep: int) -> None:
        self.keep = keep
        self._lines: dict[str, bytes] = {}
        self._unread: list[bytes] = []

    def put(self, lines: Iterable[bytes]) -> None:
        """Lines of events, later than those here and of other ids."""
        self._unread.extend(lines)
        if len(self._lines) + len(self._unread) > 2 * self.keep:
            self._forget_older()

    def keep_from_now(self, count: int) -> None:
        """Keep that many surely."""
        self.keep = count
        self.put(())

    def _forget_older(self) -> None:
        older = len(self._lines) + len(self._unread) - self.keep
        del self._unread[: max(0, older - len(self._lines))]
        self._lines = dict(islice(self._lines.items(), older, None))

    def get(self, id_: str) -> Event | None:
        line = self._read().get(id_)
        return None if line is None else parse_line(line)

    def __contains__(self, id_: str) -> bool:
        return id_ in self._read()

    def isdisjoint(self, ids: Iterable[str]) -> bool:
        """Whether no line of these ids is here."""
        return self._read().keys().isdisjoint(ids)

    def remove(self, id_: str) -> None:
        del self._read()[id_]

    def lines(self) -> list[bytes]:
        """All of them, the oldest first."""
        return [*self._lines.values(), *self._unread]

    def _read(self) -> dict[str, bytes]:
        if self._unread:
            self._lines.update((orjson.loads(line)["id"], line) for line in self._unread)
            self._unread.clear()
        return self._lines

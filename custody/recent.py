"""The lines of the last good heartbeats, should one of them be corrected, or its id come again in another line."""

from __future__ import annotations

from collections.abc import Sequence

import orjson

from .events import Event, parse_line
from .shelf import Shelf


class Recent:
    """Lines by id, about the last ``keep`` of them: a generation of so many at least, and the one that grows.

    Hardly ever is one asked for: ids begin with the time, so a new one is mostly higher than any here.
    """

    __slots__ = ("_newer", "_older", "highest", "keep")

    def __init__(self, keep: int) -> None:
        self.keep = keep
        self.highest = ""
        """No id of a line here is higher."""
        self._older, self._newer = _Generation(), _Generation()

    def put(self, lines: Sequence[bytes], highest: str) -> None:
        """Lines of events, later than those here and of other ids, none of them higher than ``highest``."""
        self._newer.put(lines[-self.keep :])
        self.highest = max(self.highest, highest)
        if self._newer.count >= self.keep:
            self._older, self._newer = self._newer, _Generation()

    def keep_from_now(self, count: int) -> None:
        """Keep about that many; more are let go of at once."""
        self.keep = count
        if self._older.count + self._newer.count > 2 * count:
            lines, self._older, self._newer = self.lines(), _Generation(), _Generation()
            self.put(lines, self.highest)

    def get(self, id_: str) -> Event | None:
        generation = self._with(id_)
        return None if generation is None else parse_line(generation.get(id_))

    def __contains__(self, id_: str) -> bool:
        return self._with(id_) is not None

    def remove(self, id_: str) -> None:
        generation = self._with(id_)
        if generation is None:
            raise KeyError(id_)
        generation.remove(id_)

    def lines(self) -> list[bytes]:
        """All of them, the oldest first."""
        return [*self._older.lines(), *self._newer.lines()]

    def _with(self, id_: str) -> _Generation | None:
        if id_ > self.highest:
            return None
        return next((one for one in (self._newer, self._older) if id_ in one.places()), None)


class _Generation:
    """Lines on a shelf. Their ids are read when one is asked for, each once."""

    __slots__ = ("_places", "_shelf", "_unread", "count")

    def __init__(self) -> None:
        self.count = 0
        self._shelf = Shelf()
        self._places: dict[str, int] = {}
        self._unread = 0

    def put(self, lines: Sequence[bytes]) -> None:
        self._shelf.put_all(lines)
        self.count += len(lines)

    def places(self) -> dict[str, int]:
        for place, line in self._shelf.since(self._unread):
            self._places[orjson.loads(line)["id"]] = place
            self._unread = place + len(line) + 1
        return self._places

    def get(self, id_: str) -> bytes:
        return self._shelf.get(self.places()[id_])

    def remove(self, id_: str) -> None:
        del self.places()[id_]

    def lines(self) -> list[bytes]:
        if not self._unread:  # so none was removed
            return [line for _, line in self._shelf.since(0)]
        return [self._shelf.get(place) for place in self.places().values()]

"""What a line reads once ``record.corrected`` has replaced some of it (docs/rules.md, "Reading the events")."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from sys import intern
from typing import Any, NamedTuple

from .events import Event, SchemaBroken, parse_line, parse_time
from .facts import Corrected, Fact
from .ledgers import Ledgers
from .reading import read_body
from .shelf import Shelf

NOTHING: frozenset[str] = frozenset()


class Record:
    """One event: the smallest of its lines, and the fact that it makes.

    ``data`` is there until the fact has been read; later it is read again from the line, which takes a fraction
    of the memory.
    """

    __slots__ = (
        "_data",
        "_shelf",
        "fact",
        "id",
        "ledger",
        "line",
        "sequence",
        "stay",
        "targets",
        "time",
        "type",
        "written",
    )

    def __init__(self, event: Event, shelf: Shelf) -> None:
        self.id = event.id
        self.type = intern(event.type)
        self.time = (event.time_us, event.utc_offset_s)
        self.written = event.written_us
        self.ledger = intern(event.ledger)
        self.sequence = event.sequence
        self.line = shelf.put(event.line)
        """Its place on the shelf."""
        self._shelf = shelf
        self._data: dict[str, Any] | None = event.data
        self.fact: Fact | None = None
        stay = event.data.get("stay")
        self.stay = stay if isinstance(stay, str) else ""
        self.targets: frozenset[str] = NOTHING
        """What this corrects, or has ever been read to correct."""

    @property
    def data(self) -> dict[str, Any]:
        if self._data is None:
            self._data = parse_line(self.text()).data
        return self._data

    def text(self) -> bytes:
        """The line itself."""
        return self._shelf.get(self.line)

    def forget_data(self) -> None:
        self._data = None


class Reading(NamedTuple):
    """A line as it is to be read, with the ids of all lines that it rests on."""

    data: dict[str, Any]
    time_us: int
    offset_s: int
    evidence: tuple[str, ...]


class Corrections:
    """Finds the corrections of a line, which may themselves be corrected, and reads the line with them."""

    def __init__(self, records: Mapping[str, Record], ledgers: Ledgers) -> None:
        self._records = records
        self._ledgers = ledgers
        self.by_target: dict[str, set[str]] = {}

    def of(self, id_: str) -> set[str]:
        """The ids of what corrects this line, or was ever read to."""
        return self.by_target.get(id_, set())

    def judged(self, record: Record) -> bool:
        """Whether the line is judged already."""
        return self._ledgers.judged(record.ledger, record.sequence)

    def aim(self, record: Record, target: str) -> None:
        """That record corrects this line."""
        record.targets |= {target}
        self.by_target.setdefault(target, set()).add(record.id)

    def aim_all(self, ids: set[str]) -> None:
        """Let each correction among these be found by what it corrects, should that itself have been corrected."""
        aimed = True
        while aimed:
            aimed = False
            for id_ in ids:
                record = self._records.get(id_)
                if record is None or record.type != "record.corrected" or not self.judged(record):
                    continue
                reading = self.read(record)
                target = None if reading is None else reading.data.get("corrects")
                if isinstance(target, str) and target not in record.targets:
                    self.aim(record, target)
                    aimed = True

    def read(self, record: Record) -> Reading | None:
        """A line as corrected; ``None`` if it is void."""
        return self._read(record, frozenset())

    def _read(self, record: Record, path: frozenset[str]) -> Reading | None:
        """A line as corrected; ``None`` if it is void.

        ``path``: the lines being read already, so that corrections which name each other come to an end.
        """
        data, (time, offset), void = record.data, record.time, False
        evidence = [record.id]
        for correction, body in self._corrections(record, path | {record.id}):
            evidence.append(correction.id)
            if body.fields:
                data = {**data, **body.fields}
            if body.time is not None:
                time, offset = parse_time(body.time)
            if body.void is not None:
                void = body.void
        return None if void else Reading(data, time, offset, tuple(evidence))

    def _corrections(self, record: Record, path: frozenset[str]) -> Iterator[tuple[Record, Corrected]]:
        """The corrections of a line that stand, the last written last."""
        found = []
        for id_ in self.by_target.get(record.id, ()):
            correction = self._records[id_]
            if id_ in path or not self.judged(correction):
                continue
            reading = self._read(correction, path)
            if reading is None:
                continue
            try:
                body = read_body("record.corrected", reading.data)
            except SchemaBroken:
                continue
            if isinstance(body, Corrected) and body.corrects == record.id:
                found.append((self._written(correction), correction, body))
        found.sort(key=lambda one: one[0])
        return ((correction, body) for _, correction, body in found)

    def _written(self, record: Record) -> tuple[int, int, int, str]:
        return (record.written, self._ledgers.ranks[record.ledger], record.sequence, record.id)

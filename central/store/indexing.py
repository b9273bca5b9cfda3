"""Many lines of a zone's ledger, read as ``reading.read_line`` reads each, but sooner.

A zone that was cut off sends its past as fast as headquarters takes it, so what a line costs here decides how
soon everything is known again. Nearly every line stands as a zone writes it (``custody.events.encode_line``):
heartbeats are known by their bytes, many at once; of the others the envelope is read by one expression, and their
data is held against its type once, however often the same door opens. Whatever is not exactly so is left to
``read_line``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import repeat
from typing import Any

import orjson

from custody.events import MODELS, SPEC_VERSION, Event, SchemaBroken, ZoneHeartbeat, check_data, parse_time
from custody.heartbeats import good_heartbeats
from custody.intervals import SECOND

from .accusations import ACCUSERS
from .reading import OURS_TO_WRITE, read_line, stay_of

PLAIN_BYTES_MAX = 1024
"""Of a line that is read here: it cannot nest so deep that its data is JSON by itself but not within the line."""
DATA_REMEMBERED = 4096
_ANY_OFFSET_US = 10 * SECOND
"""Heartbeats are known by their bytes up to here, and to whoever stores them a clock that is off is none of it."""
_PLAIN = {
    type_.encode(): type_ for type_ in MODELS if not type_.startswith(OURS_TO_WRITE) and type_ not in ACCUSERS
}
_TIME = rb'"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}[+-]\d\d:\d\d)"'
_TEXT = rb"[!#-\[\]-~]"  # printable ASCII but for space, quotation mark and backslash
_ENVELOPE = re.compile(
    rb'{"specversion":"%b","id":"(%b{1,64})","source":"/zones/([0-9a-z]{1,23})","type":"([a-z_.]+)",'
    rb'(?:"subject":"%b*",)?"time":%b,(?:"recordedtime":%b,)?"ledger":"([0-9a-f]{16})","sequence":"(\d{12})",'
    rb'"bootid":"%b*","boottime":"\d{1,15}\.\d{6}","data":(?={)'
    % (re.escape(SPEC_VERSION.encode()), _TEXT, _TEXT, _TIME, _TIME, _TEXT)
)

Row = tuple[str, int, str, str | None, int, int]
"""What is indexed of a sound line: id, sequence, type, stay, time, time of writing."""


@dataclass(slots=True)
class Reading:
    """What lines say. Each is sound, or has a flaw."""

    sound: list[Row] = field(default_factory=list)
    flaws: dict[int, str] = field(default_factory=dict)
    """By sequence."""
    accusing: list[Event] = field(default_factory=list)
    """The sound ones that may say: a history is not what it was."""


def read_lines(zone: str, log: str, first: int, lines: Sequence[bytes]) -> Reading:
    """Lines ``first`` and on of a ledger; ``sound`` is in no order."""
    reading = Reading()
    heartbeats = _heartbeats(zone, log, first, lines)
    reading.sound += heartbeats
    known = {row[1] for row in heartbeats}
    place = zone.encode(), log.encode()
    for seq, line in enumerate(lines, first):
        if seq in known:
            continue
        row = _plain(place, seq, line)
        if row is None:
            _read(reading, zone, log, seq, line)
        else:
            reading.sound.append(row)
    return reading


def placed(rows: Iterable[Row], log_key: int, zone: str) -> list[tuple[Any, ...]]:
    """Rows of the table of events, as ``heads.event_row`` makes them."""
    return [
        (id_, log_key, seq, zone, type_, stay, time_us, written_us)
        for id_, seq, type_, stay, time_us, written_us in rows
    ]


def _read(reading: Reading, zone: str, log: str, seq: int, line: bytes) -> None:
    event, flaw = read_line(zone, log, seq, line)
    if flaw is not None:
        reading.flaws[seq] = flaw
    elif event is not None:
        stay = stay_of(event.data)
        reading.sound.append((event.id, seq, event.type, stay, event.time_us, event.written_us))
        if event.type in ACCUSERS:
            reading.accusing.append(event)


def _heartbeats(zone: str, log: str, first: int, lines: Sequence[bytes]) -> list[Row]:
    rows: list[Row] = []
    for run in good_heartbeats(lines, _ANY_OFFSET_US):
        # Each stands where it says, or all are read one by one.
        if (run.zone, run.ledger) == (zone, log) and (run.sequences == run.indexes + first).all():
            written_us = run.written_us.tolist()
            columns = run.sequences.tolist(), repeat(ZoneHeartbeat.TYPE), repeat(None), written_us, written_us
            rows += zip(run.ids.astype(str).tolist(), *columns, strict=False)
    return rows


def _plain(place: tuple[bytes, bytes], seq: int, line: bytes) -> Row | None:
    found = _ENVELOPE.match(line) if len(line) <= PLAIN_BYTES_MAX else None
    if found is None or line[-1:] != b"}":
        return None
    id_, zone, type_bytes, time, recorded, log, sequence = found.groups()
    type_ = _PLAIN.get(type_bytes)
    if type_ is None or (zone, log) != place or int(sequence) != seq:
        return None
    is_sound, stay = _read_data(type_, line[found.end() : -1])
    if not is_sound:
        return None
    try:
        time_us, _ = parse_time(time.decode())
        written_us = time_us if recorded is None else parse_time(recorded.decode())[0]
    except ValueError:
        return None
    return id_.decode(), seq, type_, stay, time_us, written_us


@lru_cache(DATA_REMEMBERED)
def _read_data(type_: str, data: bytes) -> tuple[bool, str | None]:
    """(whether it is sound, the stay that it names)"""
    try:
        read: Any = orjson.loads(data)
        if not isinstance(read, dict):
            return False, None
        check_data(type_, read)
    except (orjson.JSONDecodeError, SchemaBroken):
        return False, None
    return True, stay_of(read)

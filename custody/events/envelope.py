"""One event is one line of JSON: a CloudEvents 1.0 event, hashed into the ledger byte for byte.

A line looks like this (one line, no line feed at its end)::

    {"specversion":"1.0","id":"019aaf6c-…","source":"/zones/nz01","type":"search.finished",
     "subject":"stay/nz01-20261123-004","time":"2026-11-23T09:04:11.120000+08:00",
     "recordedtime":"2026-11-23T09:05:02.000000+08:00","ledger":"9f2c61d07a3be845",
     "sequence":"000000001235","bootid":"3f0c…","boottime":"86312.402113","data":{…}}

``time`` is when it happened, ``recordedtime`` when it was written (absent when equal).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from functools import cache, lru_cache
from typing import Any, NamedTuple

import orjson
from pydantic import ValidationError

from .base import EventData
from .errors import MalformedLine, SchemaBroken

SPEC_VERSION = "1.0"
MAX_LINE_BYTES = 48 * 1024
"""A batch of one line must fit the 64 KiB message of wire.md together with its header and checkpoint."""
MAX_SEQUENCE = 10**12 - 1
"""Twelve digits hold it."""

_SOURCE = re.compile(r"^/zones/([0-9a-z]{1,23})$")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NAIVE_EPOCH = datetime(1970, 1, 1)
_MICROSECOND = timedelta(microseconds=1)
_FIRST_US = (datetime.min - _NAIVE_EPOCH) // _MICROSECOND
_LAST_US = (datetime.max - _NAIVE_EPOCH) // _MICROSECOND
_OFFSETS: dict[str, int] = {}
"""UTC offsets in seconds as they are written, such as ``+08:00``; there are few."""


@dataclass(frozen=True, slots=True)
class Draft:
    """An event before the ledger has given it its place: what happened, and when if not just now.

    ``time_us`` is UTC microseconds since 1970; ``None`` means the moment of writing.
    ``id`` is only set for an event that moves from one ledger to another and keeps its identity.
    """

    type: str
    data: dict[str, Any]
    subject: str | None = None
    time_us: int | None = None
    id: str | None = None


@dataclass(frozen=True, slots=True)
class Stamp:
    """Everything about a line that the writer adds: its identity, its place, its clocks."""

    id: str
    zone: str
    ledger: str
    sequence: int
    written_us: int
    utc_offset_s: int
    bootid: str
    boottime_s: float


class Event(NamedTuple):
    """A line, read. ``line`` is the exact bytes; times are UTC microseconds since 1970.

    It is a tuple because a month of a county is a million of them, and none is made faster.
    """

    id: str
    zone: str
    type: str
    subject: str | None
    time_us: int
    utc_offset_s: int
    written_us: int
    ledger: str
    sequence: int
    bootid: str
    boottime_s: float
    data: dict[str, Any]
    line: bytes


def draft(data: EventData, *, time_us: int | None = None) -> Draft:
    """A draft from a typed event; its subject is the stay that the data names, if it names one."""
    fields = data.model_dump(mode="json", by_alias=True)
    stay = fields.get("stay")
    return Draft(data.TYPE, fields, f"stay/{stay}" if stay else None, time_us)


def event_id(written_us: int, entropy: bytes) -> str:
    """A UUIDv7 (RFC 9562 section 5.7) from a time and 10 random bytes."""
    if len(entropy) != 10:
        raise ValueError("a UUIDv7 needs 10 random bytes")
    value = bytearray((written_us // 1000).to_bytes(6, "big") + entropy)
    value[6] = value[6] & 0x0F | 0x70
    value[8] = value[8] & 0x3F | 0x80
    digits = value.hex()
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


@lru_cache(maxsize=256)
def format_time(time_us: int, utc_offset_s: int) -> str:
    """ISO 8601 with six decimals and a numeric offset: ``2026-11-23T09:04:11.120000+08:00``."""
    zone = timezone(timedelta(seconds=utc_offset_s))
    return (_EPOCH + time_us * _MICROSECOND).astimezone(zone).isoformat(timespec="microseconds")


def format_utc(time_us: int) -> str:
    """ISO 8601 in UTC with six decimals and ``Z``: ``2026-11-23T01:04:11.120000Z``."""
    return (_EPOCH + time_us * _MICROSECOND).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def parse_time(text: str) -> tuple[int, int]:
    """(UTC microseconds, UTC offset in seconds) of an ISO 8601 time.

    Raises ``ValueError`` for one without an offset, and for one that has no year of 1 to 9999 in UTC: it could not
    be written down again.
    """
    offset_s = _OFFSETS.get(text[26:])
    if offset_s is not None and len(text) == 32:
        # As ``format_time`` writes it: a naive time is read in a third of the time that an aware one takes.
        moment = datetime.fromisoformat(text[:26])
        if moment.tzinfo is None:
            since = moment - _NAIVE_EPOCH
            moment_us = (since.days * 86_400 + since.seconds - offset_s) * 1_000_000 + since.microseconds
            if _FIRST_US <= moment_us <= _LAST_US:
                return moment_us, offset_s
    moment = datetime.fromisoformat(text)
    offset = moment.utcoffset()
    if offset is None:
        raise ValueError(f"{text!r} has no UTC offset")
    offset_s = offset.days * 86_400 + offset.seconds
    if len(text) == 32 and len(_OFFSETS) < 100 and offset.microseconds == 0:
        _OFFSETS[text[26:]] = offset_s
    moment_us = time_us(moment)
    if not _FIRST_US <= moment_us <= _LAST_US:
        raise ValueError(f"{text!r} is in no year of 1 to 9999 in UTC")
    return moment_us, offset_s


def time_us(moment: datetime) -> int:
    """UTC microseconds of an aware datetime."""
    return (moment - _EPOCH) // _MICROSECOND


def to_datetime(moment_us: int) -> datetime:
    """The aware UTC datetime of UTC microseconds."""
    return _EPOCH + moment_us * _MICROSECOND


def encode_line(draft: Draft, stamp: Stamp) -> bytes:
    """The bytes of the line. Raises ``SchemaBroken`` if it would exceed ``MAX_LINE_BYTES``."""
    happened_us = stamp.written_us if draft.time_us is None else draft.time_us
    fields: dict[str, Any] = {
        "specversion": SPEC_VERSION,
        "id": stamp.id,
        "source": f"/zones/{stamp.zone}",
        "type": draft.type,
    }
    if draft.subject is not None:
        fields["subject"] = draft.subject
    fields["time"] = format_time(happened_us, stamp.utc_offset_s)
    if happened_us != stamp.written_us:
        fields["recordedtime"] = format_time(stamp.written_us, stamp.utc_offset_s)
    fields["ledger"] = stamp.ledger
    fields["sequence"] = f"{stamp.sequence:012d}"
    fields["bootid"] = stamp.bootid
    fields["boottime"] = f"{stamp.boottime_s:.6f}"
    fields["data"] = draft.data
    line = orjson.dumps(fields)
    if len(line) > MAX_LINE_BYTES:
        raise SchemaBroken(draft.type, f"the line has {len(line)} bytes, at most {MAX_LINE_BYTES} fit a message")
    return line


def written(draft: Draft, stamp: Stamp) -> Event:
    """The event as whoever reads its line will read it: ``parse_line(encode_line(…))`` in half the time.

    Raises ``SchemaBroken``.
    """
    line = encode_line(draft, stamp)
    # The data of the line, not of the draft: a tuple is a list there.
    fields = orjson.loads(line)
    return Event(
        stamp.id,
        stamp.zone,
        draft.type,
        draft.subject,
        stamp.written_us if draft.time_us is None else draft.time_us,
        stamp.utc_offset_s,
        stamp.written_us,
        stamp.ledger,
        stamp.sequence,
        stamp.bootid,
        float(fields["boottime"]),
        fields["data"],
        line,
    )


def parse_line(line: bytes) -> Event:
    """Read one line. Only the envelope is checked here; ``check_data`` holds ``data`` against its type.

    Raises ``MalformedLine`` with what is wrong and where.
    """
    return read_fields(load_fields(line), line)


def load_fields(line: bytes) -> dict[str, Any]:
    """The JSON object that a line is. Raises ``MalformedLine``."""
    try:
        fields = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise MalformedLine(f"not JSON: {error}") from error
    if not isinstance(fields, dict):
        raise MalformedLine("not a JSON object")
    return fields


def read_fields(fields: dict[str, Any], line: bytes) -> Event:
    """The event that a line's fields make. Raises ``MalformedLine``."""
    try:
        if fields["specversion"] != SPEC_VERSION:
            raise MalformedLine(f"specversion is {fields['specversion']!r}, expected {SPEC_VERSION!r}")
        happened_us, offset_s = parse_time(fields["time"])
        recorded = fields.get("recordedtime")
        data = fields["data"]
        if not isinstance(data, dict):
            raise MalformedLine("data is not an object")
        sequence = int(fields["sequence"])
        if not 0 < sequence <= MAX_SEQUENCE:
            raise MalformedLine(f"sequence is {fields['sequence']!r}, expected 1 to {MAX_SEQUENCE}")
        id_, type_, ledger = fields["id"], fields["type"], fields["ledger"]
        if not (id_.__class__ is str is type_.__class__ is ledger.__class__ and id_ and type_ and ledger):
            for name in ("id", "type", "ledger"):
                _text(fields, name)
        return Event(
            id_,
            _zone(fields["source"]),
            type_,
            fields.get("subject"),
            happened_us,
            offset_s,
            happened_us if recorded is None else parse_time(recorded)[0],
            ledger,
            sequence,
            str(fields.get("bootid", "")),
            float(fields.get("boottime", 0.0)),
            data,
            line,
        )
    except KeyError as missing:
        raise MalformedLine(f"the field {missing.args[0]!r} is missing") from missing
    except (TypeError, ValueError) as error:
        raise MalformedLine(str(error)) from error


@lru_cache(maxsize=8192)
def _zone(source: str) -> str:
    found = _SOURCE.match(source)
    if found is None:
        raise MalformedLine(f"source is {source!r}, expected /zones/<zone id>")
    return found[1]


def _text(fields: dict[str, Any], name: str) -> str:
    value = fields[name]
    if not isinstance(value, str) or not value:
        raise MalformedLine(f"the field {name!r} is not a text")
    return value


@cache
def _validators() -> dict[str, Any]:
    from .registry import MODELS

    return {type_: model.__pydantic_validator__ for type_, model in MODELS.items()}


def check_data(type_: str, data: dict[str, Any]) -> None:
    """Hold ``data`` against the model of its type; unknown types pass. Raises ``SchemaBroken``."""
    validator = _validators().get(type_)
    if validator is None:
        return
    try:
        validator.validate_python(data)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise SchemaBroken(type_, f"data.{where}: {first['msg']} (found {first.get('input')!r:.80})") from error

"""Good heartbeats, known by their bytes and read many at once.

Nearly every line of a zone is a heartbeat that says that all is well. Those of one boot are the same, byte for
byte, up to the offset of the clock, but for their id and for digits in places that do not move::

    {"specversion":"1.0","id":"019aaf6c-…","source":"/zones/nz01","type":"zone.heartbeat",
     "time":"2026-11-23T09:04:11.120000+08:00","ledger":"9f2c61d07a3be845","sequence":"000000001235",
     "bootid":"3f0c…","boottime":"86312.402113","data":{"parts":{…},"clock":{"synchronised":true,"offset_s":

So lines are laid under one another as a table of bytes and whole columns are compared and read. What follows is a
handful of numbers, which an expression holds against the grammar of JSON. Whatever is not exactly so, to the byte,
is no business of this module: it is read like any other line, and means the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import chain, compress
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from .events import SPEC_VERSION, parse_time
from .intervals import SECOND

Value = TypeVar("Value")

RUN_LEAST = 16
"""Fewer heartbeats of a zone than this are read sooner one by one."""
RUNS_MOST = 4
"""So many runs of a zone are looked for: one begins at a restart, but lines may also alternate without end."""

_ID = slice(27, 63)
_TYPE = b'","type":"zone.heartbeat",'
_TYPE_WITHIN = len('","source":"/zones/') + 23 + len(_TYPE)
_NAIVE_TIME = len("2026-11-23T09:04:11.120000")
_HEAD = re.compile(
    rb'{"specversion":"%s","id":"[0-9a-f-]{36}","source":"/zones/(?P<zone>[0-9a-z]{1,23})",'
    rb'"type":"zone\.heartbeat","time":"(?P<time>20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}[+-]\d\d:\d\d)",'
    rb'"ledger":"(?P<ledger>[0-9a-f]{16})","sequence":"(?P<sequence>\d{12})",'
    rb'"bootid":"[0-9a-f-]{36}","boottime":"(?P<boottime>\d+\.\d{6})",'
    rb'"data":{"parts":{(?:"[a-z]+":(?:true|false),)*"[a-z]+":(?:true|false)},'
    rb'"clock":{"synchronised":(?:true|false),"offset_s":' % re.escape(SPEC_VERSION.encode())
)
_WHOLE = rb"(?:0|[1-9]\d*+)"
_DECIMAL = rb"%b\.\d++" % _WHOLE
_HEXADECIMAL = np.isin(np.arange(256), list(b"0123456789abcdef-"))
_PLACES = 10 ** np.arange(11, -1, -1, dtype=np.int64)


class Run(NamedTuple):
    """Good heartbeats of one ledger. ``indexes``: where among the lines they were found; all others go with it."""

    zone: str
    ledger: str
    indexes: NDArray[np.int64]
    lines: list[bytes]
    ids: list[str]
    sequences: NDArray[np.int64]
    written_us: NDArray[np.int64]
    """Their times as well: a heartbeat is written when it happens."""

    def until(self, moment_us: int) -> Run:
        """Those written no later."""
        chosen = self.written_us <= moment_us
        return self if chosen.all() else self._chosen(chosen)

    def _chosen(self, chosen: NDArray[np.bool_]) -> Run:
        return Run(
            zone=self.zone,
            ledger=self.ledger,
            indexes=self.indexes[chosen],
            lines=_select(self.lines, chosen),
            ids=_select(self.ids, chosen),
            sequences=self.sequences[chosen],
            written_us=self.written_us[chosen],
        )


def _select(values: list[Value], chosen: NDArray[np.bool_]) -> list[Value]:
    return list(compress(values, chosen.tolist()))


def good_heartbeats(lines: Sequence[bytes], good_us: int) -> list[Run]:
    """The heartbeats among the lines whose clock is off by less than ``good_us``, if they are many of a zone.

    Not all of them need be found. Those that are would be read by ``parse_line`` just so.
    """
    off_s = good_us // SECOND - 1
    if off_s < 0 or len(lines) < RUN_LEAST:
        return []
    found: list[Run] = []
    left = np.ones(len(lines), np.bool_)
    # Lines that come together are mostly of one zone; only what is left is sorted by zones.
    for among in chain((left,), _by_zone(lines, left)):
        for _ in range(1 if among is left else RUNS_MOST):
            run = _run(lines, np.flatnonzero(among), min(off_s, 9))
            if run is None or not run.lines:
                break
            found.append(run)
            left[run.indexes] = among[run.indexes] = False
    return found


def _by_zone(lines: Sequence[bytes], left: NDArray[np.bool_]) -> Iterator[NDArray[np.bool_]]:
    """Which lines may be heartbeats, zone by zone."""
    zones: dict[bytes, list[int]] = {}
    for index in np.flatnonzero(left).tolist():
        end = lines[index].find(_TYPE, _ID.stop, _ID.stop + _TYPE_WITHIN)
        if end > 0:
            zones.setdefault(lines[index][_ID.stop : end], []).append(index)
    for indexes in zones.values():
        if len(indexes) >= RUN_LEAST:
            among = np.zeros(len(lines), np.bool_)
            among[indexes] = True
            yield among


def _run(among: Sequence[bytes], indexes: NDArray[np.int64], off_s: int) -> Run | None:
    """Those of the lines that are like the first one that is a heartbeat."""
    lines = [among[index] for index in indexes.tolist()]
    head = next(filter(None, map(_HEAD.match, lines)), None)
    if head is None:
        return None
    width = head.end()
    table = np.array(lines, f"S{width}").view(np.uint8).reshape(-1, width)
    fits = _heads_alike(table, head)
    fits[fits] = _numbers_good([line[width:] for line in _select(lines, fits)], off_s)
    if not fits.all():
        indexes, lines, table = indexes[fits], _select(lines, fits), table[fits]
    moment, sequence = head.start("time"), head.start("sequence")
    try:
        offset_us = parse_time(head["time"].decode())[1] * SECOND
        moments = np.ascontiguousarray(table[:, moment : moment + _NAIVE_TIME]).view(f"S{_NAIVE_TIME}").ravel()
        written_us = moments.astype("M8[us]").astype(np.int64) - offset_us
    except ValueError:  # there is no such day, hour or offset
        return None
    sequences = (table[:, sequence : sequence + len(_PLACES)] - ord("0")) @ _PLACES
    if not sequences.all():  # a ledger begins with 1
        return None
    return Run(
        zone=head["zone"].decode(),
        ledger=head["ledger"].decode(),
        indexes=indexes,
        lines=lines,
        ids=[line[_ID].decode() for line in lines],
        sequences=sequences,
        written_us=written_us,
    )


def _heads_alike(table: NDArray[np.uint8], head: re.Match[bytes]) -> NDArray[np.bool_]:
    """For each line whether it differs in its id and in digits alone."""
    template = np.frombuffer(head[0], np.uint8)
    alike = table == template
    alike[:, _ID] = _HEXADECIMAL[table[:, _ID]]
    start = head.start("time")
    for columns in (
        slice(start + len("20"), start + _NAIVE_TIME),
        slice(*head.span("sequence")),
        slice(*head.span("boottime")),
    ):
        alike[:, columns] |= _digits(table[:, columns]) & _digits(template[columns])
    fits: NDArray[np.bool_] = alike.all(axis=1)
    return fits


def _digits(characters: NDArray[np.uint8]) -> NDArray[np.bool_]:
    return (characters - np.uint8(ord("0"))) < 10


def _numbers_good(tails: list[bytes], off_s: int) -> NDArray[np.bool_]:
    """For each whether its numbers are such to JSON, and the clock is off by less than ``off_s + 1`` seconds."""
    numbers, all_numbers = _expressions(off_s)
    block = b"\n".join(tails) + b"\n"
    if block.count(b"\n") == len(tails) and all_numbers.fullmatch(block):
        return np.ones(len(tails), np.bool_)
    return np.array([numbers.fullmatch(tail) is not None for tail in tails], np.bool_)


@lru_cache
def _expressions(off_s: int) -> tuple[re.Pattern[bytes], re.Pattern[bytes]]:
    """What follows the head of a heartbeat; and that of many, with a line feed after each."""
    offset = rb"-?+(?:[0-%d]\.\d++(?:e-\d++)?+|\d(?:\.\d++)?+e-[1-9]\d*+)" % off_s
    numbers = (
        rb'(?:%b|null),"uncertainty_s":(?:%b|null)},"disk":{"free_bytes":%b,"retention_days":(?:%b|null)}}}'
        % (offset, _DECIMAL, _WHOLE, _DECIMAL)
    )
    return re.compile(numbers), re.compile(rb"(?:%b\n)*+" % numbers)

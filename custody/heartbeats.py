"""Good heartbeats, known by their bytes and read many at once.

Nearly every line of a zone is a heartbeat that says that all is well. Those of one boot are the same, byte for
byte, up to the offset of the clock, but for their id and for digits in places that do not move::

    {"specversion":"1.0","id":"019aaf6c-…","source":"/zones/nz01","type":"zone.heartbeat",
     "time":"2026-11-23T09:04:11.120000+08:00","ledger":"9f2c61d07a3be845","sequence":"000000001235",
     "bootid":"3f0c…","boottime":"86312.402113","data":{"parts":{…},"clock":{"synchronised":true,"offset_s":

So lines are laid under one another as a table of bytes, and all of it is held against a lowest and a highest line
at once. What follows is a handful of numbers, which an expression holds against the grammar of JSON. Whatever is
not exactly so, to the byte, is no business of this module: it is read like any other line, and means the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import date
from functools import lru_cache
from itertools import chain, compress, repeat
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from .events import SPEC_VERSION, Event, parse_time
from .intervals import SECOND

Value = TypeVar("Value")

RUN_LEAST = 16
"""Fewer heartbeats of a zone than this are read sooner one by one."""
RUNS_MOST = 4
"""So many runs of a zone are looked for: one begins at a restart, but lines may also alternate without end."""

_ID = slice(27, 63)
_TYPE = b'","type":"zone.heartbeat",'
_TYPE_WITHIN = len('","source":"/zones/') + 23 + len(_TYPE)
_HIGHEST_MOMENT = b"99-19-39T29:59:59.999999"
_DAY_US = 86_400 * SECOND
_HEAD = re.compile(
    rb'{"specversion":"%s","id":"(?P<id>[0-9a-f-]{36})","source":"/zones/(?P<zone>[0-9a-z]{1,23})",'
    rb'"type":"zone\.heartbeat","time":"(?P<time>20(?P<moment>\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6})[+-]\d\d:\d\d)",'
    rb'"ledger":"(?P<ledger>[0-9a-f]{16})","sequence":"(?P<sequence>\d{12})",'
    rb'"bootid":"[0-9a-f-]{36}","boottime":"(?P<boottime>\d+\.\d{6})",'
    rb'"data":{"parts":{(?:"[a-z]+":(?:true|false),)*"[a-z]+":(?:true|false)},'
    rb'"clock":{"synchronised":(?:true|false),"offset_s":' % re.escape(SPEC_VERSION.encode())
)
_MOVES = re.compile(rb"[0-9a-f]")
_WHOLE = rb"(?:0|[1-9]\d{0,17}+)"  # more digits may be more than a number can hold
_DECIMAL = rb"%b\.\d++" % _WHOLE
_SEQUENCE_PLACES = 10 ** np.arange(11, -1, -1, dtype=np.int64)
_MOMENT_PLACES = np.zeros((len(_HIGHEST_MOMENT), 2), np.int64)
"""What each of its digits is worth in the date, read as one number, and in the microseconds since midnight."""
_MOMENT_PLACES[:8, 0] = (100_000, 10_000, 0, 1000, 100, 0, 10, 1)
_MOMENT_PLACES[9:17, 1] = np.multiply((36_000, 3600, 0, 600, 60, 0, 10, 1), SECOND)
_MOMENT_PLACES[18:, 1] = 10 ** np.arange(5, -1, -1)


class Run(NamedTuple):
    """Good heartbeats of one ledger. ``indexes``: where among the lines they were found; all others go with it."""

    zone: str
    ledger: str
    indexes: NDArray[np.int64]
    lines: list[bytes]
    ids: NDArray[np.bytes_]
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
            ids=self.ids[chosen],
            sequences=self.sequences[chosen],
            written_us=self.written_us[chosen],
        )


def _select(values: list[Value], chosen: NDArray[np.bool_]) -> list[Value]:
    return list(compress(values, chosen.tolist()))


def is_good(event: Event, good_us: int) -> bool:
    """Whether this is a heartbeat, told when it happened, whose clock was certainly off by no more."""
    if event.type != "zone.heartbeat" or event.time_us != event.written_us:
        return False
    clock = event.data.get("clock")
    if clock.__class__ is not dict:
        return False
    off, uncertainty = clock.get("offset_s"), clock.get("uncertainty_s")
    if off is None:
        return True
    numbers = off.__class__ is float and (uncertainty is None or uncertainty.__class__ is float)
    good_s = good_us / SECOND
    return numbers and -good_s <= off <= good_s and (uncertainty or 0) >= 0


def rise_apart(ids: NDArray[np.bytes_], named: list[str]) -> bool:
    """Whether each of the ids is higher than the one before, and those named are neither among them nor twice."""
    if not (ids[1:] > ids[:-1]).all() or len(set(named)) < len(named):
        return False
    if not named:
        return True
    sought = np.array([name.encode() for name in named])
    return not (ids[np.searchsorted(ids, sought).clip(max=len(ids) - 1)] == sought).any()


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
    ids = np.ascontiguousarray(table[:, _ID])
    lowest, highest = _bounds(head)
    table -= lowest  # what is lower goes round to far above
    fits = np.asarray(table <= highest - lowest).all(axis=1)
    fits &= (ids != ord("\\")).all(axis=1)  # alone of all that can stand here it would be no text to JSON
    numbers = _numbers(off_s).fullmatch
    fits[fits] = [found is not None for found in map(numbers, _select(lines, fits), repeat(width))]
    written_us = _moments(table[:, slice(*head.span("moment"))][fits], head["time"])
    sequences = table[:, slice(*head.span("sequence"))][fits] @ _SEQUENCE_PLACES
    if written_us is None or not sequences.all():  # a ledger begins with 1
        return None
    return Run(
        zone=head["zone"].decode(),
        ledger=head["ledger"].decode(),
        indexes=indexes[fits],
        lines=_select(lines, fits),
        ids=ids[fits].view(f"S{ids.shape[1]}").ravel(),
        sequences=sequences,
        written_us=written_us,
    )


def _bounds(head: re.Match[bytes]) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """The lowest and the highest bytes of a line like this one: they differ in its id and in digits alone."""
    lowest, highest = bytearray(head[0]), bytearray(head[0])
    for name, most in (("id", b"f"), ("moment", b"9"), ("sequence", b"9"), ("boottime", b"9")):
        place = slice(*head.span(name))
        lowest[place], highest[place] = (_MOVES.sub(end, head[name]) for end in (b"0", most))
    highest[slice(*head.span("moment"))] = _HIGHEST_MOMENT
    return np.frombuffer(lowest, np.uint8), np.frombuffer(highest, np.uint8)


def _moments(digits: NDArray[np.uint8], time: bytes) -> NDArray[np.int64] | None:
    """When each line was written, if all of the times can be. ``time``: one of them."""
    dates, since_midnight_us = (digits @ _MOMENT_PLACES).T
    days, day = np.unique(dates, return_inverse=True)
    # Not by numpy's reading of texts: at one impossible time among 500 or more it ends the process.
    try:
        offset_us = parse_time(time.decode())[1] * SECOND
        midnights_us = np.array([_midnight_us(one) for one in days.tolist()], np.int64)
    except ValueError:  # there is no such day, hour or offset
        return None
    if (since_midnight_us >= _DAY_US).any():
        return None
    written_us: NDArray[np.int64] = midnights_us[day] + since_midnight_us - offset_us
    return written_us


def _midnight_us(day: int) -> int:
    """From 1970 to a day of this century written as one number. Raises ``ValueError`` if there is no such day."""
    year_and_month, of_month = divmod(day, 100)
    year, month = divmod(year_and_month, 100)
    return (date(2000 + year, month, of_month) - date(1970, 1, 1)).days * _DAY_US


@lru_cache
def _numbers(off_s: int) -> re.Pattern[bytes]:
    """What follows the head of a heartbeat whose clock is off by less than ``off_s + 1`` seconds."""
    offset = rb"-?+(?:[0-%d]\.\d++(?:e-\d++)?+|\d(?:\.\d++)?+e-[1-9]\d*+)" % off_s
    return re.compile(
        rb'(?:%b|null),"uncertainty_s":(?:%b|null)},"disk":{"free_bytes":%b,"retention_days":(?:%b|null)}}}'
        % (offset, _DECIMAL, _WHOLE, _DECIMAL)
    )

"""Giving up old lines behind headquarters' cosignature, in portions that hold no writer up for long.

The tree keeps every hash, sequences go on; who reads from the beginning reads what is kept (``custody.keeping``
says what that is). What was given up is at headquarters, which had verified and cosigned it.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from custody.events import Event, parse_line
from custody.keeping import CORRECTED, DAY_US, Keeping, Place

from .ledger import Ledger
from .ledger_file import LedgerFile

log = logging.getLogger(__name__)

PORTION_LINES = 500
"""Lines of one transaction: a few milliseconds for which doors cannot write."""
PAUSE_S = 0.02
"""Between two portions, so that everybody who waits for the write lock gets it first."""
Spans = Sequence[tuple[LedgerFile, int | None]]
_TELLS = (b'"stay":', CORRECTED.encode())


@dataclass(frozen=True, slots=True)
class Pruned:
    lines: int
    waiting: int
    """Lines old enough that headquarters has not cosigned."""


def prune(
    ledger: Ledger, retention_days: float, *, dry: bool = False, stop: threading.Event | None = None
) -> Pruned:
    """Give up the bytes of the lines that are older and that nothing needs. ``stop`` ends it between two portions.

    ``dry``: only count them. Raises ``LedgerError``; what was given up until then stays so.
    """
    now_us = ledger.now_us()
    before_us = now_us - round(retention_days * DAY_US)
    stop = stop or threading.Event()
    keeping = Keeping(before_us)
    spans = ledger.spans()
    for line in _lines(spans):
        if any(word in line for word in _TELLS):
            keeping.see(parse_line(line))
    lines = waiting = 0
    for file, sequences in _to_give_up(keeping, spans, ledger.branches()):
        cosigned_size, _ = file.cosigned()
        allowed = [sequence for sequence in sequences if sequence <= cosigned_size]
        waiting += len(sequences) - len(allowed)
        for start in range(0, len(allowed), PORTION_LINES):
            portion = allowed[start : start + PORTION_LINES]
            if stop.is_set():
                return Pruned(lines, waiting)
            if not dry:
                file.prune(portion, before_us=before_us, now_us=now_us)
                stop.wait(PAUSE_S)
            lines += len(portion)
    return Pruned(lines, waiting)


def _to_give_up(
    keeping: Keeping, chain: Spans, branches: Sequence[LedgerFile]
) -> Iterator[tuple[LedgerFile, list[int]]]:
    """Each file with what nothing needs in it. A branch repeats lines of the chain, so it is read by itself."""
    for spans in (chain, *([(branch, None)] for branch in branches)):
        for number, places in groupby(keeping.to_give_up(_placed(spans)), key=lambda place: place[0]):
            yield spans[number][0], [sequence for _, sequence in places]


def _lines(spans: Spans) -> Iterator[bytes]:
    for file, last in spans:
        yield from file.all_lines(1, last)


def _placed(spans: Spans) -> Iterator[tuple[Place, Event]]:
    for number, (file, last) in enumerate(spans):
        for line in file.all_lines(1, last):
            event = parse_line(line)
            yield (number, event.sequence), event

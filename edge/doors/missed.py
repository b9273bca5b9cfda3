"""What could not be written while the ledger took nothing: kept in memory, written later as what it is, late."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Sequence
from dataclasses import replace

from custody.events import Draft, EventError
from sync.ledger import Ledger

log = logging.getLogger(__name__)

MISSED_MAX = 10_000
"""Lines kept; a day at a busy door. Beyond that the oldest are lost, and counted."""
WRITTEN_AT_ONCE = 64


class Missed:
    """A ring of drafts with the time at which they happened. Lost with the process: see docs/en/doors.md."""

    def __init__(self) -> None:
        self._drafts: deque[Draft] = deque(maxlen=MISSED_MAX)
        self._lost = 0

    def __len__(self) -> int:
        return len(self._drafts)

    def keep(self, drafts: Sequence[Draft], wall_us: int) -> None:
        for each in drafts:
            self._lost += len(self._drafts) == MISSED_MAX
            self._drafts.append(replace(each, time_us=wall_us) if each.time_us is None else each)

    def write(self, ledger: Ledger) -> None:
        """Write what is kept, oldest first; ``LedgerError`` leaves the rest for another time.

        Such a line has the ``time`` at which it happened and a later ``recordedtime``: that it was missed shows.
        """
        while self._drafts:
            batch = [self._drafts[index] for index in range(min(WRITTEN_AT_ONCE, len(self._drafts)))]
            try:
                ledger.append(*batch)
            except EventError:
                self._write_singly(ledger, batch)
            for _ in batch:
                self._drafts.popleft()
        if self._lost:
            log.critical("%d lines of the doors were lost while the ledger took nothing", self._lost)
            self._lost = 0

    def _write_singly(self, ledger: Ledger, batch: Sequence[Draft]) -> None:
        """One of them breaks its schema: that one is told and left out."""
        for each in batch:
            try:
                ledger.append(each)
            except EventError:
                log.exception("a line of the doors cannot be written at all: %s %r", each.type, each.data)

"""What is done once a day for the ledger's disk: old lines are given up, and the ballast is held."""

from __future__ import annotations

import logging
import threading

from config.clock import Clock
from sync.errors import LedgerError
from sync.ledger import Ledger
from sync.pruning import prune

log = logging.getLogger(__name__)

EVERY_S = 86_400.0


class Housekeeping:
    """On a thread of its own, first at ``start``. The link runs it: what may be given up hangs on cosignatures."""

    def __init__(self, ledger: Ledger, clock: Clock, retention_days: float) -> None:
        self._ledger = ledger
        self._clock = clock
        self._retention_days = retention_days
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="housekeeping", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Returns when a portion that is under way has ended."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        while True:
            try:
                self.look()
            except Exception:
                # Whatever it was: a thread that ended here would let the disk fill up without a word.
                log.exception("old lines of the ledger could not be given up; it is tried again in a day")
            if self._stop.wait(self._clock.real_s(EVERY_S)):
                return

    def look(self) -> None:
        """Do it now."""
        self._ledger.ballast.hold()
        try:
            pruned = prune(self._ledger, self._retention_days, stop=self._stop)
        except LedgerError as error:
            log.error("%s", error)
            return
        if pruned.lines:
            log.info(
                "%d lines of the ledger older than %g days were given up; headquarters has cosigned them",
                pruned.lines,
                self._retention_days,
            )
        if pruned.waiting:
            log.warning(
                "%d lines are older than %g days, but headquarters has not cosigned them: they stay",
                pruned.waiting,
                self._retention_days,
            )

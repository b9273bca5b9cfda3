"""One judge for the thread that judges and for those that render pages."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence

from custody.events import Event
from custody.lanes import StayLanes

from .desk import Judging, SaysItself

log = logging.getLogger(__name__)

LANES_WAIT_S = 1.0
"""Real seconds that a page waits for a judge that is busy; then it shows everything but the drawing."""


class SharedJudge:
    """Lets one thread in at a time."""

    def __init__(self, new_judge: Callable[[], Judging]) -> None:
        self._new_judge = new_judge
        self._judge = new_judge()
        self._lock = threading.Lock()

    def begin_anew(self, events: Iterable[Event]) -> None:
        """Judge everything again with the policy that counts now; until that is done, what was judged stands."""
        judge = self._new_judge()
        judge.take(events)
        with self._lock:
            self._judge = judge

    def take(self, events: Iterable[Event]) -> None:
        with self._lock:
            self._judge.take(events)

    def findings(self) -> Sequence[SaysItself]:
        with self._lock:
            return self._judge.findings()

    def verdicts(self) -> Mapping[str, Mapping[int, str]]:
        with self._lock:
            return self._judge.verdicts()

    def lanes(self, stay: str) -> StayLanes | None:
        """The lanes of a stay; ``None`` while nothing of it was judged, or the judge is busy or broken."""
        if not self._lock.acquire(timeout=LANES_WAIT_S):
            return None
        try:
            return self._judge.lanes(stay)
        except Exception:
            # A record must open without its drawing; the watcher says on the monitor that the judge failed.
            log.exception("the lanes of %s could not be worked out", stay)
            return None
        finally:
            self._lock.release()

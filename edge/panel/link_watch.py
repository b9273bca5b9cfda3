"""Whether what the zone writes reaches headquarters, seen from the ledger alone.

Only headquarters' cosignature proves that it has a line (wire.md). So the link is up while cosignatures keep up
with the ledger, whatever a broker says.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass

from sync.ledger import Ledger

OVERDUE_S = 90
"""Clock seconds without any progress after which the link counts as down; a heartbeat is written every 60 s."""


@dataclass(frozen=True)
class LinkState:
    """``waiting`` lines have no cosignature yet; ``stuck_since_us``: when progress ended, if that is long ago."""

    waiting: int
    stuck_since_us: int | None


class LinkWatch:
    """Remembers when a cosignature last advanced. Safe to share between threads."""

    def __init__(self, ledger: Ledger, now_us: int) -> None:
        self._ledger = ledger
        self._lock = threading.Lock()
        self._progress_us = now_us
        self._seen: tuple[str, int] | None = None

    def look(self, now_us: int) -> LinkState:
        newest = self._ledger.spans()[-1][0]
        size, cosigned = newest.size(), newest.cosigned()[0]
        with self._lock:
            if cosigned >= size or (newest.id, cosigned) != self._seen:
                self._progress_us = now_us
            self._seen = (newest.id, cosigned)
            stuck = now_us - self._progress_us > OVERDUE_S * 1_000_000
            return LinkState(max(0, size - cosigned), self._progress_us if stuck else None)

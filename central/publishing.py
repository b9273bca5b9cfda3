"""When headquarters shows its own tree, and with whose cosignatures.

Each new line of its ledger makes a new tree, but a tree that nobody has time to cosign is worth nothing: so one is
shown for a while, the cosignatures of zones and witnesses gather on it, and only then the next one is.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from config.clock import Clock
from sync.note import Checkpoint, SigningKey, only_cosigned

from .store.own_tree import OwnTree

TREE_EVERY_S = 10.0
"""Real seconds: each tree costs each zone three small messages."""
COSIGNED_EVERY_S = 5.0
"""Real seconds between two showings of the same tree with more cosignatures on it."""


class TreePublisher:
    """The tree that is shown; what ``sync.protocol.tree.TreeStore`` asks beside ``OwnTree``. Thread-safe."""

    def __init__(
        self, tree: OwnTree, signer: SigningKey, clock: Clock, now_s: Callable[[], float] = time.monotonic
    ) -> None:
        self._tree = tree
        self._signer = signer
        self._clock = clock
        self._now_s = now_s
        self._lock = threading.Lock()
        self._published: tuple[str, int, str] | None = None
        self._signed_s = self._shown_s = float("-inf")
        self._cosignatures: list[str] = []
        self.own_root = tree.own_root
        self.consistency = tree.consistency
        self.keep_cosignature = tree.keep_cosignature
        self.contradicted = tree.contradicted

    def published(self) -> tuple[str, int, str] | None:
        """(log, size, note by headquarters alone) of what is shown; ``None`` before the first."""
        return self._published

    def due(self) -> str | None:
        """The note to be shown now: a new tree, or more cosignatures on the one that is; ``None``: not yet."""
        with self._lock:
            now_s = self._now_s()
            log, size, root = self._tree.head()
            known = self._published
            if size and (known is None or known[:2] != (log, size)) and self._is_time(now_s, log):
                # Signed anew, not taken from the ledger: the time says that this is the largest tree now.
                checkpoint = Checkpoint(f"{self._signer.verifier.name}/{log}", size, root)
                note = only_cosigned(checkpoint, self._signer, self._clock.now_us() // 1_000_000)
                self._published = (log, size, note)
                self._signed_s = self._shown_s = now_s
                self._cosignatures = self._tree.cosignatures(log, size)
                return note + "".join(self._cosignatures)
            if known is not None and now_s - self._shown_s >= COSIGNED_EVERY_S:
                cosignatures = self._tree.cosignatures(known[0], known[1])
                if cosignatures != self._cosignatures:
                    self._cosignatures, self._shown_s = cosignatures, now_s
                    return known[2] + "".join(cosignatures)
            return None

    def _is_time(self, now_s: float, log: str) -> bool:
        """At once for the first, and for a new ledger: zones hold on to the old one until they see it."""
        known = self._published
        return known is None or known[0] != log or now_s - self._signed_s >= TREE_EVERY_S

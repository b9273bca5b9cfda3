"""The feed for other systems: publishes what was committed, in order, and remembers how far it came."""

from __future__ import annotations

import logging
import threading
from typing import Protocol

from sqlalchemy.exc import SQLAlchemyError

from .errors import PartEnded
from .store.feeding import FeedMarks

RETRY_S = 5.0
"""Real seconds; also how soon a line is published whose nudge was lost in a crash."""
WAITING_MAX = 2000
"""Lines that may wait at the link, which holds them in memory; after a crash so many may come twice."""
POLL_S = 0.01

logger = logging.getLogger(__name__)


class Road(Protocol):
    """What the feed needs of the link to the broker (``sync.headquarters_link.HeadquartersLink``)."""

    @property
    def feed_waiting(self) -> int:
        """Lines that were handed over and that the broker has not confirmed."""
        ...

    def publish_feed(self, zone: str, type: str, line: bytes) -> None:
        """Onto ``v1/feed/<zone>/<event type with / for .>``."""
        ...

    def publish_tree(self, checkpoint: str) -> None:
        """Onto ``v1/hq/tree``, retained."""
        ...


class Tree(Protocol):
    """What the feed needs of headquarters' own ledger (``central.publishing.TreePublisher``)."""

    def due(self) -> str | None:
        """The checkpoint to publish now; ``None`` when that is not due."""
        ...


class Feed:
    """Publishes in a thread of its own, so that neither the acknowledgement nor the judging waits for it."""

    def __init__(self, marks: FeedMarks, road: Road, tree: Tree | None = None) -> None:
        self._marks = marks
        self._road = road
        self._tree = tree
        self._nudged = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="feed", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def nudge(self) -> None:
        """Something was committed. May be called from any thread."""
        self._nudged.set()

    def stop(self) -> None:
        self._stopping.set()
        self._nudged.set()
        if self._thread.is_alive():
            self._thread.join(timeout=RETRY_S)

    def check(self) -> None:
        if not self._thread.is_alive():
            raise PartEnded("feed")

    def publish_due(self) -> int:
        """Publish everything that is due; how many lines that was. Waits while the broker does not take them.

        The mark moves when the broker has confirmed, so what a crash catches on the way is published once more.
        """
        count = 0
        self._publish_tree()
        while self._all_confirmed() and (chunks := self._marks.next_chunks(WAITING_MAX)):
            for chunk in chunks:
                for item in chunk.items:
                    self._road.publish_feed(item.zone, item.type, item.line)
                count += len(chunk.items)
            if not self._all_confirmed():
                break
            self._marks.published(chunks)
        return count

    def _publish_tree(self) -> None:
        checkpoint = None if self._tree is None else self._tree.due()
        if checkpoint is not None:
            self._road.publish_tree(checkpoint)

    def _all_confirmed(self) -> bool:
        """Waits for it; ``False`` when it is time to stop."""
        while self._road.feed_waiting:
            if self._stopping.wait(POLL_S):
                return False
        return True

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._nudged.clear()
            try:
                self.publish_due()
            except SQLAlchemyError as error:
                logger.warning("the feed stands still and tries again in %.0f s: %s", RETRY_S, error)
            self._nudged.wait(RETRY_S)

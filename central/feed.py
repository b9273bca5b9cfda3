"""The feed for other systems: publishes what was committed, in order, and remembers how far it came."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from sqlalchemy.exc import SQLAlchemyError

from .store.feeding import FeedMarks

Publish = Callable[[str, str, bytes], object]
"""(zone, event type, line): onto ``v1/feed/<zone>/<event type with / for .>``."""

RETRY_S = 5.0
"""Real seconds; also how soon a line is published whose nudge was lost in a crash."""

logger = logging.getLogger(__name__)


class Feed:
    """Publishes in a thread of its own, so that neither the acknowledgement nor the judging waits for it."""

    def __init__(self, marks: FeedMarks, publish: Publish) -> None:
        self._marks = marks
        self._publish = publish
        self._nudged = threading.Event()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="feed", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def nudge(self) -> None:
        """Something was committed. May be called from any thread."""
        self._nudged.set()

    def stop(self) -> None:
        self._stopping = True
        self._nudged.set()
        self._thread.join(timeout=RETRY_S)

    def publish_due(self) -> int:
        """Publish everything that is due; how many lines that was. Raises what ``publish`` raises."""
        count = 0
        while chunks := self._marks.next_chunks():
            for chunk in chunks:
                for item in chunk.items:
                    self._publish(item.zone, item.type, item.line)
                self._marks.published(chunk)
                count += len(chunk.items)
                if self._stopping:
                    return count
        return count

    def _run(self) -> None:
        while not self._stopping:
            self._nudged.clear()
            try:
                self.publish_due()
            except (OSError, ValueError, RuntimeError, SQLAlchemyError) as error:
                logger.warning("the feed stands still and tries again in %.0f s: %s", RETRY_S, error)
            self._nudged.wait(RETRY_S)

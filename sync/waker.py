"""Wakes a thread that waits in ``poll`` for its network, from any other thread."""

from __future__ import annotations

import contextlib
import os
import threading


class Waker:
    """A descriptor that becomes readable at ``wake``. ``close`` may come before the last ``wake``.

    Once closed, its number may already be that of another file, such as the database: nothing is written then.
    """

    def __init__(self) -> None:
        self._fd: int | None = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._closing = threading.Lock()
        """Held while the descriptor is written or closed, so that neither can overtake the other."""

    def fileno(self) -> int:
        """For ``poll``. Raises ``ValueError`` once closed."""
        if self._fd is None:
            raise ValueError("the waker is closed")
        return self._fd

    def wake(self) -> None:
        """Wake whoever waits, now or when it next begins to; nothing happens once closed."""
        with self._closing, contextlib.suppress(BlockingIOError):
            if self._fd is not None:
                os.eventfd_write(self._fd, 1)

    def hush(self) -> None:
        """Forget every ``wake`` so far; call it before looking for what there is to do."""
        with contextlib.suppress(BlockingIOError):
            os.eventfd_read(self.fileno())

    def close(self) -> None:
        with self._closing:
            if self._fd is not None:
                os.close(self._fd)
                self._fd = None

"""An RS-485 line without hardware: a pseudo-terminal for the panel, and any number of peers at its other end.

As on the real line everybody hears everybody: a peer hears the panel and the other peers, never itself.
"""

from __future__ import annotations

import contextlib
import os
import select
import threading
import time
import tty
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from osdp import Channel

TURN_S = 0.002
READ_BYTES_MAX = 4096
HEARD_BYTES_MAX = 65536
"""What a peer that does not listen leaves unread is lost beyond this, as on the real line."""


class Peer(Protocol):
    """A device on the line. ``refresh`` is called on the line's thread, every ``TURN_S``."""

    def refresh(self) -> None: ...


class Tap(Channel):  # type: ignore[misc]
    """Where one peer is connected to the line; the channel that libosdp wants."""

    def __init__(self, line: OsdpLine) -> None:
        super().__init__()
        self.heard = bytearray()
        self._line = line

    def read(self, max_bytes: int) -> bytes:
        taken = bytes(self.heard[:max_bytes])
        del self.heard[:max_bytes]
        return taken

    def write(self, buf: bytes) -> int:
        self._line.say(self, buf)
        return len(buf)

    def flush(self) -> None:
        self.heard.clear()


class OsdpLine:
    """``port`` is the panel's end. ``close`` takes it away, as when an adapter is pulled out."""

    def __init__(self) -> None:
        self._line, self._other_end = os.openpty()
        for descriptor in (self._line, self._other_end):
            tty.setraw(descriptor)
        os.set_blocking(self._line, False)
        self.port = Path(os.ttyname(self._other_end))
        self.delay_s = 0.0
        """How long what the peers say takes to the panel."""
        self.on_the_way: Callable[[bytes], bytes] = bytes
        """What becomes of what the peers say on its way to the panel: by default nothing."""
        self._late: list[tuple[float, bytes]] = []
        self._peers: dict[Tap, Peer] = {}
        self._mutex = threading.RLock()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="osdp-line", daemon=True)
        self._thread.start()

    def tap(self) -> Tap:
        """A place on the line; nothing is heard there until a peer ``joins``."""
        return Tap(self)

    def join(self, tap: Tap, peer: Peer) -> None:
        with self._mutex:
            tap.flush()
            self._peers[tap] = peer

    def leave(self, tap: Tap) -> None:
        """Nothing is asked of that peer any more once this returns."""
        with self._mutex:
            self._peers.pop(tap, None)

    def say(self, speaker: Tap | None, data: bytes) -> None:
        """Put bytes on the line: a peer's, or (None) anybody's: a fault, a stranger's."""
        with self._mutex:
            for tap in self._peers:
                if tap is not speaker:
                    self._hear(tap, data)
            self._late.append((time.monotonic() + self.delay_s, self.on_the_way(data)))
            self._deliver()

    def close(self) -> None:
        self._stopping.set()
        self._thread.join()
        os.close(self._line)
        os.close(self._other_end)

    def _run(self) -> None:
        while not self._stopping.is_set():
            select.select([self._line], [], [], TURN_S)
            with self._mutex:
                self._listen()
                for peer in list(self._peers.values()):
                    peer.refresh()
                self._deliver()

    def _listen(self) -> None:
        try:
            data = os.read(self._line, READ_BYTES_MAX)
        except OSError:
            return
        for tap in self._peers:
            self._hear(tap, data)

    @staticmethod
    def _hear(tap: Tap, data: bytes) -> None:
        tap.heard += data
        del tap.heard[:-HEARD_BYTES_MAX]

    def _deliver(self) -> None:
        while self._late and self._late[0][0] <= time.monotonic():
            _, data = self._late.pop(0)
            with contextlib.suppress(OSError):
                os.write(self._line, data)

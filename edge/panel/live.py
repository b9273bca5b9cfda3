"""Server-sent events: every open page is told at once when the ledger grows, and each second what time it is.

A stream sends ``tick`` (the zone's clock: pages never ask their own) and ``fragment`` (a named part of the page as
HTML) for whatever changed since it was last sent on that stream; a new stream gets everything, so a page that was
cut off is right again as soon as it is connected.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator

import orjson
from starlette.concurrency import run_in_threadpool

from .desk import Desk
from .i18n import Speaker
from .rendering import Renderer
from .view.board import Board, board

TICK_S = 1.0
RENDER_S_MIN = 0.05
"""Least real time between two renderings of one stream: a burst of events is shown as one change."""
STREAMS_MAX = 64
RETRY_MS = 1000


class Live:
    """Knows when something is new. ``notify`` from any thread, ``wait`` on the event loop."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._loop: asyncio.AbstractEventLoop | None = None
        self._changed = asyncio.Event()
        self._board_lock = threading.Lock()
        self._board: tuple[int, float, Board] | None = None
        self.generation = 0
        self.closed = False
        self.streams = 0

    def start(self) -> None:
        """Call on the event loop, before anything is notified."""
        self._loop = asyncio.get_running_loop()

    def notify(self) -> None:
        """Something is new."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._bump)

    def close(self) -> None:
        """End every stream; from any thread."""
        self.closed = True
        self.notify()

    def _bump(self) -> None:
        self.generation += 1
        self._changed.set()
        self._changed = asyncio.Event()

    async def wait(self, seen: int, timeout_s: float) -> None:
        """Until something is newer than ``seen``, at most ``timeout_s``."""
        if self.generation != seen or self.closed:
            return
        try:
            await asyncio.wait_for(self._changed.wait(), timeout_s)
        except TimeoutError:
            return

    def board(self) -> Board:
        """The board of this moment, made once for all streams. From a worker thread."""
        with self._board_lock:
            generation, made_s = self.generation, time.monotonic()
            kept = self._board
            if kept is None or kept[0] != generation or made_s - kept[1] >= TICK_S * 0.9:
                kept = self._board = (generation, made_s, board(self._desk))
            return kept[2]


async def stream(
    desk: Desk, live: Live, renderer: Renderer, speaker: Speaker, kind: str, stay: str | None
) -> AsyncIterator[bytes]:
    """The bytes of one page's event stream, until the panel stops or the reader goes."""
    live.streams += 1
    sent: dict[str, str] = {}
    try:
        yield f"retry: {RETRY_MS}\n\n".encode()
        while not live.closed:
            seen, began_s = live.generation, time.monotonic()
            yield _event("tick", {"now_us": desk.clock.now_us(), "speed": desk.speed()})
            parts = await run_in_threadpool(lambda: renderer.fragments(kind, speaker, live.board(), stay))
            for name, html in parts.items():
                if sent.get(name) != html:
                    sent[name] = html
                    yield _event("fragment", {"name": name, "html": html})
            await live.wait(seen, TICK_S)
            pause_s = RENDER_S_MIN - (time.monotonic() - began_s)
            if pause_s > 0 and not live.closed:
                await asyncio.sleep(pause_s)
    finally:
        live.streams -= 1


def _event(name: str, data: dict[str, object]) -> bytes:
    return b"event: " + name.encode() + b"\ndata: " + orjson.dumps(data) + b"\n\n"

"""Telling open pages that something changed (server-sent events)."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field

import orjson

MAX_FOLLOWERS = 500
"""Open pages at a time; each holds one connection."""
TICK_S = 10.0
"""Without news a page is told this often to look again: a zone that falls silent says nothing by itself.

It also keeps proxies from closing the connection.
"""


class TooManyFollowers(RuntimeError):
    def __init__(self) -> None:
        super().__init__(f"{MAX_FOLLOWERS} pages already follow live; close some of them and load this one again")


@dataclass(eq=False)
class Follower:
    loop: asyncio.AbstractEventLoop
    woken: asyncio.Event = field(default_factory=asyncio.Event)
    zones: set[str] = field(default_factory=set)
    """Zones with news that this page has not been told of: a slow page loses none, and queues none twice."""


class Hub:
    """Who follows live. ``tell`` and ``close`` may be called from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._followers: set[Follower] = set()
        self._closed = False

    def tell(self, zone: str) -> None:
        with self._lock:
            for follower in self._followers:
                follower.zones.add(zone)
                follower.loop.call_soon_threadsafe(follower.woken.set)

    def close(self) -> None:
        """End all streams, so that the server can stop."""
        with self._lock:
            self._closed = True
            for follower in self._followers:
                follower.loop.call_soon_threadsafe(follower.woken.set)

    @property
    def followers(self) -> int:
        with self._lock:
            return len(self._followers)

    def admit(self) -> None:
        """Raises ``TooManyFollowers``."""
        if self.followers >= MAX_FOLLOWERS:
            raise TooManyFollowers

    async def stream(self) -> AsyncGenerator[bytes, None]:
        """Server-sent events: ``changed`` with ``{"zones":[…]}``, and ``tick`` when there is no news.

        It follows from the first item on, so that one that is never read leaves nothing behind.
        """
        follower = Follower(asyncio.get_running_loop())
        with self._lock:
            self._followers.add(follower)
        try:
            yield b"retry: 2000\n\n"
            while not self._closed:
                try:
                    await asyncio.wait_for(follower.woken.wait(), TICK_S)
                except TimeoutError:
                    yield b"event: tick\ndata: {}\n\n"
                    continue
                follower.woken.clear()
                with self._lock:
                    zones, follower.zones = sorted(follower.zones), set()
                if zones:
                    yield b"event: changed\ndata: " + orjson.dumps({"zones": zones}) + b"\n\n"
        finally:
            with self._lock:
                self._followers.discard(follower)

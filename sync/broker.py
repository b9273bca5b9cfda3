"""A broker inside the process, for the demo: amqtt on loopback, without TLS and without access rules.

It is no broker for a deployment. It needs to keep nothing, because nobody trusts a broker with anything here.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
from typing import Any

from amqtt.broker import Broker as AmqttBroker

from .errors import SyncError

log = logging.getLogger(__name__)

STARTING_S_MAX = 10.0


class BrokerNotStarted(SyncError):
    """The embedded broker could not listen."""


class EmbeddedBroker:
    """An MQTT 3.1.1 broker in a thread of its own. ``port`` is known from the beginning."""

    def __init__(self, port: int | None = None) -> None:
        """Will listen on 127.0.0.1 at ``port``, or at a free one."""
        self.host = "127.0.0.1"
        self.port = free_port() if port is None else port
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self._started = threading.Event()
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._run, name="broker", daemon=True)

    def start(self) -> None:
        """Returns when clients can connect. Raises ``BrokerNotStarted``."""
        self._thread.start()
        in_time = self._started.wait(STARTING_S_MAX)
        if self._error is not None or not in_time:
            reason = self._error or f"it did not start within {STARTING_S_MAX:g} s"
            raise BrokerNotStarted(
                f"the embedded broker cannot listen on {self.host}:{self.port}: {reason}; choose another port"
            ) from self._error

    def stop(self) -> None:
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join(STARTING_S_MAX)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._serve())
        finally:
            self._loop.close()

    async def _serve(self) -> None:
        broker = AmqttBroker(_configuration(self.host, self.port), loop=self._loop)
        try:
            await broker.start()
        except Exception as error:
            self._error = error
            self._started.set()
            return
        self._started.set()
        await self._stop.wait()
        await broker.shutdown()


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def _configuration(host: str, port: int) -> dict[str, Any]:
    # Its streams have TCP_NODELAY set: asyncio does that for every TCP connection.
    return {
        "listeners": {"default": {"type": "tcp", "bind": f"{host}:{port}"}},
        "plugins": {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}},
    }

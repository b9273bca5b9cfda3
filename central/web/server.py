"""The web server in a thread of its own."""

from __future__ import annotations

import socket
import threading

import uvicorn
from fastapi import FastAPI

from config.central import Web
from config.service_manager import Stamp

from ..errors import PartEnded, WebAddressTaken

GRACE_S = 3
"""Real seconds that open requests get when headquarters stops."""
STAMP_S = 1


class WebServer:
    """Serves an application on the address in the settings; port 0 takes a free one, ``url`` says which."""

    def __init__(self, app: FastAPI, settings: Web) -> None:
        self._settings = settings
        self._stamp = Stamp()
        config = uvicorn.Config(
            app,
            lifespan="off",
            log_level="warning",
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=GRACE_S,
            callback_notify=self._turned,
            timeout_notify=STAMP_S,
        )
        self._server = uvicorn.Server(config)
        self._socket: socket.socket | None = None
        self._thread = threading.Thread(target=self._run, name="web", daemon=True)

    @property
    def url(self) -> str:
        assert self._socket is not None, "the server has not been started"
        host, port = self._socket.getsockname()[:2]
        return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"

    def start(self) -> None:
        """Bound here, not in the thread, so that a taken port can be told: raises ``WebAddressTaken``."""
        host, port = self._settings.host, self._settings.port
        try:
            family = socket.AF_INET6 if ":" in host else socket.AF_INET
            self._socket = socket.create_server((host, port), family=family, backlog=128)
        except OSError as error:
            raise WebAddressTaken(host, port, error.strerror or error) from error
        self._thread.start()

    def stop(self) -> None:
        self._server.should_exit = True
        if self._thread.is_alive():
            self._thread.join(timeout=GRACE_S * 3)
        if self._socket is not None:
            self._socket.close()

    def check(self) -> None:
        if not self._thread.is_alive():
            raise PartEnded("web server")

    def beaten_s(self) -> float:
        """Boot time at which the loop that answers was last seen to turn."""
        return self._stamp.beaten_s()

    async def _turned(self) -> None:
        self._stamp.beat()

    def _run(self) -> None:
        assert self._socket is not None
        self._server.run(sockets=[self._socket])

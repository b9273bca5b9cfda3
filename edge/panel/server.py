"""uvicorn in a thread of its own, so that the process keeps its signals and its pulse."""

from __future__ import annotations

import logging
import socket
import threading
import time

import uvicorn
from fastapi import FastAPI

from config.service_manager import Stamp
from custody.errors import FourmustsError

log = logging.getLogger(__name__)

START_S_MAX = 30.0
STOP_S_MAX = 5.0
STAMP_S = 1


class PortTaken(FourmustsError, OSError):
    """Something else listens where the panel should."""

    def __init__(self, host: str, port: int, why: str) -> None:
        super().__init__(
            f"the panel cannot listen at {host}:{port}: {why}; end what listens there (ss -ltnp), or set another "
            "port under [panel] in zone.toml"
        )


class PanelServer:
    """Serves an application until ``stop``. Port 0 takes a free one; ``port`` says which."""

    def __init__(self, app: FastAPI, host: str, port: int, stamp: Stamp | None = None) -> None:
        """Binds at once; ``stamp`` is beaten by the loop that answers. Raises ``PortTaken``."""
        stamp = stamp or Stamp()

        async def turned() -> None:
            stamp.beat()

        self._app = app
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._socket = socket.socket(family)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            self._socket.bind((host, port))
        except OSError as error:
            self._socket.close()
            raise PortTaken(host, port, error.strerror or str(error)) from error
        self.port: int = self._socket.getsockname()[1]
        self.url = f"http://{f'[{host}]' if ':' in host else host}:{self.port}"
        config = uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=int(STOP_S_MAX),
            callback_notify=turned,
            timeout_notify=STAMP_S,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._serve, name="panel-server", daemon=True)

    def start(self) -> None:
        """Returns when requests are answered."""
        self._thread.start()
        ends_s = time.monotonic() + START_S_MAX
        while not self._server.started:
            if not self._thread.is_alive() or time.monotonic() > ends_s:
                raise RuntimeError("the panel's web server did not start; its log says why")
            time.sleep(0.01)
        log.info("the panel answers at %s", self.url)

    @property
    def alive(self) -> bool:
        return self._thread.is_alive()

    def stop(self) -> None:
        """End the open streams, answer what is being answered, and stop."""
        self._app.state.live.close()
        self._server.should_exit = True
        self._thread.join(STOP_S_MAX * 2)
        self._socket.close()

    def _serve(self) -> None:
        self._server.run(sockets=[self._socket])

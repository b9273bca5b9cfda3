"""The bench of a running zone's simulated hardware: a Unix socket through which it is driven from outside.

One request a connection, one line each way::

    tap front-door p0231\\n   →   ok granted\\n
    camera cam-9 freeze\\n    →   device camera: there is no cam-9 here; there are: cam-1, cam-2\\n
"""

from __future__ import annotations

import contextlib
import logging
import shlex
import socket
import socketserver
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from custody.errors import FourmustsError

log = logging.getLogger(__name__)

MAX_REQUEST_BYTES = 4096
REPLY_TIMEOUT_S = 10.0

Handler = Callable[[Sequence[str]], str]
"""Takes the words after the device's name, returns the reply; raises ``SimulationError``."""


class SimulationError(FourmustsError, ValueError):
    """A request that the simulated hardware cannot follow; says what and what would do."""


class UnknownKind(SimulationError):
    """This process has no device of that kind; another one of the zone may."""


class UnknownDevice(SimulationError):
    """This process has devices of that kind, but none of that name."""


class Bench:
    """Serves one process's simulated devices on a socket. ``kind`` is the first word of a request."""

    def __init__(self, socket_path: Path) -> None:
        self._path = socket_path
        self._devices: dict[str, dict[str, Handler]] = {}
        self._server: socketserver.ThreadingUnixStreamServer | None = None

    def register(self, kind: str, name: str, handler: Handler) -> None:
        """From now on ``<kind> <name> <words…>`` is answered by ``handler(words)``."""
        self._devices.setdefault(kind, {})[name] = handler

    def start(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._path.unlink(missing_ok=True)
        bench = self

        class Request(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                request = self.rfile.readline(MAX_REQUEST_BYTES).decode(errors="replace")
                self.wfile.write(f"{bench._answer(request)}\n".encode())

        self._server = socketserver.ThreadingUnixStreamServer(str(self._path), Request)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.05,), name="sim-bench", daemon=True).start()

    def stop(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._path.unlink(missing_ok=True)

    def _answer(self, request: str) -> str:
        try:
            words = shlex.split(request)
            if len(words) < 2:
                raise SimulationError(f"say what to drive and its name; there are: {', '.join(self._devices)}")
            kind, name, *rest = words
            if kind not in self._devices:
                raise UnknownKind(f"nothing here answers to {kind!r}; there are: {', '.join(self._devices)}")
            named = self._devices[kind]
            if name not in named:
                raise UnknownDevice(f"{kind}: there is no {name} here; there are: {', '.join(named)}")
            return f"ok {named[name](rest)}".rstrip()
        except UnknownKind as error:
            return f"kind {error}"
        except UnknownDevice as error:
            return f"device {error}"
        except ValueError as error:
            return f"error {error}"
        except Exception:
            log.exception("a simulated device failed on %r", request)
            return "error the simulated device failed; its process's log says why"


def drive(run_dir: Path, words: Sequence[str]) -> str:
    """Send ``words`` to whichever process of the zone has that device, and return its reply.

    Raises ``SimulationError`` when no process answers or the device refuses.
    """
    refusals: dict[str, str] = {}
    for path in sorted(run_dir.glob("sim-*.sock")):
        with contextlib.suppress(OSError):
            verdict, _, text = _ask(path, words).partition(" ")
            if verdict == "ok":
                return text
            if not verdict:
                continue  # it ended in the middle of this
            if verdict == "error":
                raise SimulationError(text)
            refusals[verdict] = f"{refusals[verdict]}; {text}" if verdict in refusals else text
    if not refusals:
        raise SimulationError(f"no simulated hardware answers in {run_dir}; is the zone running (fourmusts edge)?")
    raise SimulationError(refusals.get("device") or refusals["kind"])


def _ask(path: Path, words: Sequence[str]) -> str:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(REPLY_TIMEOUT_S)
        connection.connect(str(path))
        connection.sendall(f"{shlex.join(words)}\n".encode())
        with connection.makefile("r") as answer:
            return answer.readline().rstrip("\n")

"""A group of cameras as the camera process sees it: a worker, spoken to, and started again when it dies."""

from __future__ import annotations

import logging
import multiprocessing
import time
from collections.abc import Sequence
from multiprocessing.connection import Connection

from config.clock import Clock
from config.zone import ZoneSettings

from .messages import Stop
from .worker import work

log = logging.getLogger(__name__)

FIRST_RESTART_S = 1.0
LONGEST_RESTART_S = 60.0
STABLE_S = 60.0
"""A worker that has lived so long is started at once when it dies."""
STOP_REAL_S = 5.0
SILENT_REAL_S = 10.0
"""A worker that says nothing for so long hangs: what it said last must not stand any longer."""
STARTING_REAL_S = 180.0
"""Before its first word it loads its libraries and reads again what a crash left behind."""


class Group:
    """``cameras`` are ids. Use it from one thread."""

    def __init__(self, settings: ZoneSettings, cameras: Sequence[str], clock: Clock) -> None:
        self.cameras = tuple(cameras)
        self._settings = settings
        self._clock = clock
        self._process: multiprocessing.process.BaseProcess | None = None
        self._restart_s = FIRST_RESTART_S
        self._start_at_s = clock.boottime_s()
        self._started_s = self._heard_s = self._start_at_s
        self._silent_at_real_s = 0.0
        self.connection: Connection | None = None

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    def start_if_due(self) -> bool:
        """Start the worker when it is not running and its time has come; whether it was started."""
        if self._process is not None or self._clock.boottime_s() < self._start_at_s:
            return False
        context = multiprocessing.get_context("spawn")
        self.connection, theirs = context.Pipe()
        arguments = (theirs, self._settings, self.cameras, self._clock)
        self._process = context.Process(target=work, args=arguments, name=f"cameras {' '.join(self.cameras)}")
        self._process.start()
        theirs.close()
        self._started_s = self._heard_s = self._clock.boottime_s()
        self._silent_at_real_s = time.monotonic() + STARTING_REAL_S
        return True

    @property
    def heard_s(self) -> float:
        """Boot time of its last word, or of its start."""
        return self._heard_s

    def send(self, message: object) -> bool:
        """Whether it could be sent."""
        try:
            if self.connection is not None:
                self.connection.send(message)
                return True
        except OSError:
            log.info("the worker of %s does not listen", ", ".join(self.cameras))
        return False

    def received(self) -> list[object]:
        """What the worker has said. Raises ``EOFError`` when it is gone, or hangs."""
        messages: list[object] = []
        try:
            while self.connection is not None and self.connection.poll():
                messages.append(self.connection.recv())
        except (EOFError, OSError) as error:
            if not messages:
                raise EOFError from error
        if messages:
            self._heard_s = self._clock.boottime_s()
            self._silent_at_real_s = time.monotonic() + SILENT_REAL_S
        elif self.connection is not None and time.monotonic() > self._silent_at_real_s:
            log.error("the worker of %s hangs; it is killed and started again", ", ".join(self.cameras))
            raise EOFError
        return messages

    def bury(self) -> None:
        """The worker has died: make room for the next one, a little later each time."""
        now_s = self._clock.boottime_s()
        self._end(0.2)
        code = self._process.exitcode if self._process else None
        if now_s - self._started_s >= STABLE_S:
            self._restart_s = FIRST_RESTART_S
        log.error(
            "the worker of %s died (exit code %s); next start in %.0f s", self.cameras, code, self._restart_s
        )
        self._process = None
        self._start_at_s = now_s + self._restart_s
        self._restart_s = min(self._restart_s * 2, LONGEST_RESTART_S)

    def ask_to_stop(self) -> None:
        """Ask the worker to end its recordings and go."""
        self.send(Stop())

    def stop(self) -> None:
        """After ``ask_to_stop``: wait until it is gone."""
        self._end(STOP_REAL_S)
        self._process = None

    def _end(self, patience_real_s: float) -> None:
        process = self._process
        if process is not None:
            process.join(patience_real_s)
            if process.is_alive():
                process.kill()
                process.join()
        if self.connection is not None:
            self.connection.close()
            self.connection = None

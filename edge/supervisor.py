"""All four processes of a zone under one supervisor, for development and the demo.

In service systemd does this (systemd/*.service); here a part that dies is started again, later each time.
"""

from __future__ import annotations

import logging
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

log = logging.getLogger(__name__)

RESTART_S_MIN = 0.5
RESTART_S_MAX = 30.0
SETTLED_S = 30.0
"""A part that ran this long has settled; its next death is a first one again."""
STOP_S_MAX = 15.0
LOOK_S = 0.1


@dataclass
class _Part:
    name: str
    command: list[str]
    process: subprocess.Popen[bytes] | None = None
    started_s: float = 0.0
    restart_s: float = RESTART_S_MIN
    due_s: float = field(default=0.0)


class Supervisor:
    """Runs one command for each named part, and runs it again when it ends by itself."""

    def __init__(self, commands: Mapping[str, Sequence[str]]) -> None:
        self._parts = [_Part(name, list(command)) for name, command in commands.items()]

    def run(self, stop: threading.Event) -> None:
        """Block until ``stop``; then end every part in good order, in the order of the commands."""
        try:
            while not stop.wait(LOOK_S):
                for part in self._parts:
                    self._look_after(part, time.monotonic())
        finally:
            for part in self._parts:
                self._end(part)

    def _look_after(self, part: _Part, now_s: float) -> None:
        if part.process is None:
            if now_s >= part.due_s:
                part.process = subprocess.Popen(part.command)
                part.started_s = now_s
            return
        status = part.process.poll()
        if status is None:
            return
        if now_s - part.started_s > SETTLED_S:
            part.restart_s = RESTART_S_MIN
        log.error("%s ended with status %d; it is started again in %.1f s", part.name, status, part.restart_s)
        part.process = None
        part.due_s = now_s + part.restart_s
        part.restart_s = min(part.restart_s * 2, RESTART_S_MAX)

    def _end(self, part: _Part) -> None:
        if part.process is None:
            return
        part.process.terminate()
        try:
            part.process.wait(STOP_S_MAX)
        except subprocess.TimeoutExpired:
            log.error("%s did not stop within %.0f s and is killed", part.name, STOP_S_MAX)
            part.process.kill()
            part.process.wait()

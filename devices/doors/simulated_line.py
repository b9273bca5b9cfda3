"""The line of a simulated lock's relay, kept where a real one is: outside the process.

A GPIO line keeps its level when the process that drove it is killed (Raspberry Pi kernels without
``strict_gpiod``), so its twin does too. It is a file of two bytes that anybody may look at: ``1`` energised, ``0``
at rest, ``-`` nobody drives it, which is rest as well; then a newline.
"""

from __future__ import annotations

import logging
import os
from enum import StrEnum
from pathlib import Path

log = logging.getLogger(__name__)


class Level(StrEnum):
    ENERGISED = "1"
    AT_REST = "0"
    UNDRIVEN = "-"


class SimulatedLine:
    """One relay's line. Whoever makes the second one of the same file takes it over as it stands."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._fd: int | None = None
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            self._fd = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            self._only_in_memory(error)

    def drive(self, *, energised: bool) -> None:
        self._set(Level.ENERGISED if energised else Level.AT_REST)

    def let_go(self) -> None:
        """Nobody drives it any more, and it can be driven no more."""
        self._set(Level.UNDRIVEN)
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None

    def _set(self, level: Level) -> None:
        if self._fd is None:
            return
        try:
            # One write of two bytes: whoever looks sees the old level or the new one.
            os.pwrite(self._fd, f"{level}\n".encode(), 0)
        except OSError as error:
            self._only_in_memory(error)

    def _only_in_memory(self, error: OSError) -> None:
        log.error("%s cannot be written: %s; the simulated relay moves, but nobody sees it", self._file, error)


def level_of(file: Path) -> Level:
    """How the line stands, as anybody sees it; one that was never driven is undriven."""
    try:
        return Level(file.read_text().strip())
    except FileNotFoundError:
        return Level.UNDRIVEN

"""A file that takes up room beside the ledger, to be given up when the disk is full.

Whatever filled the disk, recordings or logs, the ledger can then still be written for days: the heartbeats that
say how little is free, the openings of doors, the register. Headquarters and the log tell while there is time.
"""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
from pathlib import Path

log = logging.getLogger(__name__)

BYTES = 32 * 1024 * 1024
"""Some fifty thousand lines: about ten days of a busy zone."""
FREE_TIMES_MIN = 4
"""It is made only where so many times its size is free: a disk that is nearly full must not be filled by it."""
NAME = "ballast"


class Ballast:
    """The ballast of a directory; any process may hold it or give it up."""

    def __init__(self, directory: Path) -> None:
        self._file = directory / NAME

    def hold(self) -> bool:
        """Make it, if it is not there and the disk has room. Whether it is there now."""
        try:
            if self._file.exists():
                return True
            if shutil.disk_usage(self._file.parent).free < FREE_TIMES_MIN * BYTES:
                log.warning(
                    "%s has too little free space for the ballast of %d MB; free some: it is made within a day",
                    self._file.parent,
                    BYTES // 1_000_000,
                )
                return False
            growing = self._file.with_suffix(".new")
            with growing.open("wb") as file:
                # Blocks that are really taken: a sparse file would give nothing back.
                os.posix_fallocate(file.fileno(), 0, BYTES)
            growing.replace(self._file)
        except OSError as error:
            log.error("the ballast %s cannot be made: %s", self._file, error)
            return False
        return True

    def give_up(self) -> bool:
        """Free its room; ``False`` if it was given up before."""
        with contextlib.suppress(FileNotFoundError):
            self._file.unlink()
            log.error(
                "the disk of %s is full. The ballast was given up: events can still be written until its %d MB "
                "are used up. Free space now (df %s)",
                self._file.parent,
                BYTES // 1_000_000,
                self._file.parent,
            )
            return True
        return False

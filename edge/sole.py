"""Only one process of a part in a zone: two links or two door processes would work against each other.

The kernel holds the lock for exactly as long as the process lives, however it ends.
"""

from __future__ import annotations

import fcntl
import logging
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TextIO

from custody.errors import FourmustsError

log = logging.getLogger(__name__)


class RunsAlready(FourmustsError):
    """This part of this zone is already running."""

    def __init__(self, part: str, file: Path, pid: str) -> None:
        super().__init__(
            f"{file}: {part} of this zone runs already, as process {pid or 'unknown'}; "
            f"end that one first (systemctl stop fourmusts-{part}, or kill {pid or 'its process'})"
        )


@contextmanager
def only_one(run_dir: Path, part: str) -> Iterator[None]:
    """Hold the part for the length of the block. Raises ``RunsAlready``."""
    path = run_dir / f"{part}.lock"
    with ExitStack() as held:
        try:
            run_dir.mkdir(parents=True, exist_ok=True)
            file = held.enter_context(path.open("a+"))
            _lock(file, path, part)
        except OSError as error:
            # Doors without a lock file are better than no doors.
            log.warning("%s: it cannot be held that %s runs only once: %s", path, part, error)
        yield


def _lock(file: TextIO, path: Path, part: str) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.seek(0)
        raise RunsAlready(part, path, file.read().strip()) from None
    file.truncate(0)
    file.write(str(os.getpid()))
    file.flush()

"""A process's sign of life for the others of its zone: a file with the boot time of its last beat.

No process calls another; who wants to know whether a part is alive reads its pulse.
"""

from __future__ import annotations

import logging
import threading
from contextlib import suppress
from pathlib import Path

from config.clock import Clock

log = logging.getLogger(__name__)

PULSE_VALID_S = 30.0
"""A part whose pulse is older counts as dead; three times the slowest loop's worst pause."""


class Pulse:
    """Beats for one part. ``beat`` costs a small write to ``run_dir``, which should be in memory (tmpfs)."""

    def __init__(self, run_dir: Path, part: str, clock: Clock) -> None:
        run_dir.mkdir(parents=True, exist_ok=True)
        self._file = run_dir / f"{part}.pulse"
        self._clock = clock
        self._unwritable = False

    def beat(self) -> None:
        """Never raises: a part whose pulse cannot be written counts as silent, and goes on with its work."""
        # Written aside and renamed: a reader never sees half a pulse.
        fresh = self._file.with_suffix(f".{threading.get_ident()}")
        try:
            fresh.write_text(f"{self._clock.bootid} {self._clock.boottime_s():.6f}\n")
            fresh.replace(self._file)
        except OSError as error:
            if not self._unwritable:
                log.error(
                    "%s cannot be written: %s; this part counts as silent until it can; see df -h and df -i",
                    self._file,
                    error,
                )
            self._unwritable = True
        else:
            self._unwritable = False

    def end(self) -> None:
        """The part stops in good order."""
        with suppress(OSError):
            self._file.unlink(missing_ok=True)


def last_beat_s(run_dir: Path, part: str, clock: Clock) -> float | None:
    """Boot time of the part's last beat, or None when it has not beaten in this boot."""
    try:
        bootid, beaten_s = (run_dir / f"{part}.pulse").read_text().split()
    except (OSError, ValueError):
        return None
    return float(beaten_s) if bootid == clock.bootid else None


def is_alive(run_dir: Path, part: str, clock: Clock) -> bool:
    """Whether the part has beaten within ``PULSE_VALID_S`` clock seconds."""
    beaten_s = last_beat_s(run_dir, part, clock)
    return beaten_s is not None and clock.boottime_s() - beaten_s <= PULSE_VALID_S

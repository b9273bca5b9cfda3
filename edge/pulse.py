"""A process's sign of life for the others of its zone: a file with the boot time of its last beat.

No process calls another; who wants to know whether a part is alive reads its pulse.
"""

from __future__ import annotations

import threading
from pathlib import Path

from config.clock import Clock

PULSE_VALID_S = 30.0
"""A part whose pulse is older counts as dead; three times the slowest loop's worst pause."""


class Pulse:
    """Beats for one part. ``beat`` costs a small write to ``run_dir``, which should be in memory (tmpfs)."""

    def __init__(self, run_dir: Path, part: str, clock: Clock) -> None:
        run_dir.mkdir(parents=True, exist_ok=True)
        self._file = run_dir / f"{part}.pulse"
        self._clock = clock

    def beat(self) -> None:
        # Written aside and renamed: a reader never sees half a pulse.
        fresh = self._file.with_suffix(f".{threading.get_ident()}")
        fresh.write_text(f"{self._clock.bootid} {self._clock.boottime_s():.6f}\n")
        fresh.replace(self._file)

    def end(self) -> None:
        """The part stops in good order."""
        self._file.unlink(missing_ok=True)


def last_beat_s(run_dir: Path, part: str, clock: Clock) -> float | None:
    """Boot time of the part's last beat, or None when it has not beaten in this boot."""
    try:
        bootid, beaten_s = (run_dir / f"{part}.pulse").read_text().split()
    except (FileNotFoundError, ValueError):
        return None
    return float(beaten_s) if bootid == clock.bootid else None


def is_alive(run_dir: Path, part: str, clock: Clock) -> bool:
    """Whether the part has beaten within ``PULSE_VALID_S`` clock seconds."""
    beaten_s = last_beat_s(run_dir, part, clock)
    return beaten_s is not None and clock.boottime_s() - beaten_s <= PULSE_VALID_S

"""The clock that everything is given: wall time, boot time and waiting, so that nothing reaches for its own.

Wall time is for records, boot time for durations: a wall clock may be stepped while a lock is open.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol


class Clock(Protocol):
    """What time it is, here."""

    @property
    def bootid(self) -> str:
        """Identity of this boot; ``boottime_s`` of two boots cannot be compared."""
        ...

    def now_us(self) -> int:
        """Wall time, UTC microseconds since 1970."""
        ...

    def boottime_s(self) -> float:
        """CLOCK_BOOTTIME: seconds since boot, never stepped, counting through suspend."""
        ...

    def utc_offset_s(self, moment_us: int) -> int:
        """UTC offset of the zone's local time at that moment, in seconds."""
        ...

    def real_s(self, clock_s: float) -> float:
        """How many real seconds pass while this clock advances by ``clock_s``."""
        ...


def local_utc_offset_s(moment_us: int) -> int:
    offset = datetime.fromtimestamp(moment_us / 1e6).astimezone().utcoffset()
    assert offset is not None
    return int(offset.total_seconds())


def read_bootid() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


class SystemClock:
    """The machine's own clock. ``utc_offset_s`` fixed (a zone in China is at +08:00 whatever TZ says)."""

    def __init__(self, *, fixed_utc_offset_s: int | None = None) -> None:
        self._offset_s = fixed_utc_offset_s
        self.bootid = read_bootid()

    def now_us(self) -> int:
        return time.time_ns() // 1000

    def boottime_s(self) -> float:
        return time.clock_gettime(time.CLOCK_BOOTTIME)

    def utc_offset_s(self, moment_us: int) -> int:
        return local_utc_offset_s(moment_us) if self._offset_s is None else self._offset_s

    def real_s(self, clock_s: float) -> float:
        return clock_s


@dataclass(frozen=True)
class Timelapse:
    """A day played at speed: the clock starts at ``start_us`` and runs ``speed`` times as fast as the
    machine's boot time from ``anchor_boottime_s`` on, until it has caught up at ``until_us``; then as fast as it.

    A pure function of boot time, so that the processes of one zone agree without talking.
    """

    start_us: int
    anchor_boottime_s: float
    speed: float
    until_us: int

    @classmethod
    def ending_now(cls, *, lasting_s: float, speed: float) -> Timelapse:
        """A timelapse of ``lasting_s`` clock seconds that starts now and ends on the true time."""
        now_us, boottime_s = time.time_ns() // 1000, time.clock_gettime(time.CLOCK_BOOTTIME)
        until_us = now_us + int(lasting_s / speed * 1e6)
        return cls(until_us - int(lasting_s * 1e6), boottime_s, speed, until_us)

    def encode(self) -> str:
        return f"{self.start_us}:{self.anchor_boottime_s:.6f}:{self.speed}:{self.until_us}"

    @classmethod
    def decode(cls, text: str) -> Timelapse:
        start_us, anchor_s, speed, until_us = text.split(":")
        return cls(int(start_us), float(anchor_s), float(speed), int(until_us))


class TimelapseClock:
    """A ``Timelapse`` as a clock (used by the demo)."""

    def __init__(self, timelapse: Timelapse, *, fixed_utc_offset_s: int | None = None) -> None:
        self._lapse = timelapse
        self._offset_s = fixed_utc_offset_s
        self.bootid = read_bootid()

    def _elapsed_s(self) -> float:
        lapse = self._lapse
        real_s = time.clock_gettime(time.CLOCK_BOOTTIME) - lapse.anchor_boottime_s
        fast_s = (lapse.until_us - lapse.start_us) / 1e6
        return real_s * lapse.speed if real_s * lapse.speed < fast_s else fast_s + real_s - fast_s / lapse.speed

    @property
    def running_fast(self) -> bool:
        return self._elapsed_s() < (self._lapse.until_us - self._lapse.start_us) / 1e6

    def now_us(self) -> int:
        return self._lapse.start_us + int(self._elapsed_s() * 1e6)

    def boottime_s(self) -> float:
        return self._lapse.anchor_boottime_s + self._elapsed_s()

    def utc_offset_s(self, moment_us: int) -> int:
        return local_utc_offset_s(moment_us) if self._offset_s is None else self._offset_s

    def real_s(self, clock_s: float) -> float:
        return clock_s / self._lapse.speed if self.running_fast else clock_s


class ManualClock:
    """A clock that only moves when told to, for tests and simulations. Safe to share between threads."""

    def __init__(self, now_us: int = 1_763_860_000_000_000, *, utc_offset_s: int = 28_800) -> None:
        self._lock = threading.Lock()
        self._now_us = now_us
        self._boottime_s = 1000.0
        self._offset_s = utc_offset_s
        self.bootid = "00000000-0000-0000-0000-000000000001"

    def advance(self, seconds: float) -> None:
        with self._lock:
            self._now_us += round(seconds * 1e6)
            self._boottime_s += seconds

    def step_wall(self, seconds: float) -> None:
        """Move wall time alone, as an NTP step does."""
        with self._lock:
            self._now_us += round(seconds * 1e6)

    def now_us(self) -> int:
        with self._lock:
            return self._now_us

    def boottime_s(self) -> float:
        with self._lock:
            return self._boottime_s

    def utc_offset_s(self, moment_us: int) -> int:
        return self._offset_s

    def real_s(self, clock_s: float) -> float:
        return 0.0

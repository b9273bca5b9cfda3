"""The axis of time across a drawing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

STEPS_S = (10, 30, 60, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400)
TICKS_MOST = 12


@dataclass(frozen=True, slots=True)
class Axis:
    """Moments from ``start_us`` to ``end_us`` lie from ``left`` to ``right``; times are shown local."""

    start_us: int
    end_us: int
    left: float
    right: float
    utc_offset_s: int

    def x(self, moment_us: int) -> float:
        """Where a moment lies; what is before the start or after the end lies at the edge."""
        share = (moment_us - self.start_us) / (self.end_us - self.start_us)
        return self.left + min(1.0, max(0.0, share)) * (self.right - self.left)

    def span(self, start_us: int, end_us: int, least: float) -> tuple[float, float]:
        """(x, width) of a stretch, at least ``least`` wide and within the axis: a gap of seconds must be seen."""
        low, high = self.x(start_us), self.x(end_us)
        width = max(least, high - low)
        return min(low, self.right - width), width

    def holds(self, moment_us: int) -> bool:
        return self.start_us <= moment_us <= self.end_us

    def ticks(self) -> Iterator[tuple[float, int, bool]]:
        """(x, moment, whether a day begins) at round local times."""
        span_s = (self.end_us - self.start_us) / 1e6
        step_s = next((step for step in STEPS_S if span_s / step <= TICKS_MOST), 0)
        step_s = step_s or -(-int(span_s / TICKS_MOST) // 86_400) * 86_400
        step_us, offset_us, day_us = step_s * 1_000_000, self.utc_offset_s * 1_000_000, 86_400_000_000
        first = -(-(self.start_us + offset_us) // step_us) * step_us
        for local_us in range(first, self.end_us + offset_us + 1, step_us):
            yield self.x(local_us - offset_us), local_us - offset_us, local_us % day_us == 0

    @property
    def step_below_a_minute(self) -> bool:
        return (self.end_us - self.start_us) / 1e6 / 30 <= TICKS_MOST

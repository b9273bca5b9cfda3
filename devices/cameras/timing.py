"""When a packet's picture was really taken: a stream's clock laid onto ours.

Packets arrive late by the network and by buffers, never early; so the least delayed one of the last minute tells
how the two clocks lie (the method of moonfire-nvr's design/time.md). The camera's idea of the time of day is not
used: whoever may set a camera's clock could set the dates of a recording.
"""

from __future__ import annotations

from collections import deque

from config.clock import Clock

WINDOW_S = 60.0
JUMP_S = 3.0
"""A step of the stream's clock beyond this, that arrival does not show, begins a new run."""


def clock_s_in(clock: Clock, real_s: float) -> float:
    """How much of the clock's time passes in ``real_s`` real seconds; 0 for a clock that is moved by hand."""
    one_s = clock.real_s(1.0)
    return real_s / one_s if one_s > 0 else 0.0


class StreamClock:
    """``observe`` every packet of one track; ask ``boot_s`` at which boot time its picture was taken."""

    def __init__(self, window_s: float = WINDOW_S) -> None:
        self._window_s = window_s
        self._least: deque[tuple[float, float]] = deque()
        self._last: tuple[float, float] | None = None
        self._gaps: deque[float] = deque(maxlen=9)
        self.runs = 0
        """Rises by one when the stream's clock was reset or jumped: what came before does not join on."""

    @property
    def usual_s(self) -> float | None:
        """The usual time between two packets: the median of the last ones."""
        return sorted(self._gaps)[len(self._gaps) // 2] if self._gaps else None

    def observe(self, at_s: float, boot_s: float) -> None:
        if self._last is not None:
            step_s, waited_s = at_s - self._last[0], boot_s - self._last[1]
            jump_s = max(JUMP_S, 10 * (self.usual_s or 0.0))
            if step_s <= -JUMP_S or (step_s > jump_s and waited_s < step_s / 2):
                self._least.clear()
                self._gaps.clear()
                self.runs += 1
            elif step_s > 0:
                self._gaps.append(step_s)
        self._last = (at_s, boot_s)
        delay_s = boot_s - at_s
        while self._least and self._least[-1][1] >= delay_s:
            self._least.pop()
        self._least.append((boot_s, delay_s))
        while self._least[0][0] < boot_s - self._window_s:
            self._least.popleft()

    def boot_s(self, at_s: float) -> float:
        """Boot time of the stream's moment ``at_s``; only after the first ``observe``."""
        return at_s + self._least[0][1]

    def at_s(self, boot_s: float) -> float:
        """The stream's moment at a boot time: ``boot_s`` the other way round."""
        return boot_s - self._least[0][1]


def wall_us(clock: Clock, boot_s: float) -> int:
    """Wall time of a boot time, by how the two lie to each other now."""
    return clock.now_us() + round((boot_s - clock.boottime_s()) * 1e6)

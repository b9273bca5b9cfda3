"""From packets to intervals: which time they really cover."""

from __future__ import annotations

from itertools import pairwise

LEAST_GAP_S = 1.0
SPACINGS = 3.0
"""A hole is a pause of more than a second and of more than three usual spacings between packets."""
REMEMBERED = 9


class Cover:
    """Feed one track's packet times in order (seconds, any origin); read the spans that they cover.

    ``usual_s``: the stream's spacing as known from before, for a stretch too short to show its own.
    """

    def __init__(self, usual_s: float = 0.0) -> None:
        self._known_s = usual_s
        self._times: list[float] = []

    @property
    def packets(self) -> int:
        return len(self._times)

    @property
    def last_s(self) -> float:
        """When the last packet came; 0 before the first."""
        return self._times[-1] if self._times else 0.0

    @property
    def longest_gap_s(self) -> float:
        return max(self._gaps(), default=0.0)

    def add(self, at_s: float) -> None:
        # A packet that does not come after the one before adds nothing, and must not shorten anything.
        self._times.append(max(at_s, self._times[-1]) if self._times else at_s)

    def spans(self, until_s: float | None = None) -> list[tuple[float, float]]:
        """``until_s``: when the next packet came, if one did, that is stored elsewhere."""
        if not self._times:
            return []
        found: list[tuple[float, float]] = []
        gaps = self._gaps()
        rhythm = [self._known_s] if self._known_s > 0 else []
        start_s = self._times[0]
        for index, gap_s in enumerate(gaps):
            # At the beginning of a stream of which nothing is known, what comes after must show its rhythm.
            near = rhythm[-REMEMBERED:] or [gap for gap in gaps[index + 1 : index + 1 + REMEMBERED] if gap > 0]
            usual_s = _median(near)
            if is_hole(gap_s, usual_s):
                found.append((start_s, self._times[index] + usual_s))
                start_s = self._times[index + 1]
            elif gap_s > 0:
                rhythm.append(gap_s)
        usual_s = _median(rhythm[-REMEMBERED:])
        end_s = self._times[-1] + usual_s
        if until_s is not None and until_s >= self._times[-1] and not is_hole(until_s - self._times[-1], usual_s):
            end_s = until_s
        return [*found, (start_s, end_s)]

    def _gaps(self) -> list[float]:
        return [after - before for before, after in pairwise(self._times)]


def _median(values: list[float]) -> float:
    """The lower one of an even number: in doubt a packet covers less."""
    return sorted(values)[(len(values) - 1) // 2] if values else 0.0


def is_hole(gap_s: float, usual_s: float) -> bool:
    return gap_s > max(LEAST_GAP_S, SPACINGS * usual_s)

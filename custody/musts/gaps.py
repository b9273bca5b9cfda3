"""Required − proven = gap (rules.md, "Gap")."""

from __future__ import annotations

from dataclasses import dataclass

from custody.intervals import Intervals, intersect, subtract


@dataclass(frozen=True, slots=True)
class Gap:
    """A run of missing time; ``missing_us`` is its missing time alone, without what bridges it."""

    start: int
    end: int
    missing_us: int


def gaps(required: Intervals, missing: Intervals, bridge_us: int) -> list[Gap]:
    """The runs of missing time. Less than ``bridge_us`` of other time between two of them joins them, time that is
    not required never does."""
    found: list[Gap] = []
    for low, high in required:
        last: Gap | None = None
        for start, end in intersect(missing, [(low, high)]):
            if last is not None and start - last.end < bridge_us:
                last = Gap(last.start, end, last.missing_us + end - start)
                found[-1] = last
            else:
                last = Gap(start, end, end - start)
                found.append(last)
    return found


def unknown_runs(required: Intervals, proven: Intervals, missing: Intervals, floor_us: int) -> Intervals:
    """The runs of required time that is neither proven nor missing, of at least ``floor_us``."""
    unknown = subtract(subtract(required, proven), missing)
    return [(start, end) for start, end in unknown if end - start >= floor_us]

"""The legal clocks: how long a person may be kept."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

from .findings import Findings
from .numbers import DAY, FOREVER, FOUR_HOUR_FLAGS, HOUR, NEW_LAW, TIERS_H
from .reading import Fact, local_day
from .stays import Measure, Stay
from .world import World


@dataclass
class Over:
    start: int
    reached: int


def judge_clocks(world: World, out: Findings) -> None:
    for stay in world.stays:
        t1(world, stay, out)
        t2(world, stay, out)
        t3(stay, out)


def tiers(stay: Stay, fact: Fact, kind: str) -> list[float]:
    """The tiers that exist for a kind on the day of the event, smallest first."""
    hours: list[float] = list(TIERS_H[kind])
    if kind == "administrative_summons" and local_day(fact) >= NEW_LAW:
        hours.append(12)
    if kind == "continued_questioning" and _flags_by(stay, fact) & FOUR_HOUR_FLAGS:
        hours.append(4)
    return sorted(hours)


def _flags_by(stay: Stay, fact: Fact) -> set[str]:
    said = [f for f in stay.flags_said() if f.order <= fact.order]
    return set(said[-1].data["flags"]) if said else set()


def tier_hours(stay: Stay, measure: Measure) -> float:
    """The limit that the measure is judged with, before the four hours of the persons named."""
    if measure.limit_hours is None or measure.fact is None:
        return min(TIERS_H[measure.kind])
    existing = tiers(stay, measure.fact, measure.kind)
    smaller = [tier for tier in existing if tier <= measure.limit_hours]
    return smaller[-1] if smaller else measure.limit_hours


def reached(world: World, stay: Stay, measure: Measure, flags: set[str]) -> int:
    """The moment when the limit is reached."""
    hours = tier_hours(stay, measure)
    if measure.kind == "continued_questioning" and flags & FOUR_HOUR_FLAGS:
        hours = min(hours, 4)
    left = round(hours * HOUR)
    t = measure.counted_from
    if measure.kind == "administrative_summons":
        for start, end in sorted((a.start, min(a.end, world.h)) for a in stay.activities if a.kind == "sobering"):
            if end <= t:
                continue
            if start > t:
                if start - t >= left:
                    break
                left -= start - t
            t = end
    return t + left


def t1(world: World, stay: Stay, out: Findings) -> None:
    exited = stay.first("stay.exited")
    end = exited.t if exited else FOREVER
    stop = min(end, world.h)
    begins = stay.begins
    changes = {f.t for f in stay.of("stay.arrived", "measure.changed", "flags.changed")}
    moments = [begins, *sorted(t for t in changes if begins < t <= world.h and t < end)]
    over: Over | None = None
    before = 0
    for t, until in zip(moments, [*moments[1:], stop], strict=True):
        limit = reached(world, stay, stay.measure_at(t), stay.flags_at(t))
        if over is not None and limit > before:
            _t1_finding(world, stay, over.start, t, out)
            over = None
        if over is None and max(limit, t) < until:
            over = Over(max(limit, t), limit)
        before = limit
    if over is not None:
        _t1_finding(world, stay, over.start, end if exited else FOREVER, out)


def _t1_finding(world: World, stay: Stay, start: int, end: int, out: Findings) -> None:
    then = min(end, world.h)
    measure = stay.measure_at(then)
    long_questioning = measure.kind == "continued_questioning" and tier_hours(stay, measure) == 48
    serious = then - stay.begins > (2 * DAY if long_questioning else DAY)
    out.add("T1", stay.id, "serious" if serious else "breach", start, end)


def t2(world: World, stay: Stay, out: Findings) -> None:
    measures = stay.measures()
    for earlier, later in itertools.pairwise(measures):
        changed = later.fact
        if changed is None or changed.type != "measure.changed":
            continue
        flags = _flags_by(stay, changed)
        limit = reached(world, stay, earlier, flags)
        if reached(world, stay, later, flags) > limit and changed.written >= limit:
            out.at("T2", stay.id, "breach", changed.t)


def t3(stay: Stay, out: Findings) -> None:
    for measure in stay.measures():
        if measure.fact is None or measure.limit_hours is None:
            continue
        if measure.limit_hours not in tiers(stay, measure.fact, measure.kind):
            out.at("T3", stay.id, "review", measure.fact.t)

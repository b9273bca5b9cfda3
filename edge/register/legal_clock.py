"""How long a person may still be held: the clock of the measure in force (rules.md, T1).

It warns before the limit; what is over it is the judge's finding.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from custody.events import Event, parse_time, to_datetime
from custody.policy import Policy
from custody.register import Stay

SECOND_US = 1_000_000
HOUR_US = 3_600 * SECOND_US
QUESTIONING, ADMINISTRATIVE = "continued_questioning", "administrative_summons"
WARN_SHARES = (0.75, 0.90)
WARN_LAST_S = 30 * 60
SHORTEST_H = 8.0
GIVES_MEASURE = ("stay.arrived", "measure.changed")


@dataclass(frozen=True)
class LegalClock:
    """``paused``: the person is being sobered, and that time does not count (行政程序规定 art. 58)."""

    kind: str
    start_us: int
    deadline_us: int
    limit_s: float
    paused: bool

    def left_s(self, now_us: int) -> float:
        """Seconds left; negative when over the limit."""
        return (self.deadline_us - now_us) / SECOND_US

    def warning(self, now_us: int) -> int:
        """0 none, 1 three quarters gone, 2 nine tenths or the last half hour, 3 over the limit."""
        left_s = self.left_s(now_us)
        gone = 1 - left_s / self.limit_s
        if left_s < 0:
            return 3
        if gone >= WARN_SHARES[1] or left_s <= WARN_LAST_S:
            return 2
        return 1 if gone >= WARN_SHARES[0] else 0


def legal_clock(stay: Stay, events: Sequence[Event], now_us: int, policy: Policy) -> LegalClock | None:
    """The clock of a stay that has not exited; None for those whom no measure holds (witnesses, victims)."""
    if stay.arrived_us is None or stay.exited_us is not None:
        return None
    if stay.category != "suspect" and stay.measure["kind"] == "none":
        return None
    given = sorted((e for e in events if e.type in GIVES_MEASURE), key=lambda e: (e.time_us, e.sequence))
    if not given:
        return None
    kind = given[-1].data["measure"]["kind"]
    # A later measure that does not say since when goes on counting from where the one before it did.
    since = [event.data["measure"]["since"] for event in given if event.data["measure"].get("since")]
    start_us = parse_time(since[-1])[0] if since else stay.arrived_us
    limit_h = _limit_h(given[-1], frozenset(stay.flags), policy)
    sobered_us, sobering = _sobering(events, start_us, now_us)
    counts = kind == ADMINISTRATIVE
    deadline_us = start_us + int(limit_h * HOUR_US) + (sobered_us if counts else 0)
    return LegalClock(kind, start_us, deadline_us, limit_h * 3600, counts and sobering)


def _limit_h(given: Event, flags: frozenset[str], policy: Policy) -> float:
    """The hours that bind: those given if the law knows them, else the next smaller length."""
    measure = given.data["measure"]
    kind, asked_h = measure["kind"], measure.get("limit_hours")
    day = (to_datetime(given.time_us) + timedelta(seconds=given.utc_offset_s)).date()
    if asked_h is None:
        none = frozenset[str]()
        limit_h = min(policy.tiers_of(kind, day, none) or policy.tiers_of("none", day, none), default=SHORTEST_H)
    else:
        lawful = [tier for tier in policy.tiers_of(kind, day, flags) if tier <= asked_h]
        limit_h = max(lawful, default=asked_h)
    overstay = policy.rules.t1
    if kind == QUESTIONING and not flags.isdisjoint(overstay.vulnerable_flags):
        limit_h = min(limit_h, overstay.vulnerable_us / HOUR_US)
    return limit_h


def _sobering(events: Iterable[Event], start_us: int, now_us: int) -> tuple[int, bool]:
    """Time in ``sobering`` since the start, and whether it goes on."""
    total_us = 0
    open_: dict[str, int] = {}
    for event in sorted(events, key=lambda e: (e.time_us, e.sequence)):
        if event.type == "activity.started" and event.data["kind"] == "sobering":
            open_[event.data["activity"]] = max(event.time_us, start_us)
        elif event.type == "activity.ended" and event.data["activity"] in open_:
            total_us += max(0, event.time_us - open_.pop(event.data["activity"]))
        elif event.type in ("stay.moved", "stay.left", "stay.exited"):
            total_us += sum(max(0, event.time_us - began_us) for began_us in open_.values())
            open_ = {}
    return total_us + sum(max(0, now_us - began_us) for began_us in open_.values()), bool(open_)

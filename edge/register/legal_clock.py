"""How long a person may still be held: the clock of the measure in force (rules.md, T1).

It warns before the limit; what is over it is the judge's finding.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from custody.events import Event, parse_time, time_us
from custody.register import Stay

SECOND_US = 1_000_000
HOUR_US = 3_600 * SECOND_US
LAW_OF_2026_US = time_us(datetime(2025, 12, 31, 16, tzinfo=UTC))
"""治安管理处罚法 (2025) is in force from 2026-01-01 00:00 China time; its article 97 brought the 12 h tier."""

TIERS_H: Mapping[str, tuple[float, ...]] = {
    "administrative_summons": (8, 12, 24),
    "criminal_summons": (12, 24),
    "compelled_appearance": (12, 24),
    "continued_questioning": (12, 24, 48),
    "detention": (24,),
    "none": (8,),
}
SPECIAL_FLAGS = ("minor", "pregnant", "nursing", "elderly")
SPECIAL_H = 4.0
WARN_SHARES = (0.75, 0.90)
WARN_LAST_S = 30 * 60


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


def legal_clock(stay: Stay, events: Iterable[Event], now_us: int) -> LegalClock | None:
    """The clock of a stay that has not exited; None for those whom no measure holds (witnesses, victims)."""
    if stay.arrived_us is None or stay.exited_us is not None:
        return None
    if stay.category != "suspect" and stay.measure["kind"] == "none":
        return None
    kind, since = stay.measure["kind"], stay.measure.get("since")
    start_us = stay.arrived_us if since is None else parse_time(since)[0]
    limit_h = _limit_h(kind, stay.measure.get("limit_hours"), start_us)
    if kind == "continued_questioning" and any(flag in SPECIAL_FLAGS for flag in stay.flags):
        limit_h = min(limit_h, SPECIAL_H)
    sobered_us, sobering = _sobering(events, start_us, now_us)
    counts = kind == "administrative_summons"
    deadline_us = start_us + int(limit_h * HOUR_US) + (sobered_us if counts else 0)
    return LegalClock(kind, start_us, deadline_us, limit_h * 3600, counts and sobering)


def _limit_h(kind: str, asked_h: float | None, moment_us: int) -> float:
    tiers = TIERS_H.get(kind, TIERS_H["none"])
    if kind == "administrative_summons" and moment_us < LAW_OF_2026_US:
        tiers = (8, 24)
    if asked_h is None:
        return tiers[0]
    lawful = [tier for tier in tiers if tier <= asked_h]
    return lawful[-1] if lawful else asked_h


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

"""Numbers that the register gives out. They are read from what is written, so they never repeat."""

from __future__ import annotations

from .errors import NotNow, Said
from .situation import Situation

STAYS_A_DAY_MAX = 999


def next_stay(now: Situation, arrived_us: int) -> str:
    """``<zone>-<yyyymmdd>-<nnn>``, counted by the local day of the arrival."""
    first = f"{now.settings.zone.id}-{now.local_date(arrived_us)}-"
    taken = [int(id_.removeprefix(first)) for id_ in now.book.stay_ids() if id_.startswith(first)]
    number = max(taken, default=0) + 1
    if number > STAYS_A_DAY_MAX:
        raise NotNow(
            Said("All %(count)d numbers of this day are given out.", {"count": STAYS_A_DAY_MAX}),
            Said("Register the arrival on the next day."),
        )
    return f"{first}{number:03d}"


def _next(now: Situation, stay: str, letter: str, type_: str, field: str) -> str:
    given = {e.data[field] for e in now.book.written_of_stay(stay) if e.type == type_}
    return f"{stay}-{letter}{len(given) + 1}"


def next_search(now: Situation, stay: str) -> str:
    return _next(now, stay, "s", "search.started", "search")


def next_activity(now: Situation, stay: str) -> str:
    return _next(now, stay, "a", "activity.started", "activity")


def next_permit(now: Situation, stay: str) -> str:
    return _next(now, stay, "p", "leave.approved", "permit")

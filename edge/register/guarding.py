"""Whose eyes are on a person now: the present tense of rules.md, "Guarded".

What was proven over time is the judge's; this is what a screen shows of the moment.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from custody.policy import GuardPolicy
from custody.register import Stay

from .book import Book

_GUARDING_RANKS = ("police", "auxiliary", "doctor")


@dataclass(frozen=True)
class Guarding:
    """``officers`` are those who guard now; without any, ``unguarded_since_us`` says since when."""

    officers: tuple[dict[str, Any], ...]
    unguarded_since_us: int | None


def guarding(book: Book, stay: Stay, now_us: int, policy: GuardPolicy) -> Guarding:
    """Who guards a stay that is inside, or since when nobody does."""
    assert stay.room is not None and stay.room_since_us is not None
    now: dict[str, dict[str, Any]] = {}
    ended_us = stay.room_since_us
    for officers, until_us in _proofs(book, stay, stay.room_since_us, policy):
        if until_us is None or until_us > now_us:
            now.update((o["id"], o) for o in officers if o["rank"] in _GUARDING_RANKS)
        else:
            ended_us = max(ended_us, until_us)
    for presence in book.register.guards_in(stay.room, now_us):
        if presence.officer["rank"] in _GUARDING_RANKS:
            now[presence.officer["id"]] = presence.officer
    room_ended_us = book.guard_ended_us(stay.room, now_us)
    if room_ended_us is not None:
        ended_us = max(ended_us, room_ended_us)
    return Guarding(tuple(now.values()), None if now else ended_us)


def _proofs(
    book: Book, stay: Stay, room_since_us: int, policy: GuardPolicy
) -> list[tuple[list[dict[str, Any]], int | None]]:
    """(officers, until) of everything but presence that guards this stay in its room; until None: it lasts."""
    proofs: list[tuple[list[dict[str, Any]], int | None]] = []
    if stay.search is not None:
        proofs.append((stay.search.officers, None))
    proofs.extend((activity.officers, None) for activity in stay.activities.values())
    officers_of: dict[str, list[dict[str, Any]]] = {}
    room_of: dict[str, str] = {}
    for event in book.of_stay(stay.id):
        data = event.data
        if event.type in ("activity.started", "activity.officers"):
            officers_of[data["activity"]] = data["officers"]
        if event.type == "activity.started":
            room_of[data["activity"]] = data["room"]
        room = data.get("room", room_of.get(data.get("activity", ""), stay.room))
        if event.time_us < room_since_us or room != stay.room:
            continue
        match event.type:
            case "stay.entered" | "stay.returned":
                proofs.append((data["escorts"], event.time_us + policy.arrival_us))
            case "stay.moved":
                proofs.append((data["escorts"], event.time_us + policy.transfer_us))
            case "search.finished":
                proofs.append((data["officers"], event.time_us + policy.linger_us))
            case "activity.ended":
                officers = officers_of.get(data["activity"], [])
                proofs.append((officers, event.time_us + policy.linger_us))
            case "collection.finished":
                proofs.append((data["officers"], event.time_us))
            case "check.made" if data["terminal"] == stay.room:
                proofs.append(([data["officer"]], event.time_us + policy.check_us))
    return proofs

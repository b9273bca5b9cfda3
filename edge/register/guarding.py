"""Whose eyes are on a person now: the present tense of rules.md, "Guarded".

What was proven over time is the judge's; this is what a screen shows of the moment.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from custody.events import Event
from custody.policy import GuardPolicy
from custody.register import Stay

from .book import Book

GUARDING_RANKS = ("police", "auxiliary", "doctor")


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
    for proof in proofs(book.of_stay(stay.id), policy):
        if proof.room != stay.room or not proof.officers:
            continue
        if proof.until_us is not None and proof.until_us <= now_us:
            ended_us = max(ended_us, proof.until_us)
        elif proof.start_us >= stay.room_since_us:
            now.update((officer["id"], officer) for officer in proof.officers)
    for presence in book.register.guards_in(stay.room, now_us):
        if presence.officer["rank"] in GUARDING_RANKS:
            now[presence.officer["id"]] = presence.officer
    room_ended_us = book.guard_ended_us(stay.room, now_us)
    if room_ended_us is not None:
        ended_us = max(ended_us, room_ended_us)
    return Guarding(tuple(now.values()), None if now else ended_us)


@dataclass(frozen=True)
class Proof:
    """Officers guard a person in a room from ``start_us`` on by what they do there; ``until_us`` None: it lasts.

    It counts only while the person is in that room.
    """

    room: str
    officers: tuple[dict[str, Any], ...]
    start_us: int
    until_us: int | None


def proofs(events: Sequence[Event], policy: GuardPolicy) -> list[Proof]:
    """Everything but a registered presence that guards a stay, from the events of the stay."""
    found: list[Proof] = []
    open_: dict[str, Proof] = {}

    def add(room: str, officers: Sequence[dict[str, Any]], start_us: int, until_us: int | None) -> Proof:
        able = tuple(officer for officer in officers if officer["rank"] in GUARDING_RANKS)
        return Proof(room, able, start_us, until_us)

    def end(id_: str, moment_us: int, linger_us: int) -> None:
        if id_ in open_:
            proof = open_.pop(id_)
            found.append(Proof(proof.room, proof.officers, proof.start_us, moment_us + linger_us))

    for event in sorted(events, key=lambda e: (e.time_us, e.sequence)):
        data, at_us = event.data, event.time_us
        match event.type:
            case "stay.entered" | "stay.returned":
                found.append(add(data["room"], data["escorts"], at_us, at_us + policy.arrival_us))
            case "stay.moved":
                found.append(add(data["room"], data["escorts"], at_us, at_us + policy.transfer_us))
            case "search.started":
                open_[data["search"]] = add(data["room"], data["officers"], at_us, None)
            case "search.finished":
                end(data["search"], at_us, policy.linger_us)
            case "activity.started":
                open_[data["activity"]] = add(data["room"], data["officers"], at_us, None)
            case "activity.officers" if data["activity"] in open_:
                where = open_[data["activity"]].room
                end(data["activity"], at_us, 0)
                open_[data["activity"]] = add(where, data["officers"], at_us, None)
            case "activity.ended":
                end(data["activity"], at_us, policy.linger_us)
            case "check.made" if data["terminal"] == data["room"]:
                found.append(add(data["room"], [data["officer"]], at_us, at_us + policy.check_us))
        if event.type in ("stay.moved", "stay.left", "stay.exited", "search.started", "activity.started"):
            _leave_behind(open_, found, data.get("room"), at_us)
        elif event.type == "collection.finished":
            room = _room_at(events, at_us)
            if room is not None:
                found.append(add(room, data["officers"], at_us - policy.collection_us, at_us))
    return [*found, *open_.values()]


def _leave_behind(open_: dict[str, Proof], found: list[Proof], room: str | None, at_us: int) -> None:
    """What went on in another room ended with the move out of it."""
    for id_ in [id_ for id_, proof in open_.items() if proof.room != room]:
        proof = open_.pop(id_)
        found.append(Proof(proof.room, proof.officers, proof.start_us, at_us))


def _room_at(events: Sequence[Event], at_us: int) -> str | None:
    entering = ("stay.entered", "stay.returned", "stay.moved", "search.started", "activity.started")
    before = [e for e in events if e.type in entering and e.time_us <= at_us]
    return max(before, key=lambda e: (e.time_us, e.sequence)).data["room"] if before else None

"""Who was proven to guard a room, from when to when (rules.md, "Guarded")."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from custody.facts import (
    Absent,
    ActivityOfficers,
    ActivityStarted,
    Body,
    Entered,
    Fact,
    Handover,
    Moved,
    Officer,
    Officers,
    Order,
    Present,
    SearchFinished,
    SearchStarted,
)

from .track import Track

GUARDS = frozenset(("police", "auxiliary", "doctor"))


@dataclass(frozen=True, slots=True)
class Presence:
    """An officer proven in a room over [start, end). ``shown`` is false for one who took over at a handover."""

    start: int
    end: int
    officer: Officer
    shown: bool
    fact: Fact


RoomOfActivity = Callable[[Fact, ActivityOfficers], str | None]


class Guards:
    """Every officer's word of presence, by room, and every place in which he was named, by officer."""

    def __init__(
        self, starts: Track, *, valid_us: int, reconfirm_us: int, room_of_activity: RoomOfActivity
    ) -> None:
        self._starts = starts
        self._valid_us = valid_us
        self._reconfirm_us = reconfirm_us
        self._room_of_activity = room_of_activity
        self._posts: dict[str, Track] = {}
        self._longest: dict[str, int] = {}
        self._named: dict[str, Track] = {}

    def add(self, fact: Fact) -> None:
        for officer in officers_named(fact.body):
            self._named.setdefault(officer, Track()).add(fact)
        post = _post(fact.body)
        if post is not None:
            self._posts.setdefault(post, Track()).add(fact)
            self._longest[post] = max(self._longest.get(post, 0), self._validity(fact.body))

    def remove(self, fact: Fact) -> None:
        for officer in officers_named(fact.body):
            self._named[officer].remove(fact)
        post = _post(fact.body)
        if post is not None:
            self._posts[post].remove(fact)

    def presences(self, room: str, start: int, end: int) -> list[Presence]:
        """The presences in the room that share a moment with [start, end), not yet cut to known time."""
        posts = self._posts.get(room)
        if posts is None:
            return []
        reach = self._longest[room]
        found = [
            one
            for fact in posts.within(start - reach, end - 1)
            for one in self._from_post(fact)
            if one.end > start
        ]
        for zone_start in self._starts.within(start - reach - self._reconfirm_us, end - 1):
            found.extend(one for one in self._reconfirmed(room, zone_start) if one.end > start)
        return found

    def _from_post(self, fact: Fact) -> Iterator[Presence]:
        officer, shown = _who(fact.body)
        if officer.rank in GUARDS:
            end = self._end(fact, officer.id)
            following = next(self._starts.after(fact.order), None)
            if following is not None:
                end = min(end, following.time)
            if end > fact.time:
                yield Presence(fact.time, end, officer, shown, fact)

    def _reconfirmed(self, room: str, zone_start: Fact) -> Iterator[Presence]:
        """Presences said again soon after a start of the zone; they count from it, if a guard stood there then."""
        again = [
            fact
            for fact in self._posts[room].within(
                zone_start.time - self._longest[room], zone_start.time + self._reconfirm_us
            )
            if isinstance(fact.body, Present)
            and fact.body.officer.rank in GUARDS
            and zone_start.written_order < fact.written_order
            and fact.written <= zone_start.time + self._reconfirm_us
        ]
        if not again or not self._stood(room, zone_start):
            return
        following = next(self._starts.after(zone_start.order), None)
        for fact in again:
            officer, _ = _who(fact.body)
            # What ended his presence between the start and his word ends it too, though his word came later.
            end = self._end(fact, officer.id, since=min(fact.order, zone_start.order))
            if following is not None:
                end = min(end, following.time)
            if end > zone_start.time:
                yield Presence(zone_start.time, end, officer, True, fact)

    def _stood(self, room: str, zone_start: Fact) -> bool:
        """Whether a presence in the room ran up to, and but for it over, this start of the zone."""
        before = self._before(zone_start)
        for fact in self._posts[room].within(zone_start.time - self._longest[room], zone_start.time):
            officer, _ = _who(fact.body)
            between = fact.order < zone_start.order and (before is None or before.order < fact.order)
            guard = officer.rank in GUARDS and between
            if guard and self._runs_up_to(zone_start, fact, officer.id, fact.order):
                return True
        if before is None:
            return False
        return any(
            self._runs_up_to(zone_start, one.fact, one.officer.id, min(one.fact.order, before.order))
            for one in self._reconfirmed(room, before)
        )

    def _runs_up_to(self, zone_start: Fact, fact: Fact, officer: str, since: Order) -> bool:
        """Whether nothing ended this presence before the start, in the order of the facts, not by time alone."""
        if fact.time + self._validity(fact.body) <= zone_start.time:
            return False
        room = _post(fact.body)
        for later in self._named[officer].after(since):
            if later.order >= zone_start.order:
                break
            if self._ends(later, officer, room):
                return False
        return True

    def _before(self, zone_start: Fact) -> Fact | None:
        index = self._starts.orders.index(zone_start.order, self._starts.at(zone_start.time))
        return self._starts.facts[index - 1] if index else None

    def _validity(self, body: Body) -> int:
        if isinstance(body, Present) and body.valid_us is not None:
            return body.valid_us
        return self._valid_us

    def _end(self, fact: Fact, officer: str, since: Order | None = None) -> int:
        """When what was said of the officer's presence ends, starts of the zone left aside.

        It counts from where it was said, or from ``since``.
        """
        room = _post(fact.body)
        end = fact.time + self._validity(fact.body)
        for later in self._named[officer].after(fact.order if since is None else since):
            if later.time >= end:
                break
            if self._ends(later, officer, room):
                return later.time
        return end

    def _ends(self, later: Fact, officer: str, room: str | None) -> bool:
        body = later.body
        if isinstance(body, Absent):
            return body.room == room
        if isinstance(body, Handover):
            if body.room == room:
                return body.outgoing == officer
            return body.incoming.id == officer
        if isinstance(body, ActivityOfficers):
            named = self._room_of_activity(later, body)
            return named is not None and named != room
        named = _room_named(body)
        return named is not None and named != room


def officers_named(body: Body) -> set[str]:
    """The officers whose presence in a room begins, ends or may end by this."""
    if isinstance(body, Present):
        return {body.officer.id}
    if isinstance(body, Absent):
        return {body.officer}
    if isinstance(body, Handover):
        return {body.outgoing, body.incoming.id}
    return {officer.id for officer in _listed(body)}


def _listed(body: Body) -> Officers:
    if isinstance(body, Entered | Moved):
        return body.escorts
    if isinstance(body, SearchStarted | SearchFinished | ActivityStarted | ActivityOfficers):
        return body.officers
    return ()


def _room_named(body: Body) -> str | None:
    if isinstance(body, Present | Entered | Moved | SearchStarted | SearchFinished | ActivityStarted):
        return body.room
    return None


def _post(body: Body) -> str | None:
    """The room in which this says that an officer is on guard."""
    return body.room if isinstance(body, Present | Handover) else None


def _who(body: Body) -> tuple[Officer, bool]:
    if isinstance(body, Present):
        return body.officer, True
    assert isinstance(body, Handover)
    return body.incoming, False

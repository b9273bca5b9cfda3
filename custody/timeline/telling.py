"""The fold of a stay's facts, in their order, into its timeline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from custody.facts import (
    ActivityEnded,
    ActivityOfficers,
    ActivityStarted,
    Amended,
    Arrived,
    Checked,
    Collected,
    Entered,
    Exited,
    Fact,
    FlagsChanged,
    Hold,
    LeaveApproved,
    Left,
    MeasureChanged,
    Moved,
    Officers,
    Order,
    SearchFinished,
    SearchStarted,
)
from custody.intervals import FOREVER
from custody.policy import GuardPolicy

from .guards import GUARDS
from .stay import NO_FLAGS, Activity, Alone, Departure, Finished, Search, State, StayTimeline, Visit, cut


class _Telling:
    """The fold of a stay's facts, in their order, into its timeline."""

    def __init__(self, stay: StayTimeline, policy: GuardPolicy) -> None:
        self._stay = stay
        self._policy = policy
        self._inside = False
        self._room: str | None = None
        self._running: list[Activity | Search] = []
        self._ahead: list[tuple[str, Alone]] = []

    def take(self, fact: Fact) -> None:
        body = fact.body
        if self._stay.first is None and not isinstance(body, Amended):
            self._stay.first = fact
        match body:
            case Arrived():
                self._arrived(fact, body)
            case Entered():
                self._entered(fact, body)
            case Moved():
                self._go(body.room, fact)
                self._escorted(fact, body.escorts, self._policy.transfer_us)
            case SearchStarted():
                self._search_started(fact, body)
            case SearchFinished():
                self._search_finished(fact, body)
            case ActivityStarted():
                self._activity_started(fact, body)
            case ActivityOfficers():
                for activity in self._running_activities(body.activity):
                    activity.officers.append((fact.time, body.officers, fact))
            case ActivityEnded():
                self._activity_ended(fact, body)
            case Left():
                self._stop(fact)
                self._stay.departures.append(Departure(fact, body))
            case Exited():
                self._stop(fact)
                self._back(fact.time)
                self._stay.exits.append((fact, body))
                self._stay.exited = self._stay.exited or fact
            case Collected():
                self._stay.collections.append((fact, body))
                start = fact.time - self._policy.collection_us
                self._guard(start, fact.time, body.officers, fact)
            case Checked():
                self._stay.checks.append(fact)
                if body.terminal == body.room:
                    end = fact.time + self._policy.check_us
                    self._guard(fact.time, end, (body.officer,), fact, room=body.room)
            case LeaveApproved():
                self._stay.approvals.append((fact, body))
            case MeasureChanged():
                self._stay.measures.append((fact, body.measure))
            case FlagsChanged():
                self._stay.states.append(State(fact.order, body.flags, body.level))
            case Hold():
                self._stay.holds.append((fact, body.set))

    def _arrived(self, fact: Fact, body: Arrived) -> None:
        if self._stay.arrived is None:
            self._stay.arrived, self._stay.arrival = fact, body
            self._stay.measures.append((fact, body.measure))
            level = self._stay.states[-1].level if self._stay.states else NO_FLAGS.level
            self._stay.states.append(State(fact.order, body.flags, level))

    def _entered(self, fact: Fact, body: Entered) -> None:
        stay = self._stay
        stay.entered.append((fact, body))
        if not body.returned:
            stay.first_entered = stay.first_entered or fact
        again = self._inside
        if not again:
            stay.entries.append((fact, body))
            self._inside = True
            self._back(fact.time)
        self._go(body.room, fact)
        self._escorted(fact, body.escorts, self._policy.transfer_us if again else self._policy.arrival_us)

    def _back(self, moment: int) -> None:
        for departure in reversed(self._stay.departures):
            if departure.back != FOREVER:
                break
            departure.back = moment

    def _go(self, room: str, fact: Fact) -> None:
        """The person's room is this one from now on; what was running in another one ends."""
        stays = room == self._room
        self._ahead = [one for one in self._ahead if one[1].start == fact.time or (stays and one[0] == room)]
        visits = self._stay.visits
        standing = visits[-1] if visits and visits[-1].end == FOREVER else None
        if self._inside and (standing is None or standing.room != room):
            if standing is not None:
                standing.end = fact.time
            visits.append(Visit(room, fact.time, FOREVER, fact))
            # Told before the register let the person in: it guards him from his first moment in the room.
            for one in self._running:
                if one.visit < 0 and one.body.room == room:
                    one.visit = self._visit()
            self._stay.alone.extend(
                replace(alone, visit=self._visit()) for name, alone in self._ahead if name == room
            )
            self._ahead = [one for one in self._ahead if one[0] != room]
        self._room = room
        self._end_running(fact.time, [one for one in self._running if one.body.room != room])

    def _stop(self, fact: Fact) -> None:
        """Left or exited."""
        self._ahead.clear()
        visits = self._stay.visits
        if visits and visits[-1].end == FOREVER:
            visits[-1].end = fact.time
        self._inside = False
        self._end_running(fact.time, list(self._running))

    def _end_running(self, moment: int, ending: list[Activity | Search]) -> None:
        for one in ending:
            one.end = moment
            self._running.remove(one)

    def _search_started(self, fact: Fact, body: SearchStarted) -> None:
        self._go(body.room, fact)
        search = Search(fact, body, self._visit())
        self._running.append(search)
        self._stay.searches.append(search)

    def _search_finished(self, fact: Fact, body: SearchFinished) -> None:
        started = [one for one in self._stay.searches if one.body.search == body.search]
        search = next((one for one in reversed(started) if one.finished is None), started[-1] if started else None)
        if search is not None and search.finished is None:
            search.finished = fact
        for one in started:
            if one in self._running:
                self._end_running(fact.time, [one])
                self._linger(fact, one.body.officers, one.body.room)
        self._stay.finished.append(Finished(fact, body, search))

    def _activity_started(self, fact: Fact, body: ActivityStarted) -> None:
        self._go(body.room, fact)
        officers = [(fact.time, body.officers, fact)]
        activity = Activity(fact, body, self._inside, self._visit(), officers)
        self._running.append(activity)
        self._stay.activities.append(activity)

    def _activity_ended(self, fact: Fact, body: ActivityEnded) -> None:
        for activity in self._running_activities(body.activity):
            activity.ended = fact
            self._end_running(fact.time, [activity])
            self._linger(fact, activity.officers[-1][1], activity.body.room)

    def _running_activities(self, id_: str) -> list[Activity]:
        return [one for one in self._running if isinstance(one, Activity) and one.body.activity == id_]

    def _visit(self) -> int:
        """The visit that lasts now; -1 outside."""
        return len(self._stay.visits) - 1 if self._inside else -1

    def _linger(self, fact: Fact, officers: Officers, room: str) -> None:
        if room == self._room:
            self._guard(fact.time, fact.time + self._policy.linger_us, officers, fact)

    def _escorted(self, fact: Fact, escorts: Officers, lasting_us: int) -> None:
        self._guard(fact.time, fact.time + lasting_us, escorts, fact)

    def _guard(self, start: int, end: int, officers: Officers, fact: Fact, *, room: str | None = None) -> None:
        """Officers who guard the person in this room, or the one where he is; told of somebody who is outside, or
        who goes there in this very moment, they do once he is in it."""
        alone = Alone(self._visit(), start, end, officers, fact)
        name = self._room if room is None else room
        if alone.visit >= 0 and name == self._room:
            self._stay.alone.append(alone)
        elif name is not None:
            self._ahead.append((name, alone))

    def done(self) -> None:
        for search in self._stay.searches:
            if search.visit >= 0:
                self._stay.alone.append(
                    Alone(search.visit, search.fact.time, search.end, search.body.officers, search.fact)
                )
        for activity in self._stay.activities:
            if activity.visit >= 0:
                for start, end, (officers, fact) in _officers_over(activity):
                    self._stay.alone.append(Alone(activity.visit, start, end, officers, fact))
        self._stay.rounds = self._rounds()
        self._stay.visits, self._stay.alone = _unbroken(self._stay.visits, self._stay.alone)

    def _rounds(self) -> list[Order]:
        """Where each round begins: at arrival or the first way in, then at every way back in."""
        entries = self._stay.entries
        rounds = [fact.order for fact, _ in entries]
        arrived = self._stay.arrived
        if arrived is not None and (not rounds or arrived.order < rounds[0]):
            if entries and not entries[0][1].returned:
                rounds[0] = arrived.order
            else:
                rounds.insert(0, arrived.order)
        return rounds


def _officers_over(activity: Activity) -> list[tuple[int, int, tuple[Officers, Fact]]]:
    changes = [(time, (officers, fact)) for time, officers, fact in activity.officers]
    return cut(activity.start, activity.end, changes, ((), activity.fact))


def _unbroken(visits: list[Visit], alone: list[Alone]) -> tuple[list[Visit], list[Alone]]:
    """Visits as unbroken time in a room, and what guards the person alone, cut to its visit.

    A visit that did not last is none; away and back in one moment has not been away, and what was told of the room
    then still counts.
    """
    joined: list[Visit] = []
    place: dict[int, int] = {}
    passing: list[int] = []
    for index, visit in enumerate(visits):
        if visit.start >= visit.end:
            passing.append(index)
            continue
        if joined and joined[-1].room == visit.room and joined[-1].end == visit.start:
            joined[-1].end = visit.end
        else:
            joined.append(visit)
        place[index] = len(joined) - 1
        place.update((one, place[index]) for one in passing if _back_in(visits[one], joined[-1]))
        passing.clear()
    kept = []
    for one in alone:
        if one.visit not in place:
            continue
        visit = joined[place[one.visit]]
        start, end = max(one.start, visit.start), min(one.end, visit.end)
        if start < end and any(officer.rank in GUARDS for officer in one.officers):
            kept.append(Alone(place[one.visit], start, end, one.officers, one.fact))
    return joined, kept


def _back_in(passing: Visit, visit: Visit) -> bool:
    return passing.room == visit.room and visit.start <= passing.start < visit.end


def tell(id_: str, facts: Sequence[Fact], policy: GuardPolicy) -> StayTimeline:
    """The timeline of a stay from its facts, which must be in order."""
    stay = StayTimeline(id_, facts)
    telling = _Telling(stay, policy)
    for fact in facts:
        telling.take(fact)
    telling.done()
    return stay

"""Search, collection, activities: the steps of a stay inside."""

from __future__ import annotations

from custody.events import (
    ActivityEnded,
    ActivityKind,
    ActivityOfficers,
    ActivityStarted,
    CollectionFinished,
    Draft,
    SearchFinished,
    SearchStarted,
)
from custody.events.base import Officer
from custody.events.stays import Belongings, SearchKind
from custody.register import Activity

from . import gate, ids, papers, requests
from .errors import NotNow, Said, Unknown
from .persons import Paper
from .situation import Situation


def start_search(now: Situation, asked: requests.StartSearch) -> list[Draft]:
    """人身检查 begins; the person is in that room from now on."""
    stay = now.inside(asked.stay)
    if stay.search is not None:
        raise NotNow(
            Said("A search of %(stay)s is going on already.", {"stay": asked.stay}), Said("Finish it first.")
        )
    officers = now.officers(asked.officers)
    extra = now.gate(asked, gate.before_search(stay, asked.kind, officers, now.policy.rules))
    data = SearchStarted(
        stay=asked.stay,
        search=ids.next_search(now, asked.stay),
        room=now.room(asked.room).id,
        kind=asked.kind,
        officers=officers,
    )
    return [now.draft(asked, data, **extra)]


def finish_search(now: Situation, asked: requests.FinishSearch) -> list[Draft]:
    """The search's record; flags that it brought to light and the belongings go in with it."""
    stay = now.inside(asked.stay)
    if stay.search is None:
        raise NotNow(
            Said("No search of %(stay)s is going on.", {"stay": asked.stay}), Said("Start the search first.")
        )
    now.not_before(asked, stay.search.started_us)
    extra: dict[str, object] = {}
    if asked.health is not None:
        extra["health"] = now.keep(asked.stay, Paper.HEALTH, asked.health.model_dump(mode="json"))
    belongings = asked.belongings
    if belongings is None and asked.property is not None:
        belongings = Belongings.LISTED
    data = SearchFinished(
        stay=asked.stay,
        search=stay.search.id,
        room=stay.search.room,
        kind=SearchKind(stay.search.kind),
        officers=[Officer.model_validate(officer) for officer in stay.search.officers],
        injuries=asked.injuries,
        belongings=belongings,
        signed=asked.signed,
    )
    drafts = [now.draft(asked, data, **extra)]
    if asked.property is not None:
        drafts.append(papers.received(now, asked, asked.property))
    if asked.flags is not None and set(asked.flags) != set(stay.flags):
        drafts.append(papers.flagged(now, asked, asked.flags, papers.level_of(asked.flags, stay.level)))
    return drafts


def collect(now: Situation, asked: requests.Collect) -> list[Draft]:
    """信息采集."""
    stay = now.inside(asked.stay)
    items = list(dict.fromkeys(asked.items))
    extra = now.gate(asked, gate.before_collection(stay, items, asked.approval, now.policy.rules))
    data = CollectionFinished(
        stay=asked.stay, items=items, approval=asked.approval or None, officers=now.officers(asked.officers)
    )
    return [now.draft(asked, data, **extra)]


def start_activity(now: Situation, asked: requests.StartActivity) -> list[Draft]:
    """讯（询）问 and everything else that a person does inside."""
    stay = now.inside(asked.stay)
    if stay.search is not None:
        raise NotNow(
            Said("The search of %(stay)s is still going on.", {"stay": asked.stay}),
            Said("Finish the search first."),
        )
    room = now.room(asked.room)
    officers = now.officers(asked.officers)
    obstacles = gate.before_activity(now.book, stay, asked.kind, room, officers, asked.exempt, now.policy.rules)
    if stay.room != room.id:
        obstacles += gate.before_room(now.book, stay, room)
    extra = now.gate(asked, obstacles)
    data = ActivityStarted(
        stay=asked.stay,
        activity=ids.next_activity(now, asked.stay),
        kind=asked.kind,
        room=room.id,
        officers=officers,
        exempt=asked.exempt,
    )
    return [now.draft(asked, data, **extra)]


def _going_on(now: Situation, stay_id: str, activity_id: str) -> Activity:
    activity = now.inside(stay_id).activities.get(activity_id)
    if activity is None:
        raise Unknown(
            Said("No activity %(activity)s is going on.", {"activity": activity_id}),
            Said("It may have been ended, or the person was moved; see the stay's page."),
        )
    return activity


def change_officers(now: Situation, asked: requests.ChangeOfficers) -> list[Draft]:
    """Who is there from now on; an interview must not fall below its two police officers."""
    activity = _going_on(now, asked.stay, asked.activity)
    officers = now.officers(asked.officers)
    stay = now.inside(asked.stay)
    obstacles = [
        obstacle
        for obstacle in gate.before_activity(
            now.book, stay, ActivityKind(activity.kind), now.room(activity.room), officers, None, now.policy.rules
        )
        if obstacle.rule == "M3.7"
    ]
    extra = now.gate(asked, obstacles)
    data = ActivityOfficers(stay=asked.stay, activity=activity.id, officers=officers)
    return [now.draft(asked, data, **extra)]


def end_activity(now: Situation, asked: requests.EndActivity) -> list[Draft]:
    activity = _going_on(now, asked.stay, asked.activity)
    now.not_before(asked, activity.started_us)
    return [now.draft(asked, ActivityEnded(stay=asked.stay, activity=activity.id, signed=asked.signed))]

"""The guided register: which step a person is at, and what comes next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from config.zone import RoomSettings
from custody.events import Event, Purpose
from custody.register import Stay


class Step(StrEnum):
    """The six steps of the forms, in their order."""

    ENTRY = "entry"
    SEARCH = "search"
    COLLECTION = "collection"
    GUARD = "guard"
    INTERVIEW = "interview"
    EXIT = "exit"


class Next(StrEnum):
    """What somebody at the terminal should do next; each has a form of its own."""

    ENTER = "enter"
    RETURN = "return"
    START_SEARCH = "start-search"
    FINISH_SEARCH = "finish-search"
    COLLECT = "collect"
    MOVE = "move"
    GUARD = "guard-present"
    INTERVIEW = "start-activity"
    END_ACTIVITY = "end-activity"
    EXIT = "exit"
    NOTHING = "nothing"


STEP_OF = {
    Next.ENTER: Step.ENTRY,
    Next.RETURN: Step.ENTRY,
    Next.START_SEARCH: Step.SEARCH,
    Next.FINISH_SEARCH: Step.SEARCH,
    Next.COLLECT: Step.COLLECTION,
    Next.MOVE: Step.GUARD,
    Next.GUARD: Step.GUARD,
    Next.INTERVIEW: Step.INTERVIEW,
    Next.END_ACTIVITY: Step.INTERVIEW,
    Next.EXIT: Step.EXIT,
    Next.NOTHING: Step.EXIT,
}
KEPT_IN = (Purpose.WAITING, Purpose.SOBERING, Purpose.INTERVIEW)


@dataclass(frozen=True)
class StepView:
    """``state`` is done, current, later, or not_needed."""

    step: Step
    state: str
    act: Next


def next_act(stay: Stay, events: Sequence[Event], room: RoomSettings | None, has_guard: bool) -> Next:
    """What comes next for a person, in the order of the musts. ``has_guard``: one stands in the room."""
    if stay.exited_us is not None:
        return Next.NOTHING
    if stay.away:
        return Next.RETURN
    if not stay.inside:
        return Next.ENTER
    if stay.search is not None:
        return Next.FINISH_SEARCH
    suspect = stay.category == "suspect"
    if suspect and not stay.searched_this_round:
        return Next.START_SEARCH
    if suspect and "basic" not in stay.collected:
        return Next.COLLECT
    if stay.activities:
        return Next.END_ACTIVITY
    if room is None or room.purpose not in KEPT_IN:
        return Next.MOVE
    if suspect and not has_guard:
        return Next.GUARD
    return Next.EXIT if interviewed(events) else Next.INTERVIEW


def interviewed(events: Sequence[Event]) -> bool:
    """Whether an interview of this stay has ended."""
    interviews = {
        e.data["activity"] for e in events if e.type == "activity.started" and e.data["kind"] == "interview"
    }
    return any(e.type == "activity.ended" and e.data["activity"] in interviews for e in events)


def steps(stay: Stay, events: Sequence[Event], next_: Next, has_guard: bool) -> list[StepView]:
    """All six steps, each with the form that it opens."""
    suspect = stay.category == "suspect"
    done = {
        Step.ENTRY: stay.inside,
        Step.SEARCH: stay.searched_this_round,
        Step.COLLECTION: "basic" in stay.collected,
        Step.GUARD: stay.inside and has_guard and STEP_OF[next_] in (Step.INTERVIEW, Step.EXIT),
        Step.INTERVIEW: interviewed(events),
        Step.EXIT: stay.exited_us is not None,
    }
    opens = {
        Step.ENTRY: Next.RETURN if stay.away else Next.ENTER,
        Step.SEARCH: Next.FINISH_SEARCH if stay.search else Next.START_SEARCH,
        Step.COLLECTION: Next.COLLECT,
        Step.GUARD: Next.GUARD if next_ is Next.GUARD else Next.MOVE,
        Step.INTERVIEW: Next.END_ACTIVITY if stay.activities else Next.INTERVIEW,
        Step.EXIT: Next.EXIT,
    }
    views: list[StepView] = []
    for step in Step:
        if stay.exited_us is not None or done[step]:
            state = "done" if done[step] else "later"
        elif step is STEP_OF[next_]:
            state = "current"
        elif not suspect and step in (Step.SEARCH, Step.COLLECTION, Step.GUARD):
            state = "not_needed"
        else:
            state = "later"
        views.append(StepView(step, state, opens[step]))
    return views

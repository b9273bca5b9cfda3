"""One person as the screens show them: number, place, clock, guard, musts, what comes next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from custody.events import Event
from custody.register import Stay
from edge.panel.desk import Desk, Moment
from edge.register.guarding import Guarding, guarding
from edge.register.legal_clock import LegalClock, legal_clock

from .steps import Next, StepView, next_act, steps

MUSTS = (1, 2, 3, 4)


@dataclass(frozen=True)
class Person:
    """``number`` is the stay's last three digits, as it stands on the wristband and the locker."""

    stay: Stay
    number: str
    masked_name: str
    where: str
    since_us: int | None
    legal: LegalClock | None
    warning: int
    guarding: Guarding | None
    verdicts: Mapping[int, str]
    next: Next
    steps: tuple[StepView, ...]
    lines: int

    @property
    def id(self) -> str:
        return self.stay.id

    @property
    def needs_guard(self) -> bool:
        return self.stay.inside and self.stay.category == "suspect"


def person(desk: Desk, stay: Stay, now: Moment) -> Person:
    """A person as of now. The caller holds the book's lock."""
    events = desk.book.of_stay(stay.id)
    watched = guarding(desk.book, stay, now.us, desk.policy.guards) if stay.inside else None
    # An escort guards for some minutes; the next step asks for somebody who stays.
    has_guard = stay.room is not None and bool(desk.book.register.guards_in(stay.room, now.us))
    room = next((r for r in desk.settings.rooms if r.id == stay.room), None)
    legal = legal_clock(stay, events, now.us, desk.policy)
    next_ = next_act(stay, events, room, has_guard)
    return Person(
        stay=stay,
        number=stay.id.rsplit("-", 1)[-1],
        masked_name=desk.masked_name(stay.id),
        where=desk.name(stay.room) if stay.room else "",
        since_us=_since_us(stay, events),
        legal=legal,
        warning=legal.warning(now.us) if legal else 0,
        guarding=watched,
        verdicts=desk.judged.verdicts.get(stay.id, {}),
        next=next_,
        steps=tuple(steps(stay, events, next_, has_guard)),
        lines=len(desk.book.written_of_stay(stay.id)),
    )


def _since_us(stay: Stay, events: list[Event]) -> int | None:
    """Since when a person is where they are: in this room, out on leave, or awaited."""
    if stay.inside:
        return stay.room_since_us
    left = [event.time_us for event in events if event.type == "stay.left"]
    if stay.away and left:
        return max(left)
    return stay.exited_us if stay.exited_us is not None else stay.arrived_us


def present(desk: Desk, now: Moment) -> list[Person]:
    """Everybody who has arrived and not exited: awaited, inside, out on leave; by number."""
    with desk.book.lock:
        stays = [stay for stay in desk.book.register.stays.values() if stay.exited_us is None]
        return [person(desk, stay, now) for stay in sorted(stays, key=lambda s: s.id)]


def lately_exited(desk: Desk, now: Moment, *, within_s: float = 12 * 3600, most: int = 6) -> list[Person]:
    """Who exited within the last hours, the latest first."""
    with desk.book.lock:
        gone = [
            stay
            for stay in desk.book.register.stays.values()
            if stay.exited_us is not None and now.us - stay.exited_us <= within_s * 1e6
        ]
        gone.sort(key=lambda s: s.exited_us or 0, reverse=True)
        return [person(desk, stay, now) for stay in gone[:most]]

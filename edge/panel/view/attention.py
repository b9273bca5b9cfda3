"""What somebody must do something about now, the most urgent first.

These come from the moment itself (register, cameras, doors, pulses), so they appear at once and go when they are
mended; what was broken for good is a finding and stays one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from edge.panel.desk import Desk, Moment
from edge.register.errors import Said

from .people import Person
from .steps import Next
from .zone import DoorView, Health, RoomView

URGENT, SOON, NOTE = 1, 2, 3
CHECK_NOTE_SHARE = 0.8
HISTORY_SHOWN_S = 24 * 3600
"""How long it is shown that a ledger is not what it was: every shift of a day must see it."""
CHECKED_PURPOSES = ("waiting", "sobering")
PAUSES_CHECKS = ("interview", "identification", "meeting", "medical")
LIMIT_SAID = {
    1: Said("Three quarters of the legal limit are over."),
    2: Said("The legal limit is near."),
    3: Said("The legal limit is over: end the stay or change the measure now."),
}


@dataclass(frozen=True)
class Attention:
    """``since_us`` is when it began; with ``counts_down``, when it will be too late. ``link``: where to act."""

    level: int
    said: Said
    do: Said
    who: str | None
    where: tuple[str, ...]
    """Names of rooms and doors, ids of parts."""
    since_us: int | None
    link: str | None
    counts_down: bool = False


def attention(
    desk: Desk,
    people: Sequence[Person],
    rooms: Sequence[RoomView],
    doors: Sequence[DoorView],
    health: Health,
    now: Moment,
) -> list[Attention]:
    """Sorted by urgency, then by what has lasted longest."""
    found = [
        *(a for person in people for a in _of_person(desk, person, now)),
        *(a for room in rooms for a in _of_room(room)),
        *(a for door in doors for a in _of_door(door)),
        *_of_health(health),
        *_of_judge(desk),
        *_of_history(desk, now),
    ]
    return sorted(found, key=lambda a: (a.level, a.since_us or 0, a.who or "", a.said.pattern))


def check_due_us(desk: Desk, person: Person) -> int | None:
    """When the next check of a person is due (rules.md, M3.5); None where no checks are needed."""
    stay = person.stay
    room = next((room for room in desk.settings.rooms if room.id == stay.room), None)
    if room is None or not stay.inside or stay.category != "suspect" or room.purpose.value not in CHECKED_PURPOSES:
        return None
    if any(activity.kind in PAUSES_CHECKS for activity in stay.activities.values()):
        return None
    kinds: dict[str, str] = {}
    counted_us = [stay.room_since_us or 0, stay.last_check_us or 0]
    for event in desk.book.of_stay(stay.id):
        if event.type == "activity.started":
            kinds[event.data["activity"]] = event.data["kind"]
        elif event.type == "activity.ended" and kinds.get(event.data["activity"]) in PAUSES_CHECKS:
            counted_us.append(event.time_us)
    return max(counted_us) + desk.policy.rules.m3_5.limit_us(stay.level)


def _of_person(desk: Desk, person: Person, now: Moment) -> Iterator[Attention]:
    stay, page = person.stay, f"/terminal/stays/{person.id}"
    if person.legal is not None and person.warning:
        level = {1: NOTE, 2: SOON, 3: URGENT}[person.warning]
        said, do = LIMIT_SAID[person.warning], Said("Release, hand over, or have the measure changed in time.")
        yield Attention(
            level, said, do, person.number, (), person.legal.deadline_us, f"{page}?act=exit", person.warning < 3
        )
    if person.needs_guard and person.guarding and person.guarding.unguarded_since_us is not None:
        yield Attention(
            URGENT,
            Said("Nobody guards this person."),
            Said("Send a guard and register the presence."),
            person.number,
            (person.where,),
            person.guarding.unguarded_since_us,
            f"{page}?act=guard-present",
        )
    if person.next is Next.START_SEARCH and stay.inside:
        late = now.us - _round_began_us(desk, person) > desk.policy.rules.m2_2.lowest_us
        yield Attention(
            SOON if late else NOTE,
            Said("Not searched yet."),
            Said("Search first; nothing else may begin before."),
            person.number,
            (person.where,),
            _round_began_us(desk, person),
            f"{page}?act=start-search",
        )
    if stay.awaited and stay.arrived_us is not None and stay.exempt is None:
        late = now.us - stay.arrived_us > desk.policy.rules.m1_1.lowest_us
        yield Attention(
            SOON if late else NOTE,
            Said("Arrived and not yet in the zone."),
            Said("Bring the person straight in and register the entry."),
            person.number,
            (),
            stay.arrived_us,
            f"{page}?act=enter",
        )
    yield from _leave_overdue(desk, person, now)
    due_us = check_due_us(desk, person)
    if due_us is not None:
        interval_us = desk.policy.rules.m3_5.limit_us(stay.level)
        if now.us > due_us - interval_us * (1 - CHECK_NOTE_SHARE):
            over = now.us > due_us
            yield Attention(
                URGENT if over else SOON,
                Said("The check is overdue.") if over else Said("A check is due."),
                Said("Look at the person and register the check."),
                person.number,
                (person.where,),
                due_us,
                f"{page}?act=check",
                not over,
            )


def _leave_overdue(desk: Desk, person: Person, now: Moment) -> Iterator[Attention]:
    permit = person.stay.permits.get(person.stay.left_permit or "")
    if person.stay.away and permit and permit.return_by_us is not None and now.us > permit.return_by_us:
        yield Attention(
            URGENT,
            Said("Not back at the approved time."),
            Said("Bring the person back, or have the leave approved anew."),
            person.number,
            (),
            permit.return_by_us,
            f"/terminal/stays/{person.id}?act=return",
        )


def _round_began_us(desk: Desk, person: Person) -> int:
    entries = [
        event.time_us for event in desk.book.of_stay(person.id) if event.type in ("stay.entered", "stay.returned")
    ]
    return entries[-1] if entries else (person.stay.room_since_us or 0)


def _of_room(room: RoomView) -> Iterator[Attention]:
    if not room.people:
        return
    for camera in room.cameras:
        if camera.good or (camera.state == "unknown" and camera.since_us is None):
            continue
        level = URGENT if camera.state == "lost" else SOON
        yield Attention(
            level,
            Said("The camera of an occupied room does not record properly."),
            Said("Look at the camera; move the person to a recorded room meanwhile."),
            None,
            (room.settings.name,),
            camera.since_us,
            None,
        )


def _of_door(door: DoorView) -> Iterator[Attention]:
    if door.alarm is not None:
        forced = door.alarm == "forced"
        yield Attention(
            URGENT if forced else SOON,
            Said("The door was forced.") if forced else Said("The door stands open."),
            Said("Go there, see who passed, and shut it."),
            None,
            (door.settings.name,),
            door.last_us if door.since_us is None else door.since_us,
            None,
        )
    if door.faults:
        yield Attention(
            SOON,
            Said("A part of the door is faulty."),
            Said("Call the technician."),
            None,
            (door.settings.name,),
            None,
            None,
        )


def _of_health(health: Health) -> Iterator[Attention]:
    silent = tuple(
        part for part, alive in health.parts.items() if not alive and (part != "link" or health.has_headquarters)
    )
    if health.has_headquarters and health.link.stuck_since_us is not None:
        yield Attention(
            NOTE,
            Said("Headquarters does not confirm what is written here."),
            Said("Nothing is lost: it is kept and sent later. Look at the network."),
            None,
            ("link",),
            health.link.stuck_since_us,
            None,
        )
    if silent:
        yield Attention(
            NOTE if silent == ("link",) else SOON,
            Said("A part of the system does not answer."),
            Said("It is started again by itself; if it stays so, call the technician."),
            None,
            silent,
            None,
            None,
        )


def _of_judge(desk: Desk) -> Iterator[Attention]:
    if desk.judged.failed:
        yield Attention(
            SOON,
            Said("The four musts are not judged here any more."),
            Said("Restart the panel; headquarters goes on judging. Call the technician."),
            None,
            (),
            None,
            None,
        )


def _of_history(desk: Desk, now: Moment) -> Iterator[Attention]:
    for event in desk.book.of_history():
        if now.us - event.time_us > HISTORY_SHOWN_S * 1_000_000:
            continue
        if event.type == "ledger.opened":
            if event.data["reason"] != "rollback":
                continue
            said = Said("This zone's disk was restored from an old image.")
            do = Said("Compare the paper register of the last shifts with this one; write late what is lost.")
        elif event.type == "headquarters.rollback":
            said = Said("Headquarters knows less than it had confirmed.")
            do = Said("What it lost is sent again. Tell headquarters; both of its signed words are in the ledger.")
        else:
            said = Said("Headquarters' own ledger was rewritten.")
            do = Said("Keep this board as it is and tell the supervision above: the proof is in the ledger.")
        yield Attention(SOON, said, do, None, (), event.time_us, None)

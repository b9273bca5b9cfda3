"""Everything that the monitor and the terminal show of one moment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from edge.panel.desk import Desk, Moment

from .attention import Attention, attention, check_due_us
from .people import Person, lately_exited, present
from .zone import DoorView, Health, RoomView, doors, health, rooms

FINDINGS_SHOWN = 12


@dataclass(frozen=True)
class Board:
    now: Moment
    people: Sequence[Person]
    exited: Sequence[Person]
    rooms: Sequence[RoomView]
    doors: Sequence[DoorView]
    health: Health
    attention: Sequence[Attention]
    findings: Sequence[Mapping[str, Any]]
    checks_due_us: Mapping[str, int]

    @property
    def inside(self) -> list[Person]:
        return [person for person in self.people if person.stay.inside]

    @property
    def outside(self) -> list[Person]:
        """Awaited, and out on leave."""
        return [person for person in self.people if not person.stay.inside]


def board(desk: Desk) -> Board:
    now = desk.now()
    people = present(desk, now)
    rooms_, doors_, health_ = rooms(desk, people, now), doors(desk), health(desk, now)
    with desk.book.lock:
        due = {person.id: check_due_us(desk, person) for person in people}
        calls = attention(desk, people, rooms_, doors_, health_, now)
    return Board(
        now=now,
        people=people,
        exited=lately_exited(desk, now),
        rooms=rooms_,
        doors=doors_,
        health=health_,
        attention=calls,
        findings=latest_findings(desk.judged.findings),
        checks_due_us={id_: due_us for id_, due_us in due.items() if due_us is not None},
    )


def latest_findings(findings: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Those that last, then the latest ones."""
    ordered = sorted(findings, key=lambda f: (f["end"] is None, f["start"]), reverse=True)
    return ordered[:FINDINGS_SHOWN]

"""Everything that the doors know at one moment, and what one step of theirs comes to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from custody.events import CommandRefused, Direction, DoorDenied, Draft, PartId, StayId, draft
from devices.doors.contact import ContactState
from devices.readers.reader import Feedback, ReaderState

from .access import Denied
from .facts import Action, KnownStay, PassageDeclared, Show
from .layout import Layout, as_event_officer
from .leaf import DoorState, Phase
from .whereabouts import Whereabouts


class Awaited(StrEnum):
    """What comes next at a reader."""

    PIN = "pin"
    VERDICT = "verdict"
    """Of a PIN that is being compared."""
    SECOND = "second"
    """The card of a second officer."""


@dataclass(frozen=True)
class Identified:
    """An officer who has shown all that a door asks of one."""

    officer: PartId
    card: str
    duress: bool
    until_s: float
    """How long he waits for the second; boot time, like all that ends in ``_s`` here."""


@dataclass(frozen=True)
class Dialogue:
    """Between the first card at a reader and what comes of it. It never holds a PIN."""

    awaits: Awaited
    until_s: float
    card: str
    """The one that the PIN belongs to."""
    officer: PartId
    ticket: int = 0
    first: Identified | None = None
    """Of two who are needed."""


@dataclass(frozen=True)
class Tries:
    """An officer's wrong PINs of late, and how long he is refused because of them."""

    at_s: tuple[float, ...] = ()
    locked_until_s: float = 0.0


@dataclass(frozen=True)
class State:
    """Replaced, never changed."""

    layout: Layout
    doors: Mapping[PartId, DoorState]
    readers: Mapping[PartId, ReaderState]
    stays: Mapping[StayId, KnownStay] = field(default_factory=dict)
    passages: Mapping[tuple[PartId, PartId], PassageDeclared] = field(default_factory=dict)
    """What was declared at the door terminals: by (door, officer)."""
    dialogues: Mapping[PartId, Dialogue] = field(default_factory=dict)
    """By reader."""
    tickets: int = 0
    """How many PINs were given out to be compared."""
    tries: Mapping[PartId, Tries] = field(default_factory=dict)
    whereabouts: Whereabouts = field(default_factory=Whereabouts)
    leases: Mapping[PartId, PartId] = field(default_factory=dict)
    """By interlock group: the door that has it."""
    fire: ContactState = ContactState.UNKNOWN
    provisioning: Mapping[PartId, str] = field(default_factory=dict)
    """Readers that are being given their key, and on whose word."""
    ledger_writable: bool = True

    @classmethod
    def at_start(cls, layout: Layout) -> State:
        """Every lock is locked, nothing else is known; each is asked where its bolt is, at once."""
        doors = {
            door.id: DoorState(phase=Phase.SECURE if door.contact is None else Phase.UNSEEN, read_lock_at_s=0.0)
            for door in layout.doors.values()
        }
        return cls(layout, doors, dict.fromkeys(layout.readers, ReaderState.UNKNOWN))

    def with_door(self, door: PartId, new: DoorState) -> State:
        return replace(self, doors={**self.doors, door: new})

    def without_dialogue(self, reader: PartId) -> State:
        return replace(self, dialogues={other: kept for other, kept in self.dialogues.items() if other != reader})


@dataclass(frozen=True)
class Outcome:
    state: State
    actions: tuple[Action, ...] = ()
    drafts: tuple[Draft, ...] = ()

    def then(self, other: Outcome) -> Outcome:
        """Both, when ``other`` went on from this one's state."""
        return Outcome(other.state, self.actions + other.actions, self.drafts + other.drafts)


def denied(state: State, reader: PartId, denial: Denied) -> Outcome:
    """The reader says no, and the register why."""
    place = state.layout.readers[reader]
    line = denial_line(place.door, reader, place.direction, denial)
    return Outcome(state, (Show(reader, Feedback.DENIED),), (line,))


def denial_line(door: PartId, reader: PartId | None, direction: Direction, denial: Denied) -> Draft:
    extra: dict[str, Any] = {**({} if denial.detail is None else {"detail": denial.detail}), **denial.more}
    officer = None if denial.officer is None else as_event_officer(denial.officer)
    return draft(
        DoorDenied(door=door, reader=reader, direction=direction, officer=officer, reason=denial.reason, **extra)
    )


def refused(command: str, actor: str | None, reason: str, id_: str | None = None) -> Draft:
    """The answer to a command that is not followed; ``id_`` is its own, if headquarters gave it."""
    given = {} if id_ is None else {"id": id_}
    return draft(CommandRefused.model_validate({"command": command, "actor": actor, "reason": reason, **given}))

"""What the core is told, and what it answers. Nothing else passes between it and the world."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from config.roster import Roster
from custody.events import Direction, PartId, PassagePurpose, StayId
from devices.doors.contact import ContactState
from devices.doors.lock import LockState
from devices.readers.reader import Feedback, ReaderState


@dataclass(frozen=True)
class Now:
    """One moment on both clocks. Deadlines are boot time, validities are wall time (UTC microseconds)."""

    boot_s: float
    wall_us: int


@dataclass(frozen=True)
class CardPresented:
    reader: PartId
    number: str


@dataclass(frozen=True)
class PinPresented:
    """No ``repr`` shows the PIN, so no log does."""

    reader: PartId
    pin: str = field(repr=False)


@dataclass(frozen=True)
class ContactReported:
    door: PartId
    state: ContactState


@dataclass(frozen=True)
class ButtonPressed:
    door: PartId


@dataclass(frozen=True)
class ReaderReported:
    reader: PartId
    state: ReaderState
    detail: str


@dataclass(frozen=True)
class TamperReported:
    reader: PartId
    tampered: bool


@dataclass(frozen=True)
class ProvisionEnded:
    """A reader took the key that it was to be given, or did not, and why."""

    reader: PartId
    keyed: bool
    detail: str


@dataclass(frozen=True)
class LockReported:
    """What can be measured of the lock now; ``problem`` when it did not take its last command."""

    door: PartId
    measured: LockState
    problem: str | None = None


@dataclass(frozen=True)
class KnownStay:
    """What a door must know of a stay. ``brought_by``: ids of the officers who brought the person."""

    id: StayId
    needs_permit: bool
    """A suspect may not be taken out without one; a witness may go (rules.md, M1.5)."""
    awaited: bool
    inside: bool
    away: bool
    finished: bool
    """Its exit is on record."""
    permitted: bool
    """A permit that serves a departure lies ready, or served the departure under way."""
    arrived_us: int
    brought_by: frozenset[str]


@dataclass(frozen=True)
class StaysChanged:
    """These stays are so now. ``all_of_them``: and there are no others."""

    stays: Mapping[StayId, KnownStay]
    all_of_them: bool = False


@dataclass(frozen=True)
class PassageDeclared:
    """An officer said at the door terminal what the next tap at that door is for, valid until ``until_s``."""

    door: PartId
    officer: PartId
    purpose: PassagePurpose
    stay: StayId | None
    until_s: float


@dataclass(frozen=True)
class OpenRequested:
    """Somebody asks from afar to let a door be opened once."""

    door: PartId
    actor: str
    by_right: bool = False
    """Somebody at headquarters to whom the settings permit it; everybody else must be an officer here."""
    command: str | None = None
    """The command's id, if headquarters gave it; it stands in the answer."""


@dataclass(frozen=True)
class ProvisionRequested:
    """Somebody asks that a reader without a key be given the one of its key file."""

    reader: PartId
    actor: str


@dataclass(frozen=True)
class CommandUnusable:
    """A command meant for the doors that cannot be understood; it is answered, not dropped."""

    command: str
    actor: str | None
    reason: str
    id: str | None = None
    """The command's own, if headquarters gave it."""


@dataclass(frozen=True)
class RosterChanged:
    """These officers, schedules and rules count from now on."""

    roster: Roster


@dataclass(frozen=True)
class LedgerReported:
    """Whether the ledger takes what is written."""

    writable: bool


@dataclass(frozen=True)
class TimePassed:
    """Nothing happened, but a deadline may be due."""


Fact = (
    CardPresented
    | PinPresented
    | ContactReported
    | ButtonPressed
    | ReaderReported
    | TamperReported
    | ProvisionEnded
    | LockReported
    | StaysChanged
    | PassageDeclared
    | OpenRequested
    | ProvisionRequested
    | CommandUnusable
    | RosterChanged
    | LedgerReported
    | TimePassed
)


@dataclass(frozen=True)
class Unlock:
    door: PartId


@dataclass(frozen=True)
class Lock:
    door: PartId


@dataclass(frozen=True)
class ReadLock:
    """Look what the lock measures, and report it."""

    door: PartId


@dataclass(frozen=True)
class Show:
    reader: PartId
    feedback: Feedback


@dataclass(frozen=True)
class Provision:
    """Let the reader be given its key; ``ProvisionEnded`` follows."""

    reader: PartId


Action = Unlock | Lock | ReadLock | Show | Provision


@dataclass(frozen=True)
class ReaderPlace:
    """Where a reader hangs: at which door, on whose way through it."""

    door: PartId
    direction: Direction

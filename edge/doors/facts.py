"""What the core is told, and what it answers. Nothing else passes between it and the world."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from config.roster import Roster
from custody.events import PartId, PassagePurpose, StayId
from devices.doors.contact import ContactState
from devices.doors.lock import LockState
from devices.readers.reader import Feedback, ReaderState

from .mode import Mode
from .whereabouts import Whereabouts


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


class PinVerdict(StrEnum):
    RIGHT = "right"
    DURESS = "duress"
    """Right, and he is being forced: nobody at the door may notice that this is known."""
    WRONG = "wrong"


@dataclass(frozen=True)
class PinVerified:
    """What became of the PIN that ``VerifyPin`` with this ticket asked about."""

    reader: PartId
    ticket: int
    verdict: PinVerdict


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
    by_itself: bool = False
    """Its sensor changed; it was not asked."""


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


class ModeChange(StrEnum):
    """What somebody asks of a door until further notice; the values are the commands' names."""

    LOCKDOWN = "lockdown"
    LOCKDOWN_END = "lockdown.end"
    RELEASE = "release"
    """Unlock it for everybody, in an emergency."""
    SECURE = "secure"
    """End its release, whatever caused it: somebody has looked."""


@dataclass(frozen=True)
class ModeRequested:
    """Somebody asks that one door, or with ``None`` every door, stand otherwise from now on."""

    change: ModeChange
    door: PartId | None
    actor: str
    by_right: bool = False
    """As in ``OpenRequested``."""
    command: str | None = None


@dataclass(frozen=True)
class FireReported:
    """The fire system's contact says so: ``CLOSED`` is no alarm, ``OPEN`` is fire."""

    state: ContactState


@dataclass(frozen=True)
class PastKnown:
    """What the ledger tells of the time before this start."""

    whereabouts: Whereabouts
    modes: Mapping[PartId, Mode]
    """By door; of a door that is not named it is the usual one."""


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
    | PinVerified
    | ContactReported
    | ButtonPressed
    | ReaderReported
    | TamperReported
    | ProvisionEnded
    | LockReported
    | StaysChanged
    | PassageDeclared
    | OpenRequested
    | ModeRequested
    | FireReported
    | PastKnown
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


@dataclass(frozen=True)
class VerifyPin:
    """Compare the PIN with the hashes; ``PinVerified`` with this ticket follows. No ``repr`` shows any of it."""

    reader: PartId
    ticket: int
    pin: str = field(repr=False)
    pin_hash: str = field(repr=False)
    duress_pin_hash: str | None = field(repr=False)


Action = Unlock | Lock | ReadLock | Show | Provision | VerifyPin

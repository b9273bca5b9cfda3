"""Events of the zone itself: what it looks like, that it runs, its ledger, its clock, its commands."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, ClassVar

from pydantic import ConfigDict, Field

from .base import EventData, Part, PartId, Seconds


class Area(StrEnum):
    CUSTODY = "custody"
    RECEPTION = "reception"
    OFFICE = "office"
    LIVING = "living"
    OUTSIDE = "outside"


class Purpose(StrEnum):
    WAITING = "waiting"
    INTERVIEW = "interview"
    SEARCH = "search"
    COLLECTION = "collection"
    CORRIDOR = "corridor"
    TOILET = "toilet"
    SOBERING = "sobering"
    OTHER = "other"


class Coverage(StrEnum):
    """Whether one camera is enough for a room (``any``) or blind spots need every one of them (``all``)."""

    ANY = "any"
    ALL = "all"


class Room(Part):
    id: PartId
    name: str
    area: Area
    purpose: Purpose
    cameras: list[PartId]
    coverage: Coverage
    audio: bool


class Door(Part):
    """A door as it stands between two rooms; ``contact`` says whether its opening is measured at all."""

    model_config = ConfigDict(extra="allow", frozen=True, populate_by_name=True)

    id: PartId
    name: str
    from_: PartId = Field(alias="from")
    to: PartId
    contact: bool
    interlock: PartId | None


class ZoneDescribed(EventData):
    TYPE: ClassVar[str] = "zone.described"
    rooms: list[Room]
    doors: list[Door]


class ZoneStarted(EventData):
    TYPE: ClassVar[str] = "zone.started"
    version: str
    parts: list[str]
    clean: bool


class ClockHealth(Part):
    synchronised: bool
    offset_s: Seconds | None
    uncertainty_s: Seconds | None


class DiskHealth(Part):
    free_bytes: int
    retention_days: Seconds | None


class ZoneHeartbeat(EventData):
    TYPE: ClassVar[str] = "zone.heartbeat"
    parts: dict[str, bool]
    clock: ClockHealth
    disk: DiskHealth


class ZoneStopped(EventData):
    TYPE: ClassVar[str] = "zone.stopped"
    reason: str


class PowerState(StrEnum):
    LOST = "lost"
    RESTORED = "restored"


class ZonePower(EventData):
    TYPE: ClassVar[str] = "zone.power"
    state: PowerState


class LedgerReason(StrEnum):
    FIRST = "first"
    ROLLBACK = "rollback"
    ROTATION = "rotation"


class LedgerCited(Part):
    ledger: str
    size: int
    root: str


class LedgerOpened(EventData):
    TYPE: ClassVar[str] = "ledger.opened"
    follows: LedgerCited | None
    reason: LedgerReason


class ClockStepped(EventData):
    TYPE: ClassVar[str] = "clock.stepped"
    by_s: Seconds


class CommandReceived(EventData):
    """A command from headquarters or the panel: ``command`` is its name, its arguments lie in ``args``."""

    TYPE: ClassVar[str] = "command.received"
    command: str
    actor: str
    reason: str | None = None
    args: dict[str, Any] = Field(default_factory=dict)


class CommandRefused(EventData):
    TYPE: ClassVar[str] = "command.refused"
    command: str
    actor: str | None
    reason: str


class HeadquartersRollback(EventData):
    """Headquarters knows less of a ledger than it once cosigned. Both of its cosigned checkpoints are evidence."""

    TYPE: ClassVar[str] = "headquarters.rollback"
    ledger: str
    cosigned: str
    status: str


class HeadquartersFork(EventData):
    """Headquarters' own ledger does not continue the one that this zone cosigned: its history was rewritten.

    ``cosigned`` is what the zone holds, ``shown`` what it was shown later; headquarters signed both.
    """

    TYPE: ClassVar[str] = "headquarters.fork"
    ledger: str
    cosigned: str
    shown: str


class KeyRotated(EventData):
    """From this line on its writer signs with ``new``; ``signature`` over both verifier keys is by the old one."""

    TYPE: ClassVar[str] = "key.rotated"
    old: str
    new: str
    signature: str

"""Events of doors: who was let through, what the door then did."""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar

from .base import EventData, Officer, PartId, Seconds, StayId


class Direction(StrEnum):
    IN = "in"
    OUT = "out"


class PassagePurpose(StrEnum):
    PASS = "pass"
    BRING_IN = "bring_in"
    TAKE_OUT = "take_out"
    ROUNDS = "rounds"


class Denial(StrEnum):
    UNKNOWN_CARD = "unknown_card"
    NOT_ACTIVE = "not_active"
    EXPIRED = "expired"
    WRONG_PIN = "wrong_pin"
    NOT_PERMITTED = "not_permitted"
    NOT_THIS_TIME = "not_this_time"
    NEEDS_SECOND_OFFICER = "needs_second_officer"
    PASSBACK = "passback"
    INTERLOCK = "interlock"
    NO_PERMIT = "no_permit"
    READER_INSECURE = "reader_insecure"


class DoorGranted(EventData):
    TYPE: ClassVar[str] = "door.granted"
    door: PartId
    reader: PartId | None
    direction: Direction
    officer: Officer
    second: Officer | None
    purpose: PassagePurpose
    stay: StayId | None


class DoorDenied(EventData):
    TYPE: ClassVar[str] = "door.denied"
    door: PartId
    reader: PartId | None
    direction: Direction
    officer: Officer | None
    reason: Denial


class DoorOpened(EventData):
    TYPE: ClassVar[str] = "door.opened"
    door: PartId


class DoorClosed(EventData):
    TYPE: ClassVar[str] = "door.closed"
    door: PartId


class DoorNotTaken(EventData):
    TYPE: ClassVar[str] = "door.not_taken"
    door: PartId


class DoorForced(EventData):
    TYPE: ClassVar[str] = "door.forced"
    door: PartId


class DoorHeld(EventData):
    TYPE: ClassVar[str] = "door.held"
    door: PartId
    seconds: Seconds


class ReleaseCause(StrEnum):
    FIRE = "fire"
    EMERGENCY = "emergency"
    REMOTE = "remote"


class DoorReleased(EventData):
    TYPE: ClassVar[str] = "door.released"
    door: PartId
    cause: ReleaseCause
    actor: str | None


class DoorMode(EventData):
    """How a door stands from now on, whoever comes: open for everybody, shut for nearly everybody, or neither.

    It is written whenever one of the two changes; a start of the doors goes on with the last one.
    """

    TYPE: ClassVar[str] = "door.mode"
    door: PartId
    released: ReleaseCause | None
    """Why it is open for everybody; what began it is ``door.released``."""
    locked_down: bool
    actor: str | None


class DoorPart(StrEnum):
    READER = "reader"
    CONTACT = "contact"
    LOCK = "lock"
    TAMPER = "tamper"


class FaultState(StrEnum):
    FAULT = "fault"
    RESTORED = "restored"


class DoorFault(EventData):
    TYPE: ClassVar[str] = "door.fault"
    door: PartId
    part: DoorPart
    state: FaultState
    detail: str

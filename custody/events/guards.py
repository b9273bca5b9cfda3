"""Events of guards: who watches over which room."""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar

from .base import EventData, Officer, PartId, Seconds, StayId


class PresenceProof(StrEnum):
    CARD = "card"
    CAMERA = "camera"
    TERMINAL = "terminal"
    HANDOVER = "handover"


class GuardPresent(EventData):
    TYPE: ClassVar[str] = "guard.present"
    room: PartId
    officer: Officer
    proof: PresenceProof
    valid_for_s: Seconds | None


class GuardAbsent(EventData):
    TYPE: ClassVar[str] = "guard.absent"
    room: PartId
    officer: Officer


class GuardHandover(EventData):
    TYPE: ClassVar[str] = "guard.handover"
    room: PartId
    outgoing: Officer
    incoming: Officer
    stays: list[StayId]


class CheckMade(EventData):
    TYPE: ClassVar[str] = "check.made"
    stay: StayId
    room: PartId
    officer: Officer
    terminal: PartId | None
    note: str | None = None

"""What a door asks of whoever wants to pass it, beyond the card: roles, PIN, a second officer."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from custody.events import PartId

from ..loading import Settings
from .officers import Role


class Level(StrEnum):
    """What identifies an officer at a door."""

    CARD = "card"
    CARD_AND_PIN = "card_and_pin"


class LevelBySchedule(Settings):
    schedule: PartId
    level: Level


class TwoPerson(Settings):
    """Two different officers who may both pass, one after the other at the same reader."""

    within_s: float = Field(15.0, gt=0, le=120)
    """How long the first card waits for the second."""
    roles: list[Role] = []
    """One of these the second officer must have; by default any that the door admits."""
    schedule: PartId | None = None
    """When two are needed; by default at any time."""


class Passback(StrEnum):
    """What comes of it when somebody passes into an area that he is known to be in already: his card may have been
    handed back through the door."""

    OFF = "off"
    SOFT = "soft"
    """He passes, and that is said."""
    HARD = "hard"
    """He does not come in; he may always leave, and that is said."""


class DoorAccess(Settings):
    """The rules of one door. A door without any admits, by card, the roles that ``zone.toml`` gives it."""

    door: PartId
    roles: list[Role] = []
    """Who may pass, in place of the door's own ``roles``; by default those."""
    level: Level = Level.CARD
    levels: list[LevelBySchedule] = Field([], max_length=16)
    """The first whose schedule holds counts in place of ``level``: the card by day, card and PIN by night."""
    two_person: TwoPerson | None = None
    passback: Passback = Passback.OFF


class Lockout(Settings):
    """Wrong PINs: after ``tries`` within ``within_s`` the card is refused for ``locked_s``."""

    tries: int = Field(5, ge=2, le=20)
    within_s: float = Field(300.0, gt=0, le=86_400)
    locked_s: float = Field(300.0, gt=0, le=86_400)

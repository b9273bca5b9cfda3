"""The zone as its doors need it, from settings and roster: who holds which card, which reader stands where."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from config.roster import OfficerSettings, Roster
from config.zone import DoorSettings, Headquarters, ZoneSettings
from custody.events import Area, Officer, PartId

from .facts import ReaderPlace


@dataclass(frozen=True)
class Layout:
    """Constant but for the roster, which headquarters may change. Cards are upper-case hexadecimal."""

    doors: Mapping[PartId, DoorSettings]
    readers: Mapping[PartId, ReaderPlace]
    roster: Roster
    officers: Mapping[PartId, OfficerSettings]
    holders: Mapping[str, OfficerSettings]
    headquarters: Headquarters | None
    into_custody: frozenset[PartId]
    """Doors whose inner side is a custody room."""

    @classmethod
    def of(cls, settings: ZoneSettings, roster: Roster | None = None) -> Layout:
        """``roster`` is that of the settings unless it is given."""
        roster = roster or settings.roster
        custody_rooms = {room.id for room in settings.rooms if room.area is Area.CUSTODY}
        return cls(
            doors={door.id: door for door in settings.doors},
            readers={reader.id: ReaderPlace(reader.door, reader.direction) for reader in settings.readers},
            roster=roster,
            officers={officer.id: officer for officer in roster.officers},
            holders=_holders(roster),
            headquarters=settings.headquarters,
            into_custody=frozenset(door.id for door in settings.doors if door.to in custody_rooms),
        )

    def with_roster(self, roster: Roster) -> Layout:
        officers = {officer.id: officer for officer in roster.officers}
        return replace(self, roster=roster, officers=officers, holders=_holders(roster))

    def interlocked_with(self, door: PartId) -> list[PartId]:
        """The other doors of its interlock group."""
        group = self.doors[door].interlock
        if group is None:
            return []
        return [other.id for other in self.doors.values() if other.interlock == group and other.id != door]


def _holders(roster: Roster) -> dict[str, OfficerSettings]:
    return {officer.card: officer for officer in roster.officers if officer.card is not None}


def as_event_officer(officer: OfficerSettings) -> Officer:
    """The officer as events carry him."""
    return Officer(id=officer.id, rank=officer.rank, sex=officer.sex)

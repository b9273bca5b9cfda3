"""The zone as its doors need it, from the settings: who holds which card, which reader stands where."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from config.roster import OfficerSettings
from config.zone import DoorSettings, ZoneSettings
from custody.events import Area, Officer, PartId

from .facts import ReaderPlace


@dataclass(frozen=True)
class Layout:
    """Constant while the process runs. Cards are upper-case hexadecimal."""

    doors: Mapping[PartId, DoorSettings]
    readers: Mapping[PartId, ReaderPlace]
    officers: Mapping[PartId, OfficerSettings]
    holders: Mapping[str, OfficerSettings]
    into_custody: frozenset[PartId]
    """Doors whose inner side is a custody room."""

    @classmethod
    def of(cls, settings: ZoneSettings) -> Layout:
        custody_rooms = {room.id for room in settings.rooms if room.area is Area.CUSTODY}
        return cls(
            doors={door.id: door for door in settings.doors},
            readers={reader.id: ReaderPlace(reader.door, reader.direction) for reader in settings.readers},
            officers={officer.id: officer for officer in settings.officers},
            holders={o.card.upper(): o for o in settings.officers if o.card is not None},
            into_custody=frozenset(door.id for door in settings.doors if door.to in custody_rooms),
        )

    def interlocked_with(self, door: PartId) -> list[PartId]:
        """The other doors of its interlock group."""
        group = self.doors[door].interlock
        if group is None:
            return []
        return [other.id for other in self.doors.values() if other.interlock == group and other.id != door]


def as_event_officer(officer: OfficerSettings) -> Officer:
    """The officer as events carry him."""
    return Officer(id=officer.id, rank=officer.rank, sex=officer.sex)

"""The zone as its doors need it, from settings and roster: who holds which card, which reader stands where, what a
door asks for at this hour."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from config.roster import DoorAccess, Level, OfficerSettings, Passback, Role, Roster, Schedule, TwoPerson
from config.zone import DoorSettings, Headquarters, Secured, ZoneSettings
from custody.events import Area, Direction, Officer, PartId


@dataclass(frozen=True)
class ReaderPlace:
    """Where a reader hangs: at which door, on whose way through it."""

    door: PartId
    direction: Direction


@dataclass(frozen=True)
class Layout:
    """Constant but for the roster, which headquarters may change. Cards are upper-case hexadecimal."""

    doors: Mapping[PartId, DoorSettings]
    readers: Mapping[PartId, ReaderPlace]
    areas: Mapping[PartId, Area]
    """By room."""
    utc_offset_s: int
    headquarters: Headquarters | None
    into_custody: frozenset[PartId]
    """Doors whose inner side is a custody room."""
    released_by_fire: tuple[PartId, ...]
    roster: Roster
    officers: Mapping[PartId, OfficerSettings]
    holders: Mapping[str, OfficerSettings]
    access: Mapping[PartId, DoorAccess]
    schedules: Mapping[PartId, Schedule]

    @classmethod
    def of(cls, settings: ZoneSettings, roster: Roster | None = None) -> Layout:
        """``roster`` is that of the settings unless it is given."""
        roster = roster or settings.roster
        areas = {room.id: room.area for room in settings.rooms}
        return cls(
            doors={door.id: door for door in settings.doors},
            readers={reader.id: ReaderPlace(reader.door, reader.direction) for reader in settings.readers},
            areas=areas,
            utc_offset_s=round(settings.zone.utc_offset_hours * 3600),
            headquarters=settings.headquarters,
            into_custody=frozenset(door.id for door in settings.doors if areas[door.to] is Area.CUSTODY),
            released_by_fire=tuple(settings.doors_released_by_fire),
            roster=roster,
            officers={officer.id: officer for officer in roster.officers},
            holders=_holders(roster),
            access={access.door: access for access in roster.access},
            schedules={schedule.id: schedule for schedule in roster.schedules},
        )

    def with_roster(self, roster: Roster) -> Layout:
        return replace(
            self,
            roster=roster,
            officers={officer.id: officer for officer in roster.officers},
            holders=_holders(roster),
            access={access.door: access for access in roster.access},
            schedules={schedule.id: schedule for schedule in roster.schedules},
        )

    def interlocked_with(self, door: PartId) -> list[PartId]:
        """The other doors of its interlock group."""
        group = self.doors[door].interlock
        if group is None:
            return []
        return [other.id for other in self.doors.values() if other.interlock == group and other.id != door]

    def readers_of(self, door: PartId) -> list[PartId]:
        return [reader for reader, place in self.readers.items() if place.door == door]

    def areas_of(self, door: PartId) -> tuple[Area, Area]:
        """Those on its outer and on its inner side."""
        settings = self.doors[door]
        return self.areas[settings.from_], self.areas[settings.to]

    def area_behind(self, door: PartId, direction: Direction) -> Area:
        """The area that one passes into."""
        outer, inner = self.areas_of(door)
        return inner if direction is Direction.IN else outer

    def holds(self, schedule: PartId | None, wall_us: int) -> bool:
        """Whether it is the time of this schedule; of none, it always is."""
        return schedule is None or self.schedules[schedule].holds(wall_us, self.utc_offset_s)

    def roles_at(self, door: PartId) -> list[Role]:
        """The roles that the door admits."""
        access = self.access.get(door)
        return (access.roles if access is not None else []) or self.doors[door].roles or list(Role)

    def level_at(self, door: PartId, wall_us: int) -> Level:
        """What identifies an officer there at this moment."""
        access = self.access.get(door)
        if access is None:
            return Level.CARD
        return next((by.level for by in access.levels if self.holds(by.schedule, wall_us)), access.level)

    def two_person_at(self, door: PartId, wall_us: int) -> TwoPerson | None:
        """The rule of two officers, if it counts there at this moment."""
        access = self.access.get(door)
        if access is None or access.two_person is None:
            return None
        return access.two_person if self.holds(access.two_person.schedule, wall_us) else None

    def passback_at(self, door: PartId) -> Passback:
        """A door between two rooms of one area has none: nobody's area changes there."""
        access = self.access.get(door)
        outer, inner = self.areas_of(door)
        return Passback.OFF if access is None or outer is inner else access.passback

    def rests_unlocked(self, door: PartId) -> bool:
        """Whether it stands unlocked while no controller drives it."""
        return self.doors[door].lock.on_controller_loss is Secured.UNLOCKED


def _holders(roster: Roster) -> dict[str, OfficerSettings]:
    return {officer.card: officer for officer in roster.officers if officer.card is not None}


def as_event_officer(officer: OfficerSettings) -> Officer:
    """The officer as events carry him."""
    return Officer(id=officer.id, rank=officer.rank, sex=officer.sex)

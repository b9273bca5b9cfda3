"""Who may pass where and when: officers, schedules and the rules of doors.

``zone.toml`` holds a first roster, so that a new zone opens its doors before it has ever seen headquarters; once
headquarters has sent one (``fourmusts central command roster``), that counts in its place, whole.
"""

from __future__ import annotations

from .doors import DoorAccess, Level, LevelBySchedule, Lockout, Passback, TwoPerson
from .officers import OfficerSettings, Role
from .roster import BOOTSTRAP, Roster, RosterTables, RosterUnfit, read_roster, roster_bytes
from .schedules import Schedule, Weekday, Window

__all__ = [
    "BOOTSTRAP",
    "DoorAccess",
    "Level",
    "LevelBySchedule",
    "Lockout",
    "OfficerSettings",
    "Passback",
    "Role",
    "Roster",
    "RosterTables",
    "RosterUnfit",
    "Schedule",
    "TwoPerson",
    "Weekday",
    "Window",
    "read_roster",
    "roster_bytes",
]

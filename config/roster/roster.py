"""A whole roster: everything of it agrees, or none of it is used.

As headquarters sends it, it is this JSON, and its digest is the SHA-256 of exactly these bytes::

    {"version":7,"officer":[{"id":"p0231","name":"民警甲","rank":"police","sex":"m","card":"0A1B2C3D",
     "roles":["guard"]},…],"schedule":[…],"access":[…],"lockout":{…}}
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from typing import Self

from pydantic import Field, ValidationError, model_validator

from custody.errors import FourmustsError
from custody.events import PartId

from ..loading import Settings, explain
from .doors import DoorAccess, Lockout
from .officers import OfficerSettings
from .schedules import Schedule

BOOTSTRAP = 0
"""The version of the roster in ``zone.toml``: any of headquarters' is newer."""
VERSION_MAX = 2**53
OFFICERS_MAX = 2000
PROBLEMS_SHOWN_MAX = 5


class RosterUnfit(FourmustsError):
    """A roster that is not used, and why. Its text goes into the ledger: it names keys and ids, never a card
    number, a hash or a person."""


class RosterTables(Settings):
    """The tables of a roster, as they also stand in ``zone.toml``."""

    officers: list[OfficerSettings] = Field(alias="officer", default=[], max_length=OFFICERS_MAX)
    schedules: list[Schedule] = Field(alias="schedule", default=[], max_length=100)
    access: list[DoorAccess] = Field(default=[], max_length=200)
    lockout: Lockout = Lockout()

    @model_validator(mode="after")
    def _names_are_unique(self) -> Self:
        _once("officer", (officer.id for officer in self.officers))
        _once("schedule", (schedule.id for schedule in self.schedules))
        _once("access for the door", (access.door for access in self.access))
        holders: dict[str, PartId] = {}
        for officer in self.officers:
            if officer.card is not None and (other := holders.setdefault(officer.card, officer.id)) != officer.id:
                raise ValueError(f"officers {other!r} and {officer.id!r} have the same card")
        return self

    @model_validator(mode="after")
    def _schedules_exist(self) -> Self:
        known = {schedule.id for schedule in self.schedules}
        for what, named in self._schedules_named():
            if named is not None and named not in known:
                raise ValueError(f"{what} names the schedule {named!r}, which is not declared; add a [[schedule]]")
        return self

    def _schedules_named(self) -> Iterable[tuple[str, PartId | None]]:
        for officer in self.officers:
            yield f"officer {officer.id!r}", officer.schedule
        for access in self.access:
            what = f"access for the door {access.door!r}"
            if access.two_person is not None:
                yield what, access.two_person.schedule
            for by_schedule in access.levels:
                yield what, by_schedule.schedule

    def doors_named(self) -> set[PartId]:
        """Every door that an officer or a rule names."""
        of_officers = {door for officer in self.officers for door in officer.doors or ()}
        return of_officers | {access.door for access in self.access}


class Roster(RosterTables):
    version: int = Field(BOOTSTRAP, ge=BOOTSTRAP, le=VERSION_MAX)

    def check_fits(self, doors: Collection[PartId]) -> None:
        """Raises ``RosterUnfit`` if a zone with these doors would be shut, or other than meant, with it."""
        strange = sorted(self.doors_named() - set(doors))
        if strange:
            raise RosterUnfit(
                f"it names doors that this zone does not have: {', '.join(strange[:PROBLEMS_SHOWN_MAX])}"
            )
        if not any(officer.active and officer.card and officer.roles for officer in self.officers):
            raise RosterUnfit("with it nobody could pass a door: no active officer has both a card and a role")


def roster_bytes(roster: Roster) -> bytes:
    """The roster as it is sent, signed for and kept; what is as by default is left out."""
    fields = {"version": roster.version, **roster.model_dump(mode="json", by_alias=True, exclude_defaults=True)}
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode()


def read_roster(content: bytes) -> Roster:
    """A roster from such bytes. Raises ``RosterUnfit``."""
    try:
        fields = json.loads(content)
    except (ValueError, RecursionError):
        raise RosterUnfit("it is not JSON") from None
    if isinstance(fields, dict) and "version" not in fields:
        raise RosterUnfit("version: this key is missing; add it")
    try:
        return Roster.model_validate(fields)
    except ValidationError as error:
        problems = error.errors(include_url=False)[:PROBLEMS_SHOWN_MAX]
        raise RosterUnfit("; ".join(explain(problem, Roster, show_found=False) for problem in problems)) from None


def _once(noun: str, names: Iterable[str]) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise ValueError(f"{noun} {name!r} is declared twice; rename or remove one")
        seen.add(name)

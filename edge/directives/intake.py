"""Which commands of headquarters may be given in this zone, and the keeping of what they bring.

A command from headquarters is signed by its key; ``actor`` is the person there who gave it, as headquarters says.
What an actor may do here stands in zone.toml, ``[[headquarters.may]]``; ``open`` may also be given by an officer
of this zone's roster, of whom the doors then ask the role that they ask at the panel.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from config.errors import ConfigurationError
from config.policy import read_policy
from config.roster import RosterUnfit, read_roster
from config.zone import EVERY_DOOR, MODE_COMMANDS, HeadquartersCommand, ZoneSettings
from sync.commands import CommandUnwelcome
from sync.documents import ROSTER_SET, Part, joined, read_part
from sync.protocol.messages import Command

from .in_force import KINDS, InForce, store_of
from .store import Version


class ZoneIntake:
    """An ``Intake`` of ``sync.commands``. Belongs to the link's thread."""

    def __init__(self, settings: ZoneSettings) -> None:
        self._settings = settings
        self._store = store_of(settings)
        self._doors = [door.id for door in settings.doors]

    def admit(self, command: Command) -> Mapping[str, Any]:
        try:
            name = HeadquartersCommand(command.name)
        except ValueError:
            known = ", ".join(HeadquartersCommand)
            raise CommandUnwelcome(f"headquarters can give no such command here; there are: {known}") from None
        if name in KINDS:
            self._check_may(command.actor, name, None)
            return self._admit_document(command)
        door = command.args.get("door")
        if door == EVERY_DOOR and name in MODE_COMMANDS:
            for each in self._doors:
                self._check_may(command.actor, name, each)
            return command.args
        if not isinstance(door, str) or door not in self._doors:
            raise CommandUnwelcome(f"args.door names no door of this zone; there are: {', '.join(self._doors)}")
        self._check_may(command.actor, name, door)
        return command.args

    def recorded(self, command: Command) -> None:
        if command.name in KINDS:
            part = read_part(command.args)
            self._store.put_in_force(Version(part.version, part.sha256, command.name))

    def _check_may(self, actor: str, name: HeadquartersCommand, door: str | None) -> None:
        headquarters = self._settings.headquarters
        if headquarters is not None and headquarters.permits(actor, name, door):
            return
        if door is not None and actor in InForce(self._settings).officers:
            return  # whether with the role that it needs, the doors say
        at = "" if door is None else f" at {door}"
        raise CommandUnwelcome(f"{actor:.64} may not give {name.value}{at}: see [[headquarters.may]] in zone.toml")

    def _admit_document(self, command: Command) -> Mapping[str, Any]:
        part = read_part(command.args)
        version = Version(part.version, part.sha256, command.name)
        self._check_newer(version)
        pieces = self._store.keep_part(command.name, part)
        if pieces is None:
            return {**part.for_ledger(), "complete": False}
        try:
            document = joined(pieces, part.sha256)
            self._check(command.name, document, part)
        except CommandUnwelcome:
            self._store.drop_parts(version)
            raise
        self._store.keep_whole(version, document)
        return {**part.for_ledger(), "complete": True}

    def _check_newer(self, version: Version) -> None:
        coming = self._store.parts_of(version.kind)
        if coming and version.number < coming[-1].number:
            raise CommandUnwelcome(f"version {version.number} is older than {coming[-1].number}, which is coming")
        kept = self._store.in_force(version.kind)
        if not kept or version.number > kept[0].number:
            return
        if version.number < kept[0].number:
            raise CommandUnwelcome(f"version {version.number} is older than {kept[0].number}, which was received")
        if version != kept[0]:
            raise CommandUnwelcome(f"version {version.number} was received before, with another content")

    def _check(self, kind: str, document: bytes, part: Part) -> None:
        try:
            if kind == ROSTER_SET:
                roster = read_roster(document)
                roster.check_fits(self._doors)
                found = roster.version
            else:
                found = read_policy(document).version
        except (RosterUnfit, ConfigurationError) as error:
            raise CommandUnwelcome(f"{kind} version {part.version} is not used: {error}") from error
        if found != part.version:
            raise CommandUnwelcome(f"args.version is {part.version}, the document says {found}")

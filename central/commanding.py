"""Giving commands to zones, and sending them until the zone's own ledger says that it has them, or they expire."""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from sqlalchemy.exc import SQLAlchemyError

from config.clock import Clock
from config.roster import Roster, RosterTables, RosterUnfit, roster_bytes
from config.zone import HeadquartersCommand
from custody.events import parse_time
from sync.commands import VALID_S_MAX, make_command
from sync.documents import read_part, split
from sync.note import SigningKey
from sync.protocol.messages import encode

from .errors import CentralError, PartEnded
from .store.commands import CommandTable, Due, Issue

logger = logging.getLogger(__name__)

OPEN_VALID_S = 30.0
"""Nobody stands at a door for longer."""
DOCUMENT_VALID_S = VALID_S_MAX
ACTOR = re.compile(r"[0-9a-z-]{1,32}")
LOOK_S = 1.0
"""Real seconds between looks for commands that another process has given."""
RESEND_S = 5.0
RESEND_S_MAX = 60.0


class CommandUnfit(CentralError):
    """A command that no zone would take; nothing was given."""


class Commander:
    """Signs and stores commands. Any process with headquarters' key and database may have one."""

    def __init__(self, table: CommandTable, signer: SigningKey, zones: Collection[str], clock: Clock) -> None:
        self._table = table
        self._signer = signer
        self._zones = zones
        self._clock = clock

    def open(self, zone: str, door: str, actor: str, *, valid_s: float = OPEN_VALID_S) -> list[str]:
        """Ids of the commands given. Raises ``CommandUnfit``, here and below."""
        return self._give(zone, HeadquartersCommand.OPEN.value, [{"door": door}], actor, valid_s, None)

    def set_mode(
        self, zone: str, change: HeadquartersCommand, door: str, actor: str, *, valid_s: float = OPEN_VALID_S
    ) -> list[str]:
        """``change`` is one of ``MODE_COMMANDS``, ``door`` a door's id or ``EVERY_DOOR``."""
        return self._give(zone, change.value, [{"door": door}], actor, valid_s, None)

    def send_roster(
        self, zone: str, tables: RosterTables, actor: str, *, valid_s: float = DOCUMENT_VALID_S
    ) -> list[str]:
        """``tables`` as the next version of the zone's roster."""
        name = HeadquartersCommand.ROSTER_SET.value
        version = self._table.next_version(zone, name, self._clock.now_us())
        fields = {field: getattr(tables, field) for field in RosterTables.model_fields}
        roster = Roster(version=version, **fields)
        try:
            roster.check_fits(roster.doors_named())  # the doors are the zone's to know
        except RosterUnfit as unfit:
            raise CommandUnfit(f"this roster is not sent: {unfit}") from unfit
        return self._document(zone, name, version, roster_bytes(roster), actor, valid_s)

    def send_policy(
        self, zone: str, document: PolicyMaker, actor: str, *, valid_s: float = DOCUMENT_VALID_S
    ) -> list[str]:
        """What ``document(version)`` makes, as the next version of the zone's policy."""
        name = HeadquartersCommand.POLICY_SET.value
        version = self._table.next_version(zone, name, self._clock.now_us())
        return self._document(zone, name, version, document(version), actor, valid_s)

    def _document(
        self, zone: str, name: str, version: int, content: bytes, actor: str, valid_s: float
    ) -> list[str]:
        try:
            parts = split(version, content)
        except ValueError as error:
            raise CommandUnfit(f"{name} for {zone}: {error}") from error
        return self._give(zone, name, parts, actor, valid_s, version)

    def _give(
        self,
        zone: str,
        name: str,
        each: Sequence[Mapping[str, Any]],
        actor: str,
        valid_s: float,
        version: int | None,
    ) -> list[str]:
        if zone not in self._zones:
            known = ", ".join(sorted(self._zones)) or "none"
            raise CommandUnfit(f"zone {zone!r} is not enrolled; there are: {known}")
        if not ACTOR.fullmatch(actor):
            raise CommandUnfit(f"{actor!r:.60} names nobody: an actor is 1 to 32 of [0-9a-z-]")
        if not 0 < valid_s <= VALID_S_MAX:
            raise CommandUnfit(f"a command cannot be valid for {valid_s:g} s; at most {VALID_S_MAX:g} are taken")
        issues: list[Issue] = []
        for args in each:
            now_us = self._clock.now_us()
            command = make_command(self._signer, zone, name, args, actor=actor, now_us=now_us, valid_s=valid_s)
            kept = dict(args) if version is None else read_part(args).for_ledger()
            issues.append(Issue(command, zone, kept, now_us, parse_time(command.not_after)[0], version))
            try:
                encode(command)
            except ValueError as error:
                raise CommandUnfit(f"{name} for {zone}: {error}") from error
        self._table.issue(issues)
        return [issue.command.id for issue in issues]


class PolicyMaker(Protocol):
    """Makes the policy as a document of that version."""

    def __call__(self, version: int) -> bytes: ...


class Road(Protocol):
    """What the sending needs of the link to the broker (``sync.headquarters_link.HeadquartersLink``)."""

    @property
    def is_connected(self) -> bool: ...

    def send(self, zone: str, payload: bytes) -> None: ...


@dataclass(slots=True)
class _Sending:
    """When a command goes out next, and how long after that again."""

    at_s: float
    wait_s: float = RESEND_S


class Dispatch:
    """Sends what waits, in a thread of its own. What it remembers is only when it sent what."""

    def __init__(self, table: CommandTable, road: Road, clock: Clock) -> None:
        self._table = table
        self._road = road
        self._clock = clock
        self._sendings: dict[str, _Sending] = {}
        self._nudged = threading.Event()
        self._answered = threading.Event()
        self._answered.set()  # what came while headquarters was down is read first
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="commands", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._nudged.set()
        if self._thread.is_alive():
            self._thread.join()

    def check(self) -> None:
        if not self._thread.is_alive():
            raise PartEnded("sending of commands")

    def nudge(self) -> None:
        """Something may wait. From any thread."""
        self._nudged.set()

    def heard(self, lines: Sequence[bytes]) -> None:
        """A zone's lines were stored; look for answers if there can be one. From any thread."""
        if any(
            b'"type":"command.' in line or b'"type":"door.released"' in line or b'"type":"door.mode"' in line
            for line in lines
        ):
            self._answered.set()
            self._nudged.set()

    def send_due(self, now_s: float) -> int:
        """Take in answers, then send what is due; how many were sent."""
        now_us = self._clock.now_us()
        if self._answered.is_set():
            self._answered.clear()
            self._table.settle(now_us)
        due = self._table.due(now_us)
        self._sendings = {one.id: self._sendings.get(one.id, _Sending(now_s)) for one in due}
        if not self._road.is_connected:
            return 0
        return sum(self._send(one, now_s) for one in due)

    def _send(self, one: Due, now_s: float) -> bool:
        sending = self._sendings[one.id]
        if now_s < sending.at_s:
            return False
        self._road.send(one.zone, one.message)
        sending.at_s = now_s + sending.wait_s
        sending.wait_s = min(sending.wait_s * 2, RESEND_S_MAX)
        return True

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._nudged.clear()
            try:
                self.send_due(time.monotonic())
            except SQLAlchemyError as error:
                self._answered.set()
                logger.warning("commands are not sent, this is tried again: %s", error)
            self._nudged.wait(LOOK_S)

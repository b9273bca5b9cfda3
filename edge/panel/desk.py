"""Everything that the pages stand on, in one place: settings, clock, register, findings, pulses."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from config.clock import Clock
from config.roster import OfficerSettings
from config.wording import Names
from config.zone import ZoneSettings
from custody.events import Event
from custody.lanes import StayLanes
from custody.policy import Policy
from custody.register import CameraNow
from edge.directives.in_force import InForce
from edge.pulse import is_alive, last_beat_s
from edge.register.book import Book
from edge.register.errors import PersonRecordBroken
from edge.register.persons import Paper, Persons
from edge.register.service import RegisterService
from sync.ledger import Ledger

from .link_watch import LinkWatch

log = logging.getLogger(__name__)


class SaysItself(Protocol):
    """What the panel needs of a ``custody.findings.Finding``."""

    def to_dict(self) -> dict[str, Any]: ...


class Judging(Protocol):
    """What the panel needs of ``custody.drawn.DrawnJudge``."""

    def take(self, events: Iterable[Event]) -> None: ...

    def findings(self) -> Sequence[SaysItself]: ...

    def verdicts(self) -> Mapping[str, Mapping[int, str]]: ...

    def lanes(self, stay: str) -> StayLanes | None: ...


@dataclass(frozen=True)
class Judged:
    """What the judge said last: findings as rules.md shapes them, verdicts by stay and must."""

    findings: tuple[Mapping[str, Any], ...] = ()
    verdicts: Mapping[str, Mapping[int, str]] = field(default_factory=dict)
    failed: bool = False
    """The judge broke down; what stands here is what it said before."""


@dataclass(frozen=True)
class Moment:
    """Now, in the zone: UTC microseconds, and how far its local time is ahead of UTC."""

    us: int
    utc_offset_s: int


class Desk:
    """Made once a process; read by every request."""

    def __init__(
        self,
        settings: ZoneSettings,
        ledger: Ledger,
        persons: Persons,
        clock: Clock,
    ) -> None:
        self.settings = settings
        self.ledger = ledger
        self.persons = persons
        self.clock = clock
        self._in_force = InForce(settings)
        self.book = Book(ledger, guard_valid_s=self.policy.guards.valid_us / 1e6)
        self.service = RegisterService(settings, ledger, persons, clock, in_force=self._in_force, book=self.book)
        self.link = LinkWatch(ledger, clock.now_us())
        self.judged = Judged()
        self._names: dict[str, str] = {
            **{camera.id: camera.name for camera in settings.cameras},
            **{door.id: door.name for door in settings.doors},
            **{room.id: room.name for room in settings.rooms},
        }

    @property
    def policy(self) -> Policy:
        return self._in_force.policy

    @property
    def officers(self) -> Mapping[str, OfficerSettings]:
        return self._in_force.officers

    def follow(self, events: Iterable[Event]) -> bool:
        """Use the roster and the policy that these events bring; whether the policy is another one now."""
        came = {self._in_force.follow(event) for event in events} - {None}
        if not came:
            return False
        before = self.policy
        self._in_force.reload()
        if self.policy == before:
            return False
        self.book.measure_with(self.policy.guards.valid_us / 1e6)
        return True

    def now(self) -> Moment:
        now_us = self.clock.now_us()
        return Moment(now_us, self.clock.utc_offset_s(now_us))

    def speed(self) -> float:
        """How many seconds the zone's clock passes in a real one; 0 when it only moves by hand."""
        real_s = self.clock.real_s(1.0)
        return 1 / real_s if real_s > 0 else 0.0

    def name(self, id_: str) -> str:
        """What people call a room, a door or a camera."""
        return self._names.get(id_, id_)

    @property
    def names(self) -> Names:
        return self.name

    def officer_name(self, id_: str) -> str:
        officer = self.officers.get(id_)
        return officer.name if officer else id_

    def masked_name(self, stay: str) -> str:
        """Enough of a person's name to tell two apart at the terminal, and no more: ``张**``.

        It is read afresh each time: once a record is destroyed, nothing of it is left in memory.
        """
        try:
            record = self.persons.read(stay, Paper.IDENTITY) or {}
        except PersonRecordBroken as broken:
            # The register must go on without the name; who asks for it on purpose is told why there is none.
            log.error("%s", broken)
            return ""
        return mask(str(record.get("name", "")))

    def camera_now(self, camera: str) -> CameraNow | None:
        """What is known of a camera now; nothing while nobody watches it, whatever was said last.

        The caller holds the book's lock.
        """
        said = self.book.register.cameras.get(camera)
        if said is None or is_alive(self.settings.run_dir, "cameras", self.clock):
            return said
        beaten_s = last_beat_s(self.settings.run_dir, "cameras", self.clock)
        now_us = self.clock.now_us()
        since_us = now_us if beaten_s is None else now_us - round((self.clock.boottime_s() - beaten_s) * 1e6)
        return CameraNow("unknown", "none" if said.audio == "none" else "unknown", [], since_us)

    def still(self, camera: str) -> Path:
        """Where the camera process leaves the latest picture of a camera."""
        return self.settings.run_dir / "stills" / f"{camera}.jpg"


def mask(name: str) -> str:
    """The first character and a star for each of the others, three at most."""
    name = name.strip()
    return name[:1] + "*" * min(len(name) - 1, 3) if name else ""

"""A zone with a ledger, its end of the road with the real intake, and a headquarters that signs for it."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from config.clock import ManualClock
from config.roster import Roster, roster_bytes
from config.zone import Headquarters, HeadquartersRight, ZoneSettings, load_zone
from custody.events import Event
from edge.directives.in_force import InForce, store_of
from edge.directives.intake import ZoneIntake
from edge.directives.store import DirectiveStore
from sync.commands import make_command
from sync.documents import ROSTER_SET, split
from sync.ledger import Ledger
from sync.note import KeyType, SigningKey
from sync.protocol.messages import Command, encode
from sync.protocol.zone import ZoneEnd

ZONE_FILE = Path(__file__).parents[1] / "panel" / "zone.toml"
HASH = "$argon2id$v=19$m=65536,t=3,p=4$c2FsdHNhbHRzYWx0$8bKaL7fF3dNq3W0u3PYX4vAw2p0k5Kq0Qe1m5uYyJbU"


def roster(version: int, count: int = 2, **fields: Any) -> bytes:
    """A roster of so many officers, each with a card and a PIN of his own."""
    dice = random.Random(version)
    officers = [
        {
            "id": f"p{nr:04}",
            "name": f"民警{nr}",
            "rank": "police",
            "sex": "m",
            "card": f"{version:02X}{nr:06X}",
            "roles": ["guard"],
            "pin_hash": HASH[:-43] + "".join(dice.choices("ABCDEFGHIJKLMNOPabcdefghijklmnop0123456789+/", k=43)),
        }
        for nr in range(1, count + 1)
    ]
    return roster_bytes(Roster.model_validate({"version": version, "officer": officers, **fields}))


class Zone:
    def __init__(self, settings: ZoneSettings, ledger: Ledger, key: SigningKey, clock: ManualClock) -> None:
        self.settings, self.ledger, self.key, self.clock = settings, ledger, key, clock
        self.intake = ZoneIntake(settings)
        signing = SigningKey.generate("test/nz01", KeyType.NOTE)
        self.end = ZoneEnd(ledger, signing, key.verifier, clock, random.Random(1), intake=self.intake)

    def command(self, name: str, args: dict[str, Any], actor: str = "hq-duty") -> Command:
        now_us = self.clock.now_us()
        return make_command(self.key, "nz01", name, args, actor=actor, now_us=now_us, valid_s=60)

    def give(self, name: str, args: dict[str, Any], actor: str = "hq-duty") -> Event:
        """The one line that the ledger has of it."""
        before = len(self.lines())
        self.end.receive(encode(self.command(name, args, actor)), 0.0)
        (line,) = self.lines()[before:]
        return line

    def send(self, document: bytes, version: int, kind: str = ROSTER_SET) -> list[Event]:
        return [self.give(kind, args) for args in split(version, document)]

    def lines(self) -> list[Event]:
        return [event for event in self.ledger.events() if event.type.startswith("command.")]

    @property
    def in_force(self) -> InForce:
        """As a process that starts now sees it."""
        return InForce(self.settings)

    @property
    def store(self) -> DirectiveStore:
        return store_of(self.settings)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def make_zone(tmp_path: Path, clock: ManualClock) -> Iterator[Callable[..., Zone]]:
    ledgers: list[Ledger] = []

    def make(**rights: Any) -> Zone:
        plain = load_zone(Path(shutil.copy(ZONE_FILE, tmp_path / "zone.toml")))
        key = SigningKey.generate("test/hq", KeyType.COSIGNATURE)
        may = {"may": [HeadquartersRight(**rights)]} if rights else {}
        headquarters = Headquarters.model_validate({"verifier_key": str(key.verifier), **may})
        back_door = plain.doors[0].model_copy(update={"id": "back-door"})
        settings = plain.model_copy(update={"headquarters": headquarters, "doors": [*plain.doors, back_door]})
        zone = settings.zone
        ledgers.append(Ledger.create(settings.ledger_dir, zone=zone.id, deployment=zone.deployment, clock=clock))
        return Zone(settings, ledgers[-1], key, clock)

    yield make
    for ledger in ledgers:
        ledger.close()


@pytest.fixture
def zone(make_zone: Callable[..., Zone]) -> Zone:
    return make_zone()

"""A real SQLite database of headquarters, and a hand that writes a zone's lines as its ledger would."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from central.commanding import Commander
from central.judging import Judging
from central.store.commands import CommandTable
from central.store.database import Database
from central.store.logs import LogTable
from central.store.own import OwnLedger
from central.store.records import Records, Round
from central.web.app import make_app
from central.web.live import Hub
from central.web.metrics import Metrics
from central.web.office import Office
from config.central import CentralSettings
from config.clock import ManualClock
from config.policy import load_policy
from custody.events import Draft, Stamp, encode_line, event_id, format_utc
from sync.merkle import CompactRange
from sync.note import KeyType, SigningKey
from sync.store import Head

START_US = 1_795_397_400_000_000  # 2026-11-23T01:30:00Z, 09:30 in China
_ids = itertools.count(1)


@dataclass
class ZoneHand:
    """Writes lines of one log of a zone, and hands them to a store as verified."""

    zone: str
    log: str
    clock: ManualClock
    tree: CompactRange = field(default_factory=CompactRange)
    lines: list[bytes] = field(default_factory=list)

    def write(self, type_: str, data: dict[str, Any], *, id_: str | None = None, ago_s: float = 0.0) -> str:
        """Append one line; its id."""
        now_us = self.clock.now_us()
        made = id_ or event_id(now_us, next(_ids).to_bytes(10, "big"))
        stamp = Stamp(
            made, self.zone, self.log, len(self.lines) + 1, now_us, 28_800, "boot", self.clock.boottime_s()
        )
        stay = data.get("stay")
        draft = Draft(type_, data, f"stay/{stay}" if stay else None, now_us - int(ago_s * 1e6))
        self.lines.append(encode_line(draft, stamp))
        return made

    def raw(self, line: bytes) -> None:
        self.lines.append(line)

    def head(self) -> Head:
        tree, _ = CompactRange().extended(self.lines)
        return Head(tree.size, tree.edge, f"{self.zone}/{self.log} {tree.size}")

    def advance(self, store: LogTable) -> bool:
        """Give the store everything since the last time."""
        known = self.tree.size
        done = store.advance(self.zone, self.log, known_size=known, head=self.head(), lines=self.lines[known:])
        if done:
            self.tree, _ = CompactRange().extended(self.lines)
        return done


POLICE = {"id": "p0231", "rank": "police", "sex": "m"}
SECOND = {"id": "p0117", "rank": "police", "sex": "f"}
ROOMS = (
    ("outside", "院内车道", "outside", "other"),
    ("hall", "通道", "custody", "corridor"),
    ("search", "人身检查室", "custody", "search"),
    ("wait-1", "候问室 1", "custody", "waiting"),
    ("talk-1", "讯问室 1", "custody", "interview"),
)


class Story:
    """A short day in one zone, told minute by minute through its ledger, with heartbeats in between."""

    def __init__(self, hand: ZoneHand) -> None:
        self.hand = hand
        self.clock = hand.clock
        self.ids: dict[str, str] = {}

    def minutes(self, count: float) -> None:
        """Let time pass; the zone heartbeats once a minute."""
        for _ in range(int(count)):
            self.clock.advance(60)
            self.hand.write("zone.heartbeat", HEARTBEAT)

    def opens(self) -> None:
        rooms = [
            {
                "id": id_,
                "name": name,
                "area": area,
                "purpose": purpose,
                "cameras": [f"cam-{id_}"] if area == "custody" else [],
                "coverage": "any",
                "audio": purpose == "interview",
            }
            for id_, name, area, purpose in ROOMS
        ]
        doors = [
            {"id": "front", "name": "前门", "from": "outside", "to": "hall", "contact": True, "interlock": None}
        ]
        self.hand.write(
            "ledger.opened",
            {"follows": None, "reason": "first"},
        )
        self.hand.write("zone.described", {"rooms": rooms, "doors": doors})
        self.hand.write("zone.started", {"version": "0", "parts": ["doors"], "clean": True})
        for room in rooms:
            for camera in room["cameras"]:
                self.camera(camera, "recording")
            if room["area"] == "custody":
                self.hand.write(
                    "guard.present",
                    {"room": room["id"], "officer": GUARD_OF[room["id"]], "proof": "card", "valid_for_s": 30_000},
                )
        self.minutes(1)

    def camera(self, camera: str, state: str, *faults: str) -> str:
        data = {"camera": camera, "state": state, "audio": "good", "faults": list(faults), "since": self.now()}
        return self.hand.write("camera.state", data)

    def now(self) -> str:
        return format_utc(self.clock.now_us())

    def arrives(self, nr: int, **changes: Any) -> str:
        stay = f"{self.hand.zone}-20261123-{nr:03d}"
        data = {
            "stay": stay,
            "person": "sha256:00",
            "category": "suspect",
            "sex": "m",
            "flags": [],
            "case": {"id": "A1", "kind": "criminal"},
            "measure": {"kind": "criminal_summons", "limit_hours": 12, "document": "D1", "since": None},
            "brought_by": [POLICE],
            "via": "front",
            "exempt": None,
            **changes,
        }
        self.ids["arrived"] = self.hand.write("stay.arrived", data)
        return stay

    def enters(self, stay: str) -> None:
        self.hand.write("door.opened", {"door": "front"})
        data = {"stay": stay, "door": "front", "room": "hall", "escorts": [POLICE, SECOND]}
        self.ids["entered"] = self.hand.write("stay.entered", data)
        self.hand.write("door.closed", {"door": "front"})

    def moves(self, stay: str, room: str) -> None:
        self.hand.write("stay.moved", {"stay": stay, "room": room, "escorts": [POLICE]})

    def is_searched(self, stay: str) -> None:
        search = {
            "stay": stay,
            "search": f"s-{stay}",
            "room": "search",
            "kind": "safety",
            "officers": [POLICE, SECOND],
        }
        self.hand.write("search.started", search)
        self.minutes(4)
        self.hand.write("search.finished", {**search, "injuries": "none", "belongings": "listed", "signed": True})
        items = {"stay": stay, "items": ["basic"], "approval": None, "officers": [POLICE]}
        self.hand.write("collection.finished", items)

    def is_questioned(self, stay: str, minutes: int) -> str:
        data = {
            "stay": stay,
            "activity": f"i-{stay}",
            "kind": "interview",
            "room": "talk-1",
            "officers": [POLICE, SECOND],
            "exempt": None,
        }
        id_ = self.hand.write("activity.started", data)
        self.minutes(minutes)
        self.hand.write("activity.ended", {"stay": stay, "activity": f"i-{stay}", "signed": True})
        return id_

    def leaves(self, stay: str, *, permit: str | None = None) -> str:
        data = {"stay": stay, "door": "front", "permit": permit, "reason": None, "escorts": [POLICE]}
        return self.hand.write("stay.left", data)

    def exits(self, stay: str) -> None:
        data = {
            "stay": stay,
            "door": "front",
            "reason": "released",
            "destination": None,
            "belongings": "returned",
            "signed": True,
        }
        self.hand.write("stay.exited", data)

    def a_day(self) -> None:
        """One who is treated as he must be, and one of whom three musts are broken."""
        self.opens()
        good = self.arrives(1)
        self.minutes(3)
        self.enters(good)
        self.minutes(2)
        self.is_searched(good)
        self.moves(good, "wait-1")
        self.minutes(5)
        bad = self.arrives(2, flags=["injured"])
        self.minutes(2)
        self.enters(bad)
        self.ids["unsearched"] = self.is_questioned(bad, 12)
        self.is_searched(bad)
        self.moves(bad, "talk-1")
        self.ids["covered"] = self.camera("cam-talk-1", "impaired", "covered")
        self.minutes(6)
        self.camera("cam-talk-1", "recording")
        self.minutes(10)
        self.is_questioned(good, 15)
        self.ids["left"] = self.leaves(bad)
        self.minutes(20)
        self.exits(good)
        self.minutes(3)


HEARTBEAT = {
    "parts": {"doors": True, "cameras": True, "link": True, "panel": True},
    "clock": {"synchronised": True, "offset_s": 0.012, "uncertainty_s": 0.02},
    "disk": {"free_bytes": 60_000_000_000, "retention_days": 94.0},
}
GUARD_OF = {
    room: {"id": f"g-{room}", "rank": "police", "sex": "m"} for room, _, area, _ in ROOMS if area == "custody"
}


def sign(log: str, size: int, root: bytes) -> str:
    return f"hq/{log} {size} {root.hex()}"


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START_US)


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'central.sqlite3'}"


@pytest.fixture
def database(url: str, clock: ManualClock) -> Iterator[Database]:
    made = Database.create(url)
    OwnLedger.create(made, clock)
    yield made
    made.close()


@pytest.fixture
def own(database: Database, clock: ManualClock) -> OwnLedger:
    return OwnLedger(database, clock, sign)


@pytest.fixture
def store(database: Database, own: OwnLedger, clock: ManualClock) -> LogTable:
    return LogTable(database, own, clock)


@pytest.fixture
def hand(clock: ManualClock) -> Callable[..., ZoneHand]:
    def make(zone: str = "nz01", log: str = "00000000000000a1") -> ZoneHand:
        return ZoneHand(zone, log, clock)

    return make


BUREAU = "南郑区公安分局执法监督室"
ZONES = (("nz01", "南郑分局执法办案管理中心"), ("nz02", "大河坎派出所案管室"), ("nz03", "新集派出所案管室"))


@pytest.fixture
def names() -> list[str]:
    """What people call the bureau, its zones and their rooms and doors."""
    return [BUREAU, "前门", *(name for _, name in ZONES), *(name for _, name, _, _ in ROOMS)]


@pytest.fixture
def settings(tmp_path: Path) -> CentralSettings:
    zones = [{"id": id_, "name": name, "verifier_key": "-"} for id_, name in ZONES]
    bureau = {"name": BUREAU, "state_dir": str(tmp_path)}
    return CentralSettings.model_validate({"bureau": bureau, "zone": zones})


@pytest.fixture
def records(database: Database, own: OwnLedger, clock: ManualClock) -> Records:
    return Records(database, own, clock)


@pytest.fixture
def rounds() -> list[tuple[str, Round]]:
    """Every round that was judged and stored."""
    return []


@pytest.fixture
def judging(records: Records, rounds: list[tuple[str, Round]]) -> Judging:
    return Judging(records, load_policy(None), lambda zone, done: rounds.append((zone, done)))


@pytest.fixture
def told(hand: Callable[..., ZoneHand], store: LogTable, judging: Judging) -> Story:
    """The day in zone nz01, committed and judged."""
    story = Story(hand())
    story.a_day()
    assert story.hand.advance(store)
    while judging.judge_due("nz01"):
        pass
    return story


@pytest.fixture
def hub() -> Hub:
    return Hub()


@pytest.fixture
def signer() -> SigningKey:
    return SigningKey.generate("test/hq", KeyType.COSIGNATURE)


@pytest.fixture
def commands(database: Database, own: OwnLedger) -> CommandTable:
    return CommandTable(database, own)


@pytest.fixture
def commander(
    commands: CommandTable, signer: SigningKey, settings: CentralSettings, clock: ManualClock
) -> Commander:
    return Commander(commands, signer, {zone.id for zone in settings.zones}, clock)


@pytest.fixture
def app(
    database: Database,
    settings: CentralSettings,
    clock: ManualClock,
    hub: Hub,
    judging: Judging,
    commands: CommandTable,
    commander: Commander,
) -> FastAPI:
    policy, lanes = load_policy(None), judging.lanes
    office = Office.over(database, settings, clock, hub, policy, lanes, commands, commander, given=lambda: None)
    return make_app(office, Metrics())


@pytest.fixture
def web(app: FastAPI) -> Iterator[TestClient]:
    with TestClient(app, base_url="http://localhost") as client:
        yield client


@pytest.fixture
def story() -> type[Story]:
    """Tells a day through a hand: ``story(hand())``."""
    return Story

"""A day in a custody zone, told by chance: what the judge must find the same however it is told."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any

import orjson
import pytest

from config.policy import load_policy
from custody.events import Event, parse_line
from custody.policy import Policy

ZONE = "nz01"
CHINA = timezone(timedelta(hours=8))
MORNING = datetime(2026, 11, 23, 8, 0, 0, tzinfo=CHINA)


def at(seconds: float) -> str:
    return (MORNING + timedelta(seconds=seconds)).isoformat(timespec="microseconds")


def officer(name: str) -> dict[str, str]:
    """p…: police, a…: auxiliary, d…: doctor, x…: other; an f at the end is a woman."""
    rank = {"p": "police", "a": "auxiliary", "d": "doctor", "x": "other"}[name[0]]
    return {"id": name, "rank": rank, "sex": "f" if name.endswith("f") else "m"}


class Ledger:
    """Writes lines as a zone would, in the order of their writing."""

    def __init__(self) -> None:
        self.drafts: list[tuple[float, float, str, dict[str, Any], str]] = []
        self.named = 0

    def add(self, seconds: float, type_: str, *, written: float | None = None, id_: str = "", **data: Any) -> str:
        self.named += 1
        name = id_ or f"019b0000-0000-7000-8000-{self.named:012d}"
        data = {key.rstrip("_"): value for key, value in data.items()}
        self.drafts.append((seconds if written is None else written, seconds, type_, data, name))
        return name

    def lines(self, ledgers: list[tuple[float, str, dict[str, Any]]] | None = None) -> list[bytes]:
        """``ledgers``: when each begins, its id, its ``ledger.opened``. Without any there is one."""
        begins = ledgers or [(-1e9, "aaaaaaaaaaaaaaaa", {"follows": None, "reason": "first"})]
        sizes: dict[str, int] = {}
        boots = 0
        found = []
        drafts = [(start, start, "ledger.opened", opened, f"opened-{name}") for start, name, opened in begins[1:]]
        for written, seconds, type_, data, name in sorted([*drafts, *self.drafts], key=lambda one: one[0]):
            ledger = [one for start, one, _ in begins if start <= written][-1]
            if type_ == "ledger.opened" and data["follows"]:
                before = data["follows"]["ledger"]
                data = {**data, "follows": {"ledger": before, "size": sizes.get(before, 0), "root": ""}}
            sizes[ledger] = sizes.get(ledger, 0) + 1
            boots += type_ == "zone.started"
            fields = {
                "specversion": "1.0",
                "id": name,
                "source": f"/zones/{ZONE}",
                "type": type_,
                "time": at(seconds),
                **({} if written == seconds else {"recordedtime": at(written)}),
                "ledger": ledger,
                "sequence": f"{sizes[ledger]:012d}",
                "bootid": f"{boots:08x}-0000-4000-8000-000000000000",
                "boottime": f"{max(0.0, written) + 900:.6f}",
                "data": data,
            }
            found.append(orjson.dumps(fields))
        return found


ROOMS = [
    ("corridor", "custody", "corridor", ["cam-1"], "any", False),
    ("search-1", "custody", "search", ["cam-2"], "any", False),
    ("wait-1", "custody", "waiting", ["cam-3", "cam-4"], "any", False),
    ("wait-2", "custody", "waiting", ["cam-5"], "all", False),
    ("int-1", "custody", "interview", ["cam-6", "cam-7"], "all", True),
    ("toilet", "custody", "toilet", [], "any", False),
    ("office", "office", "other", ["cam-8"], "any", True),
]
DOORS = [("front", True, "sluice"), ("inner", True, "sluice"), ("back", False, None)]
OFFICERS = ["p1", "p2", "p3f", "a1", "a2f", "d1", "x1"]
KINDS = ["interview", "interview", "identification", "meeting", "medical", "meal", "rest", "sobering"]
MEASURES = [
    ("criminal_summons", 12),
    ("criminal_summons", 24),
    ("continued_questioning", 12),
    ("continued_questioning", 48),
    ("administrative_summons", 8),
    ("administrative_summons", 12),
    ("none", None),
    ("detention", 7),
]


class Day:
    """A day told by ``chance``: stays, guards, cameras, doors, restarts, silences, late lines, corrections."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.ledger = Ledger()
        self.hours = chance.choice([1, 3, 9, 30])
        self.end = self.hours * 3600
        self.known: list[tuple[str, str, dict[str, Any]]] = []

    def when(self, first: float = 0, last: float | None = None) -> float:
        last = self.end if last is None else max(first, last)
        step = self.chance.choice([1, 1, 10, 60, 300])
        return min(last, first + step * self.chance.randint(0, max(0, int((last - first) / step))))

    def add(self, seconds: float, type_: str, **data: Any) -> None:
        written = seconds
        if self.chance.random() < 0.05:
            written = seconds + self.chance.choice([1, 60, 1801, 7300])
        name = self.ledger.add(seconds, type_, written=written, **data)
        self.known.append((name, type_, data))

    def officers(self, most: int = 3) -> list[dict[str, str]]:
        return [officer(name) for name in self.chance.sample(OFFICERS, self.chance.randint(0, most))]

    def tell(self) -> list[bytes]:
        self.zone()
        for number in range(self.chance.randint(1, 4)):
            self.stay(f"{ZONE}-20261123-{number + 1:03d}")
        self.guards()
        self.cameras()
        self.corrections()
        self.heartbeats()
        ledgers = None
        if self.chance.random() < 0.3:
            reason = self.chance.choice(["rotation", "rollback"])
            second = {"follows": {"ledger": "aaaaaaaaaaaaaaaa"}, "reason": reason}
            ledgers = [(-1e9, "aaaaaaaaaaaaaaaa", {}), (self.when(), "bbbbbbbbbbbbbbbb", second)]
        return self.ledger.lines(ledgers)

    def zone(self) -> None:
        chance = self.chance
        self.ledger.add(0, "zone.started", version="1", parts=[], clean=True)
        for seconds in [1] + [self.when() for _ in range(chance.choice([0, 0, 1]))]:
            rooms = [
                {"id": id_, "name": id_, "area": area, "purpose": purpose, "cameras": cameras, "coverage": cover,
                 "audio": audio}
                for id_, area, purpose, cameras, cover, audio in ROOMS
                if seconds == 1 or chance.random() < 0.9
            ]  # fmt: skip
            doors = [
                {
                    "id": id_,
                    "name": id_,
                    "from": "outside",
                    "to": "corridor",
                    "contact": contact,
                    "interlock": group,
                }
                for id_, contact, group in DOORS
            ]
            self.ledger.add(seconds, "zone.described", rooms=rooms, doors=doors)
        for _ in range(chance.choice([0, 0, 1, 2])):
            self.ledger.add(self.when(), "zone.started", version="1", parts=[], clean=False)
        for _ in range(chance.choice([0, 0, 1])):
            self.ledger.add(self.when(), "clock.stepped", by_s=chance.choice([3, -6, 61]))
        for _ in range(chance.randint(0, 3)):
            seconds = self.when()
            door = chance.choice(["front", "inner", "back"])
            self.add(seconds, "door.granted", door=door, reader="r", direction="in", officer=officer("p1"),
                     second=None, purpose="bring_in", stay=None)  # fmt: skip
            self.add(seconds + chance.choice([1, 30, 31]), "door.opened", door=door)

    def heartbeats(self) -> None:
        silent = [(start, start + self.chance.choice([100, 160, 1000])) for start in [self.when(), self.when()]]
        bad = self.when()
        for seconds in range(0, self.end, 60):
            if any(low <= seconds < high for low, high in silent):
                continue
            off = self.chance.choice([6, 70]) if bad <= seconds < bad + 150 else 0.01
            self.ledger.add(
                seconds, "zone.heartbeat", parts={"doors": True, "link": self.chance.random() < 0.9},
                clock={"synchronised": True, "offset_s": off, "uncertainty_s": 0.5},
                disk={"free_bytes": self.chance.randint(0, 10**11), "retention_days": None},
            )  # fmt: skip

    def stay(self, stay: str) -> None:
        chance = self.chance
        arrived = self.when(0, self.end / 2)
        kind, hours = chance.choice(MEASURES)
        flags = chance.choice([[], [], ["minor"], ["drunk"], ["elderly"]])
        if chance.random() < 0.9:
            self.add(
                arrived, "stay.arrived", stay=stay, person="c", sex=chance.choice("mf"), flags=flags,
                category=chance.choice(["suspect"] * 5 + ["witness"]),
                case={"id": "c", "kind": chance.choice(["criminal", "administrative"])},
                measure={"kind": kind, "limit_hours": hours, "document": None, "since": None},
                brought_by=[officer("p1")], via="gate", exempt=chance.choice([None] * 5 + ["hearing"]),
            )  # fmt: skip
        now = arrived + chance.choice([0, 60, 601, 1801])
        self.add(now, "door.opened", door="front")
        self.add(now, "stay.entered", stay=stay, door=chance.choice(["front", "back"]), room="corridor",
                 escorts=self.officers())  # fmt: skip
        inside = True
        for number in range(chance.randint(0, 10)):
            now = self.when(now, min(self.end, now + chance.choice([60, 600, 4000])))
            inside = self.step(stay, now, number, inside)
        if chance.random() < 0.7:
            self.add(
                self.when(now), "stay.exited", stay=stay, door="front", reason="released", destination=None,
                belongings=chance.choice(["returned", "unsettled"]), signed=True,
            )  # fmt: skip

    def step(self, stay: str, now: float, number: int, inside: bool) -> bool:
        chance = self.chance
        room = chance.choice([room[0] for room in ROOMS] + ["wait-1", "wait-1"])
        later = self.when(now, now + chance.choice([59, 61, 700, 3000]))
        match chance.randint(0, 9):
            case 0 | 1:
                self.add(now, "stay.moved", stay=stay, room=room, escorts=self.officers())
            case 2:
                found = {"search": f"s{number}", "room": "search-1", "kind": chance.choice(["safety", "body"])}
                officers = self.officers()
                self.add(now, "search.started", stay=stay, officers=officers, **found)
                self.add(later, "search.finished", stay=stay, officers=officers, injuries="none",
                         belongings="listed", signed=chance.random() < 0.8, **found)  # fmt: skip
            case 3 | 4:
                activity = f"a{number}"
                self.add(now, "activity.started", stay=stay, activity=activity, kind=chance.choice(KINDS),
                         room=room, officers=self.officers(), exempt=None)  # fmt: skip
                if chance.random() < 0.4:
                    changed = self.when(now, later)
                    self.add(changed, "activity.officers", stay=stay, activity=activity, officers=self.officers())
                if chance.random() < 0.9:
                    self.add(later, "activity.ended", stay=stay, activity=activity, signed=True)
            case 5:
                self.add(now, "check.made", stay=stay, room=room, officer=officer("p2"),
                         terminal=chance.choice([None, room]))  # fmt: skip
            case 6:
                self.add(now, "collection.finished", stay=stay, items=chance.choice([["basic"], ["basic", "dna"]]),
                         approval=None, officers=self.officers())  # fmt: skip
            case 7 if inside:
                permit = chance.choice([None, "p1"])
                reason = chance.choice([None, "medical"])
                self.add(self.when(now - 60, now + 60), "leave.approved", stay=stay, permit="p1", reason="medical",
                         approver={"id": "h1", "role": "unit_head"}, return_by=at(now + 900))  # fmt: skip
                self.add(now, "stay.left", stay=stay, door="front", permit=permit, reason=reason, escorts=[])
                return False
            case 7 | 8:
                self.add(now, "stay.returned", stay=stay, door="inner", room="corridor", escorts=self.officers())
                return True
            case 9:
                kind, hours = chance.choice(MEASURES)
                measure = {"kind": kind, "limit_hours": hours, "document": None, "since": None}
                self.add(now, "measure.changed", stay=stay, measure=measure,
                         approver={"id": "h1", "role": "unit_head"})  # fmt: skip
                self.add(later, "flags.changed", stay=stay, flags=chance.choice([[], ["minor"], ["drunk"]]),
                         level=chance.choice(["general", "intermittent", "constant"]))  # fmt: skip
        return inside

    def guards(self) -> None:
        chance = self.chance
        stays = [f"{ZONE}-20261123-{number:03d}" for number in (1, 2)]
        for _ in range(chance.randint(0, 8 * self.hours)):
            seconds, room = self.when(), chance.choice(["wait-1", "wait-1", "wait-2", "corridor"])
            who, other = (officer(name) for name in chance.sample(OFFICERS, 2))
            match chance.randint(0, 5):
                case 0:
                    self.add(seconds, "guard.absent", room=room, officer=who)
                case 1:
                    self.add(seconds, "guard.handover", room=room, outgoing=who, incoming=other,
                             stays=chance.sample(stays, chance.randint(0, 2)))  # fmt: skip
                case _:
                    self.add(seconds, "guard.present", room=room, officer=who, proof="card",
                             valid_for_s=chance.choice([None, 600, 100]))  # fmt: skip

    def cameras(self) -> None:
        chance = self.chance
        for number in range(1, 9):
            self.ledger.add(2, "camera.state", camera=f"cam-{number}", state="recording", audio="good", faults=[],
                            since=at(2))  # fmt: skip
        for _ in range(chance.randint(0, 6 * self.hours)):
            seconds, camera = self.when(), f"cam-{chance.randint(1, 8)}"
            match chance.randint(0, 5):
                case 0 | 1:
                    start = self.when(max(0, seconds - 4000), seconds)
                    middle = self.when(start, seconds)
                    held = [[at(start), at(middle)]] if start < middle else []
                    self.add(seconds, "recording.audited", camera=camera, start=at(start), end=at(seconds),
                             covered=held, audio=held, source="local", clock_offset_s=chance.choice([0, 7, 90]),
                             uncertainty_s=chance.choice([0, 3]), manifest="0")  # fmt: skip
                case 2 if chance.random() < 0.5:
                    self.add(seconds, "recording.lost", camera=camera, start=at(seconds - 600), end=at(seconds),
                             cause="disk")  # fmt: skip
                case _:
                    self.add(
                        seconds, "camera.state", camera=camera,
                        state=chance.choice(["recording", "recording", "impaired", "lost", "unknown"]),
                        audio=chance.choice(["good", "bad", "unknown"]), faults=chance.choice([[], ["dark"]]),
                        since=at(seconds - chance.choice([0, 5, 400])),
                    )  # fmt: skip

    def corrections(self) -> None:
        for _ in range(self.chance.choice([0, 0, 1, 3])):
            name, _, data = self.chance.choice(self.known)
            wrong = self.chance.random()
            changed: dict[str, Any] = {}
            if wrong < 0.3 and "room" in data:
                changed = {"room": "wait-1"}
            seconds = self.when()
            moved = at(self.when()) if 0.3 <= wrong < 0.7 else None
            self.add(seconds, "record.corrected", corrects=name, reason="typing", by=officer("p1"),
                     data_=changed, time=moved, void=wrong >= 0.7)  # fmt: skip


@pytest.fixture(scope="session")
def policy() -> Policy:
    return load_policy(None)


@pytest.fixture(scope="session")
def day_of_chance() -> Callable[[random.Random], list[Event]]:
    """The events of a day told by a ``random.Random``."""

    def tell(chance: random.Random) -> list[Event]:
        return [parse_line(line) for line in Day(chance).tell()]

    return tell


@pytest.fixture(scope="session")
def ledger() -> Callable[[], Ledger]:
    """Writes lines as a zone would: ``ledger()``, ``.add(seconds, type, **data)``, ``.lines()``."""
    return Ledger

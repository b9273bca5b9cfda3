"""Headquarters with 27 zones: how much it takes in, and how soon a breach is on the feed.

    catch-up   every zone has a backlog, as after a cut: messages → verified, committed, cosigned, while they are
               judged and fed beside it. Limit: bare SQLite inserts of the same lines in transactions of the same
               size, on the same disk, in the same rounds
    finding    all zones work: the message with the event that breaks a must → the finding given to the feed, while
               everybody's heartbeats are judged, on top of the history of the catch-up

No broker between the two ends here: its part is measured by ``bench.link``.
"""

from __future__ import annotations

import random
import sqlite3
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from central.feed import Feed
from central.judging import Judging
from central.process import own_signature
from central.store.database import Database
from central.store.feeding import FeedMarks
from central.store.logs import LogTable
from central.store.own import OwnLedger
from central.store.records import Records
from config.clock import ManualClock
from config.policy import load_policy
from custody.events import Draft, Stamp, encode_line, event_id
from sync.merkle import CompactRange
from sync.note import Checkpoint, KeyType, SigningKey
from sync.protocol.headquarters import HeadquartersEnd
from sync.protocol.messages import BATCH_LINES_MAX, Batch, encode

from . import report

ZONES = 27
DEPLOYMENT = "bench"
START_US = 1_795_397_400_000_000
DEADLINE_S = 120.0
OFFICER = {"id": "p0231", "rank": "police", "sex": "m"}
SECOND = {"id": "p0117", "rank": "police", "sex": "f"}
ROOMS = ("search", "wait-1", "talk-1")
HEARTBEAT = {
    "parts": {"doors": True, "cameras": True, "link": True, "panel": True},
    "clock": {"synchronised": True, "offset_s": 0.01, "uncertainty_s": 0.02},
    "disk": {"free_bytes": 60_000_000_000, "retention_days": 94.0},
}


@dataclass
class Zone:
    """A zone's ledger in memory: writes lines, signs batches."""

    id: str
    clock: ManualClock = field(default_factory=lambda: ManualClock(START_US))
    dice: random.Random = field(default_factory=random.Random)
    """Its ids come from here: two zones with the same dice would write the same events."""
    tree: CompactRange = field(default_factory=CompactRange)
    lines: list[bytes] = field(default_factory=list)
    sent: int = 0
    stays: int = 0

    def __post_init__(self) -> None:
        self.key = SigningKey.generate(f"{DEPLOYMENT}/{self.id}", KeyType.NOTE)
        self.log = self.id.encode().hex().rjust(16, "0")

    def write(self, type_: str, data: dict[str, Any]) -> None:
        now_us = self.clock.now_us()
        id_ = event_id(now_us, self.dice.randbytes(10))
        stamp = Stamp(
            id_, self.id, self.log, len(self.lines) + 1, now_us, 28_800, self.clock.bootid, self.clock.boottime_s()
        )
        self.lines.append(encode_line(Draft(type_, data), stamp))

    def messages(self) -> Iterator[bytes]:
        """Everything that was written since the last time, in full batches."""
        while self.sent < len(self.lines):
            lines = tuple(self.lines[self.sent : self.sent + BATCH_LINES_MAX // 2])
            self.tree, _ = self.tree.extended(lines)
            checkpoint = Checkpoint(f"{self.key.verifier.name}/{self.log}", self.tree.size, self.tree.root())
            yield encode(Batch(self.log, self.sent + 1, checkpoint.signed(self.key), lines))
            self.sent += len(lines)

    def opens(self) -> None:
        rooms = [
            {
                "id": room,
                "name": room,
                "area": "custody",
                "purpose": {"search": "search", "wait-1": "waiting", "talk-1": "interview"}[room],
                "cameras": [f"cam-{room}"],
                "coverage": "any",
                "audio": room == "talk-1",
            }
            for room in ROOMS
        ]
        self.write("zone.described", {"rooms": rooms, "doors": []})
        self.write("zone.started", {"version": "0", "parts": ["doors"], "clean": True})
        for room in ROOMS:
            since = "2026-11-23T00:00:00Z"
            state = {"camera": f"cam-{room}", "state": "recording", "audio": "good", "faults": [], "since": since}
            self.write("camera.state", state)

    def hour(self) -> None:
        """One person an hour, searched and questioned as the rules ask; heartbeats; guards and doors."""
        stay = self.arrives()
        self.write("door.opened", {"door": "front"})
        self.enters(stay, "search")
        self.write("door.closed", {"door": "front"})
        search = {
            "stay": stay,
            "search": f"s-{stay}",
            "room": "search",
            "kind": "safety",
            "officers": [OFFICER, SECOND],
        }
        self.write("search.started", search)
        self.minutes(3)
        self.write("search.finished", {**search, "injuries": "none", "belongings": "listed", "signed": True})
        self.write(
            "collection.finished", {"stay": stay, "items": ["basic"], "approval": None, "officers": [OFFICER]}
        )
        self.write("stay.moved", {"stay": stay, "room": "wait-1", "escorts": [OFFICER]})
        for _ in range(2):
            present = {"room": "wait-1", "officer": OFFICER, "proof": "card", "valid_for_s": 3600}
            self.write("guard.present", present)
            self.write(
                "check.made",
                {"stay": stay, "room": "wait-1", "officer": OFFICER, "terminal": "wait-1", "note": ""},
            )
            self.minutes(14)
        self.is_questioned(stay)
        self.minutes(25)
        self.write("activity.ended", {"stay": stay, "activity": f"i-{stay}", "signed": True})
        gone = {"reason": "released", "destination": None, "belongings": "returned", "signed": True}
        self.write("stay.exited", {"stay": stay, "door": "front", **gone})
        self.minutes(4)

    def minutes(self, count: int) -> None:
        for _ in range(count):
            self.clock.advance(60)
            self.write("zone.heartbeat", HEARTBEAT)

    def arrives(self) -> str:
        day, nr = divmod(self.stays, 999)
        self.stays += 1
        stay = f"{self.id}-{20261123 + day}-{nr + 1:03d}"
        measure = {"kind": "criminal_summons", "limit_hours": 12, "document": "D1", "since": None}
        person = {"person": "sha256:00", "category": "suspect", "sex": "m", "flags": []}
        case = {"case": {"id": "A1", "kind": "criminal"}, "measure": measure}
        self.write(
            "stay.arrived",
            {"stay": stay, **person, **case, "brought_by": [OFFICER], "via": "front", "exempt": None},
        )
        return stay

    def enters(self, stay: str, room: str) -> None:
        self.write("stay.entered", {"stay": stay, "door": "front", "room": room, "escorts": [OFFICER, SECOND]})

    def is_questioned(self, stay: str) -> None:
        activity = {"stay": stay, "activity": f"i-{stay}", "kind": "interview", "room": "talk-1"}
        self.write("activity.started", {**activity, "officers": [OFFICER, SECOND], "exempt": None})


class Listener:
    """The feed's other end: says when a finding came by."""

    feed_waiting = 0

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._raised: dict[bytes, float] = {}

    def publish_tree(self, checkpoint: str) -> None:
        """Nobody looks."""

    def publish_feed(self, zone: str, type: str, line: bytes) -> None:
        if type == "finding.raised" and b'"rule":"M2.1"' in line:
            now_s = time.perf_counter()
            with self._changed:
                self._raised[line.partition(b'"subject":"stay/')[2].partition(b'"')[0]] = now_s
                self._changed.notify_all()

    def raised_at_s(self, stay: str) -> float:
        key = stay.encode()
        with self._changed:
            if not self._changed.wait_for(lambda: key in self._raised, DEADLINE_S):
                raise RuntimeError(f"no finding about {stay} within {DEADLINE_S:.0f} s")
            return self._raised[key]


class Headquarters:
    """Store, judging and feed as ``central.process`` wires them; ``take`` is what its committing thread does."""

    def __init__(self, directory: Path, zones: list[Zone]) -> None:
        clock = ManualClock(START_US)
        signer = SigningKey.generate(f"{DEPLOYMENT}/hq", KeyType.COSIGNATURE)
        self.database = Database.create(f"sqlite:///{directory / 'central.sqlite3'}")
        OwnLedger.create(self.database, clock)
        own = OwnLedger(self.database, clock, own_signature(signer, clock))
        self.records = Records(self.database, own, clock)
        self.listener = Listener()
        self.feed = Feed(FeedMarks(self.database), self.listener)
        self.judging = Judging(self.records, load_policy(None), lambda zone, done: self.feed.nudge())
        keys = {zone.id: zone.key.verifier for zone in zones}
        self.end = HeadquartersEnd(LogTable(self.database, own, clock), signer, keys, clock)

    def __enter__(self) -> Headquarters:
        self.judging.start()
        self.feed.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.judging.stop()
        self.feed.stop()
        self.database.close()

    def take(self, messages: list[tuple[str, bytes]]) -> int:
        """How many lines are now committed and cosigned."""
        lines = 0
        for outcome in self.end.take(messages):
            for advance in outcome.advances:
                lines += len(advance.lines)
                self.judging.touched(advance.zone, advance.lines)
                self.feed.nudge()
        return lines

    def wait_until_judged(self) -> None:
        ends_s = time.perf_counter() + DEADLINE_S
        while self.records.zones_behind():
            if time.perf_counter() > ends_s:
                raise RuntimeError("the zones are not judged in time")
            time.sleep(0.02)


def bare_inserts(directory: Path, zones: list[Zone], lines_each: int) -> float:
    """Lines a second of plain SQLite (WAL, FULL), with transactions of the same size."""
    database = sqlite3.connect(directory / "bare.sqlite3", isolation_level=None)
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("PRAGMA synchronous = FULL")
    database.execute("CREATE TABLE line (zone TEXT, seq INTEGER, line BLOB, PRIMARY KEY (zone, seq))")
    count = 0
    started_s = time.perf_counter()
    for first in range(0, lines_each, BATCH_LINES_MAX // 2):
        for zone in zones:
            batch = zone.lines[first : first + BATCH_LINES_MAX // 2]
            database.execute("BEGIN IMMEDIATE")
            rows = [(zone.id, seq, line) for seq, line in enumerate(batch, first + 1)]
            database.executemany("INSERT INTO line VALUES (?, ?, ?)", rows)
            database.execute("COMMIT")
            count += len(batch)
    rate = count / (time.perf_counter() - started_s)
    database.close()
    return rate


def catch_up(hq: Headquarters, zones: list[Zone]) -> tuple[float, float]:
    """(lines a second until cosigned, until judged as well); zones take turns, as at a broker."""
    waiting = {zone.id: list(zone.messages()) for zone in zones}
    started_s = time.perf_counter()
    count = 0
    while any(waiting.values()):
        count += hq.take([(id_, queue.pop(0)) for id_, queue in waiting.items() if queue])
    committed_s = time.perf_counter() - started_s
    hq.wait_until_judged()
    return count / committed_s, count / (time.perf_counter() - started_s)


def findings(hq: Headquarters, zones: list[Zone], rounds: int) -> list[float]:
    """Seconds from the message that breaks must 2 until the finding is handed to the feed, one a round."""
    took_s: list[float] = []
    for nr in range(rounds):
        chosen = zones[nr % len(zones)]
        for zone in zones:
            if zone is not chosen:
                zone.minutes(1)
        stay = chosen.arrives()
        chosen.enters(stay, "talk-1")
        chosen.is_questioned(stay)
        messages = [(zone.id, message) for zone in zones for message in zone.messages()]
        random.Random(nr).shuffle(messages)
        taken_s: dict[str, float] = {}
        for id_, message in messages:  # one by one, as they come in when nobody has a backlog
            taken_s[id_] = time.perf_counter()
            hq.take([(id_, message)])
        took_s.append(hq.listener.raised_at_s(stay) - taken_s[chosen.id])
        gone = {"reason": "released", "destination": None, "belongings": "returned", "signed": True}
        chosen.write("stay.exited", {"stay": stay, "door": "front", **gone})
    hq.wait_until_judged()
    return took_s


def main() -> None:
    arguments = report.arguments("ingest", "Headquarters with 27 zones.")
    rounds, hours, stays = (2, 8, 60) if arguments.quick else (3, 24, 400)
    rates: list[tuple[float, float, float]] = []
    took_s: list[float] = []
    for nr in range(rounds):
        zones = [Zone(f"z{number:02d}", dice=random.Random(number)) for number in range(ZONES)]
        for zone in zones:
            zone.opens()
            for _ in range(hours):
                zone.hour()
        lines_each = len(zones[0].lines)
        report.say(f"round {nr + 1}: {ZONES} zones, {lines_each:,} lines each, {hours} h of a busy zone")
        with tempfile.TemporaryDirectory(prefix="bench-ingest-", dir=Path.cwd()) as directory:
            bare = bare_inserts(Path(directory), zones, lines_each)
            with Headquarters(Path(directory), zones) as hq:
                rates.append((*catch_up(hq, zones), bare))
                took_s += findings(hq, zones, stays // rounds)
    committed, judged, bare = (report.median(column) for column in zip(*rates, strict=True))
    p50_ms, p99_ms = (report.percentile(took_s, share) * 1000 for share in (0.5, 0.99))
    report.table(
        [
            ("catch-up of 27 zones", "lines/s", "÷ bare inserts"),
            ("verified, committed, cosigned", committed, committed / bare),
            ("and judged, findings stored", judged, judged / bare),
            ("bare SQLite inserts", bare, 1.0),
        ]
    )
    report.table([("breach → feed, 27 zones at work", "ms"), ("p50", p50_ms), ("p99", p99_ms), ("n", len(took_s))])
    report.say("cost_ratio_3000 is not measured yet")
    report.finish("ingest", {"events_per_s": committed, "finding_p99_ms": p99_ms})


if __name__ == "__main__":
    main()

"""How fast the judge is: from scratch beside parsing alone, event by event after any history, beside a peer.

A county-month is 27 zones with 55 stays each and a heartbeat every minute, about 1.2 million lines; a province-day
3,000 zones, about 4.5 million. The limit is what parsing the same lines with the fastest JSON decoder and touching
a dictionary costs. The peer is durable_rules, given M2.1 and M3.1 only, on the same events. Times are of the
processor, so that what else runs on the machine does not count.
"""

from __future__ import annotations

import ctypes
import gc
import random
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson

from config.policy import load_policy
from custody.court import Court
from custody.events import Draft, Stamp, encode_line, event_id, format_time
from custody.judge import Judge
from custody.policy import Policy

from .report import arguments, finish, median, say, table

OFFSET_S = 8 * 3600
BEGIN_US = 1_795_363_200_000_000  # 2026-11-23 00:00 +08:00
DAY_S = 86_400
BOOTED_BEFORE_S = 100
STAYS_PER_DAY = 55 / 30
ROOMS = [("hall", "corridor"), ("search-1", "search"), ("wait-1", "waiting"), ("int-1", "interview")]


def main() -> None:
    options = arguments("judge", "Speed of the judge.")
    policy = load_policy()
    figures: dict[str, float] = {}
    zones, days = (5, 30) if options.quick else (27, 30)
    say(f"county-month: {zones} zones, {days} days, judged from scratch and parsed alone, alternating")
    month = county(policy, zones, days)
    figures["parse_ratio"] = median(parsed / scratch for scratch, parsed in month.seconds)
    rows: list[list[Any]] = [["what", "events", "events/s", "µs an event"], *month.rows("")]
    zones = 40 if options.quick else 3000
    say(f"province-day: {zones} zones, one day")
    day = county(policy, zones, 1)
    rows += day.rows("province-day, ")
    table(rows)
    print(f"memory of the county's judges, with a month of history: {month.memory_mb:.0f} MB")
    print(f"memory of {zones} judges, with a day of history: {day.memory_mb:.0f} MB\n")
    figures["county_memory_mb"] = month.memory_mb
    curve(policy, options.quick, figures)
    peer(policy, options.quick, figures)
    finish("judge", figures)


@dataclass
class Judged:
    """What judging many zones took, a round a zone: seconds from scratch and of parsing alone."""

    seconds: list[tuple[float, float]] = field(default_factory=list)
    events: int = 0
    memory_mb: float = 0.0
    """Of all judges together."""

    def rows(self, which: str) -> list[list[Any]]:
        scratch, parsed = (sum(column) for column in zip(*self.seconds, strict=True))
        return [
            [f"{which}{what}", self.events, self.events / seconds, seconds / self.events * 1e6]
            for what, seconds in (("parsing alone", parsed), ("from scratch", scratch))
        ]


def county(policy: Policy, zones: int, days: int) -> Judged:
    """Judge zone after zone, and parse the same lines, now before and now after."""
    judged = Judged()
    court = Court(policy)
    before = _resident_mb()
    for number in range(zones):
        lines = list(zone_lines(f"z{number}", days, random.Random(number)))
        gc.collect()  # what making the lines has left is cleared away by neither
        took = {"judge": 0.0, "parse": 0.0}
        for what in ("judge", "parse") if number % 2 else ("parse", "judge"):
            begin = time.process_time()
            if what == "parse":
                parse_alone(lines)
            else:
                deque(court.note_lines(lines), maxlen=0)
                one = court.judge_of(f"z{number}")
                one.settle()
                one.findings()
            took[what] = time.process_time() - begin
        judged.seconds.append((took["judge"], took["parse"]))
        judged.events += len(lines)
        del lines
    judged.memory_mb = _resident_mb() - before
    return judged


def parse_alone(lines: list[bytes]) -> dict[str, int]:
    """The limit: every line read by the fastest decoder, one dictionary touched."""
    seen: dict[str, int] = {}
    for line in lines:
        type_ = orjson.loads(line)["type"]
        seen[type_] = seen.get(type_, 0) + 1
    return seen


def curve(policy: Policy, quick: bool, figures: dict[str, float]) -> None:
    """µs of judging each event as it comes, with history of 1, 10, 100 and 1000 times a length behind it."""
    unit_days = 0.1 if quick else 1.0
    say(f"event by event, after a history of 1, 10, 100, 1000 × {unit_days:g} days")
    rows: list[list[Any]] = [["history", "events before", "µs an event", "median µs", "worst µs"]]
    costs = []
    for factor in (1, 10, 100, 1000):
        history = unit_days * factor
        judge, before, rest = Judge("z1", policy), 0, []
        court = Court(policy)
        court.judges["z1"] = judge
        end_us = BEGIN_US + int(history * DAY_S) * 1_000_000
        for line in zone_lines("z1", history + 3, random.Random(7)):
            if _time_us(line) < end_us:
                deque(court.note_lines([line]), maxlen=0)
                before += 1
            else:
                rest.append(line)
        judge.settle()
        judge.differences()
        gc.collect()
        spent = []
        for line in rest[:4000]:
            begin = time.process_time()
            deque(court.note_lines([line]), maxlen=0)
            judge.settle()
            judge.differences()
            spent.append(time.process_time() - begin)
        cost = sum(spent) / len(spent) * 1e6
        costs.append(cost)
        rows.append([f"{factor} ×", before, cost, median(spent) * 1e6, max(spent) * 1e6])
    table(rows)
    figures["incremental_us"] = max(costs)
    figures["flat_ratio"] = costs[-1] / costs[0]


def peer(policy: Policy, quick: bool, figures: dict[str, float]) -> None:
    """durable_rules on M2.1 and M3.1 beside the whole judge, on the same events."""
    try:
        from durable.lang import c, m, none, post, ruleset, when_all
    except ImportError:
        print("durable_rules is missing: no comparison (pip install durable-rules)")
        return
    lines = list(zone_lines("z1", 3 if quick else 30, random.Random(1)))
    say(f"\ndurable_rules, M2.1 and M3.1 only, {len(lines)} events, beside the whole judge")
    found: list[str] = []
    with ruleset("musts"):

        @when_all(
            c.interview << (m.type == "activity.started") & (m.kind == "interview"),
            none((m.type == "search.finished") & (m.stay == c.interview.stay)),
        )
        def _searched_first(c: Any) -> None:
            found.append("M2.1")

        @when_all(
            c.absent << (m.type == "guard.absent"),
            c.present << (m.type == "guard.present") & (m.room == c.absent.room) & (m.t > c.absent.t + 60),
        )
        def _guarded(c: Any) -> None:
            found.append("M3.1")

    begin = time.process_time()
    for line in lines:
        event = orjson.loads(line)
        message = {"type": event["type"], "t": _time_us(line) // 1_000_000}
        for name in ("stay", "kind", "room"):
            if name in event["data"]:
                message[name] = event["data"][name]
        try:
            post("musts", message)
        except Exception as error:  # the peer raises for every event that no rule of its looks at
            if type(error).__name__ != "MessageNotHandledException":
                raise
    theirs = time.process_time() - begin
    begin = time.process_time()
    court = Court(policy)
    deque(court.note_lines(lines), maxlen=0)
    ours_found = court.findings()
    ours = time.process_time() - begin
    rows: list[list[Any]] = [["what", "events/s", "findings"]]
    rows.append(["durable_rules, two rules", len(lines) / theirs, len(found)])
    rows.append(["the judge, all rules", len(lines) / ours, len(ours_found)])
    table(rows)
    figures["durable_rules_ratio"] = theirs / ours


def zone_lines(zone: str, days: float, chance: random.Random) -> Iterator[bytes]:
    """A zone's ledger: heartbeats every minute and, day by day, its stays with all that belongs to them."""
    ledger, bootid = f"{chance.getrandbits(64):016x}", str(UUID(int=chance.getrandbits(128), version=4))
    told = sorted(_events(zone, days, chance), key=lambda one: one[0])
    for sequence, (seconds, type_, data) in enumerate(told, 1):
        now_us = BEGIN_US + int(seconds * 1e6)
        id_, boottime_s = event_id(now_us, chance.randbytes(10)), seconds + BOOTED_BEFORE_S
        stamp = Stamp(id_, zone, ledger, sequence, now_us, OFFSET_S, bootid, boottime_s)
        subject = f"stay/{data['stay']}" if "stay" in data else None
        yield encode_line(Draft(type_, data, subject), stamp)


def _events(zone: str, days: float, chance: random.Random) -> Iterator[tuple[float, str, dict[str, Any]]]:
    rooms = [
        {"id": name, "name": name, "area": "custody", "purpose": purpose, "cameras": [f"cam-{name}"],
         "coverage": "any", "audio": purpose == "interview"}
        for name, purpose in ROOMS
    ]  # fmt: skip
    door = {"id": "front", "name": "front", "from": "yard", "to": "hall", "contact": True, "interlock": None}
    yield 0.0, "zone.started", {"version": "1", "parts": [], "clean": True}
    yield 0.1, "zone.described", {"rooms": rooms, "doors": [door]}
    for name, _ in ROOMS:
        yield 0.2, "camera.state", _camera(name, 0.2, "recording")
    for minute in range(1, int(days * 1440)):
        yield minute * 60 + chance.uniform(0, 0.2), "zone.heartbeat", _heartbeat(chance)
    for number in range(int(days * STAYS_PER_DAY)):
        yield from _stay(f"{zone}-20261123-{number % 1000:03d}", number / STAYS_PER_DAY * DAY_S, chance, number)


def _heartbeat(chance: random.Random) -> dict[str, Any]:
    """As a zone's overseer writes it: the kernel tells the clock in nanoseconds, its error in microseconds."""
    return {
        "parts": {"doors": True, "cameras": True, "link": True, "panel": True},
        "clock": {
            "synchronised": True,
            "offset_s": chance.randint(-5_000_000, 5_000_000) * 1e-9,
            "uncertainty_s": chance.randint(1_500, 40_000) * 1e-6,
        },
        "disk": {"free_bytes": 4096 * chance.randint(12_000_000, 13_000_000), "retention_days": None},
    }


def _camera(room: str, seconds: float, state: str) -> dict[str, Any]:
    since = format_time(BEGIN_US + int(seconds * 1e6), OFFSET_S)
    return {"camera": f"cam-{room}", "state": state, "audio": "good", "faults": [], "since": since}


def _officer(name: str, rank: str = "police") -> dict[str, str]:
    return {"id": name, "rank": rank, "sex": "m"}


def _stay(stay: str, at: float, chance: random.Random, number: int) -> Iterator[tuple[float, str, dict[str, Any]]]:
    stay = f"{stay[:-12]}{20261123 + number // 1000:08d}{stay[-4:]}"
    one, two, guard = _officer("p1"), _officer("p2"), _officer(f"g{number % 3}")
    at += chance.uniform(0, 20_000)
    yield at, "stay.arrived", {
        "stay": stay, "person": "c", "category": "suspect", "sex": "m", "flags": [],
        "case": {"id": "c", "kind": "criminal"}, "brought_by": [one], "via": "gate", "exempt": None,
        "measure": {"kind": "criminal_summons", "limit_hours": 12, "document": None, "since": None},
    }  # fmt: skip
    granted = {"door": "front", "reader": "r", "direction": "in", "officer": one, "second": None}
    yield at + 100, "door.granted", {**granted, "purpose": "bring_in", "stay": stay}
    yield at + 102, "door.opened", {"door": "front"}
    yield at + 110, "stay.entered", {"stay": stay, "door": "front", "room": "hall", "escorts": [one, two]}
    search = {"stay": stay, "search": "s", "room": "search-1", "kind": "safety", "officers": [one, two]}
    yield at + 400, "search.started", search
    yield at + 640, "search.finished", {**search, "injuries": "none", "belongings": "listed", "signed": True}
    yield at + 690, "collection.finished", {"stay": stay, "items": ["basic"], "approval": None, "officers": [one]}
    on_guard = {"room": "wait-1", "officer": guard, "proof": "card", "valid_for_s": 28_800}
    yield at + 700, "guard.present", on_guard
    yield at + 720, "stay.moved", {"stay": stay, "room": "wait-1", "escorts": [one]}
    length = chance.uniform(11_000, 25_000)
    for passed in range(1700, int(length), 1700):
        yield at + passed, "check.made", {"stay": stay, "room": "wait-1", "officer": guard, "terminal": "wait-1"}
    if chance.random() < 0.3:
        left = at + chance.uniform(2000, 7000)
        yield left, "guard.absent", {"room": "wait-1", "officer": guard}
        yield left + chance.choice([40, 100, 400]), "guard.present", on_guard
    interview = {"stay": stay, "activity": "a", "kind": "interview", "room": "int-1", "exempt": None}
    yield at + 8000, "activity.started", {**interview, "officers": [one, two]}
    if chance.random() < 0.1:
        yield at + 8200, "camera.state", _camera("int-1", at + 8200, "lost")
        yield at + 8230, "camera.state", _camera("int-1", at + 8230, "recording")
    yield at + 10_000, "activity.ended", {"stay": stay, "activity": "a", "signed": True}
    yield at + 10_030, "stay.moved", {"stay": stay, "room": "wait-1", "escorts": [one]}
    yield at + length, "stay.exited", {
        "stay": stay, "door": "front", "reason": "released", "destination": None, "belongings": "returned",
        "signed": True,
    }  # fmt: skip
    whole = [
        [
            format_time(BEGIN_US + int(at * 1e6), OFFSET_S),
            format_time(BEGIN_US + int((at + length) * 1e6), OFFSET_S),
        ]
    ]
    for name, _ in ROOMS:
        yield at + length + 60, "recording.audited", {
            "camera": f"cam-{name}", "start": whole[0][0], "end": whole[0][1], "covered": whole, "audio": whole,
            "source": "local", "clock_offset_s": 0.1, "uncertainty_s": 0.5, "manifest": "0" * 64,
        }  # fmt: skip


def _time_us(line: bytes) -> int:
    fields = orjson.loads(line)
    seconds = float(fields["boottime"]) - BOOTED_BEFORE_S
    return BEGIN_US + int(seconds * 1e6)


def _resident_mb() -> float:
    """Megabytes in use, after what is free has been given back."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 1e6


if __name__ == "__main__":
    main()

"""Every rule on both sides of each of its thresholds: one readable file a rule, stories with what must be found.

A file begins with ``rule M1.1``; what other rules find in its stories does not matter. A story is::

    story what it shows
      08:00:00 a stay.arrived sex=f flags=minor
      08:10:01 a stay.entered room=hall
      review a 08:00:00 08:10:01

Times are of 2026-11-23, +08:00 (``day 2025-12-31`` changes that); hours may pass 24. ``a`` is stay 001, ``b`` 002
and so on. What an event does not say has a plain default. ``written=TIME`` writes it later, ``id=NAME`` names it.
The zone runs from 07:00:00, with a heartbeat every minute to five minutes after the last line, or to ``runs
TIME``; ``silent FROM TO`` leaves heartbeats out; ``until TIME`` judges up to then. Its rooms, doors and cameras
are below; ``zone.described wait.purpose=toilet`` describes them anew.

Expected: ``nothing``, or lines ``breach|serious|review|unproven STAY|zone START [END]``: no END is a moment,
``-`` one that lasts.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from config.policy import load_policy
from custody.court import judge
from custody.events import check_data, parse_line, time_us
from custody.findings import Finding
from custody.judge import Judge

HERE = Path(__file__).parent
ROOMS = [
    # id, area, purpose, cameras, coverage, audio
    ("hall", "custody", "corridor", ["cam-hall"], "any", False),
    ("search", "custody", "search", ["cam-search"], "any", False),
    ("wait", "custody", "waiting", ["cam-wait", "cam-wait-2"], "any", False),
    ("corner", "custody", "waiting", ["cam-corner", "cam-corner-2"], "all", False),
    ("sober", "custody", "sobering", ["cam-sober"], "any", False),
    ("talk", "custody", "interview", ["cam-talk"], "any", True),
    ("mute", "custody", "interview", ["cam-mute"], "any", False),
    ("blind", "custody", "other", [], "any", False),
    ("toilet", "custody", "toilet", [], "any", False),
    ("office", "office", "other", ["cam-office"], "any", True),
]
DOORS = [("front", True, "sluice"), ("inner", True, "sluice"), ("back", False, None)]
CAMERAS = [camera for room in ROOMS for camera in room[3]]
OFFICERS = {"officers", "escorts", "brought_by"}
OFFICER = {"officer", "incoming", "outgoing", "second", "by"}
LISTS = {"flags", "items", "faults", "stays"}
TIMES = {"since", "start", "end", "return_by"}
STRETCHES = {"covered", "audio"}

DEFAULTS: dict[str, dict[str, str]] = {
    "stay.arrived": {"person": "c", "category": "suspect", "sex": "m", "flags": "", "case": "criminal",
                     "measure": "criminal_summons:24", "brought_by": "p1", "via": "gate", "exempt": "null"},
    "stay.entered": {"door": "front", "room": "hall", "escorts": "p1,p2"},
    "stay.returned": {"door": "front", "room": "hall", "escorts": "p1,p2"},
    "stay.moved": {"room": "wait", "escorts": "p1"},
    "stay.left": {"door": "front", "permit": "null", "reason": "null", "escorts": "p1"},
    "stay.exited": {"door": "front", "reason": "released", "destination": "null", "belongings": "returned",
                    "signed": "true"},
    "search.started": {"search": "s1", "room": "search", "kind": "safety", "officers": "p1,p2"},
    "search.finished": {"search": "s1", "room": "search", "kind": "safety", "officers": "p1,p2",
                        "injuries": "none", "belongings": "listed", "signed": "true"},
    "collection.finished": {"items": "basic", "approval": "null", "officers": "p1"},
    "activity.started": {"activity": "x1", "kind": "interview", "room": "talk", "officers": "p1,p2",
                         "exempt": "null"},
    "activity.officers": {"activity": "x1", "officers": "p1,p2"},
    "activity.ended": {"activity": "x1", "signed": "true"},
    "leave.approved": {"permit": "l1", "reason": "medical", "approver": "unit_head", "return_by": "null"},
    "measure.changed": {"measure": "criminal_summons:24", "approver": "unit_head"},
    "flags.changed": {"flags": "", "level": "intermittent"},
    "care.recorded": {"kind": "meal", "accepted": "true"},
    "check.made": {"room": "wait", "officer": "p1", "terminal": "null", "note": "null"},
    "hold.set": {"by": "p1", "reason": "complaint"},
    "hold.released": {"by": "p1", "reason": "done"},
    "guard.present": {"room": "wait", "officer": "p9", "proof": "card", "valid_for_s": "null"},
    "guard.absent": {"room": "wait", "officer": "p9"},
    "guard.handover": {"room": "wait", "outgoing": "p9", "incoming": "p8", "stays": ""},
    "door.granted": {"door": "front", "reader": "r", "direction": "in", "officer": "p1", "second": "null",
                     "purpose": "bring_in", "stay": "null"},
    "door.opened": {"door": "front"},
    "camera.state": {"camera": "cam-wait", "state": "recording", "audio": "good", "faults": ""},
    "recording.audited": {"camera": "cam-wait", "covered": "", "audio": "", "source": "local",
                          "clock_offset_s": "0", "uncertainty_s": "0", "manifest": "0"},
    "recording.lost": {"camera": "cam-wait", "cause": "disk"},
    "record.corrected": {"reason": "typing", "by": "p1", "time": "null", "void": "false"},
    "clock.stepped": {"by_s": "0"},
    "zone.started": {"version": "1", "clean": "false"},
    "zone.heartbeat": {"off": "0"},
    "zone.described": {},
}  # fmt: skip


@dataclass
class Story:
    """One story as its file tells it."""

    file: str
    rule: str
    name: str
    day: datetime
    lines: list[tuple[int, int, str, str, dict[str, Any]]] = field(default_factory=list)
    expected: list[tuple[str, str | None, int, int | None]] = field(default_factory=list)
    silent: list[tuple[int, int]] = field(default_factory=list)
    runs: int | None = None
    until: int | None = None

    def at(self, text: str) -> int:
        hours, minutes, seconds = text.split(":")
        passed = timedelta(hours=int(hours), minutes=int(minutes), seconds=float(seconds))
        return time_us(self.day + passed)

    def iso(self, moment_us: int) -> str:
        return (self.day + timedelta(microseconds=moment_us - time_us(self.day))).isoformat("T", "microseconds")

    def stay(self, letter: str) -> str:
        return f"nz01-20261123-{ord(letter) - ord('a') + 1:03d}"

    def take(self, words: list[str]) -> None:
        match words:
            case ["nothing"]:
                return
            case ["day", day]:
                self.day = datetime.fromisoformat(f"{day}T00:00:00+08:00")
            case ["silent", first, last]:
                self.silent.append((self.at(first), self.at(last)))
            case ["runs", last]:
                self.runs = self.at(last)
            case ["until", last]:
                self.until = self.at(last)
            case ["breach" | "serious" | "review" | "unproven", who, start, *end]:
                stay = None if who == "zone" else self.stay(who)
                ends = self.at(start) if not end else None if end[0] == "-" else self.at(end[0])
                self.expected.append((words[0], stay, self.at(start), ends))
            case [time, *rest]:
                self.event(self.at(time), rest)

    def event(self, time: int, words: list[str]) -> None:
        stay = self.stay(words.pop(0)) if len(words[0]) == 1 else None
        type_ = words.pop(0)
        said = dict(word.split("=", 1) for word in words)
        name = said.pop("id", f"e{len(self.lines)}")
        written = self.at(said.pop("written")) if "written" in said else time
        fields = {**DEFAULTS[type_], **said}
        if type_ == "camera.state":
            fields.setdefault(
                "since", str((datetime.min + timedelta(microseconds=time - time_us(self.day))).time())
            )
        data = {} if stay is None else {"stay": stay}
        data.update({key: self.value(type_, key, value) for key, value in fields.items() if "." not in key})
        if type_ == "record.corrected":
            data["data"] = {key[5:]: self.value("", key[5:], value) for key, value in said.items() if "." in key}
        if type_ == "zone.described":
            data = _described(said)
        if type_ == "zone.heartbeat":
            data = _heartbeat(float(data["off"]))
        if type_ == "zone.started":
            data["parts"] = []
        check_data(type_, data)
        self.lines.append((written, time, type_, name, data))

    def value(self, type_: str, key: str, text: str) -> Any:
        if text in ("null", "true", "false"):
            return orjson.loads(text)
        if key == "audio" and type_ == "camera.state":
            return text
        if key in STRETCHES:
            pairs = (piece.split("-") for piece in text.split(",") if piece)
            return [[self.iso(self.at(first)), self.iso(self.at(last))] for first, last in pairs]
        if key in OFFICERS:
            return [_officer(name) for name in text.split(",") if name]
        if key in OFFICER:
            return _officer(text)
        if key == "stays":
            return [self.stay(letter) for letter in text.split(",") if letter]
        if key in LISTS:
            return [word for word in text.split(",") if word]
        if key in TIMES or key == "time":
            return self.iso(self.at(text))
        if key == "case":
            return {"id": "c", "kind": text}
        if key == "approver":
            return {"id": "h1", "role": text}
        if key == "measure":
            kind, limit, *since = text.split(":", 2)
            return {"kind": kind, "limit_hours": None if limit == "null" else float(limit), "document": None,
                    "since": self.iso(self.at(since[0])) if since else None}  # fmt: skip
        if re.fullmatch(r"-?\d+(\.\d+)?", text) and (key.endswith("_s") or key == "off"):
            return float(text)
        return text

    def events(self) -> list[bytes]:
        begin = self.at("07:00:00")
        last = max(written for written, *_ in self.lines)
        end = self.runs if self.runs is not None else last + 300_000_000
        told = [(begin, begin, "zone.started", "start", {"version": "1", "parts": [], "clean": True})]
        told.append((begin, begin, "zone.described", "described", _described({})))
        for camera in CAMERAS:
            state = {
                "camera": camera,
                "state": "recording",
                "audio": "good",
                "faults": [],
                "since": self.iso(begin),
            }
            told.append((begin, begin, "camera.state", f"first-{camera}", state))
        for moment in range(begin, end + 1, 60_000_000):
            if not any(first < moment < final for first, final in self.silent):
                told.append((moment, moment, "zone.heartbeat", f"h{moment}", _heartbeat(0.0)))
        told += self.lines
        found = []
        for sequence, (written, time, type_, name, data) in enumerate(sorted(told, key=lambda one: one[0]), 1):
            recorded = {} if written == time else {"recordedtime": self.iso(written)}
            envelope = {"specversion": "1.0", "id": name, "source": "/zones/nz01", "type": type_,
                        "time": self.iso(time), **recorded, "ledger": "a" * 16, "bootid": "b",
                        "sequence": f"{sequence:012d}", "boottime": "1.0", "data": data}  # fmt: skip
            found.append(orjson.dumps(envelope))
        return found


def _officer(name: str) -> dict[str, str]:
    """p…: police, a…: auxiliary, d…: doctor, o…: other; an f at the end is a woman."""
    rank = {"p": "police", "a": "auxiliary", "d": "doctor", "o": "other"}[name[0]]
    return {"id": name, "rank": rank, "sex": "f" if name.endswith("f") else "m"}


def _heartbeat(off_s: float) -> dict[str, Any]:
    clock = {"synchronised": True, "offset_s": off_s, "uncertainty_s": 0.0}
    return {"parts": {}, "clock": clock, "disk": {"free_bytes": 1, "retention_days": 90.0}}


def _described(changed: dict[str, str]) -> dict[str, Any]:
    """``changed``: what of a room is different, such as ``{"wait.cameras": "cam-wait"}``."""
    names = ("id", "area", "purpose", "cameras", "coverage", "audio")
    rooms = [{"name": room[0], **dict(zip(names, room, strict=True))} for room in ROOMS]
    for what, text in changed.items():
        room, field_ = what.split(".")
        for one in rooms:
            if one["id"] == room:
                one[field_] = text.split(",") if field_ == "cameras" else text
    return {
        "rooms": rooms,
        "doors": [
            {"id": id_, "name": id_, "from": "yard", "to": "hall", "contact": contact, "interlock": group}
            for id_, contact, group in DOORS
        ],
    }


def read_stories(file: Path) -> list[Story]:
    stories: list[Story] = []
    rule = ""
    for line in file.read_text(encoding="utf-8").splitlines():
        words = line.split("#")[0].split()
        if not words:
            continue
        if words[0] == "rule":
            rule = words[1]
        elif words[0] == "story":
            day = datetime.fromisoformat("2026-11-23T00:00:00+08:00")
            stories.append(Story(file.stem, rule, " ".join(words[1:]), day))
        else:
            stories[-1].take(words)
    return stories


STORIES = [story for file in sorted(HERE.glob("*.txt")) for story in read_stories(file)]
RULES = [f"M1.{n}" for n in range(1, 10)] + [f"M{m}.{n}" for m in (2, 3) for n in range(1, 9)]
RULES += [f"M4.{n}" for n in range(1, 7)] + ["T1", "T2", "T3"]


@pytest.mark.parametrize("story", STORIES, ids=[f"{story.rule}: {story.name}" for story in STORIES])
def test_a_story_is_judged_as_it_says(story: Story) -> None:
    events = [parse_line(line) for line in story.events()]
    found = judge(events, load_policy(None), story.until)
    assert sorted(map(_told, _of(found, story.rule)), key=str) == sorted(story.expected, key=str)


@pytest.mark.parametrize("story", STORIES, ids=[f"{story.rule}: {story.name}" for story in STORIES])
def test_a_story_is_judged_the_same_line_by_line(story: Story) -> None:
    events = [parse_line(line) for line in story.events()]
    one = Judge("nz01", load_policy(None), until_us=story.until)
    for event in events:
        one.take([event])
        one.findings()
    assert one.findings() == judge(events, load_policy(None), story.until)


def test_every_rule_has_its_stories_with_and_without_a_finding() -> None:
    found = {story.rule for story in STORIES if story.expected}
    clean = {story.rule for story in STORIES if not story.expected}
    assert set(RULES) <= found & clean


def _of(found: list[Finding], rule: str) -> list[Finding]:
    return [finding for finding in found if finding.rule == rule]


def _told(finding: Finding) -> tuple[str, str | None, int, int | None]:
    word = "serious" if finding.severity.value == "serious" else finding.verdict.value
    return (word, finding.stay, finding.start_us, finding.end_us)

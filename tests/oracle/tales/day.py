"""A small day told by hand: readable times, sensible defaults, one line a fact."""

from __future__ import annotations

import random
from typing import Any

from .scribe import Scribe, Switches, iso, seconds_of, to_lines

DATE = "2026-11-23"
A_STAY = "nz01-20261123-001"
ANOTHER = "nz01-20261123-002"
A_THIRD = "nz01-20261123-003"
A_FOURTH = "nz01-20261123-004"

WANG = {"id": "wang", "rank": "police", "sex": "m"}
LI = {"id": "li", "rank": "police", "sex": "m"}
MEI = {"id": "mei", "rank": "police", "sex": "f"}
NING = {"id": "ning", "rank": "police", "sex": "f"}
AUX = {"id": "aux", "rank": "auxiliary", "sex": "m"}
DOC = {"id": "doc", "rank": "doctor", "sex": "m"}
CLERK = {"id": "clerk", "rank": "other", "sex": "f"}

ROOMS = {
    "w1": ("custody", "waiting"), "w2": ("custody", "waiting"), "i1": ("custody", "interview"),
    "s1": ("custody", "search"), "cor": ("custody", "corridor"), "toi": ("custody", "toilet"),
    "sob": ("custody", "sobering"), "off": ("office", "other"),
}  # fmt: skip

DEFAULTS: dict[str, dict[str, Any]] = {
    "stay.arrived": {
        "person": "c", "category": "suspect", "sex": "m", "flags": [], "case": {"id": "k", "kind": "criminal"},
        "measure": {"kind": "criminal_summons", "limit_hours": 24, "document": None, "since": None},
        "brought_by": [], "via": "front", "exempt": None,
    },
    "stay.entered": {"door": "back", "room": "w1", "escorts": []},
    "stay.returned": {"door": "back", "room": "w1", "escorts": []},
    "stay.moved": {"room": "w1", "escorts": []},
    "stay.left": {"door": "back", "permit": None, "reason": None, "escorts": []},
    "stay.exited": {
        "door": "back", "reason": "released", "destination": None, "belongings": "returned", "signed": True,
    },
    "search.started": {"search": "s", "room": "s1", "kind": "safety", "officers": [WANG, LI]},
    "search.finished": {
        "search": "s", "room": "s1", "kind": "safety", "officers": [WANG, LI], "injuries": "none",
        "belongings": "listed", "signed": True,
    },
    "collection.finished": {"items": ["basic"], "approval": None, "officers": [WANG]},
    "activity.started": {
        "activity": "v", "kind": "interview", "room": "i1", "officers": [WANG, LI], "exempt": None,
    },
    "activity.officers": {"activity": "v", "officers": [WANG, LI]},
    "activity.ended": {"activity": "v", "signed": True},
    "leave.approved": {
        "permit": "l1", "reason": "scene_identification", "approver": {"id": "head", "role": "unit_head"},
        "return_by": None,
    },
    "measure.changed": {"approver": {"id": "head", "role": "unit_head"}},
    "flags.changed": {"flags": [], "level": "intermittent"},
    "check.made": {"room": "w1", "officer": WANG, "terminal": None, "note": ""},
    "care.recorded": {"kind": "meal", "accepted": True},
    "hold.set": {"by": WANG, "reason": "case"},
    "hold.released": {"by": WANG, "reason": "case"},
}  # fmt: skip


class Day:
    """Times are ``HH:MM:SS`` of one morning in China, or plain seconds since 1970."""

    def __init__(self, *, until: str = "12:00:00", date: str = DATE, described: bool = True) -> None:
        self.date = date
        quiet = Switches(ledgers=False, duplicates=False)
        begin = self.second("08:00:00")
        self.scribe = Scribe(random.Random(7), quiet, begin, self.second(until))
        self.said("zone.started", "08:00:00", version="1", parts=[], clean=True)
        if described:
            self.describe("08:00:00")
        self.beats("08:01:00", until)

    def second(self, at: str | int) -> int:
        if isinstance(at, int):
            return at
        day, _, clock = at.rpartition(" ")
        return seconds_of(f"{day or self.date}T{clock}+08:00")

    def said(self, type_: str, at: str | int, written: str | int | None = None, **data: Any) -> str:
        """Write one event, on the first stay where a stay is needed; returns its id."""
        fields = {**DEFAULTS.get(type_, {}), **data}
        if type_ in DEFAULTS:
            fields = {"stay": A_STAY, **fields}
        late = None if written is None else self.second(written)
        return self.scribe.write(self.second(at), type_, fields, late).id

    def describe(self, at: str | int, **rooms: dict[str, Any]) -> None:
        described = [
            {
                "id": name, "name": name, "area": area, "purpose": purpose, "cameras": [f"cam-{name}"],
                "coverage": "any", "audio": True, **rooms.get(name, {}),
            }
            for name, (area, purpose) in ROOMS.items()
        ]  # fmt: skip
        doors = [
            {"id": "front", "name": "f", "from": "off", "to": "cor", "contact": True, "interlock": "lock"},
            {"id": "side", "name": "s", "from": "off", "to": "cor", "contact": True, "interlock": "lock"},
            {"id": "back", "name": "b", "from": "off", "to": "cor", "contact": False, "interlock": None},
        ]
        self.said("zone.described", at, rooms=described, doors=doors)

    def beats(self, first: str | int, last: str | int, every: int = 60, **clock: Any) -> None:
        told = {"synchronised": True, "offset_s": 0, "uncertainty_s": 0, **clock}
        disk = {"free_bytes": 1, "retention_days": 90}
        for t in range(self.second(first), self.second(last) + 1, every):
            self.said("zone.heartbeat", t, parts={}, clock=told, disk=disk)

    def silence(self, first: str | int, last: str | int) -> None:
        """Nothing was written in between, the two moments themselves apart."""
        a, b = self.second(first), self.second(last)
        self.scribe.rows = [row for row in self.scribe.rows if not a < row.written < b]

    def guard(self, at: str | int, room: str = "w1", who: dict[str, Any] = WANG, valid: int | None = None) -> str:
        return self.said("guard.present", at, room=room, officer=who, proof="card", valid_for_s=valid)

    def gone(self, at: str | int, room: str = "w1", who: dict[str, Any] = WANG) -> None:
        self.said("guard.absent", at, room=room, officer=who)

    def camera(self, at: str | int, state: str = "recording", room: str = "w1", **data: Any) -> str:
        fields = {"audio": "good", "faults": [], "since": iso(self.second(at)), **data}
        return self.said("camera.state", at, camera=f"cam-{room}", state=state, **fields)

    def audit(
        self, first: str, last: str, covered: list[tuple[str, str]], written: str | int, **data: Any
    ) -> None:
        spans = [[self.iso(a), self.iso(b)] for a, b in covered]
        fields = {
            "camera": "cam-w1", "start": self.iso(first), "end": self.iso(last), "covered": spans, "audio": spans,
            "source": "local", "clock_offset_s": 0, "uncertainty_s": 0, "manifest": "0", **data,
        }  # fmt: skip
        self.said("recording.audited", written, **fields)

    def correct(self, line: str, at: str | int, **fields: Any) -> str:
        told = {"reason": "slip", "by": WANG, "data": {}, "time": None, "void": False, **fields}
        return self.said("record.corrected", at, corrects=line, **told)

    def iso(self, at: str | int) -> str:
        return iso(self.second(at))

    def lines(self) -> list[bytes]:
        return to_lines(self.scribe)

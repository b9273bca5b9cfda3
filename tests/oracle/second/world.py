"""What the zone proves at a moment: rooms, guards, pictures and sound."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .numbers import (
    ARRIVAL,
    CHECK_PROVES,
    COLLECTION_BEFORE,
    FOREVER,
    GUARD_RANKS,
    GUARD_VALID_S,
    LINGER,
    PICTURE_FAULTS,
    RECONFIRM_CAMERA,
    RECONFIRM_GUARD,
    TRANSFER,
    S,
)
from .reading import Fact, Reading, instant
from .stays import Stay, Visit, read_stays

Room = dict[str, Any]


@dataclass
class Presence:
    """An officer guards a room in [start, end). ``by_present``: known from a guard.present, not a handover."""

    room: str
    officer: dict[str, Any]
    start: int
    end: int
    by_present: bool


@dataclass
class Proof:
    """An officer guards one stay in [start, end), wherever the visit was that it is clipped to."""

    officer: dict[str, Any]
    start: int
    end: int


@dataclass
class Audit:
    fact: Fact
    start: int
    end: int
    covered: list[tuple[int, int]]
    audio: list[tuple[int, int]]


class World:
    def __init__(self, reading: Reading) -> None:
        self.reading = reading
        self.h = reading.h
        self.stays = read_stays(reading)
        self.descriptions = reading.of("zone.described")
        self.presences = _presences(reading)
        self.proofs = {stay.id: _proofs(stay) for stay in self.stays}
        self.canvases = _canvases(reading)
        self.audits = _audits(reading)
        self.points = self._points()

    def _points(self) -> list[int]:
        """Every moment at which any fact of the zone begins or ends."""
        found = {fact.t for fact in self.reading.facts if fact.type != "zone.heartbeat"}
        for a, b in self.reading.known:
            found |= {a, b}
        found.add(self.reading.w)
        for p in self.presences:
            found |= {p.start, p.end}
        for proofs in self.proofs.values():
            for proof in proofs:
                found |= {proof.start, proof.end}
        for canvas in self.canvases.values():
            found |= {start for start, _ in canvas}
        for audits in self.audits.values():
            for audit in audits:
                found |= {audit.start, audit.end}
                for a, b in audit.covered + audit.audio:
                    found |= {a, b}
        return sorted(found)

    # Rooms and doors

    def _description(self, t: int) -> Fact | None:
        before = [d for d in self.descriptions if d.t <= t]
        return [*self.descriptions[:1], *before][-1] if self.descriptions else None

    def room(self, room: str | None, t: int) -> Room | None:
        said = self._description(t)
        return next((r for r in said.data["rooms"] if r["id"] == room), None) if said else None

    def purpose(self, room: str | None, t: int) -> str:
        found = self.room(room, t)
        return str(found["purpose"]) if found else "other"

    def area(self, room: str | None, t: int) -> str:
        found = self.room(room, t)
        return str(found["area"]) if found else "custody"

    def door(self, door: str, t: int) -> dict[str, Any] | None:
        said = self._description(t)
        return next((d for d in said.data["doors"] if d["id"] == door), None) if said else None

    def interlocked(self, door: str, t: int) -> set[str]:
        """The door and those of its interlock group."""
        said, found = self._description(t), self.door(door, t)
        if said is None or found is None or not found.get("interlock"):
            return {door}
        return {door} | {d["id"] for d in said.data["doors"] if d.get("interlock") == found["interlock"]}

    def search_rooms(self, t: int) -> int:
        said = self._description(t)
        return sum(1 for r in said.data["rooms"] if r["purpose"] == "search") if said else 0

    # Guards

    def guards(self, stay: Stay, t: int) -> list[dict[str, Any]]:
        """The officers who guard the stay at ``t``, known time or not."""
        room = stay.room_at(t)
        here = [p.officer for p in self.presences if p.room == room and p.start <= t < p.end]
        return here + [p.officer for p in self.proofs[stay.id] if p.start <= t < p.end]

    def guarded(self, stay: Stay, t: int) -> str:
        if not self.reading.is_known(t):
            return "unknown"
        return "proven" if self.guards(stay, t) else "missing"

    # Pictures and sound

    def _camera(self, camera: str, t: int, sound: bool) -> str:
        audits = [a for a in self.audits.get(camera, []) if a.start <= t < a.end]
        if audits:
            held = [span for a in audits for span in (a.audio if sound else a.covered)]
            held_at = any(x <= t < y for x, y in held)
            return "proven" if held_at else "missing"
        if not self.reading.is_known(t):
            return "unknown"
        said = [state for start, state in self.canvases.get(camera, []) if start <= t]
        if not said or said[-1] is None:
            return "unknown"
        return _sound(said[-1]) if sound else _picture(said[-1])

    def picture(self, room: str | None, t: int) -> str:
        found = self.room(room, t)
        if found is None:
            return "unknown"
        if not found["cameras"]:
            return "missing"
        seen = [self._camera(camera, t, sound=False) for camera in found["cameras"]]
        if found["coverage"] == "all":
            if all(s == "proven" for s in seen):
                return "proven"
            return "missing" if "missing" in seen else "unknown"
        if "proven" in seen:
            return "proven"
        return "missing" if all(s == "missing" for s in seen) else "unknown"

    def sound(self, room: str, t: int) -> str:
        found = self.room(room, t)
        if found is None:
            return "unknown"
        if not found["audio"]:
            return "missing"
        heard = [self._camera(camera, t, sound=True) for camera in found["cameras"]]
        if "proven" in heard:
            return "proven"
        return "missing" if all(s == "missing" for s in heard) else "unknown"


def _picture(state: dict[str, Any]) -> str:
    if state["state"] == "recording":
        return "proven"
    if state["state"] == "lost":
        return "missing"
    if state["state"] == "impaired":
        return "missing" if set(state["faults"]) & PICTURE_FAULTS else "proven"
    return "unknown"


def _sound(state: dict[str, Any]) -> str:
    return {"good": "proven", "bad": "missing", "none": "missing", "unknown": "unknown"}[state["audio"]]


def _audits(reading: Reading) -> dict[str, list[Audit]]:
    found: dict[str, list[Audit]] = {}
    for fact in reading.of("recording.audited"):
        data = fact.data
        start, end = instant(data["start"]), instant(data["end"])
        covered = [(max(start, instant(a)), min(end, instant(b))) for a, b in data["covered"]]
        audio = [(max(start, instant(a)), min(end, instant(b))) for a, b in data["audio"]]
        found.setdefault(data["camera"], []).append(Audit(fact, start, end, covered, audio))
    return found


def _canvases(reading: Reading) -> dict[str, list[tuple[int, dict[str, Any] | None]]]:
    """Each camera's states painted one over the other in the order of the timeline, each to the end of time."""
    states, restarts = reading.of("camera.state"), reading.of("zone.started")
    found: dict[str, list[tuple[int, dict[str, Any] | None]]] = {}
    for camera in sorted({f.data["camera"] for f in states}):
        canvas: list[tuple[int, dict[str, Any] | None]] = []
        mine = [f for f in states if f.data["camera"] == camera]
        renewed: dict[str, int] = {}
        for restart in restarts:
            soon = [
                f for f in mine
                if f.data["state"] != "unknown"
                and (f.written, f.place) > (restart.written, restart.place)
                and f.written <= restart.written + RECONFIRM_CAMERA
            ]  # fmt: skip
            if soon:
                renewed[soon[0].id] = min(renewed.get(soon[0].id, FOREVER), restart.t)
        before: int | None = None
        for fact in sorted(mine + restarts, key=lambda f: f.order):
            if fact.type == "zone.started":
                canvas = _paint(canvas, fact.t, None)
                late = next((f for f in mine if f.order < fact.order and renewed.get(f.id) == fact.t), None)
                if late is not None:
                    canvas = _paint(canvas, fact.t, late.data)
            else:
                canvas = _paint(canvas, _holds_from(fact, before, renewed.get(fact.id)), fact.data)
            before = fact.t
        found[camera] = canvas
    return found


def _holds_from(fact: Fact, before: int | None, renewed: int | None) -> int:
    start, since = fact.t, instant(fact.data["since"])
    if fact.data["state"] == "recording":
        if before is None or since > before:
            start = since
    else:
        start = min(start, since)
    return start if renewed is None else min(start, renewed)


def _paint(
    canvas: list[tuple[int, dict[str, Any] | None]], start: int, state: dict[str, Any] | None
) -> list[tuple[int, dict[str, Any] | None]]:
    return [*(c for c in canvas if c[0] < start), (start, state)]


def _presences(reading: Reading) -> list[Presence]:
    """Presences as they stand, the zone's restarts taken one after the other."""
    ends = _ends(reading)
    begun: list[tuple[tuple[int, int, str, dict[str, Any], int], bool]] = []
    for fact in reading.of("guard.present"):
        valid = fact.data.get("valid_for_s")
        until = fact.t + round((GUARD_VALID_S if valid is None else valid) * S)
        begun.append(((fact.order, fact.t, fact.data["room"], fact.data["officer"], until), True))
    for fact in reading.of("guard.handover"):
        until = fact.t + GUARD_VALID_S * S
        begun.append(((fact.order, fact.t, fact.data["room"], fact.data["incoming"], until), False))
    begun = [b for b in begun if b[0][3]["rank"] in GUARD_RANKS]
    started = {fact.order for fact in reading.of("zone.started")}
    for restart in reading.of("zone.started"):
        standing = set()
        for (order, _, room, officer, until), _ in begun:
            if order < restart.order and until > restart.t:
                first = min((o for o, _, ends_it in ends if o > order and ends_it(officer["id"], room)))
                if first == restart.order:
                    standing.add(room)
        for fact in reading.of("guard.present"):
            after = (fact.written, fact.place) > (restart.written, restart.place)
            if after and fact.written <= restart.written + RECONFIRM_GUARD and fact.data["room"] in standing:
                valid = fact.data.get("valid_for_s")
                until = fact.t + round((GUARD_VALID_S if valid is None else valid) * S)
                room, officer = fact.data["room"], fact.data["officer"]
                gone = any(
                    fact.order < o < restart.order and ends_it(officer["id"], room)
                    for o, _, ends_it in ends
                    if o not in started
                )
                if officer["rank"] in GUARD_RANKS and not gone:
                    begun.append(((restart.order, restart.t, room, officer, until), True))
    found = []
    for (order, t, room, officer, until), by_present in begun:
        ended = [when for o, when, ends_it in ends if o > order and ends_it(officer["id"], room)]
        end = min([until, *ended])
        if t < end:
            found.append(Presence(room, officer, t, end, by_present))
    return found


def _ends(reading: Reading) -> list[tuple[int, int, Any]]:
    """(order, time, does it end the presence of this officer in this room)."""
    activity_rooms: dict[tuple[str, str], str] = {}
    found: list[tuple[int, int, Any]] = []

    def named_in(fact: Fact, named: str, where: str | None) -> None:
        found.append((fact.order, fact.t, lambda officer, room: officer == named and where not in (None, room)))

    for fact in reading.facts:
        data = fact.data
        if fact.type == "zone.started":
            found.append((fact.order, fact.t, lambda officer, room: True))
        elif fact.type == "guard.absent":
            gone = (data["officer"]["id"], data["room"])
            found.append((fact.order, fact.t, lambda officer, room, gone=gone: (officer, room) == gone))
        elif fact.type == "guard.present":
            named_in(fact, data["officer"]["id"], data["room"])
        elif fact.type == "guard.handover":
            gone = (data["outgoing"]["id"], data["room"])
            found.append((fact.order, fact.t, lambda officer, room, gone=gone: (officer, room) == gone))
            named_in(fact, data["incoming"]["id"], data["room"])
        elif fact.type in ("stay.entered", "stay.returned", "stay.moved"):
            for officer in data["escorts"]:
                named_in(fact, officer["id"], data["room"])
        elif fact.type in ("search.started", "search.finished", "activity.started"):
            if fact.type == "activity.started":
                activity_rooms[data["stay"], data["activity"]] = data["room"]
            for officer in data["officers"]:
                named_in(fact, officer["id"], data["room"])
        elif fact.type == "activity.officers":
            for officer in data["officers"]:
                named_in(fact, officer["id"], activity_rooms.get((data["stay"], data["activity"])))
        elif fact.type == "activity.ended":
            activity_rooms.pop((data["stay"], data["activity"]), None)
    return found


def _proofs(stay: Stay) -> list[Proof]:
    """Who guards this stay alone. Each proof holds as long as the stay is in that room."""
    found: list[Proof] = []

    def prove(officers: list[dict[str, Any]], start: int, end: int, visit: Visit | None) -> None:
        if visit is None:
            return
        start, end = max(start, visit.start), min(end, visit.end)
        found.extend(Proof(o, start, end) for o in officers if o["rank"] in GUARD_RANKS and start < end)

    for doing in stay.searches + stay.activities:
        until = [since for since, _ in doing.officers[1:]] + [doing.end]
        for (since, officers), end in zip(doing.officers, until, strict=True):
            for visit in stay.visits:
                prove(officers, since, end, visit if visit.room == doing.room else None)
        prove(doing.officers[-1][1], doing.end, doing.end + LINGER, _visit(stay, doing.room, doing.end))
    for fact, room, entered in stay.arrived_in:
        for_how_long = ARRIVAL if entered else TRANSFER
        prove(fact.data["escorts"], fact.t, fact.t + for_how_long, _visit_told(stay, room, fact))
    for fact in stay.of("collection.finished"):
        where = stay.room_after[fact.id]
        ending = [v for v in stay.visits if v.room == where and v.start < fact.t <= v.end]
        prove(fact.data["officers"], fact.t - COLLECTION_BEFORE, fact.t, ending[0] if ending else None)
    for fact in stay.of("check.made"):
        if fact.data.get("terminal") == fact.data["room"]:
            there = _visit_told(stay, fact.data["room"], fact)
            prove([fact.data["officer"]], fact.t, fact.t + CHECK_PROVES, there)
    return found


def _visit_told(stay: Stay, room: str, fact: Fact) -> Visit | None:
    """The visit that lasts at a fact; of somebody outside the next one, if that is the next heard of him."""
    if stay.room_after[fact.id] is not None:
        return _visit(stay, room, fact.t)
    if stay.told_room[fact.id] != room:
        return None
    for later in stay.facts:
        if later.order > fact.order:
            if later.type in ("stay.left", "stay.exited") or stay.told_room[later.id] != room:
                return None
            if stay.room_after[later.id] is not None:
                return _visit(stay, room, later.t)
    return None


def _visit(stay: Stay, room: str, t: int) -> Visit | None:
    visit = stay.visit_at(t)
    return visit if visit and visit.room == room else None

"""Generated days of one zone, as event lines: ``story(seed)``, and ``stories()`` for Hypothesis.

A story is made by rule and chance, never by looking at a judge. All times are whole seconds. Lengths
lie close to the thresholds of the rules: at one, a second under, a second over.
"""

from __future__ import annotations

import dataclasses
import random
from typing import Any

from hypothesis import strategies as st
from tales import zone
from tales.mishaps import mishaps
from tales.scribe import Row, Scribe, Switches, iso, seconds_of, to_lines
from tales.stay import Teller

__all__ = ["Switches", "stories", "story", "until_of"]

MORNING = seconds_of("2026-11-23T08:00:00+08:00")
NEW_YEARS_EVE = seconds_of("2025-12-31T22:30:00+08:00")
NIGHT = seconds_of("2026-11-22T23:10:00+08:00")


def story(seed: int, switches: Switches | None = None) -> list[bytes]:
    """The lines of one day, in no order, some of them double, some missing."""
    rng = random.Random(seed)
    switches = switches or Switches()
    begin = rng.choices((MORNING, NEW_YEARS_EVE, NIGHT), weights=(6, 1, 1))[0]
    hours = rng.choices((1, 2, 3, 12), weights=(3, 4, 3, 1))[0]
    scribe = Scribe(rng, switches, begin, begin + hours * 3600)
    every = 60 if hours < 12 else 148
    quiet = zone.silences(scribe)
    zone.start(scribe, begin)
    zone.describe(scribe, begin)
    zone.pulse(scribe, quiet, every)
    if switches.redescribed and scribe.chance(0.15):
        zone.describe(scribe, rng.randint(begin, scribe.end))
    _people(scribe)
    starts = zone.restarts(scribe, quiet)
    for name in sorted(name for cameras in scribe.cameras.values() for name in cameras):
        zone.camera(scribe, name, starts)
    if switches.guards:
        for room in ("w1", "w1", "w2", "cor", "s1", "i1", "sob"):
            if scribe.chance(0.8):
                zone.guard(scribe, room, starts)
    zone.steps_of_the_clock(scribe)
    zone.losses(scribe)
    zone.audits(scribe)
    zone.fall_silent(scribe, quiet)
    mishaps(scribe)
    _corrections(scribe)
    _end(scribe)
    return to_lines(scribe)


def until_of(seed: int, lines: list[bytes]) -> int | None:
    """A moment to judge at: half of the stories at their own end, the others cut or looked at later."""
    rng = random.Random(f"until {seed}")
    if rng.random() < 0.5:
        return None
    moments = sorted({zone_written(line) for line in lines})
    kind = rng.choice(("cut", "cut", "later", "day"))
    if kind == "cut":
        return rng.choice(moments) + rng.choice((-1_000_000, 0, 0, 1_000_000))
    return moments[-1] + (rng.choice((1, 30, 400, 5000)) if kind == "later" else 90_000) * 1_000_000


def zone_written(line: bytes) -> int:
    from custody.events import parse_line

    return parse_line(line).written_us


def _people(scribe: Scribe) -> None:
    rng = scribe.rng
    together = scribe.chance(0.4)
    at = scribe.begin + rng.randint(60, 900)
    for number in range(1, rng.randint(1, scribe.switches.most_stays) + 1):
        Teller(scribe, number, at).tell(scribe.end)
        at += rng.randint(0, 300) if together else rng.randint(0, 2500) + rng.choice((0, 600))
        at = min(at, scribe.end - 600)


CHANGES: dict[str, list[dict[str, Any]]] = {
    "search.started": [{"room": "s2"}, {"officers": []}],
    "search.finished": [{"signed": True}, {"injuries": "none", "belongings": "none"}, {"signed": False}],
    "stay.exited": [{"destination": "court"}, {"belongings": "returned"}, {"signed": True}],
    "stay.arrived": [{"flags": ["minor"]}, {"sex": "f"}, {"category": "witness"}, {"exempt": "hearing"}],
    "stay.entered": [{"room": "w2"}, {"door": "side"}, {"escorts": []}],
    "stay.returned": [{"room": "w1"}, {"door": "front"}],
    "stay.moved": [{"room": "w1"}, {"room": "toi"}, {"escorts": []}],
    "stay.left": [{"reason": "medical"}, {"permit": None}],
    "activity.started": [{"kind": "interview"}, {"kind": "medical"}, {"exempt": "ill"}, {"room": "off"}],
    "activity.officers": [{"officers": []}],
    "collection.finished": [{"items": ["basic"]}, {"approval": "w-18"}],
    "check.made": [{"room": "w2"}, {"terminal": None}],
    "leave.approved": [
        {"reason": "medical"},
        {"approver": {"id": "p8", "role": "unit_head"}},
        {"return_by": None},
    ],
    "measure.changed": [{"measure": {"kind": "detention", "limit_hours": 24, "document": None, "since": None}}],
    "guard.present": [{"room": "w2"}, {"valid_for_s": 600}],
    "guard.absent": [{"room": "w2"}],
    "guard.handover": [{"stays": []}, {"room": "w2"}],
    "door.granted": [{"purpose": "pass"}, {"purpose": "bring_in"}],
    "door.opened": [{"door": "side"}],
    "camera.state": [{"state": "recording", "faults": []}, {"audio": "good"}],
    "flags.changed": [{"level": "general"}, {"flags": []}],
    "recording.audited": [{"uncertainty_s": 3}, {"covered": []}, {"clock_offset_s": None}],
    "clock.stepped": [{"by_s": 0}, {"by_s": 61}],
    "zone.heartbeat": [{"clock": {"synchronised": False, "offset_s": 8, "uncertainty_s": 0}}],
}


def _corrections(scribe: Scribe) -> None:
    """Fields, times, voids; a correction of a correction; several of one line."""
    rng = scribe.rng
    if not scribe.switches.corrections or scribe.chance(0.4):
        return
    lines = [row for row in scribe.rows if row.type != "zone.heartbeat" or scribe.chance(0.03)]
    for row in rng.sample(lines, min(len(lines), rng.randint(1, 6))):
        first = _correct(scribe, row)
        if scribe.chance(0.3):
            _correct(scribe, row, after=first.written)
        if scribe.chance(0.3):
            again: dict[str, Any] = rng.choice(({"void": True}, {"data": {}}, {"time": None}))
            _write_correction(scribe, first, {}, None, False, again=again)


def _correct(scribe: Scribe, row: Row, after: int = 0) -> Row:
    rng = scribe.rng
    data = rng.choice(CHANGES.get(row.type, [{}]))
    shift = rng.choice((-600, -60, -1, 1, 60, 300))
    ended = row.type.endswith((".finished", ".ended", "exited"))
    movable = row.type.startswith(("stay.", "activity.", "search.", "guard.", "check."))
    time = None
    if movable and scribe.chance(0.4):
        time = iso(row.t + (abs(shift) if ended else -abs(shift) // 10))
    if row.data.get("stay") and scribe.chance(0.1):
        data = {**data, "stay": rng.choice(sorted(scribe.where))}
    void = scribe.chance(0.2)
    return _write_correction(scribe, row, data, time, void, after=after)


def _write_correction(
    scribe: Scribe,
    row: Row,
    data: dict[str, Any],
    time: str | None,
    void: bool,
    *,
    after: int = 0,
    again: dict[str, Any] | None = None,
) -> Row:
    """``again``: the fields of the correction itself that a correction of it mends."""
    happened = row.t if time is None else max(row.t, seconds_of(time))
    t = max(row.written, after, happened) + scribe.near(600, 60)
    by = {"id": "p1", "rank": "police", "sex": "m"}
    fields = {"corrects": row.id, "reason": "slip", "by": by, "data": again or data, "time": time, "void": void}
    correction = scribe.write(t, "record.corrected", fields)
    correction.clock = row.clock
    return correction


def _end(scribe: Scribe) -> None:
    """Whatever happened is followed by a few beats; sometimes by a day of nothing and a beat."""
    last = max(row.written for row in scribe.rows)
    clock = max(row.clock for row in scribe.rows)
    beat = next((row.data for row in scribe.rows if row.type == "zone.heartbeat"), None)
    if beat is None or scribe.chance(0.5):
        return
    scribe.write(last + scribe.near(60, 150), "zone.heartbeat", beat).clock = clock
    exits = [row.t for row in scribe.rows if row.type == "stay.exited"]
    if exits and scribe.switches.next_day and scribe.chance(0.3):
        day_later = scribe.rng.choice(exits) + 86400 + scribe.rng.choice((-1, 0, 1))
        scribe.write(max(last, day_later), "zone.heartbeat", beat).clock = clock


@st.composite
def stories(draw: st.DrawFn) -> list[bytes]:
    """A story whose parts can be switched off one by one, so that Hypothesis finds the small one."""
    seed = draw(st.integers(0, 1_000_000))
    fields = {f.name: draw(st.booleans()) for f in dataclasses.fields(Switches) if f.type == "bool"}
    return story(seed, Switches(**fields, most_stays=draw(st.integers(1, 5))))

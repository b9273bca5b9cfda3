"""What goes wrong in a register: lines at one second, said twice, left out, misnamed, after the exit."""

from __future__ import annotations

import random
from copy import deepcopy

from .people import flags
from .scribe import OFFSET_S, Row, Scribe

TOLD_BY_PEOPLE = (
    "stay.",
    "search.",
    "activity.",
    "guard.",
    "check.",
    "collection.",
    "flags.",
    "measure.",
    "leave.",
)
PURPOSES = ("waiting", "sobering", "interview", "toilet", "other")


def mishaps(scribe: Scribe) -> None:
    """One to three kinds of them, on some days."""
    rng = random.Random(scribe.rng.random())
    if not scribe.switches.mishaps or rng.random() < 0.4:
        return
    for mishap in rng.sample(MISHAPS, rng.randint(1, 3)):
        mishap(scribe, rng)


def _told(scribe: Scribe, *types: str) -> list[Row]:
    return [row for row in scribe.rows if row.type.startswith(types or TOLD_BY_PEOPLE)]


def _some(rng: random.Random, rows: list[Row], most: int) -> list[Row]:
    return rng.sample(rows, min(len(rows), rng.randint(1, most)))


def _set_time(row: Row, t: int) -> None:
    at_once = row.written == row.t
    row.t = t
    row.written = t if at_once else max(row.written, t)


def one_second(scribe: Scribe, rng: random.Random) -> None:
    """Things that followed one another are told for the same second, in either order."""
    rows = sorted((row for row in scribe.rows if row.type != "zone.heartbeat"), key=lambda row: row.t)
    for at in rng.sample(range(len(rows) - 1), min(len(rows) - 1, 25)):
        if rows[at + 1].t - rows[at].t <= 90:
            earlier, later = rows[at], rows[at + 1]
            if rng.random() < 0.5:
                _set_time(later, earlier.t)
            elif not earlier.type.startswith(("zone.", "camera.", "recording.")):
                _set_time(earlier, later.t)


def said_twice(scribe: Scribe, rng: random.Random) -> None:
    for row in _some(rng, _told(scribe), 4):
        t = row.t + rng.choice((0, 0, 1, 30, 120))
        scribe.rows.append(Row(t, max(t, row.written), row.type, deepcopy(row.data), scribe.new_id(row.written)))


def left_out(scribe: Scribe, rng: random.Random) -> None:
    gone = {row.id for row in _some(rng, _told(scribe, "stay.", "activity.ended", "search."), 2)}
    scribe.rows = [row for row in scribe.rows if row.id not in gone]


def misnamed(scribe: Scribe, rng: random.Random) -> None:
    """An entry called a return, and the reverse."""
    for row in _some(rng, _told(scribe, "stay.entered", "stay.returned"), 2):
        row.type = "stay.entered" if row.type == "stay.returned" else "stay.returned"


def one_id_again(scribe: Scribe, rng: random.Random) -> None:
    """All searches, or activities, of a stay have one id; or a permit is that of the stay's first."""
    field, types = rng.choice((("search", "search."), ("activity", "activity."), ("permit", "leave.approved")))
    for stay in sorted(scribe.where):
        for row in _told(scribe, types):
            if row.data["stay"] == stay:
                row.data[field] = f"{field}-1"


def after_the_exit(scribe: Scribe, rng: random.Random) -> None:
    for exit_ in _told(scribe, "stay.exited"):
        mine = [row for row in _told(scribe) if row.data.get("stay") == exit_.data["stay"] and row.t < exit_.t]
        for row in _some(rng, mine, 2) if mine else []:
            t = exit_.t + rng.choice((0, 1, 60, 700))
            scribe.rows.append(Row(t, t, row.type, deepcopy(row.data), scribe.new_id(t)))


def before_the_arrival(scribe: Scribe, rng: random.Random) -> None:
    for arrived in _told(scribe, "stay.arrived"):
        stay = arrived.data["stay"]
        t = max(scribe.begin, arrived.t - rng.choice((0, 1, 60)))
        level = rng.choice(("general", "constant"))
        scribe.write(t, "flags.changed", {"stay": stay, "flags": flags(rng), "level": level})
        if rng.random() < 0.5:
            entered = [row for row in _told(scribe, "stay.entered") if row.data["stay"] == stay]
            for row in entered[:1]:
                _set_time(row, max(scribe.begin, arrived.t - rng.choice((0, 1, 60, 300))))


def another_place(scribe: Scribe, rng: random.Random) -> None:
    """Rooms change their purpose, and cameras their rooms, during the day."""
    described = _told(scribe, "zone.described")[0]
    for _ in range(rng.randint(1, 2)):
        data = deepcopy(described.data)
        one, other = rng.sample(data["rooms"], 2)
        one["cameras"], other["cameras"] = other["cameras"], one["cameras"]
        for room in data["rooms"]:
            if room["id"] in ("w1", "w2", "sob") and rng.random() < 0.4:
                room["purpose"] = rng.choice(PURPOSES)
            if rng.random() < 0.2:
                room["cameras"] = room["cameras"][:1]
        if rng.random() < 0.3:
            data["rooms"].remove(rng.choice(data["rooms"]))
        scribe.write(rng.randint(scribe.begin, scribe.end), "zone.described", data)


def started_again(scribe: Scribe, rng: random.Random) -> None:
    """Starts of the zone at the second of something that was told, just before it or just after."""
    data = {"version": "1", "parts": ["doors"], "clean": False}
    for row in _some(rng, _told(scribe, "guard.", "camera.", "stay."), 3):
        t = row.t + rng.choice((0, 0, -1, -60, -300))
        if t > scribe.begin:
            scribe.rows.insert(
                rng.choice((0, len(scribe.rows))), Row(t, t, "zone.started", data, scribe.new_id(t))
            )


def handed_round(scribe: Scribe, rng: random.Random) -> None:
    """One officer is said to be in several rooms, one after the other, by all that can say so."""
    one = rng.choice(_told(scribe, "guard.present") or [scribe.rows[0]]).data.get("officer")
    if one is None:
        return
    for row in _some(rng, _told(scribe, "guard.", "search.started", "activity.started", "stay.moved"), 12):
        if "officer" in row.data:
            row.data["officer"] = one
        elif "incoming" in row.data:
            row.data[rng.choice(("incoming", "outgoing"))] = one
        else:
            row.data["escorts" if "escorts" in row.data else "officers"] = [one]


def written_elsewhere(scribe: Scribe, rng: random.Random) -> None:
    """Times with another UTC offset: the day may be another one."""
    for row in scribe.rows:
        if rng.random() < 0.3:
            row.offset_s = rng.choice((0, OFFSET_S, 9 * 3600, -5 * 3600))


def clock_set(scribe: Scribe, rng: random.Random) -> None:
    """From some moment on the clock shows another time; not every step is told."""
    at, by = rng.randint(scribe.begin + 60, scribe.end), rng.choice((-200, -30, -6, -5, -3, 4, 7, 100))
    for row in scribe.rows:
        if row.written >= at:
            row.t, row.written, row.clock = row.t + by, row.written + by, row.clock + 1
    if rng.random() < 0.8:
        stepped = Row(at + by, at + by, "clock.stepped", {"by_s": by}, scribe.new_id(at), clock=1)
        scribe.rows.insert(0, stepped)


MISHAPS = (
    one_second, one_second, said_twice, left_out, misnamed, one_id_again, after_the_exit, before_the_arrival,
    another_place, started_again, handed_round, written_elsewhere, clock_set,
)  # fmt: skip

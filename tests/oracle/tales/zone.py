"""The zone of a story: its rooms, its pulse, its cameras, its guards."""

from __future__ import annotations

from typing import Any

from .people import AUXILIARIES, DOCTORS, OTHERS, POLICE
from .scribe import Row, Scribe, iso

ROOMS = (
    ("w1", "custody", "waiting"),
    ("w2", "custody", "waiting"),
    ("i1", "custody", "interview"),
    ("i2", "custody", "interview"),
    ("s1", "custody", "search"),
    ("s2", "custody", "search"),
    ("c1", "custody", "collection"),
    ("cor", "custody", "corridor"),
    ("toi", "custody", "toilet"),
    ("sob", "custody", "sobering"),
    ("rec", "reception", "other"),
    ("off", "office", "other"),
)
DOORS = ("front", "side", "back")
FAULTS = ("no_signal", "not_recording", "frozen", "dark", "covered", "moved", "no_audio", "clock", "storage")


def describe(scribe: Scribe, t: int) -> None:
    rng = scribe.rng
    rooms = []
    for name, area, purpose in ROOMS:
        if name == "s2" and scribe.chance(0.5):
            continue
        cameras = [f"cam-{name}-{n}" for n in range(rng.choices((0, 1, 2), weights=(1, 12, 5))[0])]
        scribe.cameras[name] = sorted({*scribe.cameras.get(name, []), *cameras})
        coverage = rng.choice(("any", "all"))
        audio = scribe.chance(0.9) if purpose == "interview" else scribe.chance(0.5)
        rooms.append(
            {
                "id": name, "name": name, "area": area, "purpose": purpose,
                "cameras": cameras, "coverage": coverage, "audio": audio,
            }
        )  # fmt: skip
    together = rng.choice(("lock", None))
    doors = [
        {"id": "front", "name": "front", "from": "rec", "to": "cor", "contact": True, "interlock": together},
        {"id": "side", "name": "side", "from": "rec", "to": "cor", "contact": True, "interlock": together},
        {"id": "back", "name": "back", "from": "off", "to": "cor", "contact": False, "interlock": None},
    ]
    scribe.write(t, "zone.described", {"rooms": rooms, "doors": doors})


def start(scribe: Scribe, t: int) -> None:
    scribe.write(t, "zone.started", {"version": "1", "parts": ["doors"], "clean": scribe.chance(0.5)})


def pulse(scribe: Scribe, silences: list[tuple[int, int]], every: int) -> None:
    """Heartbeats, with a clock that is now and then off."""
    offset: tuple[float | None, float | None] = (0, 0.5)
    t = scribe.begin + 1
    while t <= scribe.end:
        if scribe.chance(0.03):
            offset = scribe.rng.choice(
                ((0, 0.5), (None, None), (6, 1), (5, 0), (6, 0), (-6, 0), (7, 1.5), (61, 1), (-61, 0), (7, None))
            )
        elif scribe.chance(0.2):
            offset = (0, 0.5)
        clock = {"synchronised": offset[0] == 0, "offset_s": offset[0], "uncertainty_s": offset[1]}
        if not any(a < t < b for a, b in silences):
            disk = {"free_bytes": 10**9, "retention_days": 90}
            scribe.write(t, "zone.heartbeat", {"parts": {"doors": True}, "clock": clock, "disk": disk})
        t += every


def silences(scribe: Scribe) -> list[tuple[int, int]]:
    """(from, to): the zone writes nothing in between; some end with a start of the zone."""
    found: list[tuple[int, int]] = []
    if not scribe.switches.silences:
        return found
    for _ in range(scribe.rng.choices((0, 1, 2, 3), weights=(4, 4, 2, 1))[0]):
        a = scribe.rng.randint(scribe.begin + 100, scribe.end)
        found.append((a, a + scribe.near(150, 150, 152, 170, 300, 600)))
    return found


def restarts(scribe: Scribe, quiet: list[tuple[int, int]]) -> list[int]:
    found: list[int] = []
    if not scribe.switches.restarts:
        return found
    for _, b in quiet:
        if scribe.chance(0.5) and b < scribe.end:
            found.append(b)
    if scribe.chance(0.3):
        found.append(scribe.rng.randint(scribe.begin + 60, scribe.end))
    for t in found:
        start(scribe, t)
    return found


def camera(scribe: Scribe, name: str, starts: list[int]) -> None:
    """States of one camera: mostly recording, at times not for about as long as a threshold."""
    rng = scribe.rng
    state, changed = "recording", scribe.begin

    def say(t: int, state: str, since: int) -> None:
        audio = rng.choices(("good", "bad", "none", "unknown"), weights=(12, 2, 1, 1))[0]
        faults = rng.sample(FAULTS, rng.randint(1, 2)) if state in ("impaired", "lost") else []
        data = {"camera": name, "state": state, "audio": audio, "faults": faults, "since": iso(min(since, t))}
        scribe.write(t, "camera.state", data)

    for begin in [scribe.begin, *starts]:
        t = begin + (scribe.near(60) if scribe.chance(0.2) else rng.randint(1, 20))
        if scribe.chance(0.2):
            say(begin + 1, "unknown", begin)
        if scribe.chance(0.95):
            say(t, rng.choices(("recording", "lost", "impaired"), weights=(9, 1, 1))[0], t - rng.randint(0, 30))
    t = scribe.begin + rng.randint(100, 1500)
    while scribe.switches.faults and t < scribe.end:
        state = rng.choices(("lost", "impaired", "unknown"), weights=(4, 3, 1))[0]
        back = t + scribe.near(2, 10, 10, 60, 60, 600, 15)
        detected = t + rng.choice((0, 0, 1, 3, 8))
        say(detected, state, t)
        changed = back + rng.choice((0, 0, 1, 5))
        say(max(changed, detected + 1), "recording", back)
        t = max(changed, detected) + rng.choice(
            (scribe.near(10, 8), rng.randint(60, 4000), rng.randint(600, 9000))
        )


def guard(scribe: Scribe, room: str, starts: list[int]) -> None:
    """One lane of guards in a room, with absences about as long as a threshold."""
    rng = scribe.rng
    pool = [*POLICE, *POLICE, *AUXILIARIES, *AUXILIARIES, *DOCTORS, *OTHERS]
    t = scribe.begin + rng.randint(1, 600)
    while t < scribe.end:
        who = rng.choice(pool)
        valid = rng.choice((None, None, None, 60, 180, 600, 1800))
        present(scribe, room, who, t, valid)
        stays_for = rng.choice((scribe.near(60, 60, 180, 600), rng.randint(600, 5000), rng.randint(600, 5000)))
        leaves = t + stays_for
        for begin in starts:
            if t <= begin < leaves and scribe.chance(0.7):
                present(scribe, room, who, begin + scribe.near(300, 60, 20), valid)
        again = t + (valid or 3600)
        while again < leaves and scribe.chance(0.8):
            present(scribe, room, who, again + rng.choice((-30, -1, 0, 1, 12, 25)), valid)
            again += valid or 3600
        if scribe.chance(0.35):
            t = handover(scribe, room, who, rng.choice(pool), leaves)
        elif scribe.chance(0.85):
            scribe.write(leaves, "guard.absent", {"room": room, "officer": who})
            t = leaves
        t = max(t, leaves) + scribe.near(9, 10, 20, 30, 60, 180, 600)


def present(scribe: Scribe, room: str, who: dict[str, Any], t: int, valid: int | None) -> None:
    data = {"room": room, "officer": who, "proof": scribe.rng.choice(("card", "terminal")), "valid_for_s": valid}
    scribe.write(t, "guard.present", data, scribe.now_and_late(t))


def handover(scribe: Scribe, room: str, out: dict[str, Any], into: dict[str, Any], t: int) -> int:
    rng = scribe.rng
    if out["id"] == into["id"]:
        return t
    if scribe.chance(0.75):
        present(scribe, room, into, t + rng.choice((-1, 1)) * scribe.near(120, 10, 5), None)
    stays = scribe.people_in(room, t)
    if stays and scribe.chance(0.2):
        stays.pop(rng.randrange(len(stays)))
    if scribe.where and scribe.chance(0.15):
        stays = sorted({*stays, rng.choice(sorted(scribe.where))})
    scribe.write(t, "guard.handover", {"room": room, "outgoing": out, "incoming": into, "stays": stays})
    leaves = t + rng.randint(60, 3700)
    if scribe.chance(0.8):
        scribe.write(leaves, "guard.absent", {"room": room, "officer": into})
    return leaves


def steps_of_the_clock(scribe: Scribe) -> None:
    for _ in range(scribe.rng.choices((0, 1, 2), weights=(6, 3, 1))[0]):
        t = scribe.rng.randint(scribe.begin, scribe.end)
        by = scribe.rng.choice((-1, 1)) * scribe.near(5, 5, 60)
        scribe.write(t, "clock.stepped", {"by_s": by})


def audits(scribe: Scribe) -> None:
    """Audits of cameras where somebody was, most of them soon, some a day late."""
    rng = scribe.rng
    for stay, steps in sorted(scribe.where.items()):
        keen = rng.choice((0.0, 0.5, 1.0)) if scribe.switches.audits else 0.0
        for (since, room), (until, _) in zip(steps, [*steps[1:], (scribe.end, None)], strict=True):
            if room is None or until <= since:
                continue
            for name in scribe.cameras.get(room, []):
                if scribe.chance(keen):
                    audit(
                        scribe, name, since - rng.choice((0, 0, 5, 60)), until + rng.choice((0, 0, 0, -1, 5)), stay
                    )


def audit(scribe: Scribe, name: str, a: int, b: int, stay: str) -> None:
    rng = scribe.rng
    if b <= a:
        return
    gone = scribe.where[stay][-1][0]
    written = b + rng.choice((0, 5, 30, 120))
    if scribe.switches.next_day and scribe.chance(0.1):
        written = max(written, gone + 86400 + rng.choice((-1, 0, 1, 60)))
    uncertainty = rng.choice((0, 0, 1, 2, 8, 50))
    data = {
        "camera": name, "start": iso(a), "end": iso(b),
        "covered": _spans(scribe, a, b, uncertainty), "audio": _spans(scribe, a, b, uncertainty),
        "source": "local", "clock_offset_s": rng.choice((None, 0, 0, 0, uncertainty + scribe.near(5, 60))),
        "uncertainty_s": uncertainty, "manifest": "0" * 64,
    }  # fmt: skip
    scribe.write(written, "recording.audited", data)


def _spans(scribe: Scribe, a: int, b: int, uncertainty: int) -> list[list[str]]:
    """What a recorder holds of [a, b): all, or all but holes about as long as a threshold."""
    found, t = [], a
    while t < b:
        whole = scribe.chance(0.6)
        end = b if whole else min(b, t + scribe.near(10, 60, 300, 600))
        if end > t:
            found.append([iso(t), iso(end)])
        t = end + 1 + uncertainty * scribe.rng.choice((0, 1)) + scribe.near(2, 10, 60)
    return found


def losses(scribe: Scribe) -> None:
    names = sorted(name for cameras in scribe.cameras.values() for name in cameras)
    for _ in range(scribe.rng.choices((0, 1, 2), weights=(6, 3, 1))[0]):
        a = scribe.rng.randint(scribe.begin, scribe.end)
        b = a + scribe.rng.randint(1, 2000)
        data = {"camera": scribe.rng.choice(names), "start": iso(a), "end": iso(b), "cause": "disk"}
        scribe.write(b + scribe.near(60), "recording.lost", data)


def fall_silent(scribe: Scribe, quiet: list[tuple[int, int]]) -> None:
    """What people wrote in a silence is written after it; what machines said is lost."""
    kept: list[Row] = []
    for row in scribe.rows:
        hit = next(((a, b) for a, b in quiet if a < row.written < b), None)
        if hit is None:
            kept.append(row)
        elif row.type.startswith(("stay.", "search.", "activity.", "leave.", "measure.", "collection.", "guard.")):
            row.written = hit[1] + scribe.rng.choice((1, 30, 299, 300, 301))
            kept.append(row)
    scribe.rows = kept

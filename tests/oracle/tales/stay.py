"""One person's stay, told step by step, with lengths close to the thresholds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .people import HOURS_THAT_BITE, KINDS, flags, police, team
from .scribe import Scribe, iso
from .zone import DOORS

WAITING = ("w1", "w1", "w1", "w2", "sob")
ANYWHERE = ("w1", "w1", "w2", "sob", "cor", "toi", "i1", "i2", "s1", "c1", "rec", "x9")
REASONS = (
    "retrieve_evidence",
    "scene_identification",
    "body_identification",
    "medical",
    "medical",
    "transfer",
    "other",
)


class Teller:
    """Tells one stay; ``t`` is where the story stands."""

    def __init__(self, scribe: Scribe, number: int, begin: int) -> None:
        self.scribe, self.rng = scribe, scribe.rng
        self.stay = f"nz01-20261123-{number:03d}"
        self.t = begin
        self.room = ""
        self.counter = 0
        self.open: list[str] = []
        self.limit_at = 0
        scribe.where[self.stay] = []

    def write(self, type_: str, t: int | None = None, **data: Any) -> None:
        t = self.t if t is None else t
        self.scribe.write(t, type_, {"stay": self.stay, **data}, self.scribe.now_and_late(t))

    def next_id(self, letter: str) -> str:
        self.counter += 1
        return f"{letter}{self.stay[-3:]}-{self.counter}"

    def be_in(self, room: str | None) -> None:
        self.room = room or ""
        self.scribe.where[self.stay].append((self.t, room))

    def tell(self, end: int) -> None:
        self.arrive()
        self.come_in("stay.entered")
        if self.rng.random() < 0.75:
            self.search()
        if self.rng.random() < 0.7:
            self.collect(["basic"])
        steps: list[tuple[int, Callable[[], None]]] = [
            (2, self.search), (2, self.collect_more), (5, self.move), (6, self.talk), (6, self.wait),
            (3, self.leave), (1, self.change_flags), (2, self.change_measure), (1, self.hold), (1, self.care),
            (2, self.be_attended), (2, self.look_in),
        ]  # fmt: skip
        for _ in range(self.rng.randint(1, 9)):
            if self.t > end:
                break
            self.rng.choices([step for _, step in steps], weights=[w for w, _ in steps])[0]()
            self.t += self.rng.choice((0, 1, 5, 60, 200))
        if self.scribe.chance(0.75):
            self.exit()

    # Coming and going

    def arrive(self) -> None:
        scribe, rng = self.scribe, self.rng
        category = rng.choices(("suspect", "witness", "victim", "other"), weights=(14, 2, 1, 1))[0]
        said = flags(rng)
        if scribe.chance(0.92):
            self.write(
                "stay.arrived", person="c", category=category, flags=said,
                sex=rng.choice(("m", "m", "f", "unknown")),
                case={"id": "k1", "kind": rng.choice(("criminal", "administrative"))}, measure=self.a_measure(),
                brought_by=police(rng, 1), via="front",
                exempt=rng.choices((None, "mediation", "summary_procedure"), weights=(12, 1, 1))[0],
            )  # fmt: skip
        self.t += scribe.near(600, 1800) if scribe.chance(0.3) else rng.randint(10, 400)

    def a_measure(self) -> dict[str, Any]:
        rng = self.rng
        kind = rng.choice(sorted(KINDS))
        since = None
        if self.scribe.chance(0.45):
            hours = rng.choice(HOURS_THAT_BITE[kind])
            self.limit_at = self.t + rng.choice((0, 1, 60, 600, 2000, 4000, rng.randint(0, 9000)))
            since = iso(self.limit_at - hours * 3600)
        return {"kind": kind, "limit_hours": rng.choice(KINDS[kind]), "document": None, "since": since}

    def come_in(self, type_: str) -> None:
        scribe, rng = self.scribe, self.rng
        door = rng.choice(DOORS)
        if scribe.chance(0.85):
            granted = self.t - (scribe.near(600, 120) if scribe.chance(0.15) else rng.randint(0, 20))
            self.grant(door if scribe.chance(0.85) else "side", granted)
        self.be_in(rng.choice(("s1", "s1", "cor", "w1", "w2")))
        self.write(type_, door=door, room=self.room, escorts=team(rng, 0, 2))
        if scribe.chance(0.05):
            self.t += rng.randint(1, 100)
            self.write("stay.entered", door=door, room=self.room, escorts=team(rng, 0, 2))

    def grant(self, door: str, t: int) -> None:
        rng = self.rng
        for _ in range(rng.choice((1, 1, 1, 2, 3))):
            data = {
                "door": door, "reader": "r1", "direction": "in", "officer": police(rng, 1)[0], "second": None,
                "purpose": rng.choices(("bring_in", "pass"), weights=(6, 1))[0], "stay": None,
            }  # fmt: skip
            self.scribe.write(t, "door.granted", data)
            if self.scribe.chance(0.85):
                opened = t + (self.scribe.near(30) if self.scribe.chance(0.2) else rng.randint(0, 9))
                self.scribe.write(opened, "door.opened", {"door": door})
            t += self.scribe.near(120, 60)

    def leave(self) -> None:
        scribe, rng = self.scribe, self.rng
        self.open.clear()
        permit = self.next_id("l")
        reason = rng.choice(REASONS)
        return_by = self.t + rng.randint(60, 1200)
        approval = {
            "permit": permit, "reason": reason,
            "approver": {"id": "p9", "role": rng.choices(("unit_head", "duty_chief"), weights=(5, 1))[0]},
            "return_by": rng.choice((iso(return_by), iso(return_by), None)),
        }  # fmt: skip
        how = rng.choice(("before", "before", "before", "after", "never", "again"))
        if how == "before":
            self.write("leave.approved", t=self.t - rng.choice((0, 1, 60)), **approval)
        elif how == "after":
            written = self.t + (scribe.near(7200) if scribe.chance(0.5) else rng.randint(1, 900))
            scribe.write(written, "leave.approved", {"stay": self.stay, **approval})
        elif how == "again":
            permit = f"l{self.stay[-3:]}-{rng.randint(1, self.counter)}"
        named = permit if scribe.chance(0.85) else None
        said = rng.choice((reason, reason, "medical", None))
        self.write("stay.left", door=rng.choice(DOORS), permit=named, reason=said, escorts=team(rng, 0, 2))
        self.be_in(None)
        self.t += rng.choice((rng.randint(30, 1500), max(0, return_by + 900 - self.t) + rng.choice((-1, 0, 1))))
        if scribe.chance(0.85):
            self.come_in("stay.returned")
        else:
            self.be_in("rec")

    def exit(self) -> None:
        rng = self.rng
        if self.limit_at > self.t and self.scribe.chance(0.3):
            self.t = self.limit_at + rng.choice((-1, 0, 1))
        self.write(
            "stay.exited", door=rng.choice(DOORS), reason=rng.choice(("released", "transferred", "detained")),
            destination=rng.choice((None, "court")),
            belongings=rng.choices(("returned", "none", "unsettled"), weights=(6, 2, 1))[0],
            signed=self.scribe.chance(0.9),
        )  # fmt: skip
        self.be_in(None)

    def move(self) -> None:
        self.open.clear()
        self.be_in(self.rng.choice(ANYWHERE))
        self.write("stay.moved", room=self.room, escorts=team(self.rng, 0, 2))
        self.t += self.scribe.near(300, 60, 120, 180)

    def look_in(self) -> None:
        """In a waiting room with others for about as long as is borne."""
        self.be_in("w1")
        self.write("stay.moved", room=self.room, escorts=team(self.rng, 0, 1))
        self.t += self.scribe.near(60)
        self.be_in(self.rng.choice(("cor", "w2", "i1")))
        self.write("stay.moved", room=self.room, escorts=team(self.rng, 0, 2))

    # What is done

    def search(self) -> None:
        scribe, rng = self.scribe, self.rng
        if scribe.chance(0.2):
            self.t += scribe.near(900, 1800, 1800, 3600)
        search, kind, officers = self.next_id("s"), rng.choice(("safety", "body")), team(rng, 1, 3)
        room = rng.choice(("s1", "s1", "s2", self.room or "s1"))
        if scribe.chance(0.93):
            self.be_in(room)
            self.write("search.started", search=search, room=room, kind=kind, officers=officers)
        self.t += scribe.near(60, 60, 180) if scribe.chance(0.5) else rng.randint(60, 500)
        if scribe.chance(0.08):
            self.move()
        if scribe.chance(0.9):
            self.write(
                "search.finished", search=search, room=room, kind=kind, officers=officers,
                injuries=rng.choice(("none", "none", "described", None)),
                belongings=rng.choice(("listed", "listed", "none", None)), signed=scribe.chance(0.9),
            )  # fmt: skip
        self.t += scribe.near(120, 20, 5)

    def collect(self, items: list[str]) -> None:
        approval = self.rng.choice((None, "w-17"))
        self.write("collection.finished", items=items, approval=approval, officers=team(self.rng, 1, 2))

    def collect_more(self) -> None:
        self.t += self.scribe.near(600, 300)
        items = ("basic", "portrait", "fingerprint", "phone", "dna")
        self.collect(self.rng.sample(items, self.rng.randint(1, 2)))

    def talk(self) -> None:
        kind = self.rng.choice(("interview", "interview", "interview", "identification", "meeting"))
        room = self.rng.choices(("i1", "i2", "rec", "off", self.room or "i1"), weights=(8, 3, 1, 1, 1))[0]
        self.activity(kind, room, team(self.rng, 0, 3) if self.scribe.chance(0.5) else police(self.rng, 2))

    def be_attended(self) -> None:
        kind = self.rng.choice(("medical", "meal", "rest", "phone", "sobering", "sobering", "other"))
        room = self.room or "w1"
        self.activity(kind, room if self.scribe.chance(0.7) else "sob", team(self.rng, 0, 2))

    def activity(self, kind: str, room: str, officers: list[dict[str, Any]]) -> None:
        scribe, rng = self.scribe, self.rng
        named = self.next_id("v")
        exempt = rng.choices((None, "emergency", "ill"), weights=(14, 1, 1))[0]
        self.be_in(room)
        self.write("activity.started", activity=named, kind=kind, room=room, officers=officers, exempt=exempt)
        for _ in range(rng.choice((0, 0, 1, 2, 3))):
            self.t += scribe.near(60, 60, 20, 180)
            some = rng.choice((police(rng, rng.randint(0, 2)), team(rng, 0, 2)))
            self.write("activity.officers", activity=named, officers=some)
        self.t += scribe.near(60, 180, 30) if scribe.chance(0.5) else rng.randint(60, 2500)
        if scribe.chance(0.9):
            self.write("activity.ended", activity=named, signed=scribe.chance(0.9))
            self.t += scribe.near(120, 180, 300) if scribe.chance(0.5) else 0

    def wait(self) -> None:
        """In a waiting room, with checks about as far apart as the limit of the level."""
        scribe, rng = self.scribe, self.rng
        if scribe.chance(0.8):
            self.be_in(rng.choice(WAITING))
            self.write("stay.moved", room=self.room, escorts=team(rng, 0, 2))
        for _ in range(rng.choice((1, 1, 2, 3))):
            grace = rng.choice((0, 60, 60, 60))
            usual = rng.choice((1800, 1800, 3600)) + grace + rng.choice((-1, 0, 1))
            self.t += usual if scribe.chance(0.45) else rng.randint(60, 1500)
            if scribe.chance(0.8):
                there = self.room if scribe.chance(0.85) else "w2"
                self.write(
                    "check.made", room=there, officer=(team(rng, 1, 2))[0], note="",
                    terminal=rng.choice((there, there, None, "cor")),
                )  # fmt: skip

    # What changes

    def change_flags(self) -> None:
        level = self.rng.choice(("general", "general", "intermittent", "constant"))
        self.write("flags.changed", flags=flags(self.rng), level=level)

    def change_measure(self) -> None:
        """At times written about when the limit before it is reached."""
        before = self.limit_at
        data = {"stay": self.stay, "measure": self.a_measure(), "approver": {"id": "p9", "role": "unit_head"}}
        about = before + self.rng.choice((-1, 0, 1))
        written = about if before and self.scribe.chance(0.5) else self.scribe.now_and_late(self.t)
        self.scribe.write(self.t, "measure.changed", data, written)

    def hold(self) -> None:
        type_ = self.rng.choice(("hold.set", "hold.set", "hold.released"))
        self.write(type_, by=police(self.rng, 1)[0], reason="case")

    def care(self) -> None:
        kind = self.rng.choice(("meal", "water", "toilet"))
        self.write("care.recorded", kind=kind, accepted=True)

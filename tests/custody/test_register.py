"""The register as it stands now."""

from typing import Any

from config.clock import ManualClock
from custody.events import Draft, Event, Stamp, encode_line, event_id, parse_line
from custody.register import Register, effective

STAY = "nz01-20261123-001"
OFFICER = {"id": "p0231", "rank": "police", "sex": "m"}
GUARD = {"id": "a0112", "rank": "auxiliary", "sex": "f"}


class Story:
    """Writes events one second apart."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.events: list[Event] = []

    def tell(self, type_: str, **data: Any) -> Event:
        self.clock.advance(1)
        number = len(self.events) + 1
        now_us = self.clock.now_us()
        stamp = Stamp(
            event_id(now_us, number.to_bytes(10, "big")), "nz01", "0" * 16, number, now_us, 28800, "b", 1.0
        )
        self.events.append(parse_line(encode_line(Draft(type_, data), stamp)))
        return self.events[-1]

    def register(self) -> Register:
        register = Register()
        for event in effective(self.events):
            register.apply(event)
        return register

    def arrive(self) -> None:
        self.tell(
            "stay.arrived",
            stay=STAY,
            person="c0",
            category="suspect",
            sex="f",
            flags=["minor"],
            case={"id": "A1", "kind": "criminal"},
            measure={"kind": "criminal_summons", "limit_hours": 12},
            brought_by=[OFFICER],
            via="gate",
            exempt=None,
        )

    def enter(self, type_: str = "stay.entered") -> None:
        self.tell(type_, stay=STAY, door="front-door", room="corridor", escorts=[OFFICER])

    def search(self) -> None:
        fields = {"stay": STAY, "search": "s1", "room": "search", "kind": "safety", "officers": [OFFICER, GUARD]}
        self.tell("search.started", **fields)
        self.tell("search.finished", **fields, injuries="none", belongings="none", signed=True)


def test_a_stay_is_awaited_until_it_is_brought_in() -> None:
    story = Story()
    story.arrive()
    assert [stay.id for stay in story.register().awaited()] == [STAY]
    story.enter()
    register = story.register()
    assert register.awaited() == []
    assert [(stay.id, stay.room) for stay in register.inside()] == [(STAY, "corridor")]


def test_a_search_brings_the_stay_into_its_room_and_counts_for_the_round() -> None:
    story = Story()
    story.arrive()
    story.enter()
    story.search()
    stay = story.register().stays[STAY]
    assert (stay.room, stay.searched_this_round) == ("search", True)


def test_a_return_begins_a_new_round_that_needs_a_new_search() -> None:
    story = Story()
    story.arrive()
    story.enter()
    story.search()
    story.tell(
        "leave.approved",
        stay=STAY,
        permit="p1",
        reason="medical",
        approver={"id": "p0007", "role": "unit_head"},
        return_by=None,
    )
    assert story.register().stays[STAY].open_permit() is not None
    story.tell("stay.left", stay=STAY, door="front-door", permit="p1", reason="medical", escorts=[OFFICER])
    away = story.register().stays[STAY]
    assert away.away and away.open_permit() is None
    story.enter("stay.returned")
    assert not story.register().stays[STAY].searched_this_round


def test_a_guard_named_elsewhere_is_no_longer_present_and_presence_runs_out() -> None:
    story = Story()
    present = story.tell("guard.present", room="waiting-1", officer=GUARD, proof="card", valid_for_s=60)
    assert len(story.register().guards_in("waiting-1", present.time_us)) == 1
    assert story.register().guards_in("waiting-1", present.time_us + 60_000_000) == []
    story.tell("stay.moved", stay=STAY, room="interview-1", escorts=[GUARD])
    assert story.register().guards_in("waiting-1", present.time_us) == []


def test_a_restart_of_the_zone_ends_presences_and_says_who_must_confirm() -> None:
    story = Story()
    story.tell("guard.present", room="waiting-1", officer=GUARD, proof="card", valid_for_s=None)
    story.tell("zone.started", version="1", parts=[], clean=False)
    register = story.register()
    assert register.guards == {}
    assert list(register.needs_reconfirming) == ["a0112"]


def test_the_last_correction_wins_and_a_void_line_is_left_out() -> None:
    story = Story()
    story.arrive()
    story.enter()
    entered = story.events[-1]
    correction = {"corrects": entered.id, "reason": "wrong room", "by": OFFICER, "void": False}
    story.tell("record.corrected", **correction, data={"room": "search"}, time=None)
    last = story.tell("record.corrected", **correction, data={"room": "waiting-1"}, time=None)
    assert story.register().stays[STAY].room == "waiting-1"
    story.tell("record.corrected", corrects=last.id, reason="no", by=OFFICER, data={}, time=None, void=True)
    assert story.register().stays[STAY].room == "search"
    story.tell("record.corrected", corrects=entered.id, reason="never", by=OFFICER, data={}, time=None, void=True)
    assert not story.register().stays[STAY].inside

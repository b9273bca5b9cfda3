"""What the register writes, and what it refuses."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from config.clock import ManualClock
from config.zone import ZoneSettings
from custody.events import to_datetime
from custody.register import Stay
from edge.register.errors import Forbidden, NotNow, Unknown, WrongTime
from edge.register.persons import Persons
from edge.register.requests import Arrive
from edge.register.service import RegisterService, Written
from sync.ledger import Ledger

Write = Callable[..., Written]
Number = Callable[..., str]


def stay_of(service: RegisterService, id_: str) -> Stay:
    stay = service.book.stay(id_)
    assert stay is not None
    return stay


def test_a_whole_stay_is_written_in_its_order(
    enter: Number, search: Callable[[str], None], write: Write, types: Callable[[], list[str]]
) -> None:
    stay = enter()
    search(stay)
    write("collect", stay=stay, items=["basic"], officers=["p0231"])
    write("move", stay=stay, room="waiting-1", escorts=["p0231"])
    write("guard-present", room="waiting-1", officer="a0112")
    activity = (
        write("start-activity", stay=stay, kind="interview", room="interview-1", officers=["p0231", "p0145"])
        .events[0]
        .data["activity"]
    )
    write("end-activity", stay=stay, activity=activity, signed=True)
    write("exit", stay=stay, door="front-door", reason="released", belongings="none", signed=True)
    assert types() == [
        "stay.arrived",
        "stay.entered",
        "search.started",
        "search.finished",
        "collection.finished",
        "stay.moved",
        "guard.present",
        "activity.started",
        "activity.ended",
        "stay.exited",
    ]


def test_stays_are_numbered_by_the_local_day_of_the_arrival(arrive: Number, clock: ManualClock) -> None:
    assert arrive() == "nz01-20261123-001"
    assert arrive() == "nz01-20261123-002"
    clock.advance(15.5 * 3600)  # past midnight at +08:00, still the 23rd in UTC
    assert arrive() == "nz01-20261124-001"
    late = to_datetime(clock.now_us()) - timedelta(hours=2)
    assert arrive(time=late) == "nz01-20261123-003"


def test_two_services_on_one_ledger_never_give_out_one_number(
    settings: ZoneSettings, persons: Persons, clock: ManualClock, arrive: Number, ledger: Ledger
) -> None:
    zone = settings.zone
    second = Ledger.open(settings.ledger_dir, zone=zone.id, deployment=zone.deployment, clock=clock)
    other = RegisterService(settings, second, persons, clock)
    plain = Arrive.model_validate(
        {
            "by": "p0145",
            "sex": "m",
            "case": {"kind": "criminal"},
            "measure": {"kind": "none"},
            "via": "front-door",
        }
    )
    with ThreadPoolExecutor(2) as pool:
        theirs = pool.submit(lambda: [other.write(plain).stay for _ in range(20)])
        ours = [arrive() for _ in range(20)]
        numbers = [*ours, *theirs.result(30)]
    assert len(set(numbers)) == 40
    other.book.close()
    second.close()


def test_what_happened_earlier_keeps_both_times(arrive: Number, write: Write, clock: ManualClock) -> None:
    stay = arrive()
    clock.advance(900)
    happened = to_datetime(clock.now_us()) - timedelta(minutes=10)
    event = write("enter", stay=stay, door="front-door", room="corridor", time=happened).events[0]
    assert event.written_us - event.time_us == 600 * 1_000_000


def test_the_future_and_the_time_before_the_arrival_are_refused(
    arrive: Number, write: Write, clock: ManualClock
) -> None:
    stay = arrive()
    now = to_datetime(clock.now_us())
    for wrong in (now + timedelta(minutes=1), now - timedelta(minutes=1), now - timedelta(days=31)):
        with pytest.raises(WrongTime):
            write("enter", stay=stay, door="front-door", room="corridor", time=wrong)


def test_nobody_enters_twice_or_moves_while_outside(enter: Number, arrive: Number, write: Write) -> None:
    inside, outside = enter(), arrive()
    with pytest.raises(NotNow, match="inside the zone already"):
        write("enter", stay=inside, door="front-door", room="corridor")
    with pytest.raises(NotNow, match=r"not inside the zone\. Register the entry first"):
        write("move", stay=outside, room="waiting-1")


def test_after_the_exit_nothing_more_is_written_of_a_stay(
    arrive: Number, write: Write, types: Callable[[], list[str]]
) -> None:
    stay = arrive()
    write("exit", stay=stay, door="front-door", reason="released", belongings="none", signed=True)
    before = types()
    with pytest.raises(NotNow, match="has already exited"):
        write("enter", stay=stay, door="front-door", room="corridor")
    assert types() == before


@pytest.mark.parametrize(
    ("act", "fields", "named"),
    [
        ("enter", {"stay": "nz01-20261123-999", "door": "front-door", "room": "corridor"}, "nz01-20261123-999"),
        ("guard-present", {"room": "attic", "officer": "a0112"}, "attic"),
        ("guard-present", {"room": "waiting-1", "officer": "p9999"}, "p9999"),
        ("void", {"event": "no-such-line", "reason": "typing mistake"}, "no-such-line"),
    ],
)
def test_what_does_not_exist_is_named(write: Write, act: str, fields: dict[str, Any], named: str) -> None:
    with pytest.raises(Unknown, match=named):
        write(act, **fields)


def test_an_officer_who_has_left_the_zone_cannot_act(write: Write) -> None:
    with pytest.raises(NotNow, match="p0999 is not active"):
        write("guard-present", room="waiting-1", officer="p0999")


def test_who_wrote_an_act_is_in_the_event(arrive: Number, service: RegisterService) -> None:
    stay = arrive(by="p0118")
    assert service.book.of_stay(stay)[0].data["recorded_by"] == "p0118"


def test_what_a_search_brings_to_light_is_written_with_it(
    enter: Number, write: Write, service: RegisterService
) -> None:
    stay = enter()
    write("start-search", stay=stay, room="search", officers=["p0231", "p0145"])
    listed = {"items": [{"name": "手机"}, {"name": "现金", "quantity": 3}], "locker": "7", "signed": True}
    written = write(
        "finish-search",
        stay=stay,
        injuries="described",
        signed=True,
        flags=["injured"],
        property=listed,
        health={"injuries": "左手背擦伤"},
    )
    finished, received, flags = written.events
    assert (finished.data["belongings"], received.data["count"]) == ("listed", 4)
    assert (flags.data["flags"], flags.data["level"]) == (["injured"], "constant")
    assert stay_of(service, stay).level == "constant"


def test_a_correction_changes_what_the_register_says_and_leaves_the_line(
    enter: Number, write: Write, service: RegisterService, ledger: Ledger
) -> None:
    stay = enter()
    entered = service.book.of_stay(stay)[1]
    write("correct", event=entered.id, reason="选错房间", data={"room": "waiting-1"})
    assert stay_of(service, stay).room == "waiting-1"
    assert any(event.line == entered.line for event in ledger.events())


def test_a_correction_that_breaks_the_line_is_refused(
    enter: Number, write: Write, service: RegisterService
) -> None:
    entered = service.book.of_stay(enter())[1]
    with pytest.raises(NotNow, match="would not be valid"):
        write("correct", event=entered.id, reason="typing mistake", data={"room": "候问室"})
    with pytest.raises(NotNow, match="changes nothing"):
        write("correct", event=entered.id, reason="typing mistake")


def test_what_a_device_wrote_cannot_be_corrected(write: Write, append: Callable[..., Any]) -> None:
    opened = append("door.opened", door="front-door")[0]
    with pytest.raises(NotNow, match="written by a device"):
        write("void", event=opened.id, reason="nobody was there")


def test_a_void_line_counts_no_more_until_its_voiding_is_voided(
    enter: Number, write: Write, service: RegisterService
) -> None:
    stay = enter()
    entered = service.book.of_stay(stay)[1]
    voiding = write("void", event=entered.id, reason="登记到了别人名下").events[0]
    assert not stay_of(service, stay).inside
    write("void", event=voiding.id, reason="作废有误")
    assert stay_of(service, stay).inside


def test_a_void_arrival_does_not_free_its_number(arrive: Number, write: Write, service: RegisterService) -> None:
    first = arrive()
    write("void", event=service.book.of_stay(first)[0].id, reason="重复登记")
    assert arrive() != first


def test_a_declared_passage_is_a_command_in_the_ledger(enter: Number, write: Write) -> None:
    stay = enter()
    event = write("declare-passage", door="front-door", purpose="take_out", stay=stay).events[0]
    assert (event.type, event.data["command"], event.data["actor"]) == (
        "command.received",
        "passage",
        "p0231",
    )
    assert event.data["args"] == {
        "door": "front-door",
        "purpose": "take_out",
        "stay": stay,
    }


def test_a_handover_brings_the_incoming_guard_with_the_list_of_who_is_there(
    enter: Number, write: Write, service: RegisterService
) -> None:
    stay = enter()
    write("move", stay=stay, room="waiting-1", escorts=["p0231"])
    write("guard-present", room="waiting-1", officer="p0145")
    present, handover = write("handover", room="waiting-1", outgoing="p0145", incoming="a0112").events
    assert (present.type, present.data["proof"]) == ("guard.present", "handover")
    assert handover.data["stays"] == [stay]
    with pytest.raises(Forbidden, match="list does not match"):
        write("handover", room="waiting-1", outgoing="a0112", incoming="p0145", stays=[])


def test_a_guard_who_is_not_there_cannot_go(write: Write) -> None:
    with pytest.raises(NotNow, match="does not guard"):
        write("guard-absent", room="waiting-1", officer="a0112")


def test_somebody_is_brought_in_or_taken_out_never_nobody(write: Write) -> None:
    for purpose in ("bring_in", "take_out"):
        with pytest.raises(NotNow, match="are of a person"):
            write("declare-passage", door="front-door", purpose=purpose)
    assert write("declare-passage", door="front-door", purpose="rounds").events

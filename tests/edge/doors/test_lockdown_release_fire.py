"""How doors stand until further notice: lockdown, release, fire."""

import pytest

from custody.events import DoorPart
from devices.doors.lock import LockState
from edge.doors.facts import Lock, Unlock
from edge.doors.leaf import Phase
from edge.doors.mode import USUAL, Mode

FAIL_SAFE = {
    "driver": "simulated",
    "hardware": "power_to_lock",
    "relay": "normally_closed",
    "on_controller_loss": "locked",
    "on_power_loss": "unlocked",
}


def types(told):
    return [type_ for type_, _ in told]


def reason(told):
    ((type_, data),) = told
    assert type_ in ("door.denied", "command.refused"), told
    return data["reason"], data.get("detail")


def test_under_a_lockdown_nobody_passes_but_a_zone_manager(doors):
    ((type_, data),) = doors.change("lockdown")
    assert type_ == "door.mode"
    assert data == {"door": "front-door", "released": None, "locked_down": True, "actor": "m0001"}
    for reader in ("front-door-in", "front-door-out"):
        assert reason(doors.tap("p0231", reader)) == ("not_permitted", "lockdown")
    assert types(doors.tap("m0001")) == ["door.granted"]


def test_under_a_lockdown_no_person_passes_not_even_with_a_zone_manager(doors):
    doors.change("lockdown")
    doors.stay(inside=True, permitted=True)
    doors.declare("take_out", "m0001")
    assert reason(doors.tap("m0001", "front-door-out")) == ("not_permitted", "lockdown")


def test_a_lockdown_locks_what_was_let_open(doors):
    doors.tap("p0231")
    doors.change("lockdown")
    assert doors.actions[-1] == Lock("front-door")
    assert doors.door().commanded is LockState.LOCKED


def test_under_a_lockdown_no_button_and_nobody_from_afar_opens(doors):
    doors.change("lockdown", None)
    ((type_, data),) = doors.press("hatch")
    assert (type_, data["reason"], data["detail"]) == ("door.denied", "not_permitted", "lockdown")
    assert data["by"] == "button"
    assert "lockdown.end" in reason(doors.open_remotely("m0001"))[0]


def test_only_its_own_command_ends_a_lockdown(doors):
    doors.change("lockdown")
    doors.change("release")
    doors.change("secure")
    doors.wait(86_400)
    assert doors.door().mode.locked_down
    assert types(doors.change("lockdown.end")) == ["door.mode"]
    assert types(doors.tap("p0231")) == ["door.granted"]


def test_every_door_can_be_locked_down_at_once_and_each_says_so(doors):
    told = doors.change("lockdown", None)
    assert [data["door"] for _, data in told] == ["front-door", "sally-a", "sally-b", "hatch"]
    told = doors.change("lockdown.end", "hatch")
    assert [data["door"] for _, data in told] == ["hatch"] and doors.door().mode.locked_down


@pytest.mark.parametrize("change", ["lockdown", "lockdown.end", "release", "secure"])
def test_who_may_not_is_refused(doors, change):
    assert "zone_manager" in reason(doors.change(change, actor="p0231"))[0]
    assert "no officer" in reason(doors.change(change, actor="hq-duty"))[0]
    assert "there is no door" in reason(doors.change(change, "cellar"))[0]
    assert doors.door().mode == USUAL and doors.actions == []


def test_whom_the_settings_permit_at_headquarters_may_and_the_answer_has_the_commands_id(doors):
    ((_, data),) = doors.change("lockdown", actor="hq-duty", by_right=True, command="c-1")
    assert (data["actor"], data["command"]) == ("hq-duty", "c-1")
    ((_, data),) = doors.change("lockdown", actor="hq-duty", by_right=True, command="c-2")
    assert data["id"] == "c-2" and "already" in data["reason"]


def test_a_released_door_is_open_for_everybody_until_it_is_secured(doors):
    told = doors.change("release")
    assert told[0] == ("door.released", {"door": "front-door", "cause": "emergency", "actor": "m0001"})
    assert doors.actions == [Unlock("front-door")]
    for _ in range(3):
        assert types(doors.contact("open")) == ["door.opened"]
        assert types(doors.wait(3600)) == [], "it may stand open"
        assert types(doors.contact("closed")) == ["door.closed"]
    assert doors.door().commanded is LockState.UNLOCKED
    assert types(doors.change("secure")) == ["door.mode"]
    assert doors.actions[-1] == Lock("front-door")
    assert types(doors.contact("open")) == ["door.opened", "door.forced"]


def test_a_card_at_a_released_door_is_on_record_and_brings_no_relock(doors):
    doors.change("release")
    assert types(doors.tap("p0231")) == ["door.granted"]
    doors.wait(60)
    assert doors.door().commanded is LockState.UNLOCKED


def test_a_door_that_is_secured_while_it_stands_open_must_close(doors):
    doors.change("release")
    doors.contact("open")
    doors.change("secure")
    assert doors.door().phase is Phase.OPEN
    assert types(doors.wait(31)) == ["door.held"]


def test_a_release_stands_above_a_lockdown_which_is_still_there_afterwards(doors):
    doors.change("lockdown")
    assert types(doors.change("release")) == ["door.released", "door.mode"]
    doors.change("secure")
    assert reason(doors.tap("p0231")) == ("not_permitted", "lockdown")


def test_a_restart_ends_neither(doors):
    doors.change("lockdown")
    doors.change("release", "hatch")
    again = doors.restarted()
    assert again.door().mode == Mode(locked_down=True)
    assert again.actions == [Unlock("hatch")] and again.drafts == []
    assert again.door("hatch").commanded is LockState.UNLOCKED
    again.closed_everywhere()
    assert types(again.change("secure", "hatch")) == ["door.mode"]


@pytest.fixture
def burning(zone_with):
    doors = zone_with(fire={"driver": "simulated"}, sally_a={"lock": FAIL_SAFE}, sally_b={"lock": FAIL_SAFE})
    doors.fire("closed")
    return doors


def test_a_fire_is_recorded_for_the_doors_whose_power_it_cuts_and_they_stay_so(burning):
    told = burning.fire("open")
    released = [(data["door"], data["cause"], data["actor"]) for type_, data in told if type_ == "door.released"]
    assert released == [("sally-a", "fire", None), ("sally-b", "fire", None)]
    assert burning.door("front-door").mode == USUAL
    burning.fire("closed")
    burning.wait(3600)
    assert burning.door("sally-a").commanded is LockState.UNLOCKED, "until somebody has looked"
    assert types(burning.change("secure", None)) == ["door.mode", "door.mode"]
    assert burning.door("sally-a").commanded is LockState.LOCKED


def test_nothing_that_a_fire_releases_is_secured_while_the_fire_input_says_fire(burning):
    burning.fire("open")
    assert "still says fire" in reason(burning.change("secure", "sally-a"))[0]
    burning.change("release", "hatch")
    assert types(burning.change("secure", "hatch")) == ["door.mode"], "its power is not cut"


def test_a_fire_that_burns_at_the_start_is_recorded_once(burning):
    burning.fire("open")
    again = burning.restarted()
    assert again.fire("open") == [] and again.door("sally-a").commanded is LockState.UNLOCKED


def test_a_fire_input_that_cannot_be_read_is_a_fault_and_no_fire(burning):
    told = burning.fire("fault")
    assert [(data["door"], data["part"], data["state"]) for _, data in told] == [
        ("sally-a", "lock", "fault"),
        ("sally-b", "lock", "fault"),
    ]
    assert "fire input" in told[0][1]["detail"]
    assert DoorPart.LOCK not in burning.door("sally-a").faults
    assert [data["state"] for _, data in burning.fire("closed")] == ["restored", "restored"]


def test_a_fire_input_that_could_release_nothing_is_refused(zone_with):
    with pytest.raises(ValueError, match="would release no door"):
        zone_with(fire={"driver": "simulated"})

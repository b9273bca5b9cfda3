import pytest

from config.zone import Headquarters
from custody.events import Event, PassagePurpose
from edge.doors.commands import read_command
from edge.doors.facts import (
    CommandUnusable,
    ModeChange,
    ModeRequested,
    Now,
    OpenRequested,
    PassageDeclared,
    ProvisionRequested,
)
from edge.doors.layout import Layout

BOOT = "b-1"
NOW = Now(1000.0, 0)
STAY = "nz01-20261123-004"


def command(name, args, *, actor="p0231", boottime_s=990.0, bootid=BOOT):
    data = {"command": name, "actor": actor, "reason": None, "args": args}
    return Event("id", "nz01", "command.received", None, 0, 28800, 0, "ledger", 1, bootid, boottime_s, data, b"")


@pytest.fixture
def read(settings):
    layout = Layout.of(settings)
    return lambda event, history=False: read_command(event, layout, NOW, BOOT, history=history)


def test_a_declared_passage_is_valid_for_two_minutes_of_boot_time(read):
    event = command("passage", {"door": "front-door", "purpose": "bring_in", "stay": STAY})
    assert read(event) == PassageDeclared("front-door", "p0231", PassagePurpose.BRING_IN, STAY, 1110.0)


def test_an_opening_is_asked_for(read):
    assert read(command("open", {"door": "front-door"}, actor="m0001")) == OpenRequested("front-door", "m0001")


def test_a_key_is_asked_for_a_reader(read):
    asked = read(command("provision", {"reader": "front-in"}, actor="m0001"))
    assert asked == ProvisionRequested("front-in", "m0001")


def test_one_door_or_every_door_is_to_stand_otherwise(read):
    one = read(command("lockdown.end", {"door": "front-door"}, actor="m0001"))
    assert one == ModeRequested(ModeChange.LOCKDOWN_END, "front-door", "m0001")
    assert read(command("release", {"door": "*"}, actor="m0001")) == ModeRequested(
        ModeChange.RELEASE, None, "m0001"
    )
    assert read(command("lockdown", {"door": "*"}), history=True) is None


@pytest.mark.parametrize(
    ("name", "args"),
    [("open", {"door": "front-door"}), ("lockdown", {"door": "*"}), ("provision", {"reader": "front-in"})],
)
@pytest.mark.parametrize("late", [{"boottime_s": 989.0}, {"bootid": "b-0"}])
def test_what_opens_a_door_or_a_reader_is_refused_when_it_comes_late(read, late, name, args):
    answer = read(command(name, args, **late))
    assert isinstance(answer, CommandUnusable) and "too late" in answer.reason


@pytest.mark.parametrize("late", [{"boottime_s": 879.0}, {"bootid": "b-0"}])
def test_a_passage_declared_long_ago_means_nothing(read, late):
    assert read(command("passage", {"door": "front-door", "purpose": "rounds"}, **late)) is None


def test_history_opens_nothing_and_refuses_nothing_but_a_fresh_passage_still_counts(read):
    assert read(command("open", {"door": "front-door"}), history=True) is None
    assert read(command("open", {}), history=True) is None
    assert read(command("provision", {"reader": "front-in"}), history=True) is None
    assert read(command("passage", {"door": "x", "purpose": "rounds"}), history=True) is None
    passage = read(command("passage", {"door": "front-door", "purpose": "rounds"}), history=True)
    assert isinstance(passage, PassageDeclared)


@pytest.mark.parametrize(
    ("name", "args", "actor", "reason"),
    [
        ("open", {}, "m0001", "args.door is missing"),
        ("open", None, "m0001", "args.door is missing"),
        ("open", {"door": 3}, "m0001", "args.door is missing"),
        ("provision", {"door": "front-door"}, "m0001", "args.reader is missing"),
        ("passage", {"door": "x", "purpose": "pass"}, "p0231", "there is no door 'x'"),
        ("passage", {"door": "front-door", "purpose": "fly"}, "p0231", "it can be pass, bring_in"),
        ("passage", {"door": "front-door"}, "p0231", "args.purpose is None"),
        ("passage", {"door": "front-door", "purpose": "bring_in"}, "p0231", "args.stay is missing"),
        ("passage", {"door": "front-door", "purpose": "pass", "stay": 4}, "p0231", "args.stay is 4"),
        ("passage", {"door": "front-door", "purpose": "pass"}, "z9", "'z9' is no officer"),
    ],
)
def test_a_command_that_cannot_be_understood_is_refused_with_the_reason(read, name, args, actor, reason):
    answer = read(command(name, args, actor=actor))
    assert isinstance(answer, CommandUnusable)
    assert reason in answer.reason and answer.command == name and answer.actor == actor


def test_commands_for_other_parts_are_left_to_them(read):
    assert read(command("camera.audit", {"camera": "cam-1"})) is None


@pytest.mark.parametrize(
    ("actor", "door", "origin", "by_right"),
    [
        ("hq-duty", "front-door", "headquarters", True),
        ("hq-night", "front-door", "headquarters", False),
        ("hq-duty", "inner-door", "headquarters", False),
        ("hq-duty", "front-door", None, False),
    ],
)
def test_only_headquarters_can_say_that_it_was_somebody_there_whom_the_settings_permit_it(
    settings, actor, door, origin, by_right
):
    may = [{"actor": "hq-duty", "commands": ["open"], "doors": ["front-door"]}]
    headquarters = Headquarters.model_validate({"verifier_key": "k", "may": may})
    layout = Layout.of(settings.model_copy(update={"headquarters": headquarters}))
    event = command("open", {"door": door}, actor=actor)
    event.data.update({"origin": origin, "id": "c-1"})
    asked = read_command(event, layout, NOW, BOOT, history=False)
    assert asked == OpenRequested(door, actor, by_right, "c-1")

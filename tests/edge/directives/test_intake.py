"""Which commands a zone takes from headquarters, and that what they bring is used whole or not at all."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from config.policy import load_policy, policy_bytes
from sync.documents import DOCUMENT_BYTES_MAX, POLICY_SET, ROSTER_SET, split
from sync.protocol.messages import MESSAGE_BYTES_MAX, encode

from .conftest import Zone, roster

MakeZone = Callable[..., Zone]


def outcome(zone: Zone, name: str, args: dict[str, Any], actor: str = "hq-duty") -> str:
    line = zone.give(name, args, actor)
    return "received" if line.type == "command.received" else str(line.data["reason"])


def test_a_roster_comes_into_force_and_stays_so_after_a_restart(zone: Zone) -> None:
    assert zone.in_force.roster.version == 0
    (line,) = zone.send(roster(7), 7)
    assert line.type == "command.received"
    assert zone.in_force.roster.version == 7
    assert set(zone.in_force.officers) == {"p0001", "p0002"}
    assert zone.in_force.troubles == {}


def test_the_ledger_names_version_and_digest_and_nothing_of_what_is_in_a_roster(zone: Zone) -> None:
    (line,) = zone.send(roster(7), 7)
    assert set(line.data["args"]) == {"version", "sha256", "part", "parts", "complete"}
    whole = b"\n".join(event.line for event in zone.ledger.events())
    for private in ("07000001", "argon2id", "民警1", "content"):
        assert private.encode() not in whole


def test_two_hundred_officers_with_pins_fit_messages_and_are_used_once_all_parts_are_there(zone: Zone) -> None:
    parts = split(3, roster(3, count=200))
    assert 1 <= len(parts) <= 3
    assert all(len(encode(zone.command(ROSTER_SET, part))) <= MESSAGE_BYTES_MAX for part in parts)
    many = split(4, roster(4, count=1500))
    assert len(many) > 2
    for part in [*many[1:], many[0]]:  # in whatever order
        assert zone.in_force.roster.version == 0
        assert outcome(zone, ROSTER_SET, part) == "received"
    assert len(zone.in_force.officers) == 1500
    assert zone.lines()[-1].data["args"]["complete"] is True
    assert not list((zone.settings.zone.state_dir / "directives").glob("*.part-*"))


def test_an_older_roster_is_refused_and_so_is_another_under_the_same_number(zone: Zone) -> None:
    zone.send(roster(7), 7)
    assert "older than 7" in outcome(zone, ROSTER_SET, split(6, roster(6))[0])
    assert "another content" in outcome(zone, ROSTER_SET, split(7, roster(7, count=3))[0])
    assert outcome(zone, ROSTER_SET, split(7, roster(7))[0]) == "received"
    assert len(zone.in_force.officers) == 2


def test_a_newer_one_takes_the_place_of_one_whose_parts_never_came(zone: Zone) -> None:
    half = split(4, roster(4, count=1500))
    zone.give(ROSTER_SET, half[0])
    assert "older than 4, which is coming" in outcome(zone, ROSTER_SET, split(3, roster(3))[0])
    zone.send(roster(5), 5)
    assert zone.in_force.roster.version == 5
    assert "older than 5" in outcome(zone, ROSTER_SET, half[1])


def test_a_roster_that_does_not_agree_is_refused_whole_and_the_last_one_counts(zone: Zone) -> None:
    zone.send(roster(7), 7)
    broken = json.loads(roster(8))
    broken["officer"][1]["card"] = broken["officer"][0]["card"]
    assert "same card" in outcome(zone, ROSTER_SET, split(8, json.dumps(broken).encode())[0])
    assert "doors that this zone does not have: attic" in outcome(
        zone, ROSTER_SET, split(8, roster(8, access=[{"door": "attic"}]))[0]
    )
    assert "the document says 8" in outcome(zone, ROSTER_SET, split(9, roster(8))[0])
    assert zone.in_force.roster.version == 7
    zone.send(roster(8), 8)
    assert zone.in_force.roster.version == 8


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"version": 0}, "versions count from 1"),
        ({"version": True}, "no whole number"),
        ({"version": "../../x"}, "no whole number"),
        ({"part": 2}, "part 2 of 1"),
        ({"parts": 17}, "at most 16 parts"),
        ({"sha256": "../" * 21 + "x"}, "no SHA-256"),
        ({"sha256": "0" * 64}, "not the document"),
        ({"content": "%"}, "not base64"),
        ({"content": ""}, "empty"),
        ({"content": None}, "empty"),
        ({"content": "签名"}, "not base64"),
        ({"content": "AAAA"}, "not zlib"),
    ],
)
def test_a_part_that_is_none_is_refused_with_the_reason(zone: Zone, change: dict[str, Any], expected: str) -> None:
    (part,) = split(1, roster(1))
    assert expected in outcome(zone, ROSTER_SET, {**part, **change})
    assert zone.in_force.roster.version == 0
    zone.send(roster(1), 1)
    assert zone.in_force.roster.version == 1


def test_a_document_that_would_fill_the_memory_is_refused(zone: Zone) -> None:
    with pytest.raises(ValueError, match="at most"):
        split(1, b" " * (DOCUMENT_BYTES_MAX + 1))
    (bomb,) = split(1, b" " * DOCUMENT_BYTES_MAX)
    assert "not JSON" in outcome(zone, ROSTER_SET, bomb)


def test_what_is_kept_is_readable_by_nobody_else(zone: Zone) -> None:
    zone.send(roster(7), 7)
    directory = zone.settings.zone.state_dir / "directives"
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    (file,) = directory.iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_policy_comes_into_force_and_what_it_leaves_out_is_as_by_default(zone: Zone, tmp_path: Path) -> None:
    own = tmp_path / "policy.toml"
    own.write_text('[rules."M3.5"]\ngeneral_s = 1234\n')
    zone.send(policy_bytes(2, own), 2, POLICY_SET)
    assert zone.in_force.policy == load_policy(own)
    zone.send(policy_bytes(3), 3, POLICY_SET)
    assert zone.in_force.policy == load_policy()
    assert "older than 3" in outcome(zone, POLICY_SET, split(2, policy_bytes(2, own))[0])


def test_a_policy_that_is_none_is_refused_with_the_key_that_is_wrong(zone: Zone) -> None:
    wrong = json.dumps({"version": 1, "policy": {"guards": {"guard_valid_s": -1}}}).encode()
    assert "guards.guard_valid_s" in outcome(zone, POLICY_SET, split(1, wrong)[0])
    for nothing in (b"[]", b"{}", b"{"):
        assert "is not used" in outcome(zone, POLICY_SET, split(1, nothing)[0])
    assert zone.in_force.policy == load_policy()


def test_headquarters_may_send_rosters_and_open_no_door_unless_the_settings_say_so(zone: Zone) -> None:
    assert "may not give open at front-door" in outcome(zone, "open", {"door": "front-door"})
    zone.send(roster(1), 1)


def test_whom_the_settings_name_may_what_they_name_where_they_name_it(make_zone: MakeZone) -> None:
    zone = make_zone(actor="hq-duty", commands=["open"], doors=["front-door"])
    assert outcome(zone, "open", {"door": "front-door"}) == "received"
    assert "may not give open" in outcome(zone, "open", {"door": "front-door"}, actor="hq-night")
    assert "may not give roster.set" in outcome(zone, ROSTER_SET, split(1, roster(1))[0])
    assert "may not give open at back-door" in outcome(zone, "open", {"door": "back-door"})


def test_an_officer_of_the_zone_may_ask_by_way_of_headquarters_as_long_as_the_roster_has_him(zone: Zone) -> None:
    assert outcome(zone, "open", {"door": "front-door"}, actor="p0231") == "received"
    zone.send(roster(1), 1)
    assert "may not give open" in outcome(zone, "open", {"door": "front-door"}, actor="p0231")


@pytest.mark.parametrize("args", [{}, {"door": "attic"}, {"door": ["front-door"]}])
def test_a_door_that_is_not_there_is_refused_with_those_that_are(zone: Zone, args: dict[str, Any]) -> None:
    assert "there are: front-door, back-door" in outcome(zone, "open", args, actor="p0231")


def test_an_unknown_command_is_refused_with_those_that_are_known(zone: Zone) -> None:
    known = "there are: open, lockdown, lockdown.end, release, secure, roster.set, policy.set"
    assert known in outcome(zone, "passage", {"door": "front-door"})


def test_every_door_can_be_meant_only_by_who_may_at_every_door_and_only_for_how_they_stand(
    make_zone: MakeZone,
) -> None:
    zone = make_zone(actor="hq-duty", commands=["lockdown", "open"], doors=["front-door"])
    assert outcome(zone, "lockdown", {"door": "front-door"}) == "received"
    assert "may not give lockdown at back-door" in outcome(zone, "lockdown", {"door": "*"})
    assert outcome(zone, "lockdown", {"door": "*"}, actor="p0231") == "received", "the doors ask for his role"
    assert "names no door" in outcome(zone, "open", {"door": "*"})

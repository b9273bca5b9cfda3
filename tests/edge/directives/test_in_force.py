"""What counts is the newest good version: across crashes at any point, damage, and settings that changed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from config.policy import load_policy, policy_bytes
from edge.directives.in_force import InForce
from edge.directives.intake import ZoneIntake
from edge.directives.store import VERSIONS_KEPT
from sync.commands import CommandNotKept
from sync.documents import POLICY_SET, ROSTER_SET, split
from sync.protocol.messages import encode

from .conftest import Zone, roster


def kept(zone: Zone, pattern: str = "*.json") -> list[Path]:
    return sorted((zone.settings.zone.state_dir / "directives").glob(pattern))


def test_a_damaged_one_gives_way_to_the_one_before_and_that_is_told(zone: Zone) -> None:
    zone.send(roster(1), 1)
    zone.send(roster(2), 2)
    kept(zone)[-1].write_bytes(roster(2)[:-5])
    now = zone.in_force
    assert now.roster.version == 1
    assert "version 2, as it is kept here, is damaged; version 1 counts" in now.troubles[ROSTER_SET]
    zone.send(roster(2), 2)  # headquarters sends it again
    assert (zone.in_force.roster.version, zone.in_force.troubles) == (2, {})


def test_when_all_are_damaged_the_settings_and_the_default_policy_count(zone: Zone) -> None:
    zone.send(roster(1), 1)
    zone.send(policy_bytes(1), 1, POLICY_SET)
    for file in kept(zone):
        file.write_bytes(b"")
    now = zone.in_force
    assert (now.roster, now.policy) == (zone.settings.roster, load_policy())
    assert "that of zone.toml counts" in now.troubles[ROSTER_SET]
    assert "the programs' own counts" in now.troubles[POLICY_SET]


def test_one_that_fits_the_zone_no_more_gives_way_too(zone: Zone) -> None:
    zone.send(roster(1), 1)
    zone.send(roster(2, access=[{"door": "front-door"}]), 2)
    changed = zone.settings.model_copy(update={"doors": [d for d in zone.settings.doors if d.id != "front-door"]})
    now = InForce(changed)
    assert now.roster.version == 1
    assert "front-door" in now.troubles[ROSTER_SET]


def test_only_the_last_versions_are_kept(zone: Zone) -> None:
    for version in range(1, VERSIONS_KEPT + 3):
        zone.send(roster(version), version)
    assert [file.name.split("-")[1] for file in kept(zone, "*")] == ["000003", "000004", "000005"]


def test_until_the_ledger_has_it_nothing_counts_and_afterwards_it_counts_whoever_reads_it(zone: Zone) -> None:
    (part,) = split(5, roster(5))
    command = zone.command(ROSTER_SET, part)
    zone.intake.admit(command)  # the link dies before the line is written
    assert zone.in_force.roster.version == 0
    zone.intake.recorded = lambda command: None  # type: ignore[method-assign]  # and now right after it
    zone.end.receive(encode(command), 0.0)
    assert zone.in_force.roster.version == 0
    reader = zone.in_force
    assert [reader.follow(event) for event in zone.ledger.events()] == [None, ROSTER_SET]
    reader.reload()
    assert (reader.roster.version, zone.in_force.roster.version) == (5, 5)
    assert reader.follow(zone.lines()[-1]) == ROSTER_SET  # harmless when repeated


@pytest.mark.parametrize(
    "args",
    [
        {"version": 5, "sha256": "0" * 64, "complete": True},
        {"version": "5", "sha256": "0" * 64, "complete": True},
        {"complete": True},
        {},
    ],
)
def test_a_line_that_names_nothing_that_is_here_changes_nothing(zone: Zone, args: dict[str, Any]) -> None:
    from custody.events import Draft

    zone.send(roster(1), 1)
    data = {"command": ROSTER_SET, "actor": "x", "args": args, "origin": "headquarters"}
    zone.ledger.append(Draft("command.received", data))
    reader = zone.in_force
    for event in zone.ledger.events():
        reader.follow(event)
    reader.reload()
    assert (reader.roster.version, reader.troubles) == (1, {})


def test_a_disk_that_takes_nothing_leaves_the_command_unanswered(
    zone: Zone, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory = zone.settings.zone.state_dir / "directives"
    directory.write_text("in the way")
    (part,) = split(5, roster(5))
    with pytest.raises(CommandNotKept, match="mend the disk"):
        ZoneIntake(zone.settings).admit(zone.command(ROSTER_SET, part))
    command = zone.command(ROSTER_SET, part)
    zone.end.receive(encode(command), 0.0)
    assert zone.lines() == []
    directory.unlink()
    zone.end.receive(encode(command), 0.0)
    assert zone.lines()[-1].type == "command.received"
    assert zone.in_force.roster.version == 5

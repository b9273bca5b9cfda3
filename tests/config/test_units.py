"""The units: systemd takes them as they are, and what the programs rely on stands in them."""

from __future__ import annotations

import configparser
import subprocess
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
UNITS = sorted((PROJECT / "systemd").glob("fourmusts*"))
SERVICES = [unit for unit in UNITS if unit.suffix == ".service"]


def test_systemd_finds_nothing_to_say_against_the_units(tmp_path: Path) -> None:
    for unit in UNITS:
        text = unit.read_text().replace("file:///opt/fourmusts/docs", f"file://{PROJECT}/docs")
        # It looks for the programs, which are not installed here.
        for program in ("fourmusts", "python"):
            text = text.replace(f"/opt/fourmusts/.venv/bin/{program} ", "/bin/true ")
        (tmp_path / unit.name).write_text(text)
    command = ["systemd-analyze", "verify", "--man=no", *sorted(map(str, tmp_path.iterdir()))]
    verified = subprocess.run(command, capture_output=True, text=True)
    assert (verified.returncode, verified.stdout, verified.stderr) == (0, "", "")


@pytest.mark.parametrize("unit", SERVICES, ids=lambda unit: unit.stem)
def test_a_unit_waits_until_it_serves_watches_it_and_starts_it_again(unit: Path) -> None:
    parser = configparser.RawConfigParser(strict=False)
    parser.optionxform = str  # type: ignore[assignment, method-assign]
    parser.read(unit)
    service = parser["Service"]
    assert (service["Type"], service["Restart"]) == ("notify", "always")
    assert 0 < int(service["WatchdogSec"]) <= 60
    assert "AF_UNIX" in service["RestrictAddressFamilies"], "sd_notify speaks through one"


def test_systemd_lets_go_of_the_locks_after_every_end_of_the_doors() -> None:
    text = (PROJECT / "systemd" / "fourmusts-doors.service").read_text()
    assert (
        "ExecStopPost=/opt/fourmusts/.venv/bin/python -m edge.doors.release_locks /etc/fourmusts/zone.toml" in text
    )

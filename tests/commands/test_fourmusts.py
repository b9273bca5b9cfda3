"""The command ``fourmusts`` as a person meets it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from fourmusts import COMMANDS

ROOT = Path(__file__).parents[2]


def run(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "fourmusts", *words], capture_output=True, text=True, check=False, cwd=ROOT
    )


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself(name: str) -> None:
    done = run(name, "--help")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("Usage:")


def test_a_configuration_that_is_not_there_is_said_without_a_trace() -> None:
    done = run("doors", "--config", "/nowhere/zone.toml")
    assert done.returncode == 1
    assert done.stderr.startswith("Error: /nowhere/zone.toml")
    assert "Traceback" not in done.stderr


def test_a_zone_without_a_ledger_names_the_command_that_makes_one(tmp_path: Path) -> None:
    text = (ROOT / "config" / "zone.toml").read_text()
    file = tmp_path / "zone.toml"
    file.write_text(text.replace('"/var/lib/fourmusts"', '"state"'))
    done = run("doors", "--config", str(file))
    assert done.returncode == 1
    assert "fourmusts init" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_second_init_replaces_nothing(tmp_path: Path) -> None:
    text = (ROOT / "config" / "zone.toml").read_text()
    file = tmp_path / "zone.toml"
    file.write_text(text.replace('"/var/lib/fourmusts"', '"state"'))
    assert run("init", "--config", str(file)).returncode == 0
    made = {path: path.read_bytes() for path in (tmp_path / "state" / "keys").iterdir()}
    again = run("init", "--config", str(file))
    assert again.returncode == 1
    assert "already" in again.stderr
    assert {path: path.read_bytes() for path in made} == made


def test_the_door_process_loads_no_web_server_and_no_picture_library() -> None:
    program = (
        "import sys, fourmusts, edge.commands, edge.doors.process; "
        "print([name for name in ('fastapi', 'uvicorn', 'cv2', 'av', 'sqlalchemy') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == "[]"

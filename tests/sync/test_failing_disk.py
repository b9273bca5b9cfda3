"""The ledger on disks that lose power, fail and fill up: the real code on the real SQLite (see ``disk/``)."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

DISK = Path(__file__).parent / "disk"
PROJECT = DISK.parents[2]
CUTS = 600 if os.environ.get("FOURMUSTS_SOAK") else 100
MUTANT_CUTS = 25
SEED = 1


@pytest.fixture
def fast_path(tmp_path: Path) -> Iterator[Path]:
    """A folder in memory where there is one: what these disks keep is decided here, not by the real one."""
    memory = Path("/dev/shm")
    if not os.access(memory, os.W_OK):
        yield tmp_path
        return
    with tempfile.TemporaryDirectory(dir=memory) as directory:
        yield Path(directory)


def run(script: str, *arguments: object, before: tuple[str, ...] = ()) -> list[dict[str, Any]]:
    """What a script of ``disk/`` printed; each is a process of its own, as it replaces SQLite's disk."""
    ended = subprocess.run(
        [*before, sys.executable, str(DISK / script), *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": str(PROJECT)},
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 0, ended.stderr[-4000:]
    return [json.loads(line) for line in ended.stdout.splitlines()]


@pytest.mark.timeout(0 if os.environ.get("FOURMUSTS_SOAK") else 600)
def test_no_power_cut_costs_an_acknowledged_event_or_parts_lines_from_their_tree(fast_path: Path) -> None:
    lives = run("power_cuts.py", fast_path, CUTS, SEED)
    assert len(lives) == CUTS
    assert [life for life in lives if life["lost"] or life["breaches"]] == []
    assert any(life["two_writers"] for life in lives)
    lives = [life for life in lives if not life["two_writers"]]
    cut_in = {life["in"] for life in lives}
    # Otherwise nothing was at stake: cuts while lines, the file itself and a successor were written.
    assert {"write-wal", "sync-wal", "write-main", "write-new"} <= cut_in
    assert sum(life["unsynced"] > 0 for life in lives) > len(lives) / 2
    assert max(life["events"] for life in lives) > 500


def test_a_ledger_that_syncs_seldom_loses_acknowledged_events(fast_path: Path) -> None:
    """The test of the test above: with ``synchronous = NORMAL`` it must find losses."""
    assert any(life["lost"] for life in run("power_cuts.py", fast_path, MUTANT_CUTS, SEED, "sync seldom"))


def test_a_ledger_that_hashes_in_another_transaction_has_lines_without_a_tree(fast_path: Path) -> None:
    """The other test of that test: lines and their hashes are one transaction for a reason."""
    lives = run("power_cuts.py", fast_path, MUTANT_CUTS, SEED, "hash later")
    assert any(life["breaches"] for life in lives)


@pytest.mark.timeout(600)
def test_an_append_whose_nth_call_to_the_disk_fails_writes_all_or_nothing(fast_path: Path) -> None:
    appends = run("faults.py", fast_path)
    lines = 16
    for append in appends:
        assert append["breaches"] == [], append
        assert append["written"] == append["there"] == append["there_if_killed"], append
        assert append["written"] == (0 if append["said"] else lines), append
        assert (append["next"], append["kept"]) == (1, 1), append
    for kind in ("full", "write", "sync", "read", "map", "open"):
        of_kind = [append for append in appends if append["kind"] == kind]
        assert any(append["said"] for append in of_kind), f"no fault of {kind} was met"
        assert any(append["hits"] == 0 for append in of_kind)
    # What fails after the commit, while the WAL is moved into the file, is no failure of the append.
    assert any(append["hits"] and append["written"] for append in appends)
    assert {append["said"] for append in appends if append["kind"] == "full"} == {"", "LedgerFull"}


def check_full_disk(found: dict[str, Any]) -> None:
    assert found["held"]
    assert (found["fault_recorded_at"], found["ballast_after_fault"]) == (22, False)
    assert found["written_on_ballast"] > 50
    assert "full" in found["refused"]
    assert "df " in found["refused"]
    assert (found["kept"], found["first_after"]) == (0, 2)
    assert found["breaches"] == found["breaches_after"] == []
    assert found["held_again"]


def test_a_full_disk_gets_room_once_by_the_ballast_then_appends_fail_cleanly_until_there_is_room(
    tmp_path: Path,
) -> None:
    (found,) = run("full_disk.py", tmp_path, "counted")
    check_full_disk(found)


def test_the_same_on_a_file_system_that_is_really_full(tmp_path: Path) -> None:
    alone = ("unshare", "--mount", *([] if os.geteuid() == 0 else ["--map-root-user"]))
    (tmp_path / "probe").mkdir()
    probe = ["mount", "-t", "tmpfs", "tmpfs", str(tmp_path / "probe")]
    if shutil.which("unshare") is None or subprocess.run([*alone, *probe], capture_output=True).returncode != 0:
        pytest.skip("this account may not mount a file system, not even one of its own")
    (tmp_path / "disk").mkdir()
    (found,) = run("full_disk.py", tmp_path / "disk", "mounted", before=alone)
    check_full_disk(found)
    assert not found["held_while_full"]

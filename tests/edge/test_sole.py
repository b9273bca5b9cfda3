"""A part of a zone runs once."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from edge.sole import RunsAlready, only_one


def test_a_second_process_of_a_part_is_refused_and_told_which_one_runs(tmp_path: Path) -> None:
    with only_one(tmp_path, "link"):
        refused = pytest.raises(RunsAlready, match=f"link of this zone runs already, as process {os.getpid()};")
        with refused, only_one(tmp_path, "link"):
            pass
        with only_one(tmp_path, "panel"):
            pass
    with only_one(tmp_path, "link"):
        pass


def test_a_process_that_is_killed_leaves_the_way_free(tmp_path: Path) -> None:
    program = (
        "import sys, time; from pathlib import Path; from edge.sole import only_one\n"
        f"with only_one(Path({str(tmp_path)!r}), 'doors'): print('held', flush=True); time.sleep(600)"
    )
    root = Path(__file__).parents[2]
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, cwd=root) as held:
        assert held.stdout is not None and held.stdout.readline() == "held\n"
        with pytest.raises(RunsAlready), only_one(tmp_path, "doors"):
            pass
        held.kill()
    with only_one(tmp_path, "doors"):
        pass


def test_a_disk_that_takes_no_lock_file_stops_no_doors(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "run").write_text("in the way")
    with only_one(tmp_path / "run", "doors"):
        pass
    assert "doors runs only once" in caplog.text

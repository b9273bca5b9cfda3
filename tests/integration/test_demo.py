"""``make demo`` keeps its word: four musts are broken and flagged, and whoever kept the rules is left in peace."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from sync.broker import free_port

EXPECTED = {("C", "M2.1"), ("C", "M2.5"), ("B", "M3.1"), ("C", "M4.1"), ("B", "M1.5")}
"""Who, and which rule, as edge/demo/story.py tells it: C is questioned before search and collection."""


def two_free_ports_in_a_row() -> int:
    while True:
        port = free_port()
        if free_port() != port + 1:
            return port


@pytest.mark.timeout(600)
def test_the_demo_flags_the_four_broken_musts_and_nobody_else(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    command = [sys.executable, "-m", "fourmusts", "demo", "--once", "--folder", str(folder)]
    ports = ["--panel-port", str(two_free_ports_in_a_row()), "--web-port", str(free_port())]
    done = subprocess.run([*command, *ports], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr

    database = sqlite3.connect(f"file:{folder / 'hq' / 'state' / 'central.sqlite3'}?mode=ro", uri=True)
    findings = [json.loads(row[0]) for row in database.execute("SELECT json FROM findings")]
    database.close()
    letters = {"nz01-001": "A", "nz01-002": "B", "nz01-003": "C", "nz02-001": "D"}
    flagged = {
        (letters[f"{finding['zone']}-{finding['stay'][-3:]}"], finding["rule"])
        for finding in findings
        if finding["verdict"] == "breach"
    }
    assert flagged == EXPECTED
    for who, rule in EXPECTED:
        assert rule in done.stdout, f"the table does not show {rule} of {who}"

"""A roster and an opening from headquarters, on real parts: they count at once, and when all else is gone."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from typing import Any

import pytest

from .test_the_whole_path import events_of

pytestmark = [
    pytest.mark.timeout(300),
    pytest.mark.skipif(
        not os.environ.get("FOURMUSTS_SOAK"), reason="half a minute; its parts are tested one by one: make soak"
    ),
]

ROSTER = """
[[officer]]
id = "n0001"
name = "新任民警"
rank = "police"
sex = "f"
card = "0A1B2C3D"
roles = ["zone_manager"]
"""


def central(deployment: Any, *words: str) -> tuple[int, str]:
    """Exit code and output of a command as an operator at headquarters gives it."""
    command = [sys.executable, "-m", "fourmusts", "central", "command", *words, "--wait", "90"]
    done = subprocess.run(
        [*command, "--config", str(deployment.folder / "hq" / "central.toml")],
        cwd=deployment.folder,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def granted_to(deployment: Any) -> list[str]:
    return [event.data["officer"]["id"] for event in events_of(deployment) if event.type == "door.granted"]


def test_a_roster_counts_at_once_and_still_when_headquarters_is_gone_and_the_doors_were_killed(
    deployment: Any, until: Any
) -> None:
    until(lambda: deployment.reader.secured, "the reader is not online")
    deployment.tap()
    until(lambda: granted_to(deployment) == ["p0231"], "the card of zone.toml was not granted")

    code, told = central(deployment, "open", "nz01", "front-door", "--as", "n0001")
    assert code == 1 and "n0001 may not give open at front-door" in told

    (deployment.folder / "roster.toml").write_text(ROSTER)
    code, told = central(deployment, "roster", "nz01", "roster.toml", "--as", "hq-duty")
    assert code == 0 and ": received" in told

    def offered() -> list[str]:
        return [officer["id"] for officer in deployment.at_panel("zone")["officers"]]

    until(lambda: offered() == ["n0001"], "the panel has it not")
    until(lambda: "roster version" in deployment.log("doors"), "the doors have it not")
    deployment.tap()
    until(lambda: granted_to(deployment) == ["p0231", "n0001"], "the card is not the new officer's")

    # Where everything is slow it may come too late for the doors, which then say so.
    opened = ("open", "nz01", "front-door", "--as", "n0001", "--valid", "90")
    until(lambda: ": done" in central(deployment, *opened)[1], "the door was not opened", 200)

    for part in ("central", "broker", "link", "doors"):
        deployment.end(part)
    deployment.start("doors", *deployment.processes["doors"].args)
    until(lambda: deployment.log("doors").count("readers are served") == 2, "the doors did not come back")

    def tapped() -> bool:
        """The reader needs a while until it is online again; cards before that are nobody's."""
        deployment.tap()
        ends_s = time.monotonic() + 2
        while time.monotonic() < ends_s and len(granted_to(deployment)) < 3:
            time.sleep(0.05)
        return granted_to(deployment)[2:3] == ["n0001"]

    until(tapped, "cut off and restarted, the doors did not go on with the last roster")
    for event in events_of(deployment):
        assert b"0A1B2C3D" not in event.line and "新任民警".encode() not in event.line

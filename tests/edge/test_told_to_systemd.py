"""Each process of a zone on a real NOTIFY_SOCKET: that it serves, that all of it turns, that it stops."""

import os
import signal
import subprocess
import sys

import pytest
from door_process import PROJECT, WITHIN_S, Systemd

ZONE = """
[zone]
id = "nz01"
name = "North"
state_dir = "state"
[panel]
port = 0
[[room]]
id = "street"
name = "Street"
"""


@pytest.fixture
def systemd(tmp_path):
    systemd = Systemd(tmp_path)
    yield systemd
    systemd.close()


@pytest.mark.parametrize("part", ["cameras", "link", "panel", "doors"])
def test_a_process_speaks_with_systemd_from_its_start_to_its_end(part, tmp_path, systemd):
    (tmp_path / "zone.toml").write_text(ZONE)
    environ = {**os.environ, "PYTHONPATH": str(PROJECT), "FOURMUSTS_CONFIG": str(tmp_path / "zone.toml")}
    fourmusts = [sys.executable, "-m", "fourmusts"]
    subprocess.run([*fourmusts, "init"], env=environ, check=True, capture_output=True)
    environ |= {"NOTIFY_SOCKET": systemd.address, "WATCHDOG_USEC": "1000000"}
    with subprocess.Popen([*fourmusts, part], env=environ) as process:
        try:
            assert systemd.until(lambda message: message.get("READY") == "1")["STATUS"]
            systemd.until(lambda message: message.get("WATCHDOG") == "1")
            process.send_signal(signal.SIGTERM)
            systemd.until(lambda message: message.get("STOPPING") == "1")
            assert process.wait(WITHIN_S) == 0
        finally:
            process.kill()

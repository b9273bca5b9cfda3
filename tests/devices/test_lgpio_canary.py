"""The canary in lgpio's real thread, through its real pipe."""

import os
import subprocess
import sys
import time

import pytest

from config.clock import SystemClock
from devices.lgpio_canary import Canary

WITHIN_S = 30.0


@pytest.fixture
def canary():
    canary = Canary(SystemClock())
    yield canary
    canary.close()


def test_the_canary_sings_while_lgpios_thread_turns(canary):
    began_s, until_s = canary.beaten_s(), time.monotonic() + WITHIN_S
    while canary.beaten_s() == began_s:
        assert time.monotonic() < until_s
        time.sleep(0.01)


DEATH = """
import os, struct, time
import lgpio
from config.clock import SystemClock
from devices.lgpio_canary import CANARY_S, Canary

canary = Canary(SystemClock())
began_s = canary.beaten_s()
while canary.beaten_s() == began_s:
    time.sleep(0.01)
lgpio.callback(0, 7, lgpio.FALLING_EDGE, lambda *edge: 1 / 0)
pipe = os.open(f"/proc/self/fd/{lgpio._notify_thread._file.fileno()}", os.O_WRONLY)
os.write(pipe, struct.pack("QBBBBI", 1, 0, 7, 0, 0, 0))
lgpio._notify_thread.join()
last_s = canary.beaten_s()
time.sleep(CANARY_S * 3)
print("silent" if canary.beaten_s() == last_s else "still singing")
"""


def test_one_callback_that_fails_ends_every_input_of_lgpio_and_the_canary_is_silent(tmp_path):
    """In a process of its own: it is lost for GPIO afterwards."""
    done = subprocess.run(
        [sys.executable, "-c", DEATH],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert done.stdout == "silent\n", done.stderr
    assert "ZeroDivisionError" in done.stderr

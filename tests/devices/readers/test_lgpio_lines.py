"""lgpio's real thread and its real pipe; only the kernel's chip is missing: pulses are put where it puts them."""

import os
import struct
import subprocess
import sys

import lgpio
import pytest

from config.clock import SystemClock
from devices.errors import PinUnavailable
from devices.readers.lgpio_lines import Canary, LgpioLines
from devices.readers.reader import CardRead
from devices.readers.wiegand import card_bits
from devices.readers.wiegand_reader import WiegandReader

D0, D1 = 5, 6
PAYLOAD = [0, 0, 1] * 8


class Chip:
    _handle = 1


@pytest.fixture
def canary():
    canary = Canary(SystemClock())
    yield canary
    canary.close()


@pytest.fixture
def claimed(monkeypatch):
    claims = []

    def claim(handle, pin, edges, flags):
        if pin == 99:
            raise lgpio.error("GPIO busy")
        claims.append((pin, edges))

    monkeypatch.setattr(lgpio, "gpio_claim_alert", claim)
    return claims


@pytest.fixture
def pulse():
    """Reports a falling edge as lgpio's own thread in C does."""
    pipe = os.open(f"/proc/self/fd/{lgpio._notify_thread._file.fileno()}", os.O_WRONLY)
    yield lambda pin, at_ns: os.write(pipe, struct.pack("QBBBBI", at_ns, 0, pin, 0, 0, 0))
    os.close(pipe)


def test_falling_edges_of_two_lines_become_a_card(canary, claimed, pulse, listener):
    lines = LgpioLines("front-in", d0=D0, d1=D1, factory=Chip(), canary=canary)
    reader = WiegandReader("front-in", lines, card=26, keys=None, clock=SystemClock())
    reader.start(listener.facts.put)
    reader.listen()
    try:
        listener.online()
        for number, bit in enumerate(card_bits(PAYLOAD)):
            pulse(D1 if bit else D0, number * 2_000_000)
        assert listener.expect(CardRead).bits == 26
    finally:
        reader.stop()
    assert claimed == [(D0, lgpio.FALLING_EDGE), (D1, lgpio.FALLING_EDGE)]


def test_a_line_that_cannot_be_had_is_named(canary, claimed):
    with pytest.raises(PinUnavailable, match="pin 99 of reader front-in cannot be claimed"):
        LgpioLines("front-in", d0=D0, d1=99, factory=Chip(), canary=canary)


def test_the_canary_sings_while_lgpios_thread_turns(canary, until):
    began_s = canary.beaten_s()
    until(lambda: canary.beaten_s() > began_s, "the canary was heard")


DEATH = """
import os, struct, time
import lgpio
from config.clock import SystemClock
from devices.readers.lgpio_lines import CANARY_S, Canary

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

"""lgpio's real thread and its real pipe; only the kernel's chip is missing: pulses are put where it puts them."""

import os
import struct

import lgpio
import pytest

from config.clock import SystemClock
from devices.errors import PinUnavailable
from devices.lgpio_canary import Canary
from devices.readers.lgpio_lines import LgpioLines
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

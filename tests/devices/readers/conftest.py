"""Readers over a real line: a pseudo-terminal with libosdp's panel at one end and its peripheral at the other."""

import queue
import secrets
import time

import pytest

from config.clock import SystemClock
from devices.readers.osdp import OsdpAddress, OsdpBus
from devices.readers.osdp_peer import OsdpPeer
from devices.readers.reader import CardRead, ReaderChanged, ReaderState

CARD = (26, bytes.fromhex("12345640"))
CARD_NUMBER = "048D159"
WITHIN_S = 30.0
"""How long is waited for what must come. libosdp alone leaves a reader that was lost alone for 300 s."""


class Listener:
    """What one reader reported, in order; ``expect`` waits for the next fact of a kind."""

    def __init__(self):
        self.facts = queue.Queue()

    def expect(self, kind, **wanted):
        until = time.monotonic() + WITHIN_S
        seen = []
        while (left := until - time.monotonic()) > 0:
            try:
                fact = self.facts.get(timeout=left)
            except queue.Empty:
                break
            seen.append(fact)
            if isinstance(fact, kind) and all(getattr(fact, name) == value for name, value in wanted.items()):
                return fact
        raise AssertionError(f"no {kind.__name__} with {wanted} within {WITHIN_S} s; there were {seen}")

    def online(self):
        return self.expect(ReaderChanged, state=ReaderState.ONLINE)

    def insecure(self):
        """Wait until the reader is refused; until then it may report nothing but how it stands."""
        while True:
            fact = self.facts.get(timeout=WITHIN_S)
            assert isinstance(fact, ReaderChanged), fact
            if fact.state is ReaderState.INSECURE:
                return fact

    def reads(self, peer, number=CARD_NUMBER):
        """Hold the card to the reader until it is read, again and again as a person does."""
        until = time.monotonic() + WITHIN_S
        while time.monotonic() < until:
            peer.present_if_it_can(*CARD)
            again = time.monotonic() + 0.3
            while (left := again - time.monotonic()) > 0:
                try:
                    fact = self.facts.get(timeout=left)
                except queue.Empty:
                    break
                if isinstance(fact, CardRead):
                    assert fact.number == number
                    return
        raise AssertionError(f"no card was read within {WITHIN_S} s")

    def hears_nothing_but_states(self, seconds):
        """Whatever comes within this time, in which nothing else may come."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            try:
                fact = self.facts.get(timeout=left)
            except queue.Empty:
                return
            assert isinstance(fact, ReaderChanged), fact


@pytest.fixture
def until():
    """Waits until something is true that must come true."""

    def wait(condition, what):
        end = time.monotonic() + WITHIN_S
        while not condition():
            assert time.monotonic() < end, f"within {WITHIN_S} s it never came true that {what}"
            time.sleep(0.01)

    return wait


@pytest.fixture
def listener():
    return Listener()


@pytest.fixture
def key():
    return secrets.token_bytes(16)


@pytest.fixture
def peer(key):
    with OsdpPeer(key=key) as peer:
        yield peer


@pytest.fixture
def start_bus():
    """Starts a bus with these readers, by default one; returns it and a listener for each of its readers."""
    started = []

    def start(port, *places, **settings):
        bus = OsdpBus(port, 38400, list(places), SystemClock(), **settings)
        listeners = [Listener() for _ in places]
        for reader, listener in zip(bus.readers, listeners, strict=True):
            reader.start(listener.facts.put)
        bus.start()
        started.append(bus)
        return bus, *listeners

    yield start
    for bus in started:
        bus.close()


@pytest.fixture
def start_reader(start_bus):
    """Starts a bus with the one reader at address 1; returns that reader and its listener."""

    def start(port, key, **settings):
        bus, listener = start_bus(port, OsdpAddress("front-in", 1, key), **settings)
        return bus.readers[0], listener

    return start

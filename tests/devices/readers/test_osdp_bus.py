"""The OSDP driver against a real libosdp peripheral device on a pseudo-terminal."""

import queue
import secrets
import time

import pytest

from config.clock import SystemClock
from devices.readers.osdp import OsdpAddress, OsdpBus
from devices.readers.osdp_peer import OsdpPeer
from devices.readers.reader import CardRead, Feedback, ReaderChanged, ReaderState, TamperChanged

CARD = (26, bytes.fromhex("12345640"))
CARD_NUMBER = "048D159"
WITHIN_S = 12.0


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


@pytest.fixture
def key():
    return secrets.token_bytes(16)


@pytest.fixture
def peer(key):
    with OsdpPeer(key=key) as peer:
        yield peer


@pytest.fixture
def start_bus():
    started = []

    def start(port, key):
        bus = OsdpBus(port, 38400, [OsdpAddress("front-in", 1, key)], SystemClock())
        listener = Listener()
        bus.readers[0].start(listener.facts.put)
        bus.start()
        started.append(bus)
        return bus.readers[0], listener

    yield start
    for bus in started:
        bus.close()


def test_a_card_reaches_the_panel_over_the_secured_line(peer, key, start_bus):
    reader, listener = start_bus(peer.port, key)
    listener.expect(ReaderChanged, state=ReaderState.ONLINE)
    assert peer.secured and reader.state is ReaderState.ONLINE

    peer.present(*CARD)

    assert listener.expect(CardRead) == CardRead("front-in", CARD_NUMBER, 26)


def test_a_reader_with_a_wrong_key_is_refused_and_named_insecure(peer, start_bus):
    _, listener = start_bus(peer.port, secrets.token_bytes(16))

    told = listener.expect(ReaderChanged)

    assert told.state is ReaderState.INSECURE
    assert "not with the key" in told.detail and str(peer.port) in told.detail
    assert not peer.secured


def test_no_card_of_a_reader_with_a_wrong_key_is_believed(peer, start_bus):
    _, listener = start_bus(peer.port, secrets.token_bytes(16))
    listener.expect(ReaderChanged, state=ReaderState.INSECURE)

    peer.present(*CARD)

    with pytest.raises(queue.Empty):  # for longer than a round of handshakes
        listener.facts.get(timeout=2.5)


def test_a_wrong_reader_is_taken_back_once_it_has_the_right_key(peer, key, start_bus):
    _, listener = start_bus(peer.port, key)
    peer.stop()
    peer.start(key=secrets.token_bytes(16))
    listener.expect(ReaderChanged, state=ReaderState.INSECURE)

    peer.stop()
    peer.start(key=key)

    listener.expect(ReaderChanged, state=ReaderState.ONLINE)
    peer.present(*CARD)
    listener.expect(CardRead, number=CARD_NUMBER)


def test_a_restarted_reader_reads_again_within_seconds(peer, key, start_bus):
    _, listener = start_bus(peer.port, key)
    listener.expect(ReaderChanged, state=ReaderState.ONLINE)

    peer.stop()
    silent_from = time.monotonic()
    told = listener.expect(ReaderChanged, state=ReaderState.OFFLINE)
    noticed_after_s = time.monotonic() - silent_from
    peer.start()
    listener.expect(ReaderChanged, state=ReaderState.ONLINE)

    peer.present(*CARD)
    listener.expect(CardRead, number=CARD_NUMBER)
    assert noticed_after_s < 3.0
    assert "does not answer" in told.detail


def test_granted_and_denied_reach_light_and_buzzer(peer, key, start_bus):
    reader, listener = start_bus(peer.port, key)
    listener.expect(ReaderChanged, state=ReaderState.ONLINE)

    reader.show(Feedback.GRANTED)
    reader.show(Feedback.DENIED)

    until = time.monotonic() + WITHIN_S
    while len(peer.commands) < 4 and time.monotonic() < until:
        time.sleep(0.01)
    lights = [command["on_color"] for command in peer.commands if "on_color" in command]
    beeps = [command["rep_count"] for command in peer.commands if "rep_count" in command]
    assert lights == [2, 1] and beeps == [1, 3]


def test_feedback_given_inside_a_report_does_not_hang_the_bus(peer, key):
    bus = OsdpBus(peer.port, 38400, [OsdpAddress("front-in", 1, key)], SystemClock())
    (reader,) = bus.readers
    listener = Listener()

    def answer_at_once(fact):
        listener.facts.put(fact)
        reader.show(Feedback.GRANTED)

    reader.start(answer_at_once)
    bus.start()
    try:
        listener.expect(ReaderChanged, state=ReaderState.ONLINE)
        peer.present(*CARD)
        listener.expect(CardRead)
        peer.present(*CARD)
        listener.expect(CardRead)
    finally:
        bus.close()


def test_a_listener_that_fails_does_not_stop_the_reader(peer, key):
    bus = OsdpBus(peer.port, 38400, [OsdpAddress("front-in", 1, key)], SystemClock())
    listener = Listener()

    def fail_on_the_first_card(fact):
        listener.facts.put(fact)
        if isinstance(fact, CardRead) and fact.bits == 26:
            raise RuntimeError("a listener's own fault")

    bus.readers[0].start(fail_on_the_first_card)
    bus.start()
    try:
        listener.expect(ReaderChanged, state=ReaderState.ONLINE)
        peer.present(*CARD)
        listener.expect(CardRead, bits=26)
        peer.present(32, bytes.fromhex("DEADBEEF"))
        listener.expect(CardRead, number="DEADBEEF")
    finally:
        bus.close()


def test_an_opened_housing_is_told_once(peer, key, start_bus):
    _, listener = start_bus(peer.port, key)
    listener.expect(ReaderChanged, state=ReaderState.ONLINE)

    peer.tamper(True)
    assert listener.expect(TamperChanged) == TamperChanged("front-in", True)
    peer.tamper(False)
    assert listener.expect(TamperChanged) == TamperChanged("front-in", False)


def test_a_port_that_is_not_there_makes_the_reader_offline_and_says_which(tmp_path, key, start_bus):
    _, listener = start_bus(tmp_path / "ttyUSB7", key)

    told = listener.expect(ReaderChanged)

    assert told.state is ReaderState.OFFLINE
    assert "ttyUSB7 cannot be opened" in told.detail


def test_a_port_that_is_plugged_in_later_is_found(tmp_path, key, peer, start_bus):
    port = tmp_path / "ttyUSB7"
    _, listener = start_bus(port, key)
    listener.expect(ReaderChanged, state=ReaderState.OFFLINE)

    port.symlink_to(peer.port)

    listener.expect(ReaderChanged, state=ReaderState.ONLINE)

"""What happens to a bus in its life, each over a pty against libosdp's own reader."""

import os
import random
import secrets
import time

import pytest

from devices.readers.osdp import OsdpAddress
from devices.readers.osdp_line import OsdpLine
from devices.readers.osdp_peer import OsdpPeer
from devices.readers.reader import CardRead, Feedback, ProvisioningEnded, ReaderChanged, ReaderState

CARD = (26, bytes.fromhex("12345640"))
OTHER_CARD = (32, bytes.fromhex("DEADBEEF"))
SOAK = bool(os.environ.get("FOURMUSTS_SOAK"))
OUTAGES_S = [0.5, 1.0, 2.0, 4.0, 8.0, 9.0, 12.0] if SOAK else [0.5, 2.0]
NOISES = 200 if SOAK else 12


@pytest.fixture
def unkeyed():
    with OsdpPeer(key=None) as peer:
        yield peer


@pytest.fixture
def line():
    line = OsdpLine()
    yield line
    line.close()


# ---- Whose cards are believed --------------------------------------------------------------------------------


@pytest.mark.parametrize("stranger", ["with a wrong key", "without a key", "that says it cannot be secured"])
def test_no_stranger_is_believed(key, start_reader, stranger):
    its_key = {"with a wrong key": secrets.token_bytes(16), "without a key": None}.get(stranger, key)
    with OsdpPeer(key=its_key) as peer:
        if its_key == key:
            # Also an attack: whoever sits on the line changes the reader's word, which is in the clear.
            peer.line.on_the_way = without_security
        peer.present(*CARD)
        _, listener = start_reader(peer.port, key)

        told = listener.insecure()

        assert "not with the key" in told.detail and str(peer.port) in told.detail
        assert not peer.secured
        assert peer.key == its_key, "a reader was given a key although nobody asked for it"


def test_a_reader_that_comes_back_without_its_key_is_an_alarm_until_it_has_it_again(peer, key, start_reader):
    _, listener = start_reader(peer.port, key)
    listener.online()

    peer.stop()
    peer.key = None
    peer.start()
    listener.insecure()
    assert peer.key is None

    peer.stop()
    peer.start(key=key)
    listener.online()
    listener.reads(peer)


def without_security(frame):
    """The report of capabilities (PDCAP, 0x46) with its communication security (function 9) struck out."""
    at = frame.find(b"\x53")
    if at < 0 or frame[at + 5] != 0x46:
        return frame
    body = bytearray(frame[at:-2])
    for triple in range(6, len(body), 3):
        if body[triple] == 9:
            body[triple + 1 : triple + 3] = b"\0\0"
    return frame[:at] + body + crc16(body).to_bytes(2, "little")


def crc16(data):
    """OSDP 2.2 annex C: polynomial 0x1021, begun with 0x1D0F."""
    crc = 0x1D0F
    for byte in data:
        crc ^= byte << 8
        for _ in range(8):
            crc = (crc << 1 ^ (0x1021 if crc & 0x8000 else 0)) & 0xFFFF
    return crc


# ---- Keys ----------------------------------------------------------------------------------------------------


def test_a_reader_is_given_its_key_when_that_is_asked_for_and_reads_from_then_on(unkeyed, key, start_reader):
    reader, listener = start_reader(unkeyed.port, key)

    assert reader.provision() is None

    assert listener.expect(ProvisioningEnded).keyed
    listener.online()
    assert unkeyed.key == key and unkeyed.secured
    listener.reads(unkeyed)
    assert "has its key already" in reader.provision()


def test_the_time_for_a_key_ends_and_whoever_comes_later_is_given_none(unkeyed, key, start_reader):
    unkeyed.stop()
    reader, listener = start_reader(unkeyed.port, key, provisioning_s=0.5)

    reader.provision()
    ended = listener.expect(ProvisioningEnded)
    unkeyed.start()

    assert not ended.keyed and "took no key within 0.5 s" in ended.detail
    listener.insecure()
    assert unkeyed.key is None


def test_nothing_is_believed_while_a_key_may_be_given(peer, start_reader, until, caplog):
    """Then the line is not enforced, and a reader with another key comes online in the clear."""
    reader, listener = start_reader(peer.port, secrets.token_bytes(16))

    reader.provision()
    until(lambda: peer.present_if_it_can(*CARD) or "is not believed" in caplog.text, "its card reached the panel")
    reader.show(Feedback.GRANTED)

    listener.hears_nothing_but_states(0.5)
    assert not peer.commands


def test_a_key_is_changed_in_reader_and_file_and_the_panel_started_anew(peer, key, start_bus):
    bus, listener = start_bus(peer.port, OsdpAddress("front-in", 1, key))
    listener.online()

    new_key = secrets.token_bytes(16)
    peer.stop()
    peer.start(key=new_key)
    bus.close()
    _, listener = start_bus(peer.port, OsdpAddress("front-in", 1, new_key))

    listener.online()
    listener.reads(peer)


def test_a_panel_that_starts_anew_has_its_reader_back(peer, key, start_bus):
    for _ in range(3):
        bus, listener = start_bus(peer.port, OsdpAddress("front-in", 1, key))
        listener.online()
        listener.reads(peer)
        bus.close()


# ---- Losses and noise ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("outage_s", OUTAGES_S)
def test_a_reader_that_was_silent_reads_again(peer, key, start_reader, outage_s):
    _, listener = start_reader(peer.port, key)
    listener.online()

    peer.stop()
    time.sleep(outage_s)
    peer.start()

    listener.reads(peer)


def test_noise_on_the_line_costs_no_more_than_a_moment(peer, key, start_reader):
    _, listener = start_reader(peer.port, key)
    listener.online()
    noise = random.Random(5)
    # A start of a message that promises bytes which never come, and whatever else a loose wire says.
    half_messages = [bytes.fromhex("ff5381ff0300"), bytes.fromhex("5381"), b"\x53" * 40, b"\xff" * 300]
    for _ in range(NOISES):
        peer.line.say(None, noise.choice(half_messages) + noise.randbytes(noise.randrange(200)))
        time.sleep(noise.random() * 0.1)

    listener.reads(peer)


def test_a_reader_that_answers_slowly_but_in_time_reads(peer, key, start_reader):
    peer.line.delay_s = 0.1  # OSDP allows 0.2
    _, listener = start_reader(peer.port, key)
    listener.reads(peer)


def test_a_reader_that_answers_too_late_is_not_online_until_it_does_so_in_time(peer, key, start_reader):
    peer.line.delay_s = 0.6
    reader, listener = start_reader(peer.port, key)
    listener.expect(ReaderChanged)
    assert reader.state in (ReaderState.OFFLINE, ReaderState.INSECURE)

    peer.line.delay_s = 0.0

    listener.online()
    listener.reads(peer)


# ---- Several readers on one line -------------------------------------------------------------------------------


def test_two_readers_on_one_line_are_told_apart_and_lost_apart(line, start_bus):
    keys = [secrets.token_bytes(16) for _ in range(2)]
    with OsdpPeer(key=keys[0], address=1, line=line) as one, OsdpPeer(key=keys[1], address=2, line=line) as two:
        places = [OsdpAddress("front-in", 1, keys[0]), OsdpAddress("front-out", 2, keys[1])]
        _, into, out = start_bus(line.port, *places)
        into.online()
        out.online()

        one.present(*CARD)
        two.present(*OTHER_CARD)
        assert into.expect(CardRead) == CardRead("front-in", "048D159", 26)
        assert out.expect(CardRead) == CardRead("front-out", "DEADBEEF", 32)

        two.stop()
        assert "does not answer" in out.expect(ReaderChanged, state=ReaderState.OFFLINE).detail
        into.reads(one)
        two.start()
        out.online()
        out.reads(two)


def test_a_stranger_on_the_line_does_not_cost_the_reader_beside_it(line, key, start_bus):
    with OsdpPeer(key=key, address=1, line=line) as one, OsdpPeer(key=None, address=2, line=line) as stranger:
        places = [OsdpAddress("front-in", 1, key), OsdpAddress("front-out", 2, secrets.token_bytes(16))]
        _, into, out = start_bus(line.port, *places)

        out.insecure()
        into.reads(one)

        stranger.present_if_it_can(*CARD)
        out.hears_nothing_but_states(0.5)


def test_the_key_of_one_reader_is_given_out_while_the_other_reads_on(line, start_bus):
    keys = [secrets.token_bytes(16) for _ in range(2)]
    with OsdpPeer(key=keys[0], address=1, line=line) as one, OsdpPeer(key=None, address=2, line=line) as two:
        places = [OsdpAddress("front-in", 1, keys[0]), OsdpAddress("front-out", 2, keys[1])]
        bus, into, out = start_bus(line.port, *places)
        into.online()

        bus.readers[1].provision()
        into.reads(one)

        assert out.expect(ProvisioningEnded).keyed and two.key == keys[1]
        out.reads(two)
        assert one.key == keys[0]

import os
from pathlib import Path

import pytest

from config.clock import SystemClock
from devices.readers.reader import CardRead, ReaderChanged, ReaderState
from devices.readers.usb_peer import UsbPeer
from devices.readers.usb_reader import UsbReader, open_grabbed

DEVICE = Path("/dev/input/by-id/usb-reader-event-kbd")


@pytest.fixture
def peer():
    return UsbPeer()


@pytest.fixture
def start(listener):
    started = []

    def start(open_device, device=DEVICE):
        reader = UsbReader(
            "front-in",
            device,
            writes="hexadecimal",
            characters=8,
            bits=32,
            clock=SystemClock(),
            open_device=open_device,
        )
        reader.start(listener.facts.put)
        reader.listen()
        started.append(reader)
        return reader

    yield start
    for reader in started:
        reader.stop()


def test_what_is_no_number_is_logged_and_is_no_card(start, peer, listener, caplog):
    start(peer.open)
    listener.online()
    for text in ("DEADBEE", "DEADBEEF0", "DEADBEE?", "DEADBEEX"):
        peer.type(text)
    peer.lose_keys()
    peer.type("DEADBEEF")
    peer.type("04A1B2C3")

    told = listener.facts.get(timeout=30)

    assert told == CardRead("front-in", "04A1B2C3", 32)
    assert caplog.text.count("that is no card") == 5 and "DEADBEE" not in caplog.text


def test_a_number_that_was_begun_before_the_reader_was_pulled_out_is_forgotten(start, peer, listener):
    start(peer.open)
    listener.online()
    peer.type("04A1", enter=False)
    peer.unplug()
    listener.expect(ReaderChanged, state=ReaderState.OFFLINE)
    peer.plug_in()
    listener.online()
    peer.type("04A1B2C3")
    assert listener.expect(CardRead).number == "04A1B2C3"


def test_a_device_that_is_not_there_is_named_and_tried_again(start, listener, tmp_path):
    start(open_grabbed, tmp_path / "event7")
    told = listener.expect(ReaderChanged)
    assert told.state is ReaderState.OFFLINE
    assert "event7 cannot be taken: No such file" in told.detail and "group input" in told.detail


def test_a_device_that_cannot_be_taken_for_this_process_alone_is_not_read_at_all(start, listener, tmp_path):
    """A pipe has keys for everybody: the kernel refuses to grab it."""
    fifo = tmp_path / "event7"
    os.mkfifo(fifo)
    start(open_grabbed, fifo)
    told = listener.expect(ReaderChanged)
    assert told.state is ReaderState.OFFLINE and "Inappropriate ioctl" in told.detail


def test_a_device_that_cannot_be_grabbed_is_closed_again(tmp_path):
    fifo = tmp_path / "event7"
    os.mkfifo(fifo)
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(50):
        with pytest.raises(OSError, match="Inappropriate ioctl"):
            open_grabbed(fifo)
    assert len(list(Path("/proc/self/fd").iterdir())) <= before + 5

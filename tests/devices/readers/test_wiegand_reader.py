import pytest

from config.clock import SystemClock
from devices.readers.reader import CardRead, PinEntered, ReaderChanged, ReaderState
from devices.readers.wiegand_peer import WiegandPeer
from devices.readers.wiegand_reader import PULSES_MAX, REFUSED_MAX, WiegandReader

PAYLOAD = [0, 1] * 12


@pytest.fixture
def peer():
    return WiegandPeer(SystemClock())


@pytest.fixture
def reader(peer, listener):
    reader = WiegandReader("front-in", peer, card=26, keys=4, clock=SystemClock())
    reader.start(listener.facts.put)
    reader.listen()
    yield reader
    reader.stop()


def test_a_card_has_the_number_that_an_osdp_reader_sends_for_the_same_bits(reader, peer, listener):
    peer.send([int(bit) for bit in f"{0x3A83702:026b}"])
    assert listener.expect(CardRead) == CardRead("front-in", "3A83702", 26)


def test_noise_is_no_card_and_makes_the_reader_offline_until_a_frame_can_be_read(reader, peer, listener, caplog):
    listener.online()
    for _ in range(REFUSED_MAX * 3):
        peer.send([1] * 17)

    told = listener.expect(ReaderChanged)
    assert told.state is ReaderState.OFFLINE and "17 bits came" in told.detail and "loose wire" in told.detail
    assert caplog.text.count("that is no card") == REFUSED_MAX, "a noisy line must not fill the disk"

    peer.present(PAYLOAD)
    listener.online()
    listener.expect(CardRead)


def test_a_few_bad_frames_are_no_fault(reader, peer, listener):
    listener.online()
    for _ in range(3):
        for _ in range(REFUSED_MAX - 1):
            peer.send([1] * 17)
        peer.present(PAYLOAD)
        assert isinstance(listener.facts.get(timeout=30), CardRead)


def test_more_pulses_than_anybody_can_read_are_dropped_not_waited_for(peer, listener, caplog):
    reader = WiegandReader("front-in", peer, card=26, keys=4, clock=SystemClock())
    peer.listen(reader._take)
    peer.send([1] * (PULSES_MAX + 10))
    assert "faster than they can be read" in caplog.text


def test_no_log_shows_a_pin(reader, peer, listener, caplog):
    caplog.set_level("DEBUG")
    peer.press("4711#")
    assert listener.expect(PinEntered).pin == "4711"
    assert "4711" not in caplog.text


def test_a_reader_whose_thread_stands_still_is_offline_until_it_turns_again(reader, listener):
    listener.online()
    reader.stalled("the input of reader front-in has stood still for 6 s")
    assert listener.expect(ReaderChanged, state=ReaderState.OFFLINE).detail.startswith("the input")
    reader.resumed()
    listener.online()

"""What holds of a reader whatever it is: simulated, OSDP over a pty, Wiegand, USB.

Behind the OSDP reader stands libosdp's own peripheral. The pulses and keys of the others are made by their twins,
which begin where the kernel ends. A machine with GPIO lines or input devices would add hands of its own here.
"""

import contextlib
import secrets

import pytest

from config.clock import SystemClock
from devices.readers.osdp import OsdpAddress, OsdpBus
from devices.readers.osdp_peer import OsdpPeer
from devices.readers.reader import CardRead, Feedback, PinEntered, ReaderChanged, ReaderState
from devices.readers.simulated import SimulatedReader
from devices.readers.usb_peer import UsbPeer
from devices.readers.usb_reader import UsbReader
from devices.readers.wiegand_peer import WiegandPeer
from devices.readers.wiegand_reader import WiegandReader


class Hand:
    """Whoever stands in front of a reader. ``cards``: their numbers as the reader gives them."""

    reader = None
    closed = False
    cards = ("00000001", "DEADBEEF")

    def switch_on(self):
        """Called once the reader was started."""

    def present(self, number):
        raise NotImplementedError

    def close(self):
        if not self.closed:
            self.closed = True
            self.switch_off()

    def switch_off(self):
        pass


class SimulatedHand(Hand):
    def __init__(self):
        self.reader = SimulatedReader("front-in", cards={})

    def present(self, number):
        self.reader.present(number)

    def press(self, keys):
        self.reader.key_in(keys)

    def take_away(self):
        self.reader.become("offline")

    def bring_back(self):
        self.reader.become("online")


class OsdpHand(Hand):
    def __init__(self):
        key = secrets.token_bytes(16)
        self.peer = OsdpPeer(key=key)
        self.peer.start()
        self.bus = OsdpBus(self.peer.port, 38400, [OsdpAddress("front-in", 1, key)], SystemClock())
        (self.reader,) = self.bus.readers

    def switch_on(self):
        self.bus.start()

    def present(self, number):
        self.peer.present(32, bytes.fromhex(number))

    def press(self, keys):
        self.peer.press(keys)

    def take_away(self):
        self.peer.stop()

    def bring_back(self):
        self.peer.start()

    def switch_off(self):
        self.bus.close()
        self.peer.close()


class WiegandHand(Hand):
    cards = ("000000001", "3BD5B7DDE")
    """34 bits: the first parity, what the card says (00000000 and DEADBEEF), the last parity."""

    def __init__(self):
        clock = SystemClock()
        self.peer = WiegandPeer(clock, keys=8)
        self.reader = WiegandReader("front-in", self.peer, card=34, keys=8, clock=clock)

    def switch_on(self):
        self.reader.listen()

    def present(self, number):
        self.peer.send([int(bit) for bit in f"{int(number, 16):034b}"])

    def press(self, keys):
        self.peer.press(keys)

    def switch_off(self):
        self.reader.stop()


class UsbHand(Hand):
    def __init__(self):
        self.peer = UsbPeer()
        self.reader = UsbReader(
            "front-in",
            "/dev/input/by-id/reader",
            writes="decimal",
            characters=10,
            bits=32,
            clock=SystemClock(),
            open_device=self.peer.open,
        )

    def switch_on(self):
        self.reader.listen()

    def present(self, number):
        self.peer.type(f"{int(number, 16):010d}")

    def take_away(self):
        self.peer.unplug()

    def bring_back(self):
        self.peer.plug_in()

    def switch_off(self):
        self.reader.stop()


EVERY = [SimulatedHand, OsdpHand, WiegandHand, UsbHand]


@pytest.fixture
def hand(request):
    with contextlib.closing(request.param()) as hand:
        yield hand


def every(*hands):
    return pytest.mark.parametrize("hand", hands, indirect=True, ids=lambda hand: hand.__name__[:-4].lower())


@every(*EVERY)
def test_it_tells_that_it_is_online_before_anything_else(hand, listener):
    assert hand.reader.state is ReaderState.UNKNOWN
    hand.reader.start(listener.facts.put)
    hand.switch_on()
    told = listener.facts.get(timeout=30)
    assert isinstance(told, ReaderChanged) and told.state is ReaderState.ONLINE and told.detail
    assert hand.reader.state is ReaderState.ONLINE


@every(*EVERY)
def test_it_reads_cards_in_their_order_with_their_leading_zeros(hand, listener):
    hand.reader.start(listener.facts.put)
    hand.switch_on()
    listener.online()
    for number in (*hand.cards, hand.cards[0]):
        hand.present(number)
    read = [listener.expect(CardRead) for _ in range(3)]
    assert [card.number for card in read] == [*hand.cards, hand.cards[0]]
    assert {card.bits for card in read} == {34 if isinstance(hand, WiegandHand) else 32}


@every(SimulatedHand, OsdpHand, WiegandHand)
def test_it_takes_a_pin_from_its_keypad(hand, listener):
    hand.reader.start(listener.facts.put)
    hand.switch_on()
    listener.online()
    hand.press("99*0471#")
    assert listener.expect(PinEntered) == PinEntered("front-in", "0471")


@every(SimulatedHand, OsdpHand, UsbHand)
def test_it_tells_that_it_is_gone_and_that_it_is_back(hand, listener):
    hand.reader.start(listener.facts.put)
    hand.switch_on()
    listener.online()
    hand.take_away()
    assert listener.expect(ReaderChanged, state=ReaderState.OFFLINE).detail
    hand.bring_back()
    listener.online()
    hand.present(hand.cards[1])
    listener.expect(CardRead, number=hand.cards[1])


@every(*EVERY)
def test_whoever_listens_and_fails_costs_it_nothing(hand, listener):
    def fail_on_the_first(fact):
        listener.facts.put(fact)
        if isinstance(fact, CardRead) and fact.number == hand.cards[0]:
            raise RuntimeError("a listener's own fault")

    hand.reader.start(fail_on_the_first)
    hand.switch_on()
    listener.online()
    for number in hand.cards:
        hand.present(number)
        listener.expect(CardRead, number=number)


@every(*EVERY)
def test_it_can_be_shown_anything_at_any_time(hand, listener):
    hand.reader.show(Feedback.DENIED)
    hand.reader.start(listener.facts.put)
    hand.switch_on()
    listener.online()
    for feedback in Feedback:
        hand.reader.show(feedback)
    hand.present(hand.cards[1])
    listener.expect(CardRead, number=hand.cards[1])


@every(*EVERY)
def test_once_it_is_closed_no_report_follows(hand, listener):
    hand.reader.start(listener.facts.put)
    hand.switch_on()
    listener.online()
    hand.reader.close()
    with contextlib.suppress(Exception):
        hand.present(hand.cards[1])
    hand.close()
    assert not [fact for fact in listener.facts.queue if isinstance(fact, CardRead)]

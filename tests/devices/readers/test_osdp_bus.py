"""The OSDP driver against a real libosdp peripheral device on a pseudo-terminal."""

import ctypes
import os

import pytest
from osdp import Command, CommandLEDColor

from config.clock import SystemClock
from devices.readers.osdp import REFUSALS_MAX, OsdpAddress, OsdpBus
from devices.readers.osdp_messages import feedback_commands
from devices.readers.osdp_peer import OsdpPeer
from devices.readers.reader import CardRead, Feedback, PinEntered, ReaderChanged, ReaderState, TamperChanged

CARD = (26, bytes.fromhex("12345640"))
CARD_NUMBER = "048D159"


def given(peer, kind):
    return [command for command in peer.commands if command["command"] == kind]


def test_a_card_reaches_the_panel_over_the_secured_line(peer, key, start_reader):
    reader, listener = start_reader(peer.port, key)
    listener.online()
    assert peer.secured and reader.state is ReaderState.ONLINE

    peer.present(*CARD)

    assert listener.expect(CardRead) == CardRead("front-in", CARD_NUMBER, 26)


def test_a_pin_reaches_the_panel_key_by_key_and_no_log_shows_it(peer, key, start_reader, caplog):
    caplog.set_level("DEBUG")
    _, listener = start_reader(peer.port, key)
    listener.online()

    peer.press("99*47")
    peer.press("11#")

    assert listener.expect(PinEntered) == PinEntered("front-in", "4711")
    assert "4711" not in caplog.text


@pytest.mark.parametrize(
    ("feedback", "colour", "blinks", "beeps"),
    [
        (Feedback.GRANTED, CommandLEDColor.Green, False, 1),
        (Feedback.DENIED, CommandLEDColor.Red, False, 3),
        (Feedback.PIN_EXPECTED, CommandLEDColor.Amber, True, 1),
        (Feedback.SECOND_EXPECTED, CommandLEDColor.Amber, False, 2),
        (Feedback.CLOSE_DOOR, CommandLEDColor.Red, True, 5),
    ],
)
def test_each_feedback_has_a_light_and_a_sound_of_its_own(feedback, colour, blinks, beeps):
    light, buzzer = feedback_commands(feedback)
    assert light["on_color"] == colour and (light["off_count"] > 0) is blinks and light["temporary"]
    assert buzzer["rep_count"] == beeps


def test_there_is_a_light_and_a_sound_for_every_feedback_and_no_two_are_the_same():
    shown = [repr(feedback_commands(feedback)) for feedback in Feedback]
    assert len(set(shown)) == len(Feedback)


def test_what_is_shown_reaches_light_and_buzzer_in_its_order_however_much_it_is(peer, key, start_reader, until):
    reader, listener = start_reader(peer.port, key)
    listener.online()
    wanted = [Feedback.PIN_EXPECTED, Feedback.DENIED, Feedback.PIN_EXPECTED, Feedback.GRANTED, Feedback.CLOSE_DOOR]

    for feedback in wanted:
        reader.show(feedback)

    until(lambda: len(given(peer, Command.Buzzer)) == len(wanted), "every light and every sound arrived")
    lights = [command["on_color"] for command in given(peer, Command.LED)]
    beeps = [command["rep_count"] for command in given(peer, Command.Buzzer)]
    assert lights == [feedback_commands(feedback)[0]["on_color"] for feedback in wanted]
    assert beeps == [feedback_commands(feedback)[1]["rep_count"] for feedback in wanted]


def test_feedback_given_inside_a_report_does_not_hang_the_bus(peer, key, listener):
    bus = OsdpBus(peer.port, 38400, [OsdpAddress("front-in", 1, key)], SystemClock())
    (reader,) = bus.readers

    def answer_at_once(fact):
        listener.facts.put(fact)
        reader.show(Feedback.GRANTED)

    reader.start(answer_at_once)
    bus.start()
    try:
        listener.online()
        peer.present(*CARD)
        listener.expect(CardRead)
        peer.present(*CARD)
        listener.expect(CardRead)
    finally:
        bus.close()


def test_a_listener_that_fails_does_not_stop_the_reader(peer, key, listener):
    bus = OsdpBus(peer.port, 38400, [OsdpAddress("front-in", 1, key)], SystemClock())

    def fail_on_the_first_card(fact):
        listener.facts.put(fact)
        if isinstance(fact, CardRead) and fact.bits == 26:
            raise RuntimeError("a listener's own fault")

    bus.readers[0].start(fail_on_the_first_card)
    bus.start()
    try:
        listener.online()
        peer.present(*CARD)
        listener.expect(CardRead, bits=26)
        peer.present(32, bytes.fromhex("DEADBEEF"))
        listener.expect(CardRead, number="DEADBEEF")
    finally:
        bus.close()


def test_an_opened_housing_is_told_once(peer, key, start_reader):
    _, listener = start_reader(peer.port, key)
    listener.online()

    peer.tamper(True)
    assert listener.expect(TamperChanged) == TamperChanged("front-in", True)
    peer.tamper(False)
    assert listener.expect(TamperChanged) == TamperChanged("front-in", False)


def test_a_reader_that_comes_online_is_asked_for_its_housing(peer, key, start_reader, until):
    _, listener = start_reader(peer.port, key)
    listener.online()
    until(lambda: given(peer, Command.Status), "it was asked for its status")


def test_a_bus_that_stood_still_is_offline_and_tells_by_itself_that_it_turns_again(peer, key, start_bus):
    bus, listener = start_bus(peer.port, OsdpAddress("front-in", 1, key))
    listener.online()
    bus.stalled(f"{bus.name} has stood still for 6 s")
    assert str(peer.port) in listener.expect(ReaderChanged, state=ReaderState.OFFLINE).detail
    listener.online()
    assert bus.beaten_s() > 0


def test_what_was_to_be_shown_when_the_reader_went_is_not_shown_when_it_is_back(peer, key, start_reader, until):
    reader, listener = start_reader(peer.port, key)
    listener.online()
    peer.stop()
    for feedback in (Feedback.PIN_EXPECTED, Feedback.GRANTED):
        reader.show(feedback)
    listener.expect(ReaderChanged, state=ReaderState.OFFLINE)
    peer.start()
    listener.online()
    listener.reads(peer)
    reader.show(Feedback.DENIED)
    until(lambda: given(peer, Command.Buzzer), "something was shown")
    assert [light["on_color"] for light in given(peer, Command.LED)] == [CommandLEDColor.Red]
    until(lambda: not any(reader.refusals.values()), "what it could not answer does not count as refused")


def test_a_reader_without_light_and_buzzer_is_not_told_to_use_them(key, start_reader, until):
    with OsdpPeer(key=key, has=[]) as peer:
        reader, listener = start_reader(peer.port, key)
        listener.online()
        reader.show(Feedback.DENIED)
        listener.reads(peer)
        assert not given(peer, Command.LED) and not given(peer, Command.Buzzer)


def test_a_reader_that_refuses_a_command_reads_on_and_is_soon_spared_it(peer, key, start_reader, until, caplog):
    peer.refuses = {Command.Buzzer, Command.Status}
    reader, listener = start_reader(peer.port, key)
    listener.online()

    for _ in range(20):
        reader.show(Feedback.DENIED)
        listener.reads(peer)
        if "refuses the OSDP command" in caplog.text and reader.refusals[Command.Buzzer] >= REFUSALS_MAX:
            break
    tried = len(given(peer, Command.Buzzer))
    lights = len(given(peer, Command.LED))

    until(
        lambda: reader.show(Feedback.DENIED) or len(given(peer, Command.LED)) > lights + 1, "its light still obeys"
    )
    assert REFUSALS_MAX <= tried == len(given(peer, Command.Buzzer))


def test_a_port_that_is_not_there_makes_the_reader_offline_and_says_which(tmp_path, key, start_reader):
    _, listener = start_reader(tmp_path / "ttyUSB7", key)

    told = listener.expect(ReaderChanged)

    assert told.state is ReaderState.OFFLINE
    assert "ttyUSB7 cannot be opened" in told.detail


def test_a_port_that_is_plugged_in_later_is_found(tmp_path, key, peer, start_reader):
    port = tmp_path / "ttyUSB7"
    _, listener = start_reader(port, key)
    listener.expect(ReaderChanged, state=ReaderState.OFFLINE)

    port.symlink_to(peer.port)

    listener.online()


def test_an_adapter_that_is_pulled_out_makes_its_reader_offline_and_is_named(key, start_reader):
    peer = OsdpPeer(key=key)
    peer.start()
    _, listener = start_reader(peer.port, key)
    listener.online()

    peer.close()

    told = listener.expect(ReaderChanged, state=ReaderState.OFFLINE)
    assert "its serial port" in told.detail


class Spy:
    """Hears what the panel says."""

    def __init__(self, line):
        self.tap = line.tap()
        line.join(self.tap, self)

    def refresh(self):
        pass

    def challenge(self):
        """The random number of the first challenge that was heard, or None."""
        # Without a reader's answer the panel says ID over and over: the reader beside this one must answer.
        heard = bytes(self.tap.heard)
        at = heard.find(b"\x03\x11", 0)
        return heard[at + 4 : at + 12] if at >= 0 and len(heard) >= at + 12 else None


def challenge_after_the_same_seed(key, start_reader, until):
    with OsdpPeer(key=key) as peer:
        spy = Spy(peer.line)
        ctypes.CDLL(None).srand(1)
        start_reader(peer.port, key)
        until(lambda: spy.challenge() is not None, "the panel challenged the reader")
        return spy.challenge()


def test_the_challenge_is_drawn_from_the_operating_systems_entropy(key, start_reader, until, monkeypatch):
    drawn = [challenge_after_the_same_seed(key, start_reader, until) for _ in range(2)]
    assert drawn[0] != drawn[1]

    monkeypatch.setattr(os, "urandom", lambda size: b"\x07" * size)
    fixed = [challenge_after_the_same_seed(key, start_reader, until) for _ in range(2)]
    assert fixed[0] == fixed[1], (
        "the challenge no longer comes from what the bus seeds: see what libosdp draws it from"
    )

"""A simulated door and its readers, driven through the bench's socket as ``fourmusts sim`` does."""

import pytest

from custody.events import Direction
from devices.doors.contact import ContactState
from devices.doors.lock import LockState
from devices.doors.simulated import SimulatedButton, SimulatedContact, SimulatedLock
from devices.readers.reader import (
    CardRead,
    Feedback,
    PinEntered,
    ProvisioningEnded,
    ReaderState,
    TamperChanged,
)
from devices.readers.simulated import SimulatedReader, at_door
from devices.simulation import Bench, SimulationError, drive


@pytest.fixture
def door(tmp_path):
    class Door:
        lock = SimulatedLock("front-door", rests=LockState.LOCKED)
        contact = SimulatedContact("front-door")
        button = SimulatedButton("front-door")
        into = SimulatedReader("front-in", cards={"p0231": "04A1B2C3"})
        out = SimulatedReader("front-out", cards={"p0231": "04A1B2C3"})

    bench = Bench(tmp_path / "sim-doors.sock")
    for device in (Door.lock, Door.contact, Door.button, Door.into, Door.out):
        device.stand_on(bench)
    sides = {Direction.IN: Door.into, Direction.OUT: Door.out}
    bench.register("tap", "front-door", lambda words: at_door(SimulatedReader.tap, sides, words))
    bench.register("pin", "front-door", lambda words: at_door(SimulatedReader.enter, sides, words))
    bench.start()
    Door.sim = staticmethod(lambda text: drive(tmp_path, text.split()))
    Door.facts = []
    yield Door
    bench.stop()


def test_opening_and_closing_is_reported_and_said(door):
    states = []
    door.contact.start(states.append)
    assert door.sim("open front-door") == "open"
    assert door.sim("open front-door") == "it was already open"
    assert door.sim("close front-door") == "closed"
    assert states == [ContactState.CLOSED, ContactState.OPEN, ContactState.CLOSED]


def test_a_broken_contact_hides_the_leaf_until_it_is_mended(door):
    states = []
    door.contact.start(states.append)
    door.sim("contact front-door fault")
    assert door.sim("open front-door") == "open, but its contact is broken"
    door.sim("contact front-door ok")
    assert states == [ContactState.CLOSED, ContactState.FAULT, ContactState.OPEN]


@pytest.mark.parametrize(
    ("words", "reader"),
    [
        ("tap front-door p0231", "front-in"),
        ("tap front-door in p0231", "front-in"),
        ("tap front-door p0231 out", "front-out"),
        ("tap front-out 04a1b2c3", "front-out"),
    ],
)
def test_a_tap_presents_the_officers_card_and_says_what_the_light_shows(door, words, reader):
    def answer(fact):
        door.facts.append(fact)
        if isinstance(fact, CardRead):
            {"front-in": door.into, "front-out": door.out}[fact.reader].show(Feedback.DENIED)

    door.into.start(answer)
    door.out.start(answer)
    assert door.sim(words) == "tapped: denied"
    assert [f for f in door.facts if isinstance(f, CardRead)] == [CardRead(reader, "04A1B2C3", 32)]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("tap front-door nobody", "no card number"),
        ("tap front-door", "say whose card"),
        ("tap front-door in out p0231", "say in or out once"),
        ("pin front-door", "say the PIN"),
        ("pin front-door 12 34", "say the PIN"),
        ("pin front-door 12a4", "say the PIN"),
        ("tap back-door p0231", "tap: there is no back-door here"),
        ("lock front-door melt", "a lock can jam"),
        ("contact front-door maybe", "a contact can be"),
        ("reader front-in sings", "a reader can be"),
        ("open front-door wide", "nothing may follow"),
    ],
)
def test_a_request_that_makes_no_sense_is_answered_with_what_would(door, words, said):
    door.into.start(door.facts.append)
    door.contact.start(door.facts.append)
    with pytest.raises(SimulationError, match=said):
        door.sim(words)


def test_a_reader_that_is_offline_or_insecure_reads_no_card(door):
    door.into.start(door.facts.append)
    for word, state in (("offline", ReaderState.OFFLINE), ("insecure", ReaderState.INSECURE)):
        door.sim(f"reader front-in {word}")
        assert door.into.state is state
        with pytest.raises(SimulationError, match=f"is {word} and reads neither cards"):
            door.sim("tap front-in p0231")
    assert not any(isinstance(fact, CardRead) for fact in door.facts)


@pytest.mark.parametrize(("words", "reader"), [("pin front-door 0471", "in"), ("pin front-door 0471 out", "out")])
def test_a_pin_is_keyed_in_and_the_light_is_said(door, words, reader):
    def answer(fact):
        door.facts.append(fact)
        if isinstance(fact, PinEntered):
            {"front-in": door.into, "front-out": door.out}[fact.reader].show(Feedback.GRANTED)

    door.into.start(answer)
    door.out.start(answer)
    assert door.sim(words) == "keyed in: granted"
    assert [f for f in door.facts if isinstance(f, PinEntered)] == [PinEntered(f"front-{reader}", "0471")]


def test_a_reader_without_a_key_is_given_one_and_one_with_a_key_is_not(door):
    door.into.start(door.facts.append)
    door.sim("reader front-in unkeyed")
    assert door.into.state is ReaderState.INSECURE
    assert door.into.provision() is None and door.into.state is ReaderState.ONLINE
    assert door.facts[-1] == ProvisioningEnded("front-in", True, "it took its key (simulated)")
    assert "has a key already" in door.into.provision()


def test_an_opened_reader_tells_it(door):
    door.into.start(door.facts.append)
    door.sim("reader front-in tamper")
    assert door.facts[-1] == TamperChanged("front-in", True)


def test_a_jammed_bolt_is_measured_where_it_is_not_where_it_was_sent(door):
    door.sim("lock front-door jam")
    door.lock.unlock()
    assert door.sim("lock front-door") == "commanded unlocked, measured locked"
    door.sim("lock front-door free")
    assert door.sim("lock front-door") == "commanded unlocked, measured unlocked"


def test_a_press_is_said(door):
    pressed = []
    door.button.start(lambda: pressed.append(True))
    assert door.sim("press front-door") == "pressed"
    assert pressed == [True]

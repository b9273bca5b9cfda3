"""The settings' hardware, built: what is real, what stands in for what is broken, who listens to whom."""

import os
import secrets
import struct
import threading
import time

import lgpio
import pytest
from gpiozero.pins.mock import MockFactory

from config.errors import ConfigurationError
from config.zone import ZoneSettings, load_zone
from devices.doors.contact import ContactState
from devices.doors.lock import LockState
from devices.errors import LockFault
from devices.readers.key_file import write_new_key
from devices.readers.osdp_peer import OsdpPeer
from devices.readers.reader import ReaderState
from devices.readers.wiegand import card_bits
from edge.doors.facts import ButtonPressed, CardPresented, ContactReported, ReaderReported
from edge.doors.hardware import build
from edge.doors.release_locks import main

WITHIN_S = 60.0


def zone_toml(lock="", readers="", state="state"):
    return f"""
[zone]
id = "nz01"
name = "North"
state_dir = "{state}"
[[room]]
id = "street"
name = "Street"
[[room]]
id = "corridor"
name = "Corridor"
[[door]]
id = "front-door"
name = "Front door"
from = "street"
to = "corridor"
contact = {{ driver = "gpio", pin = 27, debounce_s = 0.01 }}
button = {{ driver = "gpio", pin = 22, debounce_s = 0.01 }}
[door.lock]
driver = "gpio"
pin = 17
hardware = "power_to_unlock"
on_controller_loss = "locked"
on_power_loss = "locked"
{lock}
{readers}
"""


@pytest.fixture
def load(tmp_path):

    def load(**parts) -> ZoneSettings:
        file = tmp_path / "zone.toml"
        file.write_text(zone_toml(**parts))
        return load_zone(file)

    return load


@pytest.fixture
def started():
    running = []

    def start(settings, **given):
        hardware = build(settings, **given)
        facts = []
        hardware.start(facts.append)
        running.append(hardware)
        return hardware, facts

    yield start
    for hardware in running:
        hardware.close()


def until(condition):
    ends_s = time.monotonic() + WITHIN_S
    while not condition():
        assert time.monotonic() < ends_s, "it did not happen"
        time.sleep(0.01)


def test_a_door_on_gpio_lines_reports_and_follows(load, started):
    pins = MockFactory()
    hardware, facts = started(load(), pin_factory=pins)
    until(lambda: ContactReported("front-door", ContactState.OPEN) in facts)
    pins.pin(27).drive_low()
    until(lambda: ContactReported("front-door", ContactState.CLOSED) in facts)
    pins.pin(22).drive_low()
    until(lambda: ButtonPressed("front-door") in facts)
    hardware.locks["front-door"].unlock()
    assert pins.pin(17).state


def test_hardware_closed_leaves_the_lock_line_at_rest(load, started):
    pins = MockFactory()
    hardware, _ = started(load(), pin_factory=pins)
    hardware.locks["front-door"].unlock()
    hardware.close()
    assert not pins.pin(17).state and pins.pin(17).function == "input"


def test_lgpios_thread_is_watched_wherever_its_lines_are_used(load, started, monkeypatch):
    monkeypatch.setattr("devices.doors.gpio.lgpio_factory", MockFactory)
    hardware, _ = started(load())
    assert {"gpio-canary", "thread-watch"} <= {thread.name for thread in threading.enumerate()}
    hardware.close()
    assert not {"gpio-canary", "thread-watch"} & {thread.name for thread in threading.enumerate()}


def test_a_machine_without_gpio_reports_faults_and_says_why(load, started, caplog, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # lgpio leaves a FIFO where it is loaded
    hardware, facts = started(load())
    assert ContactReported("front-door", ContactState.FAULT) in facts
    assert hardware.locks["front-door"].commanded is LockState.UNKNOWN
    with pytest.raises(LockFault, match="GPIO chip cannot be opened"):
        hardware.locks["front-door"].unlock()
    assert "no lock that can be driven" in caplog.text


OSDP = """
[[reader]]
id = "front-in"
door = "front-door"
direction = "in"
driver = "osdp"
port = "{port}"
key_file = "front-in.key"
"""


def test_a_card_at_an_osdp_reader_becomes_a_fact(load, started, tmp_path):
    key = write_new_key(tmp_path / "front-in.key")
    with OsdpPeer(key=key) as peer:
        hardware, facts = started(load(readers=OSDP.format(port=peer.port)), pin_factory=MockFactory())
        until(lambda: any(isinstance(f, ReaderReported) and f.state == "online" for f in facts))
        peer.present(32, bytes.fromhex("04A1B2C3"))
        until(lambda: CardPresented("front-in", "04A1B2C3") in facts)
        hardware.close()


def test_a_refused_key_takes_one_reader_out_and_says_why(load, started, tmp_path):
    file = tmp_path / "front-in.key"
    file.write_text(secrets.token_hex(16))
    file.chmod(0o644)
    with OsdpPeer(key=secrets.token_bytes(16)) as peer:
        hardware, facts = started(load(readers=OSDP.format(port=peer.port)), pin_factory=MockFactory())
        told = [fact for fact in facts if isinstance(fact, ReaderReported)]
        assert told[0].state == "offline" and f"chmod 600 {file}" in told[0].detail
        until(lambda: any(isinstance(fact, ContactReported) for fact in facts))
        hardware.close()


WIEGAND = """
[[reader]]
id = "store-in"
door = "front-door"
direction = "in"
driver = "wiegand"
d0 = 23
d1 = 24
"""
USB = """
[[reader]]
id = "desk-in"
door = "front-door"
direction = "in"
driver = "usb"
device = "{device}"
"""


def test_readers_in_the_clear_that_cannot_be_had_are_named_and_the_door_works(load, started, tmp_path, caplog):
    device = tmp_path / "event7"
    readers = WIEGAND + USB.format(device=device)
    _, facts = started(load(readers=readers), pin_factory=MockFactory())

    until(lambda: sum(isinstance(fact, ReaderReported) for fact in facts) == 2)
    told = {fact.reader: fact for fact in facts if isinstance(fact, ReaderReported)}
    assert {fact.state for fact in told.values()} == {ReaderState.OFFLINE}
    assert f"{device} cannot be taken" in told["desk-in"].detail
    until(lambda: any(isinstance(fact, ContactReported) for fact in facts))
    for reader in ("store-in", "desk-in"):
        assert f"reader {reader} speaks in the clear" in caplog.text


def test_pulses_on_two_lines_become_a_fact(load, started, monkeypatch):
    """lgpio's own thread and pipe; only the claim of the lines is left out, as no test machine has them."""
    claimed = []
    monkeypatch.setattr(lgpio, "gpio_claim_alert", lambda handle, pin, edges, flags: claimed.append(pin))
    pins = MockFactory()
    pins._handle = 1
    hardware, facts = started(load(readers=WIEGAND), pin_factory=pins)
    pipe = os.open(f"/proc/self/fd/{lgpio._notify_thread._file.fileno()}", os.O_WRONLY)
    for number, bit in enumerate(card_bits([0, 1, 1] * 8)):
        os.write(pipe, struct.pack("QBBBBI", number * 2_000_000, 0, 24 if bit else 23, 0, 0, 0))
    os.close(pipe)

    until(lambda: CardPresented("store-in", "0DB6DB7") in facts)
    assert claimed == [23, 24]
    hardware.close()


@pytest.mark.parametrize(
    ("readers", "said"),
    [
        (WIEGAND.replace("d1 = 24", "d1 = 23"), "'store-in' has d0 and d1 on pin 23"),
        (WIEGAND + WIEGAND.replace("store-in", "b").replace("23", "22"), "'store-in' and 'b' are both on 24"),
        (USB + USB.replace("desk-in", "b"), "'desk-in' and 'b' are both on {device}"),
        (WIEGAND + "bits = 32", "26, 34 or 37"),
        (WIEGAND + "keys = 6", "4 or 8"),
    ],
)
def test_a_reader_in_the_clear_that_makes_no_sense_is_refused(load, readers, said):
    with pytest.raises(ConfigurationError, match=said):
        load(readers=readers)


def test_a_lock_line_that_a_dead_process_left_driven_is_an_input_afterwards(load, tmp_path):
    load()
    pins = MockFactory()
    pin = pins.pin(17)
    pin.function, pin.state = "output", True

    assert main([str(tmp_path / "zone.toml")], lambda: pins) == 0

    assert pin.function == "input"


@pytest.mark.parametrize("arguments", [[], ["a", "b"], ["/nowhere/zone.toml"]])
def test_releasing_called_wrongly_says_so(arguments, capsys):
    assert main(arguments) == 2
    assert "zone" in capsys.readouterr().err.lower()


def test_releasing_on_a_machine_without_gpio_fails_and_says_so(load, tmp_path, capsys, monkeypatch):
    load()
    monkeypatch.chdir(tmp_path)
    assert main([str(tmp_path / "zone.toml")]) == 1
    assert "GPIO chip cannot be opened" in capsys.readouterr().err


def test_an_interlock_without_a_contact_is_refused_with_the_mend(tmp_path):
    file = tmp_path / "zone.toml"
    text = zone_toml().replace('contact = { driver = "gpio", pin = 27, debounce_s = 0.01 }', 'interlock = "port"')
    file.write_text(text)
    with pytest.raises(ConfigurationError, match="add a contact, or take it out of the interlock"):
        load_zone(file)


@pytest.mark.parametrize(
    ("change", "said"),
    [("address = 1", "both have address 1"), ("address = 2\nbaud = 9600", "share /dev/ttyUSB0 but not its baud")],
)
def test_readers_that_cannot_share_their_line_are_refused_by_name(load, change, said):
    one = OSDP.format(port="/dev/ttyUSB0")
    other = one.replace("front-in", "front-out") + change
    with pytest.raises(ConfigurationError, match=f"'front-in' and 'front-out' {said}"):
        load(readers=one + other)

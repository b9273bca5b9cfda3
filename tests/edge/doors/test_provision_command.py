"""``fourmusts provision`` against running doors and libosdp's own reader."""

import threading

import pytest
from click.testing import CliRunner

from config.clock import SystemClock
from config.zone import load_zone
from devices.readers.key_file import write_new_key
from devices.readers.osdp_peer import OsdpPeer
from edge.doors import process
from edge.doors.provision_command import provision
from sync.ledger import Ledger

WITHIN_S = 60.0
ZONE = """
[zone]
id = "nz01"
name = "North"
state_dir = "state"
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
[door.lock]
driver = "simulated"
hardware = "power_to_unlock"
on_controller_loss = "locked"
on_power_loss = "locked"
[[reader]]
id = "front-in"
door = "front-door"
direction = "in"
driver = "osdp"
port = "{port}"
key_file = "front-in.key"
[[officer]]
id = "m0001"
name = "Manager"
rank = "police"
sex = "f"
roles = ["zone_manager"]
[[officer]]
id = "p0231"
name = "Officer"
rank = "police"
sex = "m"
roles = ["guard"]
"""


class Zone:
    def __init__(self, folder, port):
        self.file = folder / "zone.toml"
        self.file.write_text(ZONE.format(port=port))
        self.settings = load_zone(self.file)
        self.clock = SystemClock()
        identity = {"zone": "nz01", "deployment": "fourmusts"}
        self.ledger = Ledger.create(self.settings.ledger_dir, clock=self.clock, **identity)
        self.follower = self.ledger.follow()
        self.stop = threading.Event()
        self.doors = threading.Thread(target=process.run, args=(self.settings, self.clock, self.stop))
        self.doors.start()

    def wait_for(self, type_):
        for _ in range(int(WITHIN_S)):
            for event in self.follower.wait(1.0):
                if event.type == type_:
                    return event
        raise AssertionError(f"no {type_} within {WITHIN_S} s")

    def run(self, *words):
        return CliRunner().invoke(provision, ["--config", str(self.file), *words])

    def close(self):
        self.stop.set()
        self.doors.join()
        self.follower.close()
        self.ledger.close()


@pytest.fixture
def peer():
    with OsdpPeer(key=None) as peer:
        yield peer


@pytest.fixture
def zone(tmp_path, peer):
    write_new_key(tmp_path / "front-in.key")
    zone = Zone(tmp_path, peer.port)
    yield zone
    zone.close()


def test_a_manager_has_a_reader_given_its_key_and_it_is_on_record_who_and_why(zone, peer, tmp_path):
    assert "not with the key" in zone.wait_for("door.fault").data["detail"]

    refused = zone.run("front-in", "--by", "p0231", "--reason", "new reader")
    assert refused.exit_code == 1 and "zone_manager" in refused.output and peer.key is None

    done = zone.run("front-in", "--by", "m0001", "--reason", "new reader")
    assert done.exit_code == 0 and "its channel is secured" in done.output, done.output
    assert peer.key == bytes.fromhex((tmp_path / "front-in.key").read_text())

    asked = [event.data for event in zone.ledger.events() if event.type == "command.received"]
    assert [(line["actor"], line["reason"]) for line in asked] == [
        ("p0231", "new reader"),
        ("m0001", "new reader"),
    ]
    states = [event.data["state"] for event in zone.ledger.events() if event.type == "door.fault"]
    assert states[0] == "fault" and states[-1] == "restored"


def test_a_reader_that_is_not_there_is_refused_with_those_that_are(zone):
    refused = zone.run("back-in", "--by", "m0001")
    assert refused.exit_code == 1 and "there are: front-in" in refused.output

"""The settings of a zone: the default file is a manual that works, and mistakes are named with their mend."""

from pathlib import Path

import pytest

from config.errors import ConfigurationError
from config.zone import load_zone

MANUAL = Path(__file__).parents[2] / "config" / "zone.toml"


def changed(tmp_path: Path, old: str, new: str) -> Path:
    text = MANUAL.read_text()
    assert old in text
    file = tmp_path / "zone.toml"
    file.write_text(text.replace(old, new, 1))
    return file


def test_the_default_file_loads_and_its_paths_are_meant_from_its_folder() -> None:
    settings = load_zone(MANUAL)
    assert settings.zone.id == "nz01"
    assert settings.headquarters is not None
    assert settings.headquarters.ca == MANUAL.parent / "keys" / "ca.crt"


def test_an_unknown_key_is_refused_with_the_nearest_known_one(tmp_path: Path) -> None:
    file = changed(tmp_path, "held_s = 30", "hold_s = 30")
    with pytest.raises(ConfigurationError) as refused:
        load_zone(file)
    assert str(file) in str(refused.value)
    assert "door.0.hold_s: there is no such key; did you mean 'held_s'?" in str(refused.value)


def test_a_strike_that_is_said_to_open_without_power_is_refused_with_the_reason(tmp_path: Path) -> None:
    file = changed(tmp_path, 'on_power_loss = "locked"', 'on_power_loss = "unlocked"')
    with pytest.raises(ConfigurationError, match="without current a power_to_unlock lock is locked"):
        load_zone(file)


def test_a_relay_at_rest_that_contradicts_the_declared_policy_is_refused_with_the_mend(tmp_path: Path) -> None:
    file = changed(tmp_path, 'relay = "normally_open"', 'relay = "normally_closed"')
    with pytest.raises(ConfigurationError, match="declare 'unlocked', or wire the relay the other way round"):
        load_zone(file)


def test_a_room_that_names_a_missing_camera_is_refused(tmp_path: Path) -> None:
    file = changed(tmp_path, 'cameras = ["cam-search"]', 'cameras = ["cam-serach"]')
    with pytest.raises(ConfigurationError, match="room 'search' names the camera 'cam-serach'"):
        load_zone(file)


def test_every_problem_is_listed_at_once(tmp_path: Path) -> None:
    file = changed(tmp_path, 'area = "outside"', 'area = "garden"\ncolour = "red"')
    with pytest.raises(ConfigurationError) as refused:
        load_zone(file)
    assert len(refused.value.problems) == 2


def test_a_file_that_is_missing_says_how_to_get_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="copy one of config"):
        load_zone(tmp_path / "nowhere.toml")


def test_a_lock_says_whether_its_relay_is_energised_to_unlock() -> None:
    (door,) = load_zone(MANUAL).doors
    assert door.lock.energised_when_unlocked
    magnet = door.lock.model_copy(update={"hardware": "power_to_lock", "relay": "normally_closed"})
    assert magnet.energised_when_unlocked


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("pin = 27", "pin = 17", "the lock of 'front-door' and the contact of 'front-door' are both on pin 17"),
        (
            "unlock_s = 5",
            'unlock_s = 5\nmonitor = { driver = "simulated" }',
            "a gpio lock cannot be measured by a simulated monitor",
        ),
        ("held_s = 30", "held_s = 30\nbutton_opens = true", "button_opens without a button"),
    ],
)
def test_devices_that_contradict_one_another_are_refused(tmp_path: Path, old: str, new: str, said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        load_zone(changed(tmp_path, old, new))


def test_a_lock_may_have_a_monitor_on_a_line_of_its_own(tmp_path: Path) -> None:
    file = changed(tmp_path, "# monitor = {", "monitor = {")
    (door,) = load_zone(file).doors
    assert door.lock.monitor is not None and door.lock.monitor.pin == 5

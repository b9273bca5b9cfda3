from pathlib import Path

import pytest
from click.testing import CliRunner

from devices.sim_command import sim
from devices.simulation import Bench, SimulationError

ZONE = """
[zone]
id = "nz01"
name = "North"
state_dir = "state"

[[room]]
id = "street"
name = "Street"
"""


def refuse(words):
    raise SimulationError("a camera knows freeze; not melt")


@pytest.fixture
def zone(tmp_path, monkeypatch):
    """A zone whose bench repeats what it is told, in the folder where the command is given."""
    (tmp_path / "zone.toml").write_text(ZONE)
    benches = [Bench(tmp_path / "state" / "run" / f"sim-{part}.sock") for part in ("doors", "cameras")]
    benches[0].register("tap", "front-door", lambda words: f"tapped {' '.join(words)}")
    benches[1].register("camera", "cam-3", refuse)
    for bench in benches:
        bench.start()
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("FOURMUSTS_CONFIG", raising=False)
    yield tmp_path
    for bench in benches:
        bench.stop()


def run(*arguments):
    return CliRunner().invoke(sim, arguments)


def test_words_reach_the_device_and_its_answer_comes_back(zone):
    result = run("--config", "zone.toml", "tap", "front-door", "p0231", "out")
    assert (result.exit_code, result.stdout) == (0, "tapped p0231 out\n")


def test_the_zone_in_the_current_folder_is_used_and_named(zone):
    result = run("tap", "front-door", "p0231")
    assert result.stdout == "tapped p0231\n" and "(zone: zone.toml)" in result.stderr


def test_the_demos_zone_is_the_last_that_is_looked_for(zone):
    demo = Path("demo-data/nz01")
    demo.mkdir(parents=True)
    Path("zone.toml").rename(demo / "zone.toml")
    Path("state").rename(demo / "state")
    result = run("tap", "front-door", "p0231")
    assert result.stdout == "tapped p0231\n" and "demo-data/nz01/zone.toml" in result.stderr


def test_the_variable_goes_before_the_current_folder(zone, monkeypatch):
    monkeypatch.setenv("FOURMUSTS_CONFIG", str(zone / "elsewhere.toml"))
    result = run("tap", "front-door", "p0231")
    assert result.exit_code == 1 and "elsewhere.toml" in result.stderr


def test_a_run_folder_can_be_named_instead(zone):
    assert run("--run-dir", "state/run", "tap", "front-door", "x").stdout == "tapped x\n"


def test_a_devices_refusal_is_the_commands_error(zone):
    result = run("camera", "cam-3", "melt")
    assert result.exit_code == 1 and "a camera knows freeze" in result.stderr


def test_an_unknown_device_is_refused_with_those_that_exist(zone):
    result = run("tap", "back-door", "p0231")
    assert result.exit_code == 1 and "there are: front-door" in result.stderr


def test_without_a_zone_the_ways_to_name_one_are_said(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("FOURMUSTS_CONFIG", raising=False)
    result = run("tap", "front-door", "p0231")
    assert result.exit_code == 1 and "--config or FOURMUSTS_CONFIG" in result.stderr


def test_a_zone_that_does_not_run_is_told_apart_from_a_refusal(zone):
    result = run("--run-dir", "nowhere", "tap", "front-door", "p0231")
    assert result.exit_code == 1 and "is the zone running" in result.stderr

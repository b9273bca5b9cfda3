"""Signs of life between processes that never call one another."""

from pathlib import Path

import pytest

from config.clock import ManualClock
from edge.pulse import PULSE_VALID_S, Pulse, is_alive, last_beat_s


def test_a_part_that_has_never_beaten_is_not_alive(tmp_path: Path) -> None:
    assert not is_alive(tmp_path, "cameras", ManualClock())


def test_a_pulse_is_valid_for_its_time_and_no_longer(tmp_path: Path) -> None:
    clock = ManualClock()
    Pulse(tmp_path, "cameras", clock).beat()
    clock.advance(PULSE_VALID_S)
    assert is_alive(tmp_path, "cameras", clock)
    clock.advance(0.001)
    assert not is_alive(tmp_path, "cameras", clock)


def test_a_pulse_of_another_boot_says_nothing(tmp_path: Path) -> None:
    clock = ManualClock()
    Pulse(tmp_path, "cameras", clock).beat()
    clock.bootid = "another"
    assert last_beat_s(tmp_path, "cameras", clock) is None


def test_a_step_of_the_wall_clock_kills_nobody(tmp_path: Path) -> None:
    clock = ManualClock()
    Pulse(tmp_path, "doors", clock).beat()
    clock.step_wall(3600)
    assert is_alive(tmp_path, "doors", clock)


def test_a_part_that_ends_in_good_order_takes_its_pulse_with_it(tmp_path: Path) -> None:
    clock = ManualClock()
    pulse = Pulse(tmp_path, "panel", clock)
    pulse.beat()
    pulse.end()
    assert not is_alive(tmp_path, "panel", clock)


def test_a_disk_that_takes_no_pulse_kills_nobody_and_the_part_counts_as_silent(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    clock, run_dir = ManualClock(), tmp_path / "run"
    pulse = Pulse(run_dir, "doors", clock)
    run_dir.rmdir()
    for _ in range(3):
        pulse.beat()
    pulse.end()
    assert not is_alive(run_dir, "doors", clock)
    assert caplog.text.count("cannot be written") == 1
    run_dir.mkdir()
    pulse.beat()
    assert is_alive(run_dir, "doors", clock)


def test_a_pulse_that_cannot_be_read_is_none(tmp_path: Path) -> None:
    (tmp_path / "link.pulse").mkdir()
    assert not is_alive(tmp_path, "link", ManualClock())

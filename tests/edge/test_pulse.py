"""Signs of life between processes that never call one another."""

from pathlib import Path

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

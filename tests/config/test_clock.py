"""The clocks that the system is given."""

import time

from config.clock import SystemClock, Timelapse, TimelapseClock

CHINA_S = 8 * 3600


def test_a_timelapse_runs_fast_and_then_as_the_machine() -> None:
    boottime_s = time.clock_gettime(time.CLOCK_BOOTTIME)
    hour_us = 3_600_000_000
    played = Timelapse(0, boottime_s - 30, 60, hour_us)
    assert TimelapseClock(played).running_fast
    assert abs(TimelapseClock(played).now_us() - hour_us / 2) < 60e6
    over = Timelapse(0, boottime_s - 100, 60, hour_us)
    clock = TimelapseClock(over)
    assert not clock.running_fast
    assert abs(clock.now_us() - (hour_us + 40e6)) < 1e6
    assert clock.real_s(5) == 5


def test_a_timelapse_ends_on_the_true_time() -> None:
    lapse = Timelapse.ending_now(lasting_s=7200, speed=60)
    assert abs(lapse.until_us - (time.time_ns() // 1000 + 120e6)) < 1e6
    assert lapse.until_us - lapse.start_us == 7_200_000_000


def test_processes_that_decode_the_same_timelapse_agree() -> None:
    lapse = Timelapse.ending_now(lasting_s=7200, speed=60)
    one, other = TimelapseClock(Timelapse.decode(lapse.encode())), TimelapseClock(Timelapse.decode(lapse.encode()))
    assert abs(one.now_us() - other.now_us()) < 60e6 / 100
    assert one.real_s(60) == 1


def test_a_zone_in_china_writes_chinese_time_whatever_the_machine_thinks() -> None:
    assert SystemClock(fixed_utc_offset_s=CHINA_S).utc_offset_s(0) == CHINA_S

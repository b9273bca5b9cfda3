import pytest

from config.clock import ManualClock
from devices.thread_watch import STALLED_S, ThreadWatch


class Thread:
    name = "the reader bus on /dev/ttyUSB0"

    def __init__(self, clock):
        self.clock = clock
        self.beat()
        self.told = []

    def beat(self):
        self.beaten = self.clock.boottime_s()

    def beaten_s(self):
        return self.beaten

    def stalled(self, detail):
        self.told.append(detail)

    def resumed(self):
        self.told.append("resumed")


@pytest.fixture
def clock():
    return ManualClock()


def test_a_thread_that_stands_still_is_told_once_and_so_is_its_return(clock, caplog):
    thread = Thread(clock)
    watch = ThreadWatch(clock)
    watch.add(thread)
    for _ in range(20):
        clock.advance(1.0)
        watch.look()

    assert len(thread.told) == 1 and "the reader bus on /dev/ttyUSB0 has stood still for" in thread.told[0]
    assert "CRITICAL" in caplog.text

    thread.beat()
    watch.look()
    watch.look()
    assert thread.told[1:] == ["resumed"]


def test_a_thread_that_turns_is_left_alone(clock):
    thread = Thread(clock)
    watch = ThreadWatch(clock)
    watch.add(thread)
    for _ in range(20):
        clock.advance(STALLED_S)
        watch.look()
        thread.beat()
    assert thread.told == []


def test_one_that_fails_when_it_is_told_does_not_hide_the_next(clock):
    class Failing(Thread):
        def stalled(self, detail):
            raise RuntimeError("its own fault")

    failing, other = Failing(clock), Thread(clock)
    watch = ThreadWatch(clock)
    watch.add(failing, other)
    clock.advance(STALLED_S + 1)
    watch.look()
    assert other.told

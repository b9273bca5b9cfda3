"""The watch by itself: facts in, verdicts out, at times that are made up."""

import pytest

from custody.events import AudioState, CameraFault, RecordingState
from devices.cameras.picture import Sample
from devices.cameras.watch import Limits, Moment, Watch

START_US = 1_763_860_000_000_000


class Feed:
    """A camera with a key frame every two seconds, and its watch."""

    def __init__(self, **how):
        self.at_s = 0.0
        self.watch = Watch(self.now(), **how)
        self.number = 0
        self.given = []

    def now(self):
        return Moment(1000.0 + self.at_s, self.us())

    def us(self, at_s=None):
        return START_US + round((self.at_s if at_s is None else at_s) * 1e6)

    def tick(self):
        verdict = self.watch.tick(self.now())
        if verdict:
            self.given.append(verdict)
        return verdict

    def idle(self, seconds):
        """Nothing comes; the watch is asked twice a second."""
        for _ in range(round(seconds * 2)):
            self.at_s += 0.5
            self.tick()

    def show(
        self, frames, *, frozen=False, dark=False, covered=False, stored=True, sound=False, undecodable=False
    ):
        for _ in range(frames):
            self.number += not frozen
            now, us = self.now(), self.us()
            self.watch.picture_packet(now, us, key=True, spacing_s=2.0)
            if undecodable:
                self.watch.undecodable(now, us)
            elif self.watch.wants_sample(now):
                seen = Sample(self.number.to_bytes(4, "big"), dark, None if dark else covered, None)
                self.watch.key_frame(now, us, seen)
            if stored:
                self.watch.stored(now, START_US, us)
            for _ in range(4):
                if sound:
                    self.watch.sound_packet(self.now(), self.us())
                self.at_s += 0.5
                self.tick()

    @property
    def state(self):
        return self.watch.verdict.state

    @property
    def faults(self):
        return self.watch.verdict.faults


@pytest.fixture
def feed():
    return Feed()


def test_a_camera_is_unknown_before_its_first_picture_and_after_only_one(feed):
    assert feed.state is RecordingState.UNKNOWN
    feed.idle(3)
    feed.show(1)
    assert feed.state is RecordingState.UNKNOWN
    feed.show(1)
    assert feed.state is RecordingState.RECORDING
    assert feed.watch.verdict.since_us == feed.us(3)


def test_a_camera_that_never_showed_anything_is_lost_since_the_start(feed):
    feed.idle(30)
    assert (feed.state, feed.faults) == (RecordingState.LOST, (CameraFault.NO_SIGNAL,))
    assert feed.watch.verdict.since_us == START_US


def test_pictures_that_are_not_stored_are_never_green(feed):
    feed.show(3, stored=False)
    assert feed.state is RecordingState.UNKNOWN
    feed.show(6, stored=False)
    assert (feed.state, feed.faults) == (RecordingState.IMPAIRED, (CameraFault.NOT_RECORDING,))


def test_a_camera_recorded_elsewhere_stays_unknown_here():
    feed = Feed(records=False)
    feed.show(10, stored=False)
    assert feed.state is RecordingState.UNKNOWN


def test_a_frozen_picture_is_named_after_three_bad_samples_and_dated_back_to_the_first_of_the_equal_ones(feed):
    feed.show(5)
    last_live_s = feed.at_s - 2
    feed.show(1, frozen=True)
    assert feed.state is RecordingState.RECORDING
    feed.show(4, frozen=True)
    assert (feed.state, feed.faults) == (RecordingState.IMPAIRED, (CameraFault.FROZEN,))
    assert abs(feed.us(last_live_s) - feed.watch.verdict.since_us) <= 4_000_000


def test_one_bad_sample_is_no_fault(feed):
    feed.show(5)
    for _ in range(10):
        feed.show(1, covered=True)
        feed.show(4)
    assert [verdict.state for verdict in feed.given] == [RecordingState.RECORDING]


def test_a_fault_clears_after_three_good_samples_since_the_first_of_them(feed):
    feed.show(5)
    feed.show(6, dark=True)
    assert feed.faults == (CameraFault.DARK,)
    good_s = feed.at_s
    feed.show(6)
    assert feed.state is RecordingState.RECORDING
    assert 0 <= feed.watch.verdict.since_us - feed.us(good_s) <= 4_000_000


def test_key_frames_a_minute_apart_need_half_a_minute_of_doubt_not_three_minutes():
    feed = Feed(limits=Limits(spacings=100.0))
    feed.show(5)
    for _ in range(3):
        feed.at_s += 58
        feed.watch.tick(feed.now())
        feed.show(1, dark=True)
    assert CameraFault.DARK in feed.faults


def test_a_dark_picture_says_nothing_of_a_cover(feed):
    feed.show(5)
    feed.show(5, covered=True)
    feed.show(6, dark=True)
    assert feed.faults == (CameraFault.DARK, CameraFault.COVERED)


def test_a_silent_stream_is_lost_since_its_last_picture_and_returns_when_seen_again(feed):
    feed.show(5)
    last_s = feed.at_s - 2
    feed.idle(15)
    assert (feed.state, feed.faults) == (RecordingState.LOST, (CameraFault.NO_SIGNAL,))
    assert feed.watch.verdict.since_us == feed.us(last_s)
    back_s = feed.at_s
    feed.watch.disconnected()
    feed.show(5)
    assert feed.state is RecordingState.RECORDING
    assert feed.watch.verdict.since_us == feed.us(back_s)


def test_a_short_break_of_the_stream_is_not_blamed_on_the_recorder(feed):
    feed.show(5)
    feed.watch.disconnected()
    feed.idle(7)
    feed.show(5)
    assert [verdict.state for verdict in feed.given] == [RecordingState.RECORDING]


def test_a_checker_that_slept_blames_no_camera(feed):
    feed.show(5)
    feed.at_s += 300
    assert feed.tick() is None
    feed.show(5)
    assert [verdict.state for verdict in feed.given] == [RecordingState.RECORDING]


def test_a_recorder_that_falls_behind_is_a_fault_since_what_it_stored_last(feed):
    feed.show(5)
    stored_s = feed.at_s - 2
    feed.show(8, stored=False)
    assert feed.faults == (CameraFault.NOT_RECORDING,)
    assert feed.watch.verdict.since_us == feed.us(stored_s)
    feed.show(1)
    assert feed.state is RecordingState.RECORDING


def test_a_full_disk_is_a_fault_at_once(feed):
    feed.show(5)
    feed.watch.storage_failed(feed.us())
    feed.tick()
    assert feed.faults == (CameraFault.NOT_RECORDING, CameraFault.STORAGE)
    feed.show(1)
    assert feed.faults == ()


def test_key_frames_that_cannot_be_decoded_are_no_picture(feed):
    feed.show(5)
    feed.show(5, undecodable=True)
    assert feed.state is RecordingState.LOST


def test_a_room_that_must_be_heard_is_not_green_before_it_is():
    feed = Feed(sound=True)
    feed.show(4)
    assert feed.watch.verdict.audio is AudioState.UNKNOWN
    assert feed.state is RecordingState.UNKNOWN
    feed.show(2, sound=True)
    assert (feed.state, feed.watch.verdict.audio) == (RecordingState.RECORDING, AudioState.GOOD)


def test_sound_that_stops_is_a_fault_of_its_own_since_it_stopped():
    feed = Feed(sound=True)
    feed.show(4, sound=True)
    heard_s = feed.at_s - 0.5
    feed.show(6)
    assert (feed.state, feed.faults) == (RecordingState.IMPAIRED, (CameraFault.NO_AUDIO,))
    assert feed.watch.verdict.audio is AudioState.BAD
    assert feed.watch.verdict.since_us == feed.us(heard_s)


def test_a_camera_without_sound_has_none(feed):
    feed.show(3, sound=True)
    assert feed.watch.verdict.audio is AudioState.NONE


def test_quiet_times_cost_half_the_key_frames_and_doubt_takes_them_all(feed):
    feed.show(6)
    wanted = []
    for _ in range(6):
        wanted.append(feed.watch.wants_sample(feed.now()))
        feed.show(1)
    assert wanted.count(True) == 3
    feed.show(2, covered=True)
    assert feed.watch.wants_sample(feed.now())


def test_what_is_said_of_a_time_is_settled_only_when_it_was_looked_at_and_nothing_is_in_doubt(feed):
    feed.show(6)
    left_us = feed.us()
    assert not feed.watch.settled(left_us)
    feed.show(2)
    assert feed.watch.settled(left_us)
    feed.show(2, covered=True)
    assert not feed.watch.settled(feed.us())
    assert feed.watch.settled(left_us)

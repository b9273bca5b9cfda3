"""A clip played into a recording, with the clock moved by the clip's own time."""

import av
import pytest

from config.clock import ManualClock
from devices.cameras.base import Packet, Track
from devices.cameras.clips import Passage, write_clip
from devices.cameras.timing import StreamClock
from devices.recorders.local import LocalRecorder, LocalRecording
from devices.recorders.store import SegmentStore


class FileStream:
    """The packets of a file as a camera's stream."""

    def __init__(self, path):
        self.container = av.open(str(path))
        self.picture = self.container.streams.video[0]
        self.sound = self.container.streams.audio[0] if self.container.streams.audio else None

    def packets(self):
        for payload in self.container.demux(*[s for s in (self.picture, self.sound) if s is not None]):
            if payload.size:
                track = Track.PICTURE if payload.stream is self.picture else Track.SOUND
                yield Packet(track, payload.is_keyframe, float(payload.dts * payload.time_base), payload)


class Desk:
    """A recorder, its clock, and one camera that is played into it."""

    def __init__(self, directory, *, segment_s=4.0, sound=False):
        self.clock = ManualClock()
        self.began_us = self.clock.now_us()
        self.store = SegmentStore(directory)
        self.recorder = LocalRecorder(self.store)
        self.recording = LocalRecording(self.store, "cam-1", self.clock, segment_s=segment_s, sound=sound)
        self.stored = []

    def play(
        self, clip, *, until_s=1e9, skip=lambda at_s: False, each=lambda at_s: None, delay_s=lambda at_s: 0.0
    ):
        """Play it in, leaving out the packets that ``skip`` names, each arriving late by ``delay_s``."""
        stream = FileStream(clip)
        times, sound_times = StreamClock(), StreamClock()
        began_s = self.clock.boottime_s()
        self.recording.begin(stream, times, sound_times)
        for packet in sorted(stream.packets(), key=lambda packet: packet.at_s):
            if packet.at_s >= until_s:
                break
            if skip(packet.at_s):
                continue
            arrives_s = began_s + packet.at_s + delay_s(packet.at_s)
            self.clock.advance(max(0.0, arrives_s - self.clock.boottime_s()))
            (times if packet.track is Track.PICTURE else sound_times).observe(packet.at_s, self.clock.boottime_s())
            each(packet.at_s)
            stored = self.recording.write(packet)
            if stored:
                self.stored.append(stored)

    def segments(self):
        return self.store.segments("cam-1", 0, 1 << 62)

    def holding(self, start_s, end_s):
        return self.recorder.holding("cam-1", self.us(start_s), self.us(end_s))

    def held_s(self, start_s, end_s):
        """The picture that is held, in seconds from the beginning, to a tenth."""
        return [(self.s(start), self.s(end)) for start, end in self.holding(start_s, end_s).picture]

    def us(self, at_s):
        return self.began_us + round(at_s * 1e6)

    def s(self, moment_us):
        return round((moment_us - self.began_us) / 1e6, 1)


@pytest.fixture
def desk(tmp_path):
    return Desk(tmp_path / "recordings")


@pytest.fixture
def make_desk(tmp_path):
    return lambda **how: Desk(tmp_path / "recordings", **how)


@pytest.fixture(scope="session")
def clip(tmp_path_factory):
    """Twelve seconds, ten pictures and one key frame a second."""
    return write_clip(tmp_path_factory.mktemp("clips") / "clip.mp4", [Passage(12)])


@pytest.fixture(scope="session")
def sounding_clip(tmp_path_factory):
    return write_clip(tmp_path_factory.mktemp("clips") / "sounding.mp4", [Passage(12)], sound=True)

"""One camera's way from its stream to what is known of it: a thread that reads, records and looks.

Reading may block for as long as the stream's own timeout; so the watch is asked from another thread, and a camera
that hangs costs nobody else anything.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from pathlib import Path

from config.clock import Clock
from devices.cameras.base import Camera, CameraStream, Packet, Track
from devices.cameras.errors import CameraError
from devices.cameras.picture import Eye, References, UndecodableKeyFrame, luma, sample, save_still
from devices.cameras.timing import WINDOW_S, StreamClock, clock_s_in, wall_us
from devices.cameras.watch import Moment, Verdict, Watch
from devices.recorders.base import RecordingFailed
from devices.recorders.local import LocalRecording

log = logging.getLogger(__name__)

FIRST_RETRY_S = 1.0
LONGEST_RETRY_S = 30.0
LEAST_RETRY_REAL_S = 0.25
STILL_EVERY_REAL_S = 2.0
LATE_REAL_S = 1.0
"""How late a busy machine may be with a packet before that says anything about the camera."""


class Channel:
    """``recording`` is None for a camera that is recorded elsewhere. ``still``: where its latest picture goes."""

    def __init__(
        self,
        camera: Camera,
        clock: Clock,
        watch: Watch,
        recording: LocalRecording | None,
        *,
        references: References,
        still: Path,
    ) -> None:
        self.camera = camera
        self._clock = clock
        self._watch = watch
        self._recording = recording
        self._references = references
        self._still = still
        self._still_s: float | None = None
        self._watching = threading.Lock()
        self._storing = threading.Lock()
        self._stopping = threading.Event()
        self._cut_us: int | None = None
        self._stream: CameraStream | None = None
        self._retry_s = FIRST_RETRY_S
        self._complaint = ""
        self._unkept = False
        self._thread = threading.Thread(target=self._run, name=f"camera-{camera.id}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def ask_to_stop(self) -> None:
        self._stopping.set()
        if self._stream is not None:
            self._stream.close()

    def finish(self, patience_real_s: float) -> None:
        """After ``ask_to_stop``: end the recording. A read that hangs is not waited for any longer than this."""
        if self._thread.ident is not None:
            self._thread.join(patience_real_s)
        self._end_recording("stopped")

    def tick(self) -> Verdict | None:
        """The new verdict, if it has changed."""
        with self._watching:
            return self._watch.tick(self._now(), clock_s_in(self._clock, LATE_REAL_S))

    def cut(self, until_us: int) -> None:
        """Let nothing taken before ``until_us`` stay in a segment under way, and look at what comes then."""
        with self._watching:
            self._cut_us = max(until_us, self._cut_us or 0)

    def settled(self, until_us: int) -> bool:
        """Whether all that was taken before ``until_us`` is in finished segments and judged."""
        with self._watching:
            if not self._watch.settled(until_us):
                return False
        if self._recording is None or not self._storing.acquire(blocking=False):
            return self._recording is None
        try:
            return self._recording.settled(until_us)
        finally:
            self._storing.release()

    def _now(self) -> Moment:
        return Moment(self._clock.boottime_s(), self._clock.now_us())

    def _run(self) -> None:
        while not self._stopping.is_set():
            reason = "it went wrong here"
            try:
                self._stream = self.camera.open()
                self._follow(self._stream)
            except CameraError as error:
                reason = str(error)
                self._complain(reason)
            except Exception:
                # Whatever a strange stream does to a decoder or a muxer, it costs this camera only.
                log.exception("camera %s: its stream could not be followed; trying again", self.camera.id)
            self._end_recording("stopped" if self._stopping.is_set() else f"lost: {reason}")
            with self._watching:
                self._watch.disconnected()
            self._stopping.wait(max(self._clock.real_s(self._retry_s), LEAST_RETRY_REAL_S))
            self._retry_s = min(self._retry_s * 2, LONGEST_RETRY_S)

    def _complain(self, text: str) -> None:
        """Once for each kind of trouble: a camera that stays away for a night must not fill the journal."""
        if text != self._complaint:
            log.warning("%s", text)
        self._complaint = text

    def _follow(self, stream: CameraStream) -> None:
        window_s = max(WINDOW_S, clock_s_in(self._clock, WINDOW_S))
        times, sound_times = StreamClock(window_s), StreamClock(window_s)
        eye = Eye(stream.picture)
        if self._recording is not None:
            with self._storing:
                self._recording.begin(stream, times, sound_times)
        for packet in stream.packets():
            if self._stopping.is_set():
                break
            (times if packet.track is Track.PICTURE else sound_times).observe(
                packet.at_s, self._clock.boottime_s()
            )
            self._watch_packet(packet, times, eye)
            self._record(packet)
        stream.close()

    def _watch_packet(self, packet: Packet, times: StreamClock, eye: Eye) -> None:
        now = self._now()
        if packet.track is Track.SOUND:
            with self._watching:
                self._watch.sound_packet(now, now.wall_us)
            return
        at_us = wall_us(self._clock, times.boot_s(packet.at_s))
        with self._watching:
            self._watch.picture_packet(now, at_us, key=packet.key, spacing_s=times.usual_s)
            wanted = packet.key and (self._cut_us is not None or self._watch.wants_sample(now))
        if packet.key:
            self._retry_s, self._complaint = FIRST_RETRY_S, ""
        if wanted:
            self._look(packet, now, at_us, eye)

    def _look(self, packet: Packet, now: Moment, at_us: int, eye: Eye) -> None:
        try:
            frame = eye.decode(packet.payload)
        except UndecodableKeyFrame as error:
            log.warning("camera %s: a key frame cannot be decoded: %s", self.camera.id, error)
            with self._watching:
                self._watch.undecodable(now, at_us)
            return
        seen = sample(luma(frame), self._references.current)
        self._kept(lambda: self._references.learn(seen))
        with self._watching:
            self._watch.key_frame(now, at_us, seen)
        every_s = clock_s_in(self._clock, STILL_EVERY_REAL_S)
        if self._still_s is None or now.boot_s - self._still_s >= every_s:
            self._still_s = now.boot_s
            self._kept(lambda: save_still(frame, self._still))

    def _kept(self, keep: Callable[[], None]) -> None:
        """Pictures beside the recording: that the disk takes none of them must not end the stream."""
        try:
            keep()
        except OSError as error:
            if not self._unkept:
                log.error(
                    "camera %s: its picture cannot be kept: %s; check the disk (df -h)", self.camera.id, error
                )
            self._unkept = True
        else:
            self._unkept = False

    def _record(self, packet: Packet) -> None:
        if self._recording is None:
            return
        with self._storing:
            if self._stopping.is_set():
                return
            with self._watching:
                cut_us = self._cut_us
                if cut_us is not None and self._recording.settled(cut_us):
                    self._cut_us = None
            if cut_us is not None:
                self._recording.cut(cut_us)
            try:
                stored = self._recording.write(packet)
            except RecordingFailed as error:
                self._storage_failed(error)
                return
        if stored is not None:
            with self._watching:
                self._watch.stored(self._now(), *stored)

    def _end_recording(self, reason: str) -> None:
        if self._recording is None:
            return
        with self._storing:
            try:
                self._recording.end(reason)
            except RecordingFailed as error:
                self._storage_failed(error)

    def _storage_failed(self, error: RecordingFailed) -> None:
        self._complain(str(error))
        with self._watching:
            self._watch.storage_failed(self._clock.now_us())

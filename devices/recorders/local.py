"""The recorder of a zone that has none: each camera's packets, as they come, into files of a minute.

Nothing is decoded. Times of records are the zone's own, taken from when packets came; whoever can set a camera's
clock cannot date a recording.
"""

from __future__ import annotations

import hashlib
import logging
import secrets
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

from config.clock import Clock
from custody.events import AuditSource
from custody.intervals import Interval, clip, normal
from devices.cameras.base import CameraStream, Packet, Track
from devices.cameras.timing import StreamClock, clock_s_in

from .base import Holding, RecorderError, RecordingFailed
from .cover import is_hole
from .recovery import file_name, next_sequence, read_segment, recover
from .segment import SegmentWriter
from .store import Segment, SegmentStore, Spans

log = logging.getLogger(__name__)

SYNC_EVERY_REAL_S = 0.9
"""A fragment (a key frame and what follows it) is synced when it is done, but no more often than this."""
SHORTEST_REAL_S = 5.0
"""A segment lasts at least so many real seconds: a clock that runs fast must not make as many more files."""
STEP_S = 0.5
"""A wall clock that steps further ends the segment: no file holds two times of day."""
RETRY_S = 5.0
UNCERTAINTY_S = 0.5
"""How well start and end of a covered stretch are known: a picture's way through camera, network and buffer."""


class LocalRecording:
    """One camera's recording. Use it from one thread at a time."""

    def __init__(self, store: SegmentStore, camera: str, clock: Clock, *, segment_s: float, sound: bool) -> None:
        self._store = store
        self._camera = camera
        self._clock = clock
        self._segment_s = segment_s
        self._sound = sound
        recover(store, camera)
        self._sequence = next_sequence(store, camera)
        self._stream: CameraStream | None = None
        self._times = self._sound_times = StreamClock()
        self._writer: SegmentWriter | None = None
        self._cut_us: int | None = None
        self._retry_s: float | None = None

    def begin(self, stream: CameraStream, times: StreamClock, sound_times: StreamClock) -> None:
        """What follows comes from ``stream``; both clocks must have observed a packet before it is written."""
        self._stream, self._times, self._sound_times = stream, times, sound_times
        self._new_run()

    def write(self, packet: Packet) -> Interval | None:
        """Take a packet. Returns the stretch now safely on disk, [segment's start, through), when it has grown.

        Raises ``RecordingFailed``; the file under way is given up and another begun at a key frame a little later.
        """
        stored: Interval | None = None
        try:
            if self._writer is not None and packet.track is Track.PICTURE:
                stored = self._finish_if_due(packet)
            if self._writer is None:
                if not (packet.track is Track.PICTURE and packet.key) or self._waits():
                    return stored
                self._open(packet)
            return self._put(packet) or stored
        except RecordingFailed:
            self._give_up()
            raise

    def cut(self, until_us: int) -> None:
        """End the file under way at the first key frame that was taken at ``until_us`` or later."""
        self._cut_us = max(until_us, self._cut_us or 0)

    def settled(self, until_us: int) -> bool:
        """Whether nothing taken before ``until_us`` is still in a file under way."""
        return self._writer is None or self._wall_us(self._base_s) >= until_us

    def end(self, reason: str) -> Interval | None:
        """The stream has ended, or the recorder stops; what was stored last. Raises ``RecordingFailed``."""
        try:
            return self._finish(reason, None)
        except RecordingFailed:
            self._give_up()
            raise

    def _finish_if_due(self, packet: Packet) -> Interval | None:
        if self._times.runs != self._runs:
            # Anything may come after a jump: even without a key frame this file is over.
            return self._finish("the stream's clock jumped", None)
        if not packet.key:
            return None
        if abs(self._step_s()) > STEP_S:
            return self._finish("the clock was stepped", None)
        if self._cut_us is not None and self._wall_us(packet.at_s) >= self._cut_us:
            return self._finish("cut", packet.at_s)
        longest_s = max(self._segment_s, clock_s_in(self._clock, SHORTEST_REAL_S))
        if packet.at_s - self._base_s >= longest_s:
            return self._finish("full", packet.at_s)
        return None

    def _open(self, packet: Packet) -> None:
        assert self._stream is not None
        self._runs = self._times.runs
        self._base_s = self._last_key_s = packet.at_s
        self._wall_less_boot_us = self._clock.now_us() - round(self._clock.boottime_s() * 1e6)
        self._anchor_s = self._times.boot_s(packet.at_s)
        self._synced_s: float | None = None
        start_us = self._wall_us(packet.at_s)
        day = datetime.fromtimestamp(start_us / 1e6, UTC).strftime("%Y%m%d")
        stem = self._store.directory / self._camera / day / file_name(self._sequence, start_us, self._run)
        usual_s = self._times.usual_s or 0.0
        self._writer = SegmentWriter(self._camera, stem, self._stream, sound=self._sound, usual_s=usual_s)

    def _put(self, packet: Packet) -> Interval | None:
        writer = self._writer
        assert writer is not None
        self._anchor_s = self._times.boot_s(self._base_s)
        if packet.track is Track.SOUND:
            writer.write(packet, picture_s=self._times.at_s(self._sound_times.boot_s(packet.at_s)))
            return None
        writer.write(packet, picture_s=packet.at_s)
        if not packet.key:
            return None
        through_s, self._last_key_s = self._last_key_s, packet.at_s
        if not self._sync_due() or not writer.sync():
            return None
        self._synced_s = self._clock.boottime_s()
        return (self._wall_us(self._base_s), self._wall_us(through_s)) if through_s > self._base_s else None

    def _finish(self, reason: str, next_s: float | None) -> Interval | None:
        writer, self._writer = self._writer, None
        if writer is None:
            return None
        writer.close()
        until_s = None if next_s is None else next_s - self._base_s
        spans = Spans(
            self._placed(writer.picture.spans(until_s)), self._placed(writer.sound.spans()) if self._sound else ()
        )
        start_us, end_us = self._wall_us(self._base_s), spans.picture[-1][1]
        segment = Segment(
            self._camera,
            self._sequence,
            self._run,
            str(writer.path.relative_to(self._store.directory)),
            start_us,
            end_us,
            writer.picture.packets,
            writer.key_frames,
            round(writer.picture.longest_gap_s * 1e6),
            writer.sound.packets,
            writer.file.bytes,
            writer.file.sha256,
            reason,
        )
        try:
            self._store.add(segment, spans)
        except sqlite3.Error as error:
            # The file is safe and will be indexed at the next start; but now nobody knows of it.
            raise RecordingFailed(self._camera, str(self._store.directory), f"its index: {error}") from error
        self._sequence += 1
        if self._cut_us is not None and end_us >= self._cut_us:
            self._cut_us = None
        if next_s is None or is_hole(next_s - self._last_written_s(writer), self._times.usual_s or 0.0):
            self._new_run()
        return (start_us, end_us)

    def _last_written_s(self, writer: SegmentWriter) -> float:
        return self._base_s + writer.picture.last_s

    def _give_up(self) -> None:
        """Leave the file under way as it lies; the recovery at the next start finds what it holds."""
        writer, self._writer = self._writer, None
        if writer is not None:
            writer.abandon()
        self._sequence += 1
        self._new_run()
        self._retry_s = self._clock.boottime_s() + RETRY_S

    def _new_run(self) -> None:
        self._run = secrets.token_hex(4)

    def _waits(self) -> bool:
        return self._retry_s is not None and self._clock.boottime_s() < self._retry_s

    def _sync_due(self) -> bool:
        if self._synced_s is None:
            return True
        since_s = self._clock.boottime_s() - self._synced_s
        return since_s >= clock_s_in(self._clock, SYNC_EVERY_REAL_S)

    def _step_s(self) -> float:
        return (self._clock.now_us() - round(self._clock.boottime_s() * 1e6) - self._wall_less_boot_us) / 1e6

    def _wall_us(self, at_s: float) -> int:
        """By the wall clock as it stood when the segment began: a step does not move what lies before it."""
        return round((self._anchor_s + at_s - self._base_s) * 1e6) + self._wall_less_boot_us

    def _placed(self, spans: list[tuple[float, float]]) -> tuple[Interval, ...]:
        return tuple(
            (self._wall_us(self._base_s + start), self._wall_us(self._base_s + end)) for start, end in spans
        )


class LocalRecorder:
    """Answers for what ``LocalRecording`` has stored. ``holding`` looks at the files, not only at the index."""

    source = AuditSource.LOCAL

    def __init__(self, store: SegmentStore) -> None:
        self._store = store

    def holding(self, camera: str, start_us: int, end_us: int) -> Holding:
        picture: list[Interval] = []
        sound: list[Interval] = []
        digest = hashlib.sha256()
        before: Segment | None = None
        try:
            for segment in self._store.segments(camera, start_us, end_us):
                intact, sha256, spans = self._checked(segment)
                digest.update(bytes.fromhex(sha256))
                joins = (
                    intact
                    and before is not None
                    and (before.run, before.sequence + 1) == (segment.run, segment.sequence)
                )
                _extend(picture, spans.picture, joins)
                _extend(sound, spans.sound, joins)
                # A file that was damaged proves nothing of what lies between it and the next.
                before = segment if intact else None
        except sqlite3.Error as error:
            mend = f"the index in {self._store.directory} cannot be read: {error}; check the disk"
            raise RecorderError(f"camera {camera}: {mend}") from error
        except OSError as error:
            raise RecorderError(f"camera {camera}: a recording cannot be read: {error}; check the disk") from error
        return Holding(
            tuple(clip(normal(picture), start_us, end_us)),
            tuple(clip(normal(sound), start_us, end_us)),
            digest.hexdigest(),
            # Segments are dated by the zone's own clock, so there is nothing between the two.
            0.0,
            UNCERTAINTY_S,
        )

    def _checked(self, segment: Segment) -> tuple[bool, str, Spans]:
        """(intact, digest, spans) as the file lies there now: what was cut short or lost proves what is left."""
        path: Path = self._store.directory / segment.file
        try:
            found_bytes = path.stat().st_size
        except (FileNotFoundError, NotADirectoryError):
            log.error("camera %s: %s is gone; nothing in it counts as recorded", segment.camera, segment.file)
            return False, segment.sha256, Spans((), ())
        if found_bytes == segment.bytes:
            return True, segment.sha256, self._store.spans(segment)
        log.error("camera %s: %s is not as it was written; reading what is left", segment.camera, segment.file)
        left, spans = read_segment(
            path, segment.camera, segment.sequence, segment.run, segment.start_us, segment.file
        )
        return False, left.sha256, spans


JOIN_US = 5_000_000
"""Two segments of one run with consecutive numbers have no hole between them; their times may differ by so much as
the two clocks came to be known better."""


def _extend(known: list[Interval], more: tuple[Interval, ...], joins: bool) -> None:
    if joins and known and more and 0 < more[0][0] - known[-1][1] <= JOIN_US:
        known[-1] = (known[-1][0], more[0][0])
    known.extend(more)

"""One recorded file: packets go in, a fragmented MP4 that survives a crash comes out.

Order of a durable segment: write a fragment, ``fdatasync``; at the end ``fsync`` the file and its folder, and
only then may the index speak of it. A kill loses the fragment under way, and so does a power cut.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from io import FileIO
from pathlib import Path
from typing import Any

import av

from devices.cameras.base import CameraStream, Packet, Track

from .base import RecordingFailed
from .cover import Cover

IN_MP4 = frozenset({"aac", "mp3", "ac3", "opus", "flac", "alac"})
"""Sound that MP4 holds. G.711 and raw samples go into QuickTime's form of the same file: ``.mov``."""
MUXER_OPTIONS = {
    "movflags": "frag_keyframe+empty_moov+default_base_moof",
    "flush_packets": "1",
    # A silent sound track must not hold back the picture: the muxer waits 10 s for it unless told otherwise.
    "max_interleave_delta": "1000000",
}


OTHER_CLOCK_S = 30.0


class HashedFile:
    """Takes what the muxer writes, in order; has no ``seek``, so that nothing written is ever written over."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        # An object and no bare descriptor: once closed, its number may be that of somebody else's file.
        self._file = FileIO(path, "x", opener=_for_group)
        self._digest = hashlib.sha256()
        self.bytes = 0
        self.error: OSError | None = None

    def write(self, data: bytes) -> int:
        left = memoryview(data)
        try:
            while left:
                left = left[self._file.write(left) or 0 :]
        except OSError as error:
            # PyAV would tell its caller only that something failed.
            self.error = error
            raise
        self._digest.update(data)
        self.bytes += len(data)
        return len(data)

    def sync(self) -> None:
        os.fdatasync(self._file.fileno())

    def close(self) -> None:
        """Bring it to disk and let go of it, even if the disk fails. A second time it does nothing."""
        if self._file.closed:
            return
        with self._file:
            os.fsync(self._file.fileno())

    @property
    def sha256(self) -> str:
        return self._digest.hexdigest()


class SegmentWriter:
    """A file that begins with a key frame. Raises ``RecordingFailed`` when the disk does not take it."""

    def __init__(self, camera: str, stem: Path, stream: CameraStream, *, sound: bool, usual_s: float) -> None:
        template = stream.sound if sound else None
        fits = template is None or template.codec_context.name in IN_MP4
        self.path = stem.with_suffix(".mp4" if fits else ".mov")
        self._camera = camera
        self.picture = Cover(usual_s)
        self.sound = Cover(0.1)
        self.key_frames = 0
        self.synced_bytes = 0
        self._base_s: float | None = None
        self._sound_shift_s: float | None = None
        self._last_stamp = {Track.PICTURE: -(1 << 62), Track.SOUND: -(1 << 62)}
        try:
            self.file = HashedFile(self.path)
        except OSError as error:
            raise RecordingFailed(camera, str(self.path), str(error)) from error
        with self._guarded():
            self._out: Any = av.open(self.file, "w", format="mp4" if fits else "mov", options=MUXER_OPTIONS)
            self._tracks: dict[Track, Any] = {Track.PICTURE: self._out.add_stream_from_template(stream.picture)}
            if template is not None:
                self._tracks[Track.SOUND] = self._out.add_stream_from_template(template)

    def write(self, packet: Packet, *, picture_s: float) -> None:
        """``picture_s``: the packet's moment on the picture track's clock (a sound track has its own)."""
        track = self._tracks.get(packet.track)
        if track is None:
            return
        if self._base_s is None:
            self._base_s = packet.at_s
        if packet.track is Track.SOUND:
            if self._sound_shift_s is None:
                apart_s = picture_s - packet.at_s
                # Two tracks of one stream share a clock; how they arrive tells only when they do not.
                self._sound_shift_s = (apart_s if abs(apart_s) > OTHER_CLOCK_S else 0.0) - self._base_s
            shift_s = self._sound_shift_s
        else:
            shift_s = -self._base_s
        if packet.at_s + shift_s < 0:
            return
        payload = packet.payload
        shift = round(shift_s / payload.time_base)
        stamp = (payload.pts if payload.dts is None else payload.dts) + shift
        # The muxer takes no step back; a packet that makes one keeps its place by a tick.
        stamp = max(stamp, self._last_stamp[packet.track] + 1)
        self._last_stamp[packet.track] = stamp
        payload.dts = stamp
        payload.pts = stamp if payload.pts is None else max(payload.pts + shift, stamp)
        payload.stream = track
        with self._guarded():
            self._out.mux(payload)
        (self.picture if packet.track is Track.PICTURE else self.sound).add(packet.at_s + shift_s)
        self.key_frames += packet.track is Track.PICTURE and packet.key

    def sync(self) -> bool:
        """Bring to disk what the muxer has given out; whether there was anything new."""
        if self.file.bytes == self.synced_bytes:
            return False
        with self._guarded():
            self.file.sync()
        self.synced_bytes = self.file.bytes
        return True

    def close(self) -> None:
        """End the file and bring it and its folder to disk."""
        try:
            with self._guarded():
                self._out.close()
        finally:
            with self._guarded():
                self.file.close()
                sync_folder(self.path.parent)

    def abandon(self) -> None:
        """Let go of a file that the disk does not take; what is in it stays as it lies."""
        with contextlib.suppress(av.FFmpegError, OSError, ValueError):
            self._out.close()
        with contextlib.suppress(OSError):
            self.file.close()

    def _guarded(self) -> _Guard:
        return _Guard(self)


class _Guard:
    """Turns whatever the muxer or the disk raises into ``RecordingFailed``."""

    def __init__(self, writer: SegmentWriter) -> None:
        self._writer = writer

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if isinstance(error, av.FFmpegError | OSError | ValueError):
            cause = self._writer.file.error or error
            raise RecordingFailed(self._writer._camera, str(self._writer.path), str(cause)) from error


def _for_group(path: str, flags: int) -> int:
    return os.open(path, flags, 0o640)


def sync_folder(folder: Path) -> None:
    """A new file's name is on disk only when its folder is."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

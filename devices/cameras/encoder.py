"""Pictures and a quiet room's sound into the packets that a camera would send: H.264 (libx264) and AAC."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import av
import numpy as np

from .base import Packet, Track
from .scene import Pixels

PICTURE_CLOCK = Fraction(1, 90_000)
SOUND_HZ = 8000
SOUND_PACKET_S = 1024 / SOUND_HZ
_LOOP_PACKETS = 64


class Encoder:
    """One stream's encoder. Of constant quality, as cameras should be set (VBR): a frozen source then gives key
    frames that are equal bit by bit. ``qcomp`` below 1 lets the quality follow the scene, as x264 has it by
    default (0.6): then a source that froze takes some key frames to settle.
    """

    def __init__(
        self,
        width: int,
        height: int,
        *,
        crf: int = 26,
        preset: str = "ultrafast",
        sound: bool = False,
        tune: str | None = "zerolatency",
        rate: int = 25,
        qcomp: float = 1.0,
    ) -> None:
        self._sink = av.open("-", "w", format="null")
        self.picture: Any = self._sink.add_stream("libx264", rate=rate)
        self.picture.width, self.picture.height, self.picture.pix_fmt = width, height, "yuv420p"
        self.picture.time_base = self.picture.codec_context.time_base = PICTURE_CLOCK
        options = {"preset": preset, "crf": str(crf), "forced-idr": "1", "sc_threshold": "0", "g": "100000"}
        options["x264-params"] = f"threads=1:bframes=0:qcomp={qcomp}"
        # A muxer that takes this stream as its template finds the parameter sets nowhere else.
        self.picture.codec_context.flags |= av.codec.context.Flags.global_header
        self.picture.codec_context.options = {**options, "tune": tune} if tune else options
        self.sound: Any | None = None
        self._loop: list[bytes] = []
        if sound:
            self.sound = self._sink.add_stream("aac", rate=SOUND_HZ)
            self.sound.layout = "mono"
        # Writes the null header, which is what fills in the parameters that make these streams templates.
        self._sink.start_encoding()
        if self.sound is not None:
            self._loop = _quiet_sound(self.sound)

    def encode(self, picture: Pixels, at_s: float, *, key: bool) -> list[Packet]:
        """A BGR picture taken at ``at_s``. With ``zerolatency`` its packet comes at once."""
        frame = av.VideoFrame.from_ndarray(picture, "bgr24").reformat(format="yuv420p")
        frame.pts, frame.time_base = round(at_s / PICTURE_CLOCK), PICTURE_CLOCK
        kinds = av.video.frame.PictureType
        frame.pict_type = kinds.I if key else kinds.NONE
        return [_packet(payload) for payload in self.picture.codec_context.encode(frame)]

    def flush(self) -> list[Packet]:
        return [_packet(payload) for payload in self.picture.codec_context.encode(None)]

    def sound_packet(self, number: int) -> Packet:
        """The ``number``-th packet of sound, ``SOUND_PACKET_S`` long: a murmur that repeats every 8 seconds."""
        payload = av.Packet(self._loop[number % len(self._loop)])
        payload.pts = payload.dts = number * 1024
        payload.time_base = Fraction(1, SOUND_HZ)
        payload.is_keyframe = True
        return Packet(Track.SOUND, True, number * SOUND_PACKET_S, payload)

    def close(self) -> None:
        self._sink.close()


def _packet(payload: Any) -> Packet:
    stamp = payload.pts if payload.dts is None else payload.dts
    return Packet(Track.PICTURE, payload.is_keyframe, float(stamp * payload.time_base), payload)


def _quiet_sound(stream: Any) -> list[bytes]:
    random = np.random.default_rng(7)
    packets: list[bytes] = []
    position = 0
    while len(packets) < _LOOP_PACKETS:
        murmur = random.normal(0.0, 0.02, (1, 1024)) * (1 + np.sin(position / 9000.0))
        frame = av.AudioFrame.from_ndarray(murmur.astype(np.float32), format="fltp", layout="mono")
        frame.rate, frame.pts, frame.time_base = SOUND_HZ, position, Fraction(1, SOUND_HZ)
        packets += [bytes(payload) for payload in stream.codec_context.encode(frame)]
        position += 1024
    return packets

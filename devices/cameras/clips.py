"""The simulated camera's pictures as a file: for servers of tests, for benchmarks, for trying a player."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import av

from .encoder import SOUND_PACKET_S, Encoder
from .scene import Lens, Scene


@dataclass(frozen=True)
class Passage:
    """A stretch of a clip, seen through one lens."""

    seconds: float
    lens: Lens = Lens.OK


def write_clip(
    file: Path,
    passages: Sequence[Passage],
    *,
    scene: Scene | None = None,
    rate: int = 10,
    key_every_s: float = 1.0,
    crf: int = 26,
    preset: str = "ultrafast",
    tune: str | None = "zerolatency",
    qcomp: float = 1.0,
    sound: bool = False,
) -> Path:
    """An H.264 MP4 (with AAC when ``sound``) of the passages one after the other; returns ``file``."""
    scene = scene or Scene("cam-1")
    encoder = Encoder(
        scene.width, scene.height, crf=crf, preset=preset, tune=tune, rate=rate, qcomp=qcomp, sound=sound
    )
    lenses = [passage.lens for passage in passages for _ in range(round(passage.seconds * rate))]
    every = max(1, round(key_every_s * rate))
    heard = 0
    with av.open(str(file), "w", format="mp4") as out:
        tracks = [out.add_stream_from_template(encoder.picture)]
        tracks += [out.add_stream_from_template(encoder.sound)] if encoder.sound is not None else []
        for number, lens in enumerate(lenses):
            at_s = number / rate
            for packet in encoder.encode(scene.picture(at_s, lens), at_s, key=number % every == 0):
                packet.payload.stream = tracks[0]
                out.mux(packet.payload)
            while sound and heard * SOUND_PACKET_S < at_s:
                packet = encoder.sound_packet(heard)
                packet.payload.stream = tracks[1]
                out.mux(packet.payload)
                heard += 1
        for packet in encoder.flush():
            packet.payload.stream = tracks[0]
            out.mux(packet.payload)
    encoder.close()
    return file

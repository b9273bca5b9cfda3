"""What a key frame shows: decoded, hashed, and measured against the camera's reference picture.

Only key frames are decoded: a tenth of the work of decoding all, and the only frames that can be compared. Inter
frames of a live, quiet room decode bit for bit the same, so comparing those calls every quiet room frozen.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from numpy.typing import NDArray

Luma = NDArray[np.uint8]

MEASURED_SIZE = (480, 270)
DARK_MEAN = 12.0
BLACK_LUMA = 38
"""16 + 10 % of the video range, as ffmpeg's blackdetect has it."""
BLACK_SHARE = 0.98
EDGES_KEPT = 0.30
TILES_FLATTENED = 0.40
ALIKE = 0.05
"""Covered: fewer than 30 % of the reference's edges are left and either 40 % of its tiles have gone flat or
nothing correlates with it. Lamps, infrared, four people in the room and a turned camera stay clear of it."""

_EDGE_SHARE = 0.08
_EDGE_FLOOR = 24
_TILE = 30
_FLAT_DEVIATION = 2.0
_TEXTURED_DEVIATION = 6.0
_PLAIN_SHARE = 0.95


class UndecodableKeyFrame(ValueError):
    """A key frame that gives no picture."""


class Eye:
    """Decodes single key frames of one stream, whatever lies between them."""

    def __init__(self, stream: Any) -> None:
        context = stream.codec_context
        self._decoder: Any = av.CodecContext.create(context.name if context.is_decoder else "h264", "r")
        self._decoder.extradata = context.extradata
        # One thread: frame threads would hold the picture back until more packets come.
        self._decoder.thread_count = 1

    def decode(self, payload: Any) -> Any:
        """The ``av.VideoFrame`` of a key packet. Raises ``UndecodableKeyFrame``."""
        try:
            frames = self._decoder.decode(payload) + self._decoder.decode(None)
            self._decoder.flush_buffers()
        except av.FFmpegError as error:
            raise UndecodableKeyFrame(str(error)) from error
        if not frames:
            raise UndecodableKeyFrame("no picture came out of it")
        return frames[-1]


def luma(frame: Any) -> Luma:
    """The grey plane of a frame; not a copy where the format allows it."""
    if not frame.format.name.startswith(("yuv", "nv", "gray")) or frame.format.components[0].bits != 8:
        frame = frame.reformat(format="gray")
    plane = frame.planes[0]
    return np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)[: frame.height, : frame.width]


@dataclass(frozen=True, slots=True)
class Sample:
    """One key frame, looked at. ``covered`` is None when it cannot be told: too dark."""

    digest: bytes
    dark: bool
    covered: bool | None
    small: Luma


@dataclass(frozen=True)
class Reference:
    """What the camera shows when all is well: where its edges are, which of its tiles have texture."""

    small: Luma
    edges: NDArray[np.bool_]
    textured: NDArray[np.bool_]

    @classmethod
    def of(cls, small: Luma) -> Reference:
        return cls(small, _edges(small), _tile_deviation(small) >= _TEXTURED_DEVIATION)

    @classmethod
    def median(cls, smalls: Sequence[Luma]) -> Reference:
        """From several pictures, so that who walks through is not part of it."""
        return cls.of(np.median(np.stack(smalls), axis=0).astype(np.uint8))

    @classmethod
    def load(cls, file: Path) -> Reference | None:
        """None when there is none yet, or it cannot be read."""
        small = cv2.imread(str(file), cv2.IMREAD_GRAYSCALE) if file.exists() else None
        return None if small is None else cls.of(np.asarray(small, np.uint8))

    def save(self, file: Path) -> None:
        """Raises ``OSError`` when the disk does not take it; an older one then stays whole."""
        done, png = cv2.imencode(".png", self.small)
        if done:
            file.parent.mkdir(parents=True, exist_ok=True)
            fresh = file.with_suffix(".new.png")
            fresh.write_bytes(png.tobytes())
            fresh.replace(file)


def sample(plane: Luma, reference: Reference | None) -> Sample:
    """Measure one key frame's luma, of any size."""
    digest = hashlib.sha256(np.ascontiguousarray(plane).data).digest()
    small = shrink(plane)
    dark = float(small.mean()) < DARK_MEAN or float((small < BLACK_LUMA).mean()) >= BLACK_SHARE
    return Sample(digest, dark, None if dark else is_covered(small, reference), small)


def shrink(plane: Luma) -> Luma:
    width, height = MEASURED_SIZE
    if plane.shape[1] <= width:
        return np.ascontiguousarray(plane)
    return np.asarray(cv2.resize(plane, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


def is_plain(small: Luma) -> bool:
    """Nothing but one even area: no room looks like that, with or without a reference."""
    return float((_tile_deviation(small) < _FLAT_DEVIATION).mean()) >= _PLAIN_SHARE


def is_covered(small: Luma, reference: Reference | None) -> bool:
    if reference is None or reference.small.shape != small.shape:
        return is_plain(small)
    if edges_kept(small, reference) >= EDGES_KEPT:
        return False
    return tiles_flattened(small, reference) > TILES_FLATTENED or likeness(small, reference) < ALIKE


def edges_kept(small: Luma, reference: Reference) -> float:
    """Share of the reference's strongest edges that are still there (1.0 when it has none)."""
    wanted = int(reference.edges.sum())
    near = cv2.dilate(_edges(small).astype(np.uint8), np.ones((3, 3), np.uint8)).astype(bool)
    return float((near & reference.edges).sum()) / wanted if wanted else 1.0


def tiles_flattened(small: Luma, reference: Reference) -> float:
    """Share of the reference's textured tiles that now show one even area."""
    wanted = int(reference.textured.sum())
    flat = _tile_deviation(small) < _FLAT_DEVIATION
    return float((flat & reference.textured).sum()) / wanted if wanted else 0.0


def likeness(small: Luma, reference: Reference) -> float:
    """Response of the phase correlation: near 0 when the two pictures have nothing in common, even moved."""
    window = cv2.createHanningWindow((small.shape[1], small.shape[0]), cv2.CV_32F)
    _, response = cv2.phaseCorrelate(reference.small.astype(np.float32), small.astype(np.float32), window)
    return float(response)


def _edges(small: Luma) -> NDArray[np.bool_]:
    """The strongest eight per cent of the gradients, none weaker than a floor above the noise."""
    across = cv2.Sobel(small, cv2.CV_16S, 1, 0)
    down = cv2.Sobel(small, cv2.CV_16S, 0, 1)
    strength = np.minimum(np.abs(across) + np.abs(down), 1023)
    above = np.cumsum(np.bincount(strength.ravel(), minlength=1024)[::-1])[::-1]
    level = int(np.argmax(above <= _EDGE_SHARE * strength.size))
    return np.asarray(strength >= max(level, _EDGE_FLOOR), np.bool_)


def _tile_deviation(small: Luma) -> NDArray[np.float64]:
    """Standard deviation of each tile of about 30 x 30 pixels."""
    rows, columns = max(small.shape[0] // _TILE, 1), max(small.shape[1] // _TILE, 1)
    cut = small[: rows * (small.shape[0] // rows), : columns * (small.shape[1] // columns)].astype(np.float32)
    mean = cv2.resize(cut, (columns, rows), interpolation=cv2.INTER_AREA)
    square = cv2.resize(cut * cut, (columns, rows), interpolation=cv2.INTER_AREA)
    return np.asarray(np.sqrt(np.maximum(square - mean * mean, 0.0)), np.float64)


class References:
    """One camera's reference picture, kept in ``file``. It is learnt once, from the first pictures that show
    anything, and never again by itself: who covers a camera slowly would teach it to see nothing. To have a moved
    camera's learnt anew, a person removes the file.
    """

    LEARNT_FROM = 5

    def __init__(self, file: Path) -> None:
        self._file = file
        self._seen: list[Luma] = []
        self.current = Reference.load(file)

    def learn(self, sample: Sample) -> None:
        """Take a sample towards the reference, while there is none. Raises ``OSError`` when it cannot be kept."""
        if self.current is not None or sample.dark or is_plain(sample.small):
            return
        self._seen = [small for small in self._seen if small.shape == sample.small.shape]
        self._seen.append(sample.small)
        if len(self._seen) >= self.LEARNT_FROM:
            self.current, self._seen = Reference.median(self._seen), []
            self.current.save(self._file)


def save_still(frame: Any, file: Path, *, width: int = 640, quality: int = 80) -> None:
    """A frame as a JPEG for people, at most ``width`` wide; whoever reads the file never sees half of it."""
    if frame.width > width:
        height = round(frame.height * width / frame.width / 2) * 2
        frame = frame.reformat(width=width, height=height, format="bgr24")
    done, jpeg = cv2.imencode(".jpg", frame.to_ndarray(format="bgr24"), [cv2.IMWRITE_JPEG_QUALITY, quality])
    if done:
        file.parent.mkdir(parents=True, exist_ok=True)
        fresh = file.with_suffix(".new")
        fresh.write_bytes(jpeg.tobytes())
        fresh.replace(file)

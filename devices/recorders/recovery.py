"""Reading stored files as they are: packet by packet, whatever their headers claim.

After a crash the last file of each camera has no row in the index; here it gets one, for as much as is there.
"""

from __future__ import annotations

import hashlib
import logging
import re
from pathlib import Path

import av

from custody.intervals import Interval

from .cover import Cover
from .segment import sync_folder
from .store import Segment, SegmentStore, Spans

log = logging.getLogger(__name__)

_NAME = re.compile(r"^(?P<sequence>[0-9]+)-(?P<start_us>[0-9]+)-(?P<run>[0-9a-f]+)\.(mp4|mov)$")
_BLOCK_BYTES = 1 << 20


def file_name(sequence: int, start_us: int, run: str) -> str:
    """Without its ending. It holds what the file's own bytes do not: place, time and run."""
    return f"{sequence:08d}-{start_us}-{run}"


def recover(store: SegmentStore, camera: str) -> list[Segment]:
    """Index every file of the camera that has no row; the new rows, by sequence.

    A file that the disk does not give back is left for the next start: it must not keep its camera, or those that
    share its worker, from being watched.
    """
    known = store.files(camera)
    found: list[Segment] = []
    for path, name in _files(store, camera):
        relative = str(path.relative_to(store.directory))
        if relative in known:
            continue
        try:
            sync_folder(path.parent)
            segment, spans = read_segment(
                path, camera, int(name["sequence"]), name["run"], int(name["start_us"]), relative
            )
        except OSError as error:
            log.error("camera %s: %s cannot be read: %s; check the disk (dmesg, smartctl)", camera, path, error)
            continue
        store.add(segment, spans)
        held_s = sum(end - start for start, end in spans.picture) / 1e6
        log.warning("camera %s: %s was not finished; %.1f s of it can be read", camera, relative, held_s)
        found.append(segment)
    return found


def next_sequence(store: SegmentStore, camera: str) -> int:
    """The number of the camera's next segment: no file has it, also none that could not be indexed."""
    numbers = [int(name["sequence"]) for _, name in _files(store, camera)]
    return max([store.next_sequence(camera) - 1, *numbers]) + 1


def _files(store: SegmentStore, camera: str) -> list[tuple[Path, re.Match[str]]]:
    """Every segment's file of the camera with what its name says, in the order of the names."""
    paths = sorted((store.directory / camera).glob("*/*.m*"))
    return [(path, name) for path in paths if (name := _NAME.match(path.name)) is not None]


def read_segment(
    path: Path, camera: str, sequence: int, run: str, start_us: int, relative: str
) -> tuple[Segment, Spans]:
    """What a file holds by its packets; a file that cannot be read holds nothing."""
    picture, sound, key_frames = read_packets(path)
    spans = Spans(_placed(picture, start_us), _placed(sound, start_us))
    size, digest = _digest(path)
    segment = Segment(
        camera,
        sequence,
        run,
        relative,
        start_us,
        spans.picture[-1][1] if spans.picture else start_us,
        picture.packets,
        key_frames,
        round(picture.longest_gap_s * 1e6),
        sound.packets,
        size,
        digest,
        "recovered" if picture.packets else "recovered: no picture can be read",
    )
    return segment, spans


def read_packets(path: Path) -> tuple[Cover, Cover, int]:
    """(picture, sound, number of key frames), in seconds from the first picture. Stops where it is broken."""
    picture, sound, key_frames = Cover(), Cover(0.1), 0
    base_s: float | None = None
    try:
        with av.open(str(path)) as container:
            video = container.streams.video[0]
            wanted = [video, *container.streams.audio[:1]]
            for packet in container.demux(*wanted):
                if packet.is_corrupt:
                    break
                if not packet.size or packet.dts is None or packet.time_base is None:
                    continue
                at_s = float(packet.dts * packet.time_base)
                if packet.stream is video:
                    base_s = at_s if base_s is None else base_s
                    picture.add(at_s - base_s)
                    key_frames += packet.is_keyframe
                elif base_s is not None:
                    sound.add(at_s - base_s)
    except (av.FFmpegError, IndexError, OSError) as error:
        log.info("%s can be read up to %d packets: %s", path, picture.packets, error)
    return picture, sound, key_frames


def _placed(cover: Cover, start_us: int) -> tuple[Interval, ...]:
    return tuple((start_us + round(a * 1e6), start_us + round(b * 1e6)) for a, b in cover.spans())


def _digest(path: Path) -> tuple[int, str]:
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as opened:
        while block := opened.read(_BLOCK_BYTES):
            digest.update(block)
            size += len(block)
    return size, digest.hexdigest()

"""What every recorder can be asked: which stretches of a camera it holds, and by what proof."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from custody.errors import FourmustsError
from custody.events import AuditSource
from custody.intervals import Interval


@dataclass(frozen=True)
class Holding:
    """What a recorder holds of one camera within [start, end): half-open intervals in UTC microseconds, from
    packets, never from headers.
    """

    picture: tuple[Interval, ...]
    sound: tuple[Interval, ...]
    manifest: str
    """SHA-256, in hex, over the digests of the segments that it consists of: it names exactly these bytes."""
    clock_offset_s: float | None
    """The recorder's clock minus the zone's; None when it was not measured."""
    uncertainty_s: float


class Recorder(Protocol):
    @property
    def source(self) -> AuditSource: ...

    def holding(self, camera: str, start_us: int, end_us: int) -> Holding:
        """Raises ``RecorderError`` when it cannot be told now; nothing stored is no error."""
        ...


class RecorderError(FourmustsError):
    """A recorder that cannot be asked, or cannot write; says which camera, what, and the mend."""


class RecordingFailed(RecorderError):
    """The local recorder could not write a camera's packets to disk."""

    def __init__(self, camera: str, file: str, found: str) -> None:
        mend = (
            "check that the disk is mounted, writable and not full (df -h, df -i); the camera is retried meanwhile"
        )
        super().__init__(f"camera {camera}: cannot record to {file}: {found}; {mend}")
        self.camera = camera

"""What every camera is: something that opens a stream of packets, still compressed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol


class Track(StrEnum):
    PICTURE = "picture"
    SOUND = "sound"


@dataclass(frozen=True, slots=True)
class Packet:
    """One compressed packet. ``at_s`` is its time on the stream's own clock, in decoding order."""

    track: Track
    key: bool
    at_s: float
    payload: Any
    """The ``av.Packet``; whoever muxes it may change its times."""


class CameraStream(Protocol):
    """A running stream. Use it from one thread; ``close`` may come from another."""

    @property
    def picture(self) -> Any:
        """The ``av`` video stream that a muxer or decoder takes as its template."""
        ...

    @property
    def sound(self) -> Any | None:
        """The ``av`` audio stream likewise; None when the stream is silent."""
        ...

    def packets(self) -> Iterator[Packet]:
        """Packets as they arrive. Ends quietly only after ``close``; every other end is ``StreamLost``."""
        ...

    def close(self) -> None: ...


class Camera(Protocol):
    """A camera by its id. ``open`` blocks for at most its own timeout."""

    @property
    def id(self) -> str: ...

    def open(self) -> CameraStream:
        """Raises ``CameraUnreachable`` or ``StreamUnusable``."""
        ...

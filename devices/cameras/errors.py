"""What can be wrong with a camera."""

from __future__ import annotations

from custody.errors import FourmustsError


class CameraError(FourmustsError):
    """A camera that cannot be used as it is. ``camera`` is its id; the text never holds a password."""

    def __init__(self, camera: str, text: str) -> None:
        super().__init__(f"camera {camera}: {text}")
        self.camera = camera


class CameraUnreachable(CameraError):
    """No stream could be opened; says where it was sought, what came back and what mends it."""

    def __init__(self, camera: str, where: str, found: str, mend: str) -> None:
        super().__init__(camera, f"{where} gives no stream: {found}; {mend}")
        self.where = where


class StreamUnusable(CameraError):
    """A stream that was opened and cannot be watched or recorded: no picture, or one of another kind."""


class StreamLost(CameraError):
    """A stream that was running and has ended, by whatever way: closed, killed, stalled."""

    def __init__(self, camera: str, reason: str) -> None:
        super().__init__(camera, f"the stream was lost: {reason}")
        self.reason = reason

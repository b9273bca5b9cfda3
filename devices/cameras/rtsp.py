"""A camera that speaks RTSP (RFC 2326), read through PyAV over TCP.

UDP loses packets without a word and a lost packet cannot be told from a bad camera, so only TCP is used.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import av

from .base import Packet, Track
from .errors import CameraUnreachable, StreamLost, StreamUnusable

OPEN_TIMEOUT_S = 8.0
READ_TIMEOUT_S = 4.0
"""A stalled peer is noticed after one to two of these (measured: up to twice)."""

_SECRETS = ("pass", "pwd", "token", "secret", "key")


class RtspCamera:
    """``url`` may hold user and password; they appear in no message."""

    def __init__(
        self,
        id: str,
        url: str,
        *,
        open_timeout_s: float = OPEN_TIMEOUT_S,
        read_timeout_s: float = READ_TIMEOUT_S,
    ) -> None:
        self.id = id
        self._url = url
        self._timeout_s = (open_timeout_s, read_timeout_s)

    def open(self) -> RtspStream:
        began_s = time.monotonic()
        try:
            # Without a timeout PyAV waits for ever on a peer that has stalled.
            container = av.open(self._url, options={"rtsp_transport": "tcp"}, timeout=self._timeout_s)
        except (av.FFmpegError, OSError) as error:
            # A handshake that is cut off by the timeout comes back as any other error, mostly as bad data.
            late = time.monotonic() - began_s >= self._timeout_s[0] * 0.95
            found, mend = _explain(TimeoutError() if late else error)
            raise CameraUnreachable(self.id, without_password(self._url), found, mend) from None
        if not container.streams.video:
            container.close()
            where = without_password(self._url)
            raise StreamUnusable(self.id, f"{where} has no picture; give the url of the video stream")
        return RtspStream(self.id, container)


class RtspStream:
    def __init__(self, camera: str, container: Any) -> None:
        self._camera = camera
        self._container = container
        self._closed = False
        self.picture = container.streams.video[0]
        self.sound = container.streams.audio[0] if container.streams.audio else None

    def packets(self) -> Iterator[Packet]:
        wanted = [self.picture] if self.sound is None else [self.picture, self.sound]
        try:
            for payload in self._container.demux(*wanted):
                if self._closed:
                    return
                stamp = payload.pts if payload.dts is None else payload.dts
                if not payload.size or stamp is None:
                    continue
                track = Track.PICTURE if payload.stream is self.picture else Track.SOUND
                yield Packet(track, payload.is_keyframe, float(stamp * payload.time_base), payload)
        except (av.FFmpegError, OSError) as error:
            if not self._closed:
                raise StreamLost(self._camera, _explain(error)[0]) from None
        finally:
            self._container.close()
        # A killed peer ends the loop without any exception (measured with PyAV 18.1).
        if not self._closed:
            raise StreamLost(self._camera, "the other side ended it")

    def close(self) -> None:
        # Only marked here: the container belongs to the thread that reads it, and closing it under a
        # running read crashes the process.
        self._closed = True


def without_password(url: str) -> str:
    """The url as it may be shown: user kept, password and secrets in the query left out."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    host = f"[{host}]" if ":" in host else host
    port = f":{parts.port}" if parts.port else ""
    user = f"{parts.username}@" if parts.username else ""
    query = parts.query
    if any(secret in query.lower() for secret in _SECRETS):
        shown = [(k, "***" if any(s in k.lower() for s in _SECRETS) else v) for k, v in parse_qsl(query)]
        query = urlencode(shown, safe="*")
    return urlunsplit((parts.scheme, f"{user}{host}{port}", parts.path, query, ""))


def _explain(error: Exception) -> tuple[str, str]:
    """(what was found, what mends it), from an error whose own text would hold the url."""
    if isinstance(error, av.error.HTTPUnauthorizedError):
        return "it refuses the user or the password", "correct them in the camera's url in zone.toml"
    if isinstance(error, av.error.HTTPNotFoundError):
        return "it knows no such path", "correct the path of the camera's url in zone.toml"
    if isinstance(error, ConnectionRefusedError):
        return "nothing listens there", "check host and port of the url, and that the camera serves RTSP"
    if isinstance(error, TimeoutError | av.error.ExitError):
        return "no answer in time", "check its power, its cable and the address in zone.toml"
    found = getattr(error, "strerror", None) or type(error).__name__
    return str(found).lower(), "try the url with ffprobe on this machine"

"""Events of cameras and recorders: what was seen to be recording, and what is stored."""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar

from .base import EventData, PartId, Seconds, Time


class RecordingState(StrEnum):
    RECORDING = "recording"
    IMPAIRED = "impaired"
    LOST = "lost"
    UNKNOWN = "unknown"


class AudioState(StrEnum):
    GOOD = "good"
    BAD = "bad"
    UNKNOWN = "unknown"
    NONE = "none"


class CameraFault(StrEnum):
    NO_SIGNAL = "no_signal"
    NOT_RECORDING = "not_recording"
    FROZEN = "frozen"
    REPLAYED = "replayed"
    DARK = "dark"
    COVERED = "covered"
    DEFOCUSED = "defocused"
    MOVED = "moved"
    NO_AUDIO = "no_audio"
    CLOCK = "clock"
    STORAGE = "storage"


class CameraState(EventData):
    TYPE: ClassVar[str] = "camera.state"
    camera: PartId
    state: RecordingState
    audio: AudioState
    faults: list[CameraFault]
    since: Time


class AuditSource(StrEnum):
    LOCAL = "local"
    ONVIF = "onvif"
    HIKVISION = "hikvision"


class RecordingAudited(EventData):
    """What a recorder really holds of [start, end): intervals summed from packets, never from headers."""

    TYPE: ClassVar[str] = "recording.audited"
    camera: PartId
    start: Time
    end: Time
    covered: list[tuple[Time, Time]]
    audio: list[tuple[Time, Time]]
    source: AuditSource
    clock_offset_s: Seconds | None
    uncertainty_s: Seconds
    manifest: str


class RecordingLost(EventData):
    TYPE: ClassVar[str] = "recording.lost"
    camera: PartId
    start: Time
    end: Time
    cause: str

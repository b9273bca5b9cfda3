"""Auditing: for the time that somebody was in a room, what do its cameras' recordings really hold?

An audit replaces what was said live of that camera and that time, so it must not say more than is true: a stored
picture that showed a cloth, a frozen or a black room proves nothing and does not count as covered.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from custody.events import Draft, Event, RecordingAudited, draft, parse_time, to_datetime
from custody.intervals import FOREVER, Interval, Intervals, clip, covers, normal, subtract, union
from devices.recorders.base import Holding, Recorder

SHOWS_NOTHING = frozenset({"frozen", "replayed", "dark", "covered", "defocused", "moved"})
MOST_INTERVALS = 150
"""An event's line must fit its message; an audit with more holes is written as several, one after the other."""


@dataclass(frozen=True)
class Job:
    """One camera's recording of [start, end) is to be audited."""

    camera: str
    start_us: int
    end_us: int


class Audited:
    """What the ledger says of each camera: what of it was audited, and when its picture showed nothing."""

    def __init__(self) -> None:
        self._audited: dict[str, Intervals] = {}
        self._bad: dict[str, Intervals] = {}
        self._bad_since_us: dict[str, int] = {}
        self._stated_us: dict[str, int] = {}

    def take(self, event: Event) -> None:
        if event.type == "recording.audited":
            camera = str(event.data["camera"])
            pair = (parse_time(event.data["start"])[0], parse_time(event.data["end"])[0])
            self._audited[camera] = union(self._audited.get(camera, []), normal([pair]))
        elif event.type == "camera.state":
            self._take_state(event)
        elif event.type == "zone.started":
            for camera in list(self._bad_since_us):
                self._end_bad(camera, event.time_us)

    def is_done(self, job: Job) -> bool:
        return covers(self._audited.get(job.camera, []), job.start_us, job.end_us)

    def showed_nothing(self, camera: str) -> Intervals:
        open_us = self._bad_since_us.get(camera)
        known = self._bad.get(camera, [])
        return known if open_us is None else union(known, [(open_us, FOREVER)])

    def _take_state(self, event: Event) -> None:
        """A state other than recording holds from its ``since`` if that is earlier (rules.md, "Recorded")."""
        camera, since_us = str(event.data["camera"]), parse_time(event.data["since"])[0]
        if event.data["state"] == "recording":
            begins_us = since_us if since_us > self._stated_us.get(camera, 0) else event.time_us
        else:
            begins_us = min(since_us, event.time_us)
        self._stated_us[camera] = event.time_us
        bad = event.data["state"] == "impaired" and not SHOWS_NOTHING.isdisjoint(event.data["faults"])
        if bad:
            self._bad_since_us[camera] = min(begins_us, self._bad_since_us.get(camera, begins_us))
        else:
            self._end_bad(camera, begins_us)

    def _end_bad(self, camera: str, end_us: int) -> None:
        since_us = self._bad_since_us.pop(camera, None)
        if since_us is not None and since_us < end_us:
            self._bad[camera] = union(self._bad.get(camera, []), [(since_us, end_us)])


def audit(job: Job, recorder: Recorder, showed_nothing: Intervals) -> list[Draft]:
    """The ``recording.audited`` events of a job. Raises ``RecorderError``."""
    holding = recorder.holding(job.camera, job.start_us, job.end_us)
    picture = subtract(list(holding.picture), clip(showed_nothing, job.start_us, job.end_us))
    sound = list(holding.sound)
    return [
        _event(job, recorder, holding, piece, clip(picture, *piece), clip(sound, *piece))
        for piece in _pieces(job, picture, sound)
    ]


def _pieces(job: Job, picture: Sequence[Interval], sound: Sequence[Interval]) -> Iterator[Interval]:
    """[start, end) in stretches that hold at most ``MOST_INTERVALS`` intervals each."""
    begins = sorted(start for start, _ in [*picture, *sound])
    start_us = job.start_us
    for begin_us in begins[MOST_INTERVALS::MOST_INTERVALS]:
        if begin_us > start_us:
            yield (start_us, begin_us)
            start_us = begin_us
    yield (start_us, job.end_us)


def _event(
    job: Job, recorder: Recorder, holding: Holding, piece: Interval, picture: Intervals, sound: Intervals
) -> Draft:
    return draft(
        RecordingAudited(
            camera=job.camera,
            start=to_datetime(piece[0]),
            end=to_datetime(piece[1]),
            covered=[(to_datetime(start), to_datetime(end)) for start, end in picture],
            audio=[(to_datetime(start), to_datetime(end)) for start, end in sound],
            source=recorder.source,
            clock_offset_s=holding.clock_offset_s,
            uncertainty_s=holding.uncertainty_s,
            manifest=holding.manifest,
        )
    )

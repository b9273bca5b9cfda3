"""What the judge reads out of an event: one small typed record a line, with nothing in it that no rule needs.

Reading is lenient where the schema allows null and strict where a rule could not be applied: a body that
cannot be read raises ``SchemaBroken``, and the line then counts as written but not as a fact.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from .events import parse_time
from .intervals import Interval

Order = tuple[int, int, int, int, str]
"""The place of a fact on the timeline: time, written, rank of its ledger in the chain, sequence, id."""

PROVEN, MISSING, UNKNOWN = "proven", "missing", "unknown"


class Officer(NamedTuple):
    id: str
    rank: str
    sex: str


Officers = tuple[Officer, ...]


class Room(NamedTuple):
    id: str
    area: str = "custody"
    purpose: str = "other"
    cameras: tuple[str, ...] = ()
    every_camera: bool = False
    """Coverage ``all``: proven only when every camera is."""
    audio: bool = False
    described: bool = True


class Door(NamedTuple):
    contact: bool
    interlock: str | None


@dataclass(frozen=True, slots=True)
class Body:
    """What an event says, read. Each kind of body is one of the classes below."""


@dataclass(frozen=True, slots=True)
class OfStay(Body):
    """A body that tells of one stay. Care and property are no more than this to the judge."""

    stay: str


@dataclass(frozen=True, slots=True)
class Described(Body):
    rooms: Mapping[str, Room]
    doors: Mapping[str, Door]


@dataclass(frozen=True, slots=True)
class ZoneStarted(Body):
    pass


@dataclass(frozen=True, slots=True)
class ClockReading(Body):
    """A heartbeat's clock or a step of the clock: how far it was certainly off, 0 if not known to be."""

    off_us: int
    step: bool


@dataclass(frozen=True, slots=True)
class Granted(Body):
    door: str
    bring_in: bool


@dataclass(frozen=True, slots=True)
class Opened(Body):
    door: str


class Measure(NamedTuple):
    kind: str = "none"
    limit_hours: float | None = None
    since_us: int | None = None


@dataclass(frozen=True, slots=True)
class Arrived(OfStay):
    category: str
    sex: str
    flags: frozenset[str]
    case_kind: str
    measure: Measure
    exempt: bool


@dataclass(frozen=True, slots=True)
class Entered(OfStay):
    """``stay.entered`` or, with ``returned``, ``stay.returned``."""

    door: str
    room: str
    escorts: Officers
    returned: bool


@dataclass(frozen=True, slots=True)
class Moved(OfStay):
    room: str
    escorts: Officers


@dataclass(frozen=True, slots=True)
class SearchStarted(OfStay):
    search: str
    room: str
    officers: Officers


@dataclass(frozen=True, slots=True)
class SearchFinished(OfStay):
    search: str
    room: str
    body_search: bool
    officers: Officers
    complete: bool
    """Signed, injuries and belongings said."""


@dataclass(frozen=True, slots=True)
class Collected(OfStay):
    items: tuple[str, ...]
    approved: bool
    officers: Officers


@dataclass(frozen=True, slots=True)
class ActivityStarted(OfStay):
    activity: str
    kind: str
    room: str
    officers: Officers
    exempt: bool


@dataclass(frozen=True, slots=True)
class ActivityOfficers(OfStay):
    activity: str
    officers: Officers


@dataclass(frozen=True, slots=True)
class ActivityEnded(OfStay):
    activity: str


@dataclass(frozen=True, slots=True)
class LeaveApproved(OfStay):
    permit: str
    reason: str
    role: str
    return_by_us: int | None


@dataclass(frozen=True, slots=True)
class Left(OfStay):
    permit: str | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class Exited(OfStay):
    reason: str
    destination: bool
    settled: bool
    signed: bool


@dataclass(frozen=True, slots=True)
class MeasureChanged(OfStay):
    measure: Measure


@dataclass(frozen=True, slots=True)
class FlagsChanged(OfStay):
    flags: frozenset[str]
    level: str


@dataclass(frozen=True, slots=True)
class Hold(OfStay):
    set: bool


@dataclass(frozen=True, slots=True)
class Checked(OfStay):
    room: str
    officer: Officer
    terminal: str | None


@dataclass(frozen=True, slots=True)
class Present(Body):
    room: str
    officer: Officer
    valid_us: int | None


@dataclass(frozen=True, slots=True)
class Absent(Body):
    room: str
    officer: str


@dataclass(frozen=True, slots=True)
class Handover(Body):
    room: str
    outgoing: str
    incoming: Officer
    stays: frozenset[str]


@dataclass(frozen=True, slots=True)
class CameraState(Body):
    """``picture`` and ``sound`` are proven, missing or unknown; ``recording`` says that the state is so called."""

    camera: str
    recording: bool
    unknown: bool
    picture: str
    sound: str
    since_us: int


@dataclass(frozen=True, slots=True)
class Audited(Body):
    camera: str
    start: int
    end: int
    covered: tuple[Interval, ...]
    audio: tuple[Interval, ...]
    off_us: int
    uncertainty_us: int


@dataclass(frozen=True, slots=True)
class RecordingLost(Body):
    camera: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Corrected(Body):
    corrects: str
    fields: Mapping[str, Any]
    time: str | None
    void: bool | None


@dataclass(frozen=True, slots=True)
class Amended(OfStay):
    """A line of this stay was corrected ``after_us`` later; ``stay`` is empty for a line that is of none."""

    after_us: int


class Fact:
    """A line as the rules see it: corrected, typed, and in its place on the timeline.

    ``first_us`` is its time as first written, ``evidence`` its id and those of the corrections that changed it.
    """

    __slots__ = ("body", "evidence", "first_us", "id", "offset_s", "order", "time", "type", "written")

    def __init__(
        self,
        *,
        id: str,
        type: str,
        order: Order,
        first_us: int,
        offset_s: int,
        body: Body,
        evidence: tuple[str, ...],
    ) -> None:
        self.id = id
        self.type = type
        self.order = order
        self.time = order[0]
        self.written = order[1]
        self.first_us = first_us
        self.offset_s = offset_s
        self.body = body
        self.evidence = evidence

    @property
    def written_order(self) -> Order:
        """Its place among the lines as they were written, whatever time they tell of."""
        return (self.written, *self.order[1:])

    @property
    def stay(self) -> str | None:
        return self.body.stay if isinstance(self.body, OfStay) else None


def moment_us(text: str) -> int:
    return parse_time(text)[0]

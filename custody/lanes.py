"""A stay as lanes, one a must: what was required when, what of it is proven, and what is missing or not known.

``custody.drafting`` works them out, ``config.drawing`` draws them.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from .findings import Finding


class Shows(StrEnum):
    """What a piece of time is in a lane."""

    INSIDE = "inside"
    WAY_IN = "way_in"
    OUT = "out"
    SEARCH = "search"
    ACTIVITY = "activity"
    COLLECTION = "collection"
    MEASURE = "measure"
    PROVEN = "proven"
    AUXILIARY = "auxiliary"
    """Proven, by auxiliaries alone."""
    MISSING = "missing"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Piece:
    """[start, end) in microseconds; ``what`` names it further: a room, the kind of an activity or of a measure."""

    start_us: int
    end_us: int
    shows: Shows
    what: str = ""
    hours: float | None = None
    """Of a measure: the limit that binds."""


@dataclass(frozen=True, slots=True)
class Run:
    """Required time that is missing or unknown. ``length_us`` is what counts of it, ``finding`` what the judge
    made of it: ``None`` for what is too short to be a finding, or is not one by the rules."""

    start_us: int
    end_us: int
    shows: Shows
    length_us: int
    finding: Finding | None


@dataclass(frozen=True, slots=True)
class Track:
    """One requirement: ``required`` above ``proven``. ``name``: entry, search, guard, picture, sound, clock."""

    name: str
    required: tuple[Piece, ...]
    proven: tuple[Piece, ...]
    runs: tuple[Run, ...]


@dataclass(frozen=True, slots=True)
class Lane:
    """A must (0: the legal clocks); ``others`` are its findings that are no run of a track."""

    must: int
    verdict: str
    tracks: tuple[Track, ...]
    others: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class StayLanes:
    """A stay from ``start_us`` to its exit, or to where it is known while it ``lasts``."""

    zone: str
    stay: str
    category: str
    start_us: int
    end_us: int
    lasts: bool
    utc_offset_s: int
    places: tuple[Piece, ...]
    acts: tuple[Piece, ...]
    lanes: tuple[Lane, ...]
    deadline_us: int | None
    """When the limit in force at the end is reached; ``None`` if it never is."""

    @property
    def findings(self) -> list[Finding]:
        """All of them, in the order of their starts."""
        runs = [run.finding for lane in self.lanes for track in lane.tracks for run in track.runs]
        others = [finding for lane in self.lanes for finding in lane.others]
        return sorted({one.id: one for one in [*runs, *others] if one}.values(), key=lambda one: one.place)

"""What the pages and the interface show, put together from the database: the same for both."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import orjson

from config.central import CentralSettings
from config.clock import Clock

from ..store.accusations import FORKS, OURS, ROLLBACK
from ..store.queries import Queries, Row

MUSTS = (1, 2, 3, 4, 0)
"""In the order in which they are shown: the four musts, then the legal clocks."""
WINDOW_US = 24 * 3600 * 1_000_000
"""The overview looks back a day; what still lasts is shown however old it is."""


class Presence(StrEnum):
    LIVE = "live"
    SILENT = "silent"
    NEVER = "never"
    """Enrolled, but nothing has come from it yet."""


class Mark(StrEnum):
    """What a cell says at a glance. ``UNKNOWN``: nothing is proven of a zone that is silent, or whose lines are
    not judged, so it is never green."""

    BREACH = "breach"
    UNPROVEN = "unproven"
    REVIEW = "review"
    KEPT = "kept"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class MustCell:
    must: int
    mark: Mark
    breach: int
    unproven: int
    review: int


@dataclass(frozen=True)
class ZoneView:
    id: str
    name: str
    presence: Presence
    heard_us: int | None
    known_us: int | None
    connected: bool | None
    inside: int
    musts: tuple[MustCell, ...]
    lines: int
    behind: int
    forks: int
    """Messages in which the zone signed another history than before."""
    rollbacks: int
    """How many times its disk was restored from an old image."""
    accuses: int
    """How many times it was shown a past of headquarters that contradicts what it holds."""
    kept: int
    """All messages and lines kept as evidence."""
    heartbeat: Mapping[str, Any] | None
    described: Mapping[str, Any] | None
    up_to_date: bool
    """Whether what is shown is of now. Where it is not (the zone is silent, or its lines wait to be judged),
    nothing is kept."""

    @property
    def clock_offset_s(self) -> float | None:
        found = ((self.heartbeat or {}).get("clock") or {}).get("offset_s")
        return float(found) if isinstance(found, int | float) else None

    @property
    def retention_days(self) -> float | None:
        found = ((self.heartbeat or {}).get("disk") or {}).get("retention_days")
        return float(found) if isinstance(found, int | float) else None


@dataclass(frozen=True)
class Overview:
    at_us: int
    zones: list[ZoneView]
    inside: int
    silent: int
    serious: int
    breach: int
    review: int
    unproven: int


class Views:
    """Put together what is shown. Cheap: a handful of short reads each."""

    def __init__(self, settings: CentralSettings, queries: Queries, clock: Clock, silent_after_us: int) -> None:
        """``silent_after_us``: how long after its last batch a zone counts as silent (``heartbeat_timeout_s``)."""
        self._silent_after_us = silent_after_us
        self.settings = settings
        self.queries = queries
        self.clock = clock
        self._zone_names = {zone.id: zone.name for zone in settings.zones}

    def zone_name(self, zone: str) -> str:
        return self._zone_names.get(zone, zone)

    def is_enrolled(self, zone: str) -> bool:
        return zone in self._zone_names

    def overview(self) -> Overview:
        now_us = self.clock.now_us()
        since_us = now_us - WINDOW_US
        known = self.queries.zones()
        counts = self.queries.finding_counts(since_us)
        kept = self.queries.evidence_counts()
        zones = [
            self._zone(zone.id, zone.name, known.get(zone.id, {}), counts, kept, now_us)
            for zone in self.settings.zones
        ]
        totals = {
            verdict: sum(n for (_, _, found), n in counts.items() if found == verdict)
            for verdict in ("breach", "review", "unproven")
        }
        return Overview(
            at_us=now_us,
            zones=zones,
            inside=sum(zone.inside for zone in zones),
            silent=sum(zone.presence is not Presence.LIVE for zone in zones),
            serious=self.queries.serious_count(since_us),
            **totals,
        )

    def unknown_zones(self) -> set[str]:
        """Of them nothing is known now, whatever was known before."""
        return {zone.id for zone in self.overview().zones if not zone.up_to_date}

    def zone(self, zone: str) -> ZoneView | None:
        """``None`` when no such zone is enrolled."""
        return next((one for one in self.overview().zones if one.id == zone), None)

    def names(self, zone: str) -> Callable[[str], str]:
        """What people of this zone call its rooms and doors, by their ids."""
        described = _json(self.queries.described(zone)) or {}
        known = {part["id"]: part["name"] for kind in ("rooms", "doors") for part in described.get(kind, [])}
        return lambda id_: str(known.get(id_, id_))

    def _zone(
        self,
        id_: str,
        name: str,
        row: Row,
        counts: Mapping[tuple[str, int, str], int],
        kept: Mapping[tuple[str, str], int],
        now_us: int,
    ) -> ZoneView:
        heard_us = row.get("heard_us")
        if heard_us is None:
            presence = Presence.NEVER
        elif abs(now_us - heard_us) > self._silent_after_us or _went_away(row, heard_us):
            # In the future: headquarters' clock was set back, and would call every zone live until it catches up.
            presence = Presence.SILENT
        else:
            presence = Presence.LIVE
        behind = int(row.get("behind") or 0)
        stalled = behind > 0 and now_us - (row.get("known_us") or 0) > self._silent_after_us
        up_to_date = presence is Presence.LIVE and not stalled
        return ZoneView(
            id=id_,
            name=name,
            presence=presence,
            heard_us=heard_us,
            known_us=row.get("known_us"),
            connected=row.get("connected"),
            inside=row.get("inside", 0),
            musts=tuple(_cell(must, id_, counts, up_to_date) for must in MUSTS),
            lines=int(row.get("lines") or 0),
            behind=behind,
            forks=_count(kept, id_, FORKS),
            rollbacks=_count(kept, id_, (ROLLBACK,)),
            accuses=_count(kept, id_, OURS),
            kept=sum(n for (zone, _), n in kept.items() if zone == id_),
            heartbeat=_json(row.get("heartbeat")),
            described=_json(row.get("described")),
            up_to_date=up_to_date,
        )


def _went_away(row: Row, heard_us: int) -> bool:
    """Whether the broker said that the zone's connection broke, and nothing signed came since: that is the truth,
    the broker's word a hint (some brokers keep no state for us)."""
    return row.get("connected") is False and row["connected_us"] >= heard_us


def _cell(must: int, zone: str, counts: Mapping[tuple[str, int, str], int], up_to_date: bool) -> MustCell:
    breach, unproven, review = (counts.get((zone, must, v), 0) for v in ("breach", "unproven", "review"))
    if breach:
        mark = Mark.BREACH
    elif unproven:
        mark = Mark.UNPROVEN
    elif not up_to_date:
        mark = Mark.UNKNOWN
    elif review:
        mark = Mark.REVIEW
    else:
        mark = Mark.KEPT
    return MustCell(must, mark, breach, unproven, review)


def _json(text: str | None) -> Any:
    return None if text is None else orjson.loads(text)


def _count(kept: Mapping[tuple[str, str], int], zone: str, kinds: Sequence[str]) -> int:
    return sum(kept.get((zone, kind), 0) for kind in kinds)

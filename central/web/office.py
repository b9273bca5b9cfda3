"""What every request needs, in one place."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from config.central import CentralSettings
from config.clock import Clock

from ..store.database import Database
from ..store.proofs import Proofs
from ..store.queries import Queries
from .live import Hub
from .views import Views

Citation = Callable[[str], list[str]]
"""What a rule rests on, one source a line; empty when the policy names none."""


@dataclass(frozen=True)
class Office:
    settings: CentralSettings
    clock: Clock
    queries: Queries
    proofs: Proofs
    views: Views
    hub: Hub
    citation: Citation

    @classmethod
    def over(
        cls, database: Database, settings: CentralSettings, clock: Clock, hub: Hub, citation: Citation
    ) -> Office:
        queries = Queries(database)
        return cls(settings, clock, queries, Proofs(database), Views(settings, queries, clock), hub, citation)

    @property
    def utc_offset_s(self) -> int:
        return int(self.settings.bureau.utc_offset_hours * 3600)

    def names_by_zone(self, zones: Iterable[str]) -> dict[str, Callable[[str], str]]:
        return {zone: self.views.names(zone) for zone in set(zones)}

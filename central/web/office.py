"""What every request needs, in one place."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from config.central import CentralSettings
from config.clock import Clock
from custody.lanes import StayLanes
from custody.policy import Policy

from ..commanding import Commander
from ..store.commands import CommandTable
from ..store.database import Database
from ..store.proofs import Proofs
from ..store.queries import Queries
from .live import Hub
from .views import Views

Lanes = Callable[[str, str], StayLanes | None]
"""The lanes of a stay of a zone, as judged so far."""


@dataclass(frozen=True)
class Office:
    settings: CentralSettings
    clock: Clock
    queries: Queries
    proofs: Proofs
    views: Views
    hub: Hub
    policy: Policy
    lanes: Lanes
    commands: CommandTable
    commander: Commander
    given: Callable[[], None]
    """Called when a command was given, so that it is sent at once."""

    @classmethod
    def over(
        cls,
        database: Database,
        settings: CentralSettings,
        clock: Clock,
        hub: Hub,
        policy: Policy,
        lanes: Lanes,
        commands: CommandTable,
        commander: Commander,
        given: Callable[[], None],
    ) -> Office:
        queries = Queries(database)
        silent_after_us = policy.reading.heartbeat_timeout_us
        return cls(
            settings,
            clock,
            queries,
            Proofs(database),
            Views(settings, queries, clock, silent_after_us),
            hub,
            policy,
            lanes,
            commands,
            commander,
            given,
        )

    @property
    def utc_offset_s(self) -> int:
        return int(self.settings.bureau.utc_offset_hours * 3600)

    def names_by_zone(self, zones: Iterable[str]) -> dict[str, Callable[[str], str]]:
        return {zone: self.views.names(zone) for zone in set(zones)}

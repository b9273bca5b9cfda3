"""What goes onto the feed: every sound event of the zones and every line of headquarters' own ledger, once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select, update

from custody.events import Event, parse_line

from . import schema
from .database import Database

CHUNK_LINES = 500


@dataclass(frozen=True)
class FeedItem:
    """``zone`` is the zone concerned, also for a line of headquarters' own ledger."""

    zone: str
    type: str
    line: bytes


@dataclass(frozen=True)
class FeedChunk:
    log_key: int
    last: int
    items: list[FeedItem]


class FeedMarks:
    """How far each log has been published. The mark follows the broker's confirmation, so after a crash lines may
    come twice (each has its id), and none is left out.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def next_chunks(self, limit: int = 2000) -> list[FeedChunk]:
        """Of the logs that have something to publish, their next lines, at most ``limit`` together.

        Who has least comes first: a zone that catches up does not keep what happens now from being published.
        """
        logs, lines = schema.logs, schema.lines
        found: list[FeedChunk] = []
        due = select(logs).where(logs.c.fed < logs.c.size).order_by(logs.c.size - logs.c.fed, logs.c.key)
        with self._database.read.connect() as connection:
            for log in connection.execute(due).all():
                last = min(log.size, log.fed + min(CHUNK_LINES, limit))
                limit -= last - log.fed
                if last == log.fed:
                    break
                chosen = (lines.c.log_key == log.key, lines.c.seq > log.fed, lines.c.seq <= last)
                query = select(lines.c.line).where(*chosen, lines.c.flaw.is_(None)).order_by(lines.c.seq)
                events = [parse_line(line) for line in connection.execute(query).scalars()]
                events_table = schema.events.c
                counted = select(events_table.id, events_table.seq).where(
                    events_table.id.in_([event.id for event in events]), events_table.log_key == log.key
                )
                # An event that moved here from another ledger was published from there.
                here = {tuple(row) for row in connection.execute(counted)}
                items = [_item(event) for event in events if (event.id, event.sequence) in here]
                found.append(FeedChunk(log.key, last, items))
        return found

    def published(self, chunks: Sequence[FeedChunk]) -> None:
        """These are published; in one transaction."""
        with self._database.writing() as connection:
            for chunk in chunks:
                moved = schema.logs.c.key == chunk.log_key, schema.logs.c.fed < chunk.last
                connection.execute(update(schema.logs).where(*moved).values(fed=chunk.last))


def _item(event: Event) -> FeedItem:
    concerned = event.data.get("zone") if event.zone == schema.OWN_ZONE else event.zone
    return FeedItem(concerned if isinstance(concerned, str) else event.zone, event.type, event.line)

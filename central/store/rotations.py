"""How zones and headquarters came to their present keys: the lines ``key.rotated`` that are stored of each."""

from __future__ import annotations

from sqlalchemy import and_, select

from custody.events import KeyRotated
from sync.rotation import Rotation, rotations_in

from . import schema
from .database import Database


class Rotations:
    """Safe to share between threads."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of(self, zone: str) -> list[Rotation]:
        """Those that a zone (or ``hq``) has written and that are proven, in the order of its ledgers."""
        events, lines = schema.events, schema.lines
        place = and_(lines.c.log_key == events.c.log_key, lines.c.seq == events.c.seq)
        query = select(lines.c.line).join(events, place)
        query = query.where(events.c.zone == zone, events.c.type == KeyRotated.TYPE)
        with self._database.read.connect() as connection:
            found = connection.execute(query.order_by(events.c.log_key, events.c.seq)).scalars()
            return list(rotations_in(found))

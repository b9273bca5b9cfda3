"""Days of zones that were cut off, for ``bench.link``: ledgers on disk as they would have filled meanwhile."""

from __future__ import annotations

import random
from pathlib import Path

from config.clock import ManualClock
from sync.ledger import Ledger

from . import ingest

EVENTS_A_DAY = 5000
"""Of a zone with a person an hour: a heartbeat a minute, the person's lines, and for the rest doors."""
PASSAGES_A_MINUTE = 0.83
"""Of officers through a door that needs a card, three lines each; it makes 5000 lines a day."""
LINE_BYTES = 392
"""Of a line of such a day, on average."""
LINES_A_COMMIT = 2000


class BusyZone(ingest.Zone):
    """The zone of ``bench.ingest``, whose officers also walk through its doors."""

    def minutes(self, count: int) -> None:
        for _ in range(count):
            super().minutes(1)
            if self.dice.random() < PASSAGES_A_MINUTE:
                self.passes(f"door-{self.dice.randint(1, 6)}", f"p{self.dice.randint(1, 30):04}")

    def passes(self, door: str, officer: str) -> None:
        granted = {
            "door": door,
            "reader": f"{door}-in",
            "direction": self.dice.choice(["in", "out"]),
            "officer": {"id": officer, "rank": "police", "sex": "m"},
            "second": None,
            "purpose": "pass",
            "stay": None,
        }
        for type_, data in (
            ("door.granted", granted),
            ("door.opened", {"door": door}),
            ("door.closed", {"door": door}),
        ):
            self.clock.advance(self.dice.uniform(0.3, 4.0))
            self.write(type_, data)


def fill(directory: Path, zone: str, lines: int) -> None:
    """Make the ledger of a zone with its first so many lines."""
    clock = ManualClock(ingest.START_US)
    ledger = Ledger.create(directory, zone=zone, deployment=ingest.DEPLOYMENT, clock=clock)
    ((file, _),) = ledger.spans()
    busy = BusyZone(zone, clock=clock, dice=random.Random(zone), lines=file.lines(1, 1))
    busy.log = file.id
    busy.opens()
    while len(busy.lines) < lines:
        busy.hour()
    for _ in range(1, lines, LINES_A_COMMIT):
        file.append(lambda size: busy.lines[size : min(size + LINES_A_COMMIT, lines)])
    ledger.close()

"""The two machines: the product's own code on a simulated disk, each started and ended like its process."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from central.process import own_signature
from central.store.database import Database
from central.store.logs import LogTable
from central.store.own import OwnLedger
from config.clock import ManualClock
from custody.events import Draft, parse_line
from sync.ledger import Ledger
from sync.ledger_file import LedgerFile
from sync.note import KeyType, SigningKey
from sync.protocol.headquarters import HeadquartersEnd
from sync.protocol.zone import ZoneEnd

from .disk import Disk, Image

ZONE, DEPLOYMENT = "nz01", "test"
CENTRAL = "central.sqlite3"
ZONE_KEY = SigningKey.generate(f"{DEPLOYMENT}/{ZONE}", KeyType.NOTE)
HEADQUARTERS_KEY = SigningKey.generate(f"{DEPLOYMENT}/hq", KeyType.COSIGNATURE)
COUNTED = "door.opened"
"""The type of the events whose way is followed; their ids are ``e0``, ``e1``, … in the order of their writing."""


class ZoneMachine:
    """The doors' process, which writes, and the link's, which sends: each with the ledger open by itself."""

    def __init__(self, disk: Disk, clock: ManualClock, dice: random.Random) -> None:
        self.disk, self.clock = disk, clock
        self._dice = dice
        self.doors: Ledger
        self.ledger: Ledger
        self.end: ZoneEnd

    def make(self) -> None:
        """``fourmusts init``."""
        Ledger.create(self.disk.directory, zone=ZONE, deployment=DEPLOYMENT, clock=self.clock).close()

    def start(self) -> None:
        self.doors, self.ledger = self._open(), self._open()
        self.start_link()

    def start_link(self) -> None:
        dice = random.Random(self._dice.random())
        self.end = ZoneEnd(self.ledger, ZONE_KEY, HEADQUARTERS_KEY.verifier, self.clock, dice)
        self.end.connected()

    def write(self, numbers: Sequence[int]) -> None:
        """Events ``e<number>`` in one transaction. Raises what the ledger raises."""
        self.doors.append(*[Draft(COUNTED, {"door": "d"}, id=f"e{number}") for number in numbers])

    def files(self) -> list[LedgerFile]:
        """Every ledger that headquarters is to have: the chain, and what branches off it."""
        return [*(file for file, _ in self.ledger.spans()), *self.ledger.branches()]

    def written(self) -> list[str]:
        """Ids of the counted events in the chain, oldest first."""
        return [event.id for event in self.ledger.events() if event.type == COUNTED]

    def openings(self) -> list[dict[str, Any]]:
        """What the first line of each ledger of the chain says, oldest first."""
        return [parse_line(file.lines(1, 1)[0]).data for file, _ in self.ledger.spans()]

    def has(self, event_id: str) -> bool:
        """Whether this event, which was to be the last one, stands in the newest ledger."""
        file, _ = self.ledger.spans()[-1]
        return any(parse_line(line).id == event_id for line in file.lines(max(file.size() - 3, 1), 4))

    def _open(self) -> Ledger:
        return Ledger.open(self.disk.directory, zone=ZONE, deployment=DEPLOYMENT, clock=self.clock)


class HeadquartersMachine:
    """One database and one or two workers on it."""

    def __init__(self, disk: Disk, clock: ManualClock, dice: random.Random, workers: int) -> None:
        self.disk, self.clock = disk, clock
        self._dice, self._workers = dice, workers
        self.running = False
        self.database: Database
        self.store: LogTable
        self.ends: list[HeadquartersEnd]

    def start(self) -> None:
        self.database = Database.open(url(self.disk.directory))
        own = OwnLedger(self.database, self.clock, own_signature(HEADQUARTERS_KEY, self.clock))
        self.store = LogTable(self.database, own, self.clock)
        keys = {ZONE: ZONE_KEY.verifier}
        self.ends = [HeadquartersEnd(self.store, HEADQUARTERS_KEY, keys, self.clock) for _ in range(self._workers)]
        self.running = True

    def take(self, messages: Sequence[bytes], failed: Callable[[Exception], None]) -> Iterator[Any]:
        """What comes of them, as the link's committer does it: together, and if that fails each alone."""
        end = self._dice.choice(self.ends)
        try:
            yield from end.take([(ZONE, message) for message in messages])
        except Exception as error:
            failed(error)
            if len(messages) > 1:
                for message in messages:
                    yield from self.take([message], failed)

    def stop(self) -> None:
        """The process is gone."""
        self.running = False
        self.database.close()


def url(directory: Path) -> str:
    return f"sqlite:///{directory / CENTRAL}"


def new_headquarters(directory: Path, clock: ManualClock) -> Image:
    """The disk of a headquarters that has just been set up (``fourmusts central init``)."""
    directory.mkdir()
    database = Database.create(url(directory))
    OwnLedger.create(database, clock)
    database.close()
    return {path.name: path.read_bytes() for path in directory.iterdir()}

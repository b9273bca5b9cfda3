"""Headquarters as one process: ingest, judging, feed and web around one database, each in threads of its own.

Order of what happens to a batch: verified and committed (``sync``), acknowledged to the zone, then judged, then
published. Only the first two are in the zone's way. Whatever comes after works from the database, from marks that
move with its own commits, so it can be ended at any moment and goes on at the next start.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from pathlib import Path

from config.central import CentralSettings
from config.clock import Clock
from config.policy import load_policy
from config.running import collect_less
from config.service_manager import ServiceManager
from custody.events import draft
from sync.headquarters_link import HeadquartersLink
from sync.keys import (
    HEADQUARTERS_KEY,
    HEADQUARTERS_NAME,
    check_private,
    load_signing_key,
    make_signing_key,
)
from sync.keys_rotation import NEXT, take_up
from sync.note import Checkpoint, KeyType, SigningKey, VerifierKey, only_cosigned
from sync.protocol.headquarters import HeadquartersEnd
from sync.rotation import Rotation, ZoneKeys

from .commanding import Commander, Dispatch
from .errors import NotEnrolled, PartEnded
from .feed import Feed
from .judging import Judging
from .publishing import TreePublisher
from .store.commands import CommandTable
from .store.database import Database
from .store.feeding import FeedMarks
from .store.logs import LogTable
from .store.own import OwnLedger, Sign, newest_log
from .store.own_tree import OwnTree
from .store.records import Records, Round
from .store.rotations import Rotations
from .web.app import make_app
from .web.live import Hub
from .web.metrics import Metrics
from .web.office import Office
from .web.server import WebServer
from .witnesses import Witnesses

LIMIT_S = 60.0
"""Real seconds without a turn after which it is held to hang."""
CHECK_S = 0.5
"""Real seconds between looks at whether every part still runs."""

logger = logging.getLogger(__name__)


class Headquarters:
    """Everything of headquarters, wired. Use as a context manager, or ``start`` and ``stop`` once each."""

    def __init__(self, settings: CentralSettings, clock: Clock) -> None:
        """Opens keys, policy and database. Raises what names the file and the mend."""
        self.settings = settings
        self._enrolled = {zone.id for zone in settings.zones}
        check_private(settings.keys_dir / HEADQUARTERS_KEY)
        policy = load_policy(settings.policy)
        self.database = Database.open(settings.database_url)
        signer = take_up_key(settings, self.database, clock)
        stored = Rotations(self.database)
        own = OwnLedger(self.database, clock, own_signature(signer, clock))
        own_tree = OwnTree(self.database, own, clock)
        tree = TreePublisher(own_tree, signer, clock)
        self.witnesses = Witnesses(settings.witnesses, own_tree, tree)
        self.store = LogTable(self.database, own, clock)
        self.records = Records(self.database, own, clock)
        self.hub = Hub()
        self.metrics = Metrics()
        self.judging = Judging(self.records, policy, self._judged, self.metrics.judging_seconds)
        keys = ZoneKeys(
            zone_keys(settings), known=stored.of, revoked=[zone.id for zone in settings.zones if zone.revoked]
        )
        rotations = stored.of(HEADQUARTERS_NAME)
        self.end = HeadquartersEnd(self.store, signer, keys, clock, tree=tree, rotations=rotations)
        self.link = HeadquartersLink(
            self.end, settings.broker, on_advanced=self.advanced, on_zone_state=self._zone_state
        )
        commands = CommandTable(self.database, own)
        commander = Commander(commands, signer, self._enrolled, clock)
        self.dispatch = Dispatch(commands, self.link, clock)
        office = Office.over(
            *(self.database, settings, clock, self.hub, policy, self.judging.lanes),
            *(commands, commander, self.dispatch.nudge),
        )
        self.feed = Feed(FeedMarks(self.database), self.link, tree)
        self.web = WebServer(make_app(office, self.metrics), settings.web)

    def start(self) -> None:
        """Raises ``WebAddressTaken``; then nothing was started."""
        self.web.start()
        self.judging.start()
        self.feed.start()
        self.witnesses.start()
        self.dispatch.start()
        self.link.start()
        logger.info("headquarters is at %s, %d zones are enrolled", self.web.url, len(self.settings.zones))

    def stop(self) -> None:
        """In the order of the flow: nothing new comes in, what is committed is judged at the next start."""
        self.dispatch.stop()
        self.link.stop()
        self.judging.stop()
        self.feed.stop()
        self.witnesses.stop()
        self.hub.close()
        self.web.stop()
        self.database.close()

    def __enter__(self) -> Headquarters:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def check(self) -> None:
        """Raises ``PartEnded`` when a part has ended by itself: better restarted whole than half alive."""
        for part in (self.judging, self.feed, self.witnesses, self.dispatch, self.web):
            part.check()
        if not self.link.alive:
            raise PartEnded("link to the broker")

    def advanced(self, zone: str, log: str, first: int, lines: Sequence[bytes]) -> None:
        """A batch was committed and acknowledged."""
        self.metrics.batches.labels(zone).inc()
        self.metrics.lines.labels(zone).inc(len(lines))
        self.judging.touched(zone, lines)
        self.feed.nudge()
        self.dispatch.heard(lines)

    def _judged(self, zone: str, done: Round) -> None:
        self.hub.tell(zone)
        self.feed.nudge()

    def _zone_state(self, zone: str, on: bool) -> None:
        if zone in self._enrolled:
            if on:
                self.dispatch.nudge()
            self.records.set_connected(zone, on)
            self.hub.tell(zone)


def zone_keys(settings: CentralSettings) -> dict[str, VerifierKey]:
    """The pinned keys of the enrolled zones. Raises ``NotEnrolled`` for one that cannot be the zone's."""
    keys: dict[str, VerifierKey] = {}
    for zone in settings.zones:
        expected = f"{settings.bureau.deployment}/{zone.id}"
        try:
            key = VerifierKey.parse(zone.verifier_key)
        except ValueError as error:
            raise NotEnrolled(zone.id, str(error)) from error
        if key.name != expected:
            raise NotEnrolled(zone.id, f"the key is that of {key.name}, expected {expected}")
        keys[zone.id] = key
    return keys


def take_up_key(settings: CentralSettings, database: Database, clock: Clock) -> SigningKey:
    """Headquarters' key, after taking up one that waits: from the line of its ledger that says so, it signs."""

    def tell(rotation: Rotation) -> None:
        new = load_signing_key(settings.keys_dir / (HEADQUARTERS_KEY + NEXT))
        own = OwnLedger(database, clock, own_signature(new, clock))
        with database.writing() as connection:
            own.append(connection, [draft(rotation.event())])
        logger.warning("headquarters signs with %s from now on; zones follow by themselves", rotation.new)

    signer, _ = take_up(settings.keys_dir / HEADQUARTERS_KEY, tell)
    return signer


def own_signature(signer: SigningKey, clock: Clock) -> Sign:
    """How headquarters signs its own ledger: with the key that zones know it by."""

    def sign(log: str, size: int, root: bytes) -> str:
        checkpoint = Checkpoint(f"{signer.verifier.name}/{log}", size, root)
        return only_cosigned(checkpoint, signer, clock.now_us() // 1_000_000)

    return sign


def init(settings: CentralSettings, clock: Clock) -> VerifierKey:
    """Make headquarters' key, database and own ledger where they are missing; the key that zones must be given."""
    file = settings.keys_dir / HEADQUARTERS_KEY
    name = f"{settings.bureau.deployment}/{HEADQUARTERS_NAME}"
    signer = load_signing_key(file) if file.exists() else make_signing_key(file, name, KeyType.COSIGNATURE)
    _private(settings.bureau.state_dir)
    database = Database.create(settings.database_url)
    OwnLedger.create(database, clock)
    database.close()
    return signer.verifier


def own_log(settings: CentralSettings) -> str:
    """Id of headquarters' own ledger: the end of its origin."""
    database = Database.open(settings.database_url)
    try:
        with database.read.connect() as connection:
            return newest_log(connection).log
    finally:
        database.close()


def _private(directory: Path) -> None:
    """The register of people in custody is for nobody else on this machine."""
    directory.mkdir(parents=True, exist_ok=True)
    directory.chmod(0o700)


def run(settings: CentralSettings, clock: Clock, stop: threading.Event) -> None:
    """Run headquarters until ``stop`` is set."""
    manager = ServiceManager()
    with Headquarters(settings, clock) as headquarters:
        collect_less()
        looked = manager.part("the look at headquarters' parts", LIMIT_S)
        manager.watch("headquarters' web server", LIMIT_S, headquarters.web.beaten_s)
        manager.ready(f"{len(settings.zones)} zones are enrolled; it answers at {headquarters.web.url}")
        try:
            while not stop.wait(CHECK_S):
                looked.beat()
                headquarters.check()
        finally:
            manager.stopping()

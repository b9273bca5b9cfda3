"""The link: carries the zone's ledger to headquarters, and headquarters' commands into the ledger."""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Callable

from config.clock import Clock
from config.service_manager import ServiceManager
from config.zone import Headquarters, ZoneSettings
from custody.events import draft
from sync.errors import BadNote
from sync.keys import HEADQUARTERS_NAME, ZONE_KEY, check_private
from sync.keys_rotation import take_up
from sync.ledger import Ledger
from sync.note import VerifierKey
from sync.protocol.zone import ZoneEnd
from sync.rotation import Rotation
from sync.session import Endpoint
from sync.zone_link import ZoneLink, beat_every_s

from ..directives.intake import ZoneIntake
from ..pulse import Pulse
from .housekeeping import Housekeeping

log = logging.getLogger(__name__)

LIMIT_S = 120.0
"""Opening a connection may wait for a broker that does not answer, for its name, and for its TLS."""


def run(settings: ZoneSettings, clock: Clock, stop: threading.Event) -> None:
    """Until ``stop``. Raises ``SyncError`` when the ledger or the zone's key cannot be used; a broker that is
    away only delays the events."""
    pulse = Pulse(settings.run_dir, "link", clock)
    manager = ServiceManager()
    turned = manager.part("the link's loop", LIMIT_S)

    def beat() -> None:
        turned.beat()
        pulse.beat()

    try:
        if settings.headquarters is None:
            manager.ready("there is no headquarters to link to")
            _idle(clock, beat, stop)
        else:
            _carry(settings, settings.headquarters, clock, manager, beat, stop)
    finally:
        manager.stopping()
        pulse.end()


def _idle(clock: Clock, beat: Callable[[], None], stop: threading.Event) -> None:
    log.warning("there is no [headquarters] in zone.toml: events stay in this zone's ledger until there is one")
    while not stop.is_set():
        beat()
        stop.wait(beat_every_s(clock))


def _key_of(headquarters: Headquarters, deployment: str) -> VerifierKey:
    try:
        key = VerifierKey.parse(headquarters.verifier_key)
    except BadNote as error:
        raise BadNote(f"[headquarters] verifier_key in zone.toml: {error}") from error
    expected = f"{deployment}/{HEADQUARTERS_NAME}"
    if key.name != expected:
        raise BadNote(
            f"[headquarters] verifier_key in zone.toml is the key of {key.name}, expected that of {expected}: "
            "correct [zone] deployment, or copy the line that fourmusts central init prints"
        )
    return key


def _carry(
    settings: ZoneSettings,
    headquarters: Headquarters,
    clock: Clock,
    manager: ServiceManager,
    beat: Callable[[], None],
    stop: threading.Event,
) -> None:
    check_private(settings.keys_dir / ZONE_KEY)
    cosigner = _key_of(headquarters, settings.zone.deployment)
    ledger = Ledger.open(
        settings.ledger_dir, zone=settings.zone.id, deployment=settings.zone.deployment, clock=clock
    )
    try:
        key, previous = take_up(settings.keys_dir / ZONE_KEY, lambda rotation: _tell(ledger, rotation))
        end = ZoneEnd(
            ledger, key, cosigner, clock, random.Random(), previous=previous, intake=ZoneIntake(settings)
        )
        broker = Endpoint(
            headquarters.host, headquarters.port, headquarters.ca, headquarters.certificate, headquarters.key
        )
        housekeeping = Housekeeping(ledger, clock, settings.ledger.retention_days)
        housekeeping.start()
        try:
            manager.ready(f"it links to {broker}")
            ZoneLink(end, ledger, broker, clock).run(stop, beat)
        finally:
            housekeeping.stop()
    finally:
        ledger.close()


def _tell(ledger: Ledger, rotation: Rotation) -> None:
    ledger.append(draft(rotation.event()))
    log.warning("this zone signs with %s from now on; headquarters follows by itself", rotation.new)

"""The link: carries the zone's ledger to headquarters, and headquarters' commands into the ledger."""

from __future__ import annotations

import logging
import random
import threading

from config.clock import Clock
from config.zone import Headquarters, ZoneSettings
from custody.events import draft
from sync.errors import BadNote
from sync.keys import HEADQUARTERS_NAME, ZONE_KEY, check_private
from sync.keys_rotation import take_up
from sync.ledger import Ledger
from sync.mqtt import ZoneLink, beat_every_s
from sync.note import VerifierKey
from sync.protocol.zone import ZoneEnd
from sync.rotation import Rotation
from sync.session import Endpoint

from ..directives.intake import ZoneIntake
from ..pulse import Pulse
from .housekeeping import Housekeeping

log = logging.getLogger(__name__)


def run(settings: ZoneSettings, clock: Clock, stop: threading.Event) -> None:
    """Until ``stop``. Raises ``SyncError`` when the ledger or the zone's key cannot be used; a broker that is
    away only delays the events."""
    pulse = Pulse(settings.run_dir, "link", clock)
    try:
        if settings.headquarters is None:
            _idle(clock, pulse, stop)
        else:
            _carry(settings, settings.headquarters, clock, pulse, stop)
    finally:
        pulse.end()


def _idle(clock: Clock, pulse: Pulse, stop: threading.Event) -> None:
    log.warning("there is no [headquarters] in zone.toml: events stay in this zone's ledger until there is one")
    while not stop.is_set():
        pulse.beat()
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
    settings: ZoneSettings, headquarters: Headquarters, clock: Clock, pulse: Pulse, stop: threading.Event
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
            ZoneLink(end, ledger, broker, clock).run(stop, pulse.beat)
        finally:
            housekeeping.stop()
    finally:
        ledger.close()


def _tell(ledger: Ledger, rotation: Rotation) -> None:
    ledger.append(draft(rotation.event()))
    log.warning("this zone signs with %s from now on; headquarters follows by itself", rotation.new)

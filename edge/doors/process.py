"""The door process: hardware, core, ledger and the zone's own heartbeat, put together and taken apart in order."""

from __future__ import annotations

import logging
import threading

from config.clock import Clock
from config.zone import ZoneSettings
from sync.errors import LedgerError
from sync.ledger import Ledger

from ..directives.in_force import InForce
from ..overseer import Overseer
from ..pulse import Pulse
from .hardware import Hardware, build
from .layout import Layout
from .service import DoorService
from .watch import LedgerWatch

log = logging.getLogger(__name__)


def run(settings: ZoneSettings, clock: Clock, stop: threading.Event, *, hardware: Hardware | None = None) -> None:
    """Block until ``stop`` is set; then let go of every lock and close. Raises ``LedgerMissing`` and its kin.

    ``hardware`` is built from the settings unless it is given.
    """
    ledger = Ledger.open(
        settings.ledger_dir, zone=settings.zone.id, deployment=settings.zone.deployment, clock=clock
    )
    in_force = InForce(settings)
    layout = Layout.of(settings, in_force.roster)
    hardware = hardware or build(settings)
    overseer = Overseer(settings, ledger, clock)
    pulse = Pulse(settings.run_dir, "doors", clock)
    service = DoorService(layout, hardware, ledger, clock, pulse=pulse, announce=overseer.start)
    watch = LedgerWatch(ledger, layout, clock, service.take, in_force)
    try:
        watch.start()
        hardware.start(service.take)
        log.info("%d doors and %d readers are served", len(layout.doors), len(layout.readers))
        service.serve(stop)
    finally:
        # The locks first: whatever else fails to end must not keep one driven.
        hardware.close()
        watch.stop()
        _say_goodbye(overseer)
        pulse.end()
        ledger.close()


def _say_goodbye(overseer: Overseer) -> None:
    try:
        overseer.stop("the door process was asked to stop")
    except (LedgerError, RuntimeError):
        # RuntimeError: it never started, because the ledger took nothing.
        log.exception("the end of the zone could not be recorded")

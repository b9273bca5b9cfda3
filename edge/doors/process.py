"""The door process: hardware, core, ledger and the zone's own heartbeat, put together and taken apart in order."""

from __future__ import annotations

import logging
import threading
from pathlib import Path

from config.clock import Clock
from config.service_manager import ServiceManager
from config.zone import ZoneSettings
from sync.errors import LedgerError
from sync.ledger import Ledger

from ..directives.in_force import InForce
from ..overseer import HEARTBEAT_S, Overseer
from ..pulse import Pulse
from . import kernel_lines
from .hardware import Hardware, build
from .layout import Layout
from .release_locks import lock_pins
from .service import DoorService
from .watch import LedgerWatch

log = logging.getLogger(__name__)


CORE_LIMIT_S = 12.0
"""An append may wait ten seconds for another process that holds the ledger."""
RELOCK_LIMIT_S = 15.0
"""Longer than the core's: what both wait for is told of the core."""
THREAD_LIMIT_S = 10.0
LEDGER_LIMIT_S = 30.0
HEARTBEAT_LIMIT_S = HEARTBEAT_S + 30.0


def run(
    settings: ZoneSettings,
    clock: Clock,
    stop: threading.Event,
    *,
    hardware: Hardware | None = None,
    manager: ServiceManager | None = None,
    modules: Path = kernel_lines.MODULES,
) -> None:
    """Block until ``stop`` is set; then let go of every lock and close. Raises ``LedgerMissing`` and its kin.

    ``hardware`` is built from the settings unless it is given, ``manager`` is what the environment names;
    ``modules``: where the kernel tells of its drivers.
    """
    manager = manager or ServiceManager()
    ledger = Ledger.open(
        settings.ledger_dir, zone=settings.zone.id, deployment=settings.zone.deployment, clock=clock
    )
    in_force = InForce(settings)
    layout = Layout.of(settings, in_force.roster)
    hardware = hardware or build(settings)
    overseer = Overseer(settings, ledger, clock)
    pulse = Pulse(settings.run_dir, "doors", clock)

    def announce() -> None:
        overseer.start()
        manager.watch("the zone's heartbeat", HEARTBEAT_LIMIT_S, overseer.beaten_s)

    service = DoorService(
        *(layout, hardware, ledger, clock),
        pulse=pulse,
        stamp=manager.part("the doors' core", CORE_LIMIT_S),
        announce=announce,
    )
    followed = manager.part("the doors' following of the ledger", LEDGER_LIMIT_S)
    watch = LedgerWatch(ledger, layout, clock, service.take, in_force, followed)
    manager.watch("the second hand on the locks", RELOCK_LIMIT_S, service.relocker.beaten_s)
    for turning in hardware.turning:
        manager.watch(turning.name, THREAD_LIMIT_S, turning.beaten_s)
    try:
        watch.start()
        hardware.start(service.take)
        served = f"{len(layout.doors)} doors and {len(layout.readers)} readers are served"
        log.info("%s", served)
        if lock_pins(settings) and (kept := kernel_lines.kept_by(modules)) is not None:
            # An alarm and no more: systemd lets go of the locks, and doors that are not served help nobody.
            log.critical("%s", kept)
            served += f"; {kept}"
        service.serve(stop, lambda: manager.ready(served))
    finally:
        manager.stopping()
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

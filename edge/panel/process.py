"""The panel's process: it opens the ledger, serves the pages, beats its pulse."""

from __future__ import annotations

import logging
import threading

from config.clock import Clock
from config.service_manager import ServiceManager
from config.zone import ZoneSettings
from custody.drawn import DrawnJudge
from custody.errors import FourmustsError
from edge.pulse import Pulse
from edge.register.persons import Persons
from sync.ledger import Ledger

from .app import create_app
from .desk import Desk
from .security import require_loopback
from .server import PanelServer

log = logging.getLogger(__name__)

BEAT_CLOCK_S = 5.0
BEAT_REAL_S_MAX = 1.0
BEAT_REAL_S_MIN = 0.02
LIMIT_S = 30.0
"""A request that keeps the loop for longer is none that anybody waits for."""


class PanelDied(FourmustsError):
    """The web server ended by itself; the process ends too, so that it is started again."""


def run(settings: ZoneSettings, clock: Clock, stop: threading.Event) -> None:
    """Serve until ``stop`` is set; systemd is told of it.

    Raises ``PanelExposed`` for a host beyond loopback, ``PortTaken``, ``PersonKeyBroken`` and what ``Ledger.open``
    raises.
    """
    require_loopback(settings.panel.host)
    zone = settings.zone
    ledger = Ledger.open(settings.ledger_dir, zone=zone.id, deployment=zone.deployment, clock=clock)
    try:
        persons = Persons.open(zone.state_dir, settings.keys_dir)
        try:
            desk = Desk(settings, ledger, persons, clock)
            app = create_app(desk, lambda: DrawnJudge(zone.id, desk.policy))
            manager = ServiceManager()
            answers = manager.part("the panel's web server", LIMIT_S)
            server = PanelServer(app, settings.panel.host, settings.panel.port, answers)
            _serve(server, settings, clock, stop, manager)
            desk.book.close()
        finally:
            persons.close()
    finally:
        ledger.close()


def _serve(
    server: PanelServer, settings: ZoneSettings, clock: Clock, stop: threading.Event, manager: ServiceManager
) -> None:
    pulse = Pulse(settings.run_dir, "panel", clock)
    looked = manager.part("the panel's own loop", LIMIT_S)
    server.start()
    manager.ready(f"it answers at {server.url}")
    try:
        while server.alive:
            looked.beat()
            pulse.beat()
            pause_s = min(BEAT_REAL_S_MAX, max(BEAT_REAL_S_MIN, clock.real_s(BEAT_CLOCK_S)))
            if stop.wait(pause_s):
                return
        raise PanelDied("the panel's web server ended; its log says why")
    finally:
        manager.stopping()
        server.stop()
        pulse.end()

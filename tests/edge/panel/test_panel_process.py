"""The panel as a process of the zone."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from config.clock import SystemClock
from config.zone import ZoneSettings
from edge.panel.process import run
from edge.pulse import is_alive
from edge.register.errors import PersonKeyBroken
from edge.register.persons import KEY_FILE
from sync.errors import LedgerMissing
from sync.ledger import Ledger


def on_a_free_port(settings: ZoneSettings) -> ZoneSettings:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    return settings.model_copy(update={"panel": settings.panel.model_copy(update={"port": port})})


def test_it_serves_and_beats_until_it_is_told_to_stop(
    settings: ZoneSettings, ledger: Ledger, until: Callable[[Callable[[], Any]], Any]
) -> None:
    settings, clock, stop = on_a_free_port(settings), SystemClock(), threading.Event()
    process = threading.Thread(target=run, args=(settings, clock, stop))
    process.start()
    try:
        until(lambda: is_alive(settings.run_dir, "panel", clock))
        url = f"http://127.0.0.1:{settings.panel.port}"
        assert httpx.get(f"{url}/api/v1/now", trust_env=False).json()["zone"] == "nz01"
        with httpx.stream("GET", f"{url}/events?page=monitor", trust_env=False, timeout=60) as stream:
            lines = stream.iter_lines()
            assert next(line for line in lines if line.startswith("event:")) == "event: tick"
            stop.set()  # an open stream must not hold the stop up
            process.join(8)
    finally:
        stop.set()
        process.join(10)
    assert not process.is_alive()
    assert not is_alive(settings.run_dir, "panel", clock)


def test_without_a_ledger_it_names_the_command(settings: ZoneSettings) -> None:
    with pytest.raises(LedgerMissing, match="fourmusts init"):
        run(settings, SystemClock(), threading.Event())


def test_without_the_persons_key_it_names_the_command(settings: ZoneSettings, ledger: Ledger) -> None:
    (settings.keys_dir / KEY_FILE).unlink()
    with pytest.raises(PersonKeyBroken, match="fourmusts init"):
        run(settings, SystemClock(), threading.Event())

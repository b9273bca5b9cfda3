"""The protocol of systemd on a real datagram socket, and a watchdog that is fed only while every part turns."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from config.service_manager import ServiceManager, Stamp, boottime_s


@pytest.fixture(params=["in a folder", "abstract"])
def systemd(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[socket.socket]:
    """Its end of the socket; ``NOTIFY_SOCKET`` names it with @ where it is abstract."""
    name = str(tmp_path / "notify") if request.param == "in a folder" else f"\0fourmusts-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiving:
        receiving.bind(name)
        receiving.settimeout(30)
        yield receiving


def manager_of(
    systemd: socket.socket, now_s: Callable[[], float] = boottime_s, **environment: str
) -> ServiceManager:
    name = systemd.getsockname()
    address = "@" + name[1:].decode() if isinstance(name, bytes) else name
    return ServiceManager({"NOTIFY_SOCKET": address, **environment}, now_s)


def heard(systemd: socket.socket) -> list[str]:
    return systemd.recv(4096).decode().splitlines()


def test_it_says_when_it_serves_and_when_it_stops(systemd: socket.socket) -> None:
    manager = manager_of(systemd)
    manager.ready("3 doors are served")
    assert heard(systemd) == ["READY=1", "STATUS=3 doors are served"]
    manager.stopping()
    assert heard(systemd)[0] == "STOPPING=1"


def test_the_watchdog_is_fed_while_every_part_turns_and_the_one_that_does_not_is_named(
    systemd: socket.socket,
) -> None:
    now_s = [1000.0]
    manager = manager_of(systemd, lambda: now_s[0])
    core, bus = manager.part("the core", 5.0), manager.part("the bus", 5.0)
    manager.ready("it serves")
    heard(systemd)
    assert manager.look() == [] and heard(systemd) == ["WATCHDOG=1"]
    now_s[0] += 7
    core.beat()
    assert manager.look() == ["the bus has stood still for 7 s"]
    assert heard(systemd) == ["STATUS=not fed: the bus has stood still for 7 s"]
    bus.beat()
    assert manager.look() == [] and heard(systemd) == ["WATCHDOG=1", "STATUS=it serves"]


def test_a_part_need_not_turn_before_it_is_ready(systemd: socket.socket) -> None:
    manager = manager_of(systemd)
    manager.watch("the core", 3600.0, lambda: boottime_s() - 7200)
    manager.ready("it serves")
    assert manager.look() == []


def test_it_is_fed_several_times_within_the_time_that_systemd_gives(systemd: socket.socket) -> None:
    manager = manager_of(systemd, WATCHDOG_USEC="200000", WATCHDOG_PID=str(os.getpid()))
    manager.part("the core", 3600.0)
    manager.ready("it serves")
    assert [heard(systemd)[0] for _ in range(4)] == ["READY=1", "WATCHDOG=1", "WATCHDOG=1", "WATCHDOG=1"]
    manager.stopping()
    told = heard(systemd)
    while told[0] == "WATCHDOG=1":
        told = heard(systemd)
    assert told[0] == "STOPPING=1"


@pytest.mark.parametrize(
    "environment", [{"WATCHDOG_USEC": "200000", "WATCHDOG_PID": "1"}, {"WATCHDOG_USEC": "soon"}, {}]
)
def test_a_watchdog_that_is_not_meant_for_it_is_not_fed(
    systemd: socket.socket, environment: dict[str, str]
) -> None:
    manager = manager_of(systemd, **environment)
    manager.ready("it serves")
    assert heard(systemd)[0] == "READY=1"
    assert not manager._thread.is_alive()


def test_without_systemd_nothing_is_sent() -> None:
    manager = ServiceManager({})
    assert isinstance(manager.part("the core", 1.0), Stamp)
    manager.ready("it serves")
    manager.stopping()
    assert not manager._thread.is_alive()


def test_a_systemd_that_is_gone_stops_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    manager = ServiceManager({"NOTIFY_SOCKET": str(tmp_path / "nobody")})
    manager.ready("it serves")
    assert "systemd cannot be told" in caplog.text

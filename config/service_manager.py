"""systemd as a process of ours sees it: sd_notify(3), and a watchdog that is fed only while all of it works.

A bare timer would prove that a timer works. Here every worker stamps, and the watchdog is fed only when each has
stamped within its own limit; otherwise it is left to bark, and STATUS says which one stands still. Without systemd
(``NOTIFY_SOCKET`` is not set) nothing is sent and nothing is watched.
"""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

log = logging.getLogger(__name__)

FEEDS_A_TIMEOUT = 4
"""So often within ``WATCHDOG_USEC``; systemd advises half of it at most."""
STATUS_BYTES_MAX = 500


def boottime_s() -> float:
    """Real seconds, whatever the zone's clock plays: systemd's timeouts are real."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class Stamp:
    """A worker's own sign of life. ``beat`` may be called from any thread and costs next to nothing."""

    def __init__(self, now_s: Callable[[], float] = boottime_s) -> None:
        self._now_s = now_s
        self.beat()

    def beat(self) -> None:
        self._beaten_s = self._now_s()

    def beaten_s(self) -> float:
        return self._beaten_s


@dataclass(frozen=True)
class _Part:
    name: str
    limit_s: float
    beaten_s: Callable[[], float]
    since_s: float

    def still_s(self, now_s: float, ready_s: float) -> float:
        """For how long it has stood still; what it did before all of it ran does not count."""
        return now_s - max(self.beaten_s(), self.since_s, ready_s)


class ServiceManager:
    """One a process. Name the parts, then say ``ready``; say ``stopping`` before anything is closed."""

    def __init__(
        self, environment: Mapping[str, str] = os.environ, now_s: Callable[[], float] = boottime_s
    ) -> None:
        self._now_s = now_s
        self._address = environment.get("NOTIFY_SOCKET", "")
        self._feed_every_s = _watchdog_s(environment) / FEEDS_A_TIMEOUT
        self._parts: list[_Part] = []
        self._status = ""
        self._ready_s = 0.0
        self._standing: list[str] = []
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watchdog", daemon=True)

    def part(self, name: str, limit_s: float) -> Stamp:
        """A worker that must stamp at least every ``limit_s`` real seconds from now on."""
        stamp = Stamp(self._now_s)
        self.watch(name, limit_s, stamp.beaten_s)
        return stamp

    def watch(self, name: str, limit_s: float, beaten_s: Callable[[], float]) -> None:
        """The same, for one that keeps its own stamp: boot time in seconds."""
        self._parts.append(_Part(name, limit_s, beaten_s, self._now_s()))

    def ready(self, status: str) -> None:
        """It serves from now on, as ``status`` says; the watchdog is fed from here."""
        self._ready_s, self._status = self._now_s(), status
        self._tell(f"READY=1\nSTATUS={status}")
        if self._address and self._feed_every_s > 0:
            self._thread.start()

    def stopping(self) -> None:
        """It was asked to stop, or cannot go on. From here ``TimeoutStopSec`` counts, no part's limit does."""
        self._stopping.set()
        self._tell("STOPPING=1\nSTATUS=it stops")

    def look(self) -> list[str]:
        """Feed the watchdog, unless a part stands still; says which do."""
        now_s = self._now_s()
        standing = [
            f"{part.name} has stood still for {still_s:.0f} s"
            for part in self._parts
            if (still_s := part.still_s(now_s, self._ready_s)) > part.limit_s
        ]
        if standing:
            said = "; ".join(standing)
            self._tell(f"STATUS=not fed: {said}")
            if not self._standing:
                log.critical("the watchdog is not fed: %s", said)
        else:
            self._tell(f"WATCHDOG=1\nSTATUS={self._status}" if self._standing else "WATCHDOG=1")
        self._standing = standing
        return standing

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self.look()
            except Exception:
                log.exception("the parts could not be looked at; the watchdog is not fed")
            self._stopping.wait(self._feed_every_s)
        while self._tell("WATCHDOG=1"):
            time.sleep(self._feed_every_s)

    def _tell(self, message: str) -> bool:
        """Whether it was sent."""
        if not self._address:
            return False
        address = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as speaker:
                speaker.connect(address)
                # A message that waits for a busy systemd would itself look like a hang.
                speaker.send(message.encode()[:STATUS_BYTES_MAX], socket.MSG_DONTWAIT)
        except OSError as error:
            log.error("systemd cannot be told %r: %s", message, error)
            return False
        return True


def _watchdog_s(environment: Mapping[str, str]) -> float:
    """``WATCHDOG_USEC`` when it is meant for this process, else 0."""
    if environment.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return 0.0
    text = environment.get("WATCHDOG_USEC", "0")
    if not text.isdecimal():
        log.error("WATCHDOG_USEC is %r, not a number; the watchdog is not fed", text)
        return 0.0
    return int(text) / 1e6

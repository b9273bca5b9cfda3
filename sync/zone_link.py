"""A zone's end of the road at the broker: its state machine, fed with messages, events and time."""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable
from dataclasses import replace

import orjson

from config.clock import Clock
from custody.events import format_time

from .bell import Bell
from .errors import BrokerUnreachable, SyncError
from .ledger import BELL, Ledger
from .patience import Retry
from .protocol.zone import ZoneEnd
from .session import Endpoint, Outgoing, Session
from .topics import BEAT_S, HEADQUARTERS_STATE, HEADQUARTERS_TREE, is_on

log = logging.getLogger(__name__)

BEAT_CLOCK_S = 5.0
"""So often it shows that it lives, in the seconds of the zone's clock, which a demo may play at speed."""


def beat_every_s(clock: Clock) -> float:
    """How many real seconds may pass between two signs of life."""
    return max(0.02, min(BEAT_S, clock.real_s(BEAT_CLOCK_S)))


class ZoneLink:
    """Carries a zone's ledger to headquarters for as long as ``run`` runs, in the thread that calls it."""

    def __init__(self, end: ZoneEnd, ledger: Ledger, broker: Endpoint, clock: Clock) -> None:
        self._end = end
        self._ledger = ledger
        self._zone = ledger.zone
        self._broker = replace(broker, name=self._zone)
        self._clock = clock
        self._retry = Retry(random.Random())
        self.connected = False

    def run(self, stop: threading.Event, beat: Callable[[], None]) -> None:
        """Until ``stop``; calls ``beat`` every ``beat_every_s``, save while a connection is opened."""
        bell = Bell(self._ledger.directory / BELL)
        try:
            while not stop.is_set():
                beat()
                try:
                    self._one_session(stop, beat, bell)
                except SyncError as error:
                    wait_s = self._retry.failed()
                    log.warning("%s. Events stay in the ledger; next attempt in %.0f s", error, wait_s)
                    self._pause(wait_s, stop, beat)
        finally:
            bell.close()

    def _one_session(self, stop: threading.Event, beat: Callable[[], None], bell: Bell) -> None:
        session = Session(self._broker, client_id=self._zone, will=self._state(on=False))
        try:
            session.open([f"v1/{self._zone}/down", HEADQUARTERS_STATE, HEADQUARTERS_TREE])
            log.info("connected to %s", self._broker)
            self.connected = True
            self._retry.succeeded()
            self._end.connected()
            session.publish(self._state(on=True))
            beaten_s = 0.0
            while not stop.is_set():
                if time.monotonic() - beaten_s >= beat_every_s(self._clock):
                    beat()
                    beaten_s = time.monotonic()
                self._turn(session, bell)
            session.publish(self._state(on=False))
            session.close()
        finally:
            self.connected = False
            session.abandon()

    def _turn(self, session: Session, bell: Bell) -> None:
        """Send what there is to send, then wait for an event, a message or a timer."""
        bell.hush()
        for payload in self._end.poll(time.monotonic()):
            session.publish(Outgoing(f"v1/{self._zone}/up", payload))
        if self._end.unheard:
            what = "headquarters, which is said to be there, answers nothing; perhaps a new connection is heard"
            raise BrokerUnreachable(f"{self._broker}: {what}")
        wake_s = self._end.wake_at_s()
        wait_s = beat_every_s(self._clock)
        if wake_s is not None:
            wait_s = min(wait_s, wake_s - time.monotonic())
        fd = bell.fileno()
        for message in session.wait(wait_s if fd is not None else min(wait_s, 0.02), [] if fd is None else [fd]):
            if message.topic == HEADQUARTERS_STATE:
                self._end.headquarters_is(is_on(message.payload), retained=message.retained)
            elif message.topic == HEADQUARTERS_TREE:
                self._end.tree_shown(message.payload)
            elif message.topic == f"v1/{self._zone}/down":
                self._end.receive(message.payload, time.monotonic(), retained=message.retained)

    def _pause(self, wait_s: float, stop: threading.Event, beat: Callable[[], None]) -> None:
        ends_s = time.monotonic() + wait_s
        while (left_s := ends_s - time.monotonic()) > 0:
            if stop.wait(min(left_s, beat_every_s(self._clock))):
                return
            beat()

    def _state(self, *, on: bool) -> Outgoing:
        now_us = self._clock.now_us()
        told = format_time(now_us, self._clock.utc_offset_s(now_us))
        payload = orjson.dumps({"on": int(on), "boot": self._clock.bootid, "t": told})
        return Outgoing(f"v1/{self._zone}/state", payload, retain=True)

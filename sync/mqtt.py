"""The road to headquarters over MQTT 3.1.1: topics, and the two ends around their state machines.

==============================  ============  ========  ========================================
topic                           from          retained  content
==============================  ============  ========  ========================================
``v1/<zone>/up``                zone          no        hello, batch, tree
``v1/<zone>/down``              headquarters  no        status, ack, command, proof
``v1/<zone>/state``             zone, will    yes       ``{"on":0|1,"boot":…,"t":…}``
``v1/hq/state``                 hq, will      yes       ``{"on":0|1}``
``v1/hq/tree``                  headquarters  yes       checkpoint of headquarters' own ledger
``v1/hq/up``                    headquarters  no        to itself: does the broker still deliver?
``v1/feed/<zone>/<type>``       headquarters  no        one CloudEvents JSON; ``/`` for ``.``
==============================  ============  ========  ========================================
"""

from __future__ import annotations

import logging
import queue
import random
import re
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import replace

import orjson

from config.central import Broker
from config.clock import Clock
from custody.events import format_time

from .bell import Bell
from .errors import BrokerUnreachable, SyncError
from .keys import HEADQUARTERS_NAME
from .ledger import BELL, Ledger
from .patience import Hearing, Retry
from .protocol.headquarters import HeadquartersEnd
from .protocol.zone import ZoneEnd
from .session import HANDED_OVER_MAX, Endpoint, Incoming, Outgoing, Session
from .waker import Waker

log = logging.getLogger(__name__)

HEADQUARTERS_STATE = f"v1/{HEADQUARTERS_NAME}/state"
HEADQUARTERS_TREE = f"v1/{HEADQUARTERS_NAME}/tree"
HEADQUARTERS_ECHO = f"v1/{HEADQUARTERS_NAME}/up"
"""Where headquarters speaks to itself, to see that the broker still delivers; of no zone, so it is dropped."""
FEED = "v1/feed/"
BEAT_S = 0.5
"""The longest that a link's loop waits, in real seconds: so often it sees that it is to stop."""
BEAT_CLOCK_S = 5.0
"""So often it shows that it lives, in the seconds of the zone's clock, which a demo may play at speed."""
TAKEN_AT_ONCE_MAX = 512
"""Messages that the committer takes together."""
WAITING_MESSAGES_MAX = 4096
"""Messages that wait for the committer. More are dropped: the zones send them again when it has caught up."""
WAITING_OF_A_ZONE_MAX = 64
"""Of them, of one zone: eight windows. A zone that floods headquarters takes no other zone's place."""
FEED_BACKLOG_MAX = HANDED_OVER_MAX // 2
_ZONE_TOPIC = re.compile(r"v1/([0-9a-z]{1,23})/(up|state)")

Advanced = Callable[[str, str, int, Sequence[bytes]], None]
ZoneState = Callable[[str, bool], None]


def endpoint_of(broker: Broker) -> Endpoint:
    return Endpoint(broker.host, broker.port, broker.ca, broker.certificate, broker.key)


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
                self._end.headquarters_is(_is_on(message.payload), retained=message.retained)
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


class HeadquartersLink:
    """Headquarters at the broker: one thread for the network, one that verifies and commits. Thread-safe."""

    def __init__(
        self,
        end: HeadquartersEnd,
        broker: Broker,
        *,
        client_id: str = HEADQUARTERS_NAME,
        on_advanced: Advanced,
        on_zone_state: ZoneState | None = None,
    ) -> None:
        """``on_advanced(zone, log, first, lines)`` and ``on_zone_state(zone, on)`` are called in the committing
        thread, the first after the commit and the acknowledgement. Lines may repeat events of another ledger of
        the zone under their old ids: whoever counts events goes by their id."""
        self._end = end
        self._broker = replace(endpoint_of(broker), name=HEADQUARTERS_NAME)
        self._client_id = client_id
        self._on_advanced = on_advanced
        self._on_zone_state = on_zone_state
        self._retry = Retry(random.Random())
        self._stop = threading.Event()
        self._committer_queue: queue.SimpleQueue[tuple[str, str, bytes] | None] = queue.SimpleQueue()
        self._waiting: Counter[str] = Counter()
        """Messages in the queue by zone; with a lock, as both threads count."""
        self._waiting_lock = threading.Lock()
        self._flooding: set[str] = set()
        self._down: deque[Outgoing] = deque()
        self._feed: deque[Outgoing] = deque()
        # Each is written by one thread only: the one that publishes, and that of the network.
        self._feed_given = 0
        self._feed_confirmed = 0
        self._tree: bytes | None = None
        self._tree_sent: bytes | None = None
        self._waker = Waker()
        self._said_to_be_away = False
        self._threads = [
            threading.Thread(target=self._run_network, name="hq-network", daemon=True),
            threading.Thread(target=self._run_committer, name="hq-committer", daemon=True),
        ]
        self.connected = threading.Event()

    def start(self) -> None:
        """Begin; returns at once. Until the broker is reached, attempts go on and each failure is logged."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End in good order: zones are told, and what was received is committed first."""
        if self._stop.is_set():
            return
        self._stop.set()
        self._committer_queue.put(None)
        self._waker.wake()
        for thread in self._threads:
            if thread.is_alive():
                thread.join()
        self._waker.close()

    @property
    def alive(self) -> bool:
        """Whether both threads run; one that ended by itself has said why in the log."""
        return all(thread.is_alive() for thread in self._threads)

    def publish_feed(self, zone: str, type: str, line: bytes) -> None:
        """One event or finding for other systems; from one thread only.

        Held in memory until the broker has confirmed it, so whoever publishes looks at ``feed_waiting``.
        """
        self._feed_given += 1
        self._feed.append(Outgoing(f"{FEED}{zone}/{type.replace('.', '/')}", line))
        self._waker.wake()

    @property
    def feed_waiting(self) -> int:
        """Lines of the feed that were handed over and that the broker has not confirmed."""
        return self._feed_given - self._feed_confirmed

    def publish_tree(self, checkpoint: str) -> None:
        """The checkpoint of headquarters' own ledger; the broker keeps the newest for who asks later."""
        self._tree = checkpoint.encode()
        self._waker.wake()

    @property
    def is_connected(self) -> bool:
        """Whether a message that is sent now has a broker to go to."""
        return self.connected.is_set()

    def send(self, zone: str, payload: bytes) -> None:
        """A message to a zone, such as a command; lost if the broker or the zone is away."""
        self._down.append(Outgoing(f"v1/{zone}/down", payload))
        self._waker.wake()

    # The thread of the network

    def _run_network(self) -> None:
        while not self._stop.is_set():
            try:
                self._one_session()
            except SyncError as error:
                wait_s = self._retry.failed()
                log.warning("%s. Zones keep their events; next attempt in %.0f s", error, wait_s)
                self._stop.wait(wait_s)

    def _one_session(self) -> None:
        will = Outgoing(HEADQUARTERS_STATE, b'{"on":0}', retain=True)
        session = Session(self._broker, client_id=self._client_id, will=will, on_confirmed=self._confirmed)
        try:
            session.open(["v1/+/up", "v1/+/state"])
            log.info("connected to %s", self._broker)
            self._retry.succeeded()
            self._down.clear()  # answers of the connection before: the zones ask anew
            self._tree_sent = None  # the broker may be another one, or have been wiped
            # Subscribed first, so that no hello is missed that this provokes.
            self._say_here(session)
            self.connected.set()
            hearing = Hearing(time.monotonic())
            while not self._stop.is_set():
                messages = session.wait(BEAT_S, [self._waker.fileno()])
                self._listen(session, hearing, messages)
                for message in messages:
                    self._sort(message)
                self._send_waiting(session)
            session.publish(will)
            session.close()
        finally:
            self.connected.clear()
            unsent = [message for message in session.unconfirmed() if message.topic.startswith(FEED)]
            self._feed.extendleft(reversed(unsent))
            session.abandon()

    def _listen(self, session: Session, hearing: Hearing, messages: Sequence[Incoming]) -> None:
        now_s = time.monotonic()
        if messages:
            hearing.heard(now_s)
        elif hearing.is_deaf(now_s):
            raise BrokerUnreachable(f"{self._broker}: the broker is there and delivers nothing any more")
        elif hearing.must_ask(now_s):
            session.publish(Outgoing(HEADQUARTERS_ECHO, b'{"on":1}'))

    def _sort(self, message: Incoming) -> None:
        found = _ZONE_TOPIC.fullmatch(message.topic)
        if found is None:
            return
        if found[1] == HEADQUARTERS_NAME:
            # The last will of a connection before this one may come late, and zones would wait for ever.
            self._said_to_be_away |= not message.retained and not _is_on(message.payload)
            return
        zone, kind = found[1], found[2]
        if kind == "up" and message.retained:
            kind = "retained"
        with self._waiting_lock:
            full = self._waiting[zone] >= WAITING_OF_A_ZONE_MAX or self._waiting.total() >= WAITING_MESSAGES_MAX
            if not full:
                self._waiting[zone] += 1
        if not full:
            self._committer_queue.put((zone, kind, message.payload))
        elif zone not in self._flooding:
            self._flooding.add(zone)
            log.warning(
                "too many messages of zone %s wait to be committed; some are dropped, the zone sends them again",
                zone,
            )

    def _say_here(self, session: Session) -> None:
        self._said_to_be_away = False
        session.publish(Outgoing(HEADQUARTERS_STATE, b'{"on":1}', retain=True))

    def _confirmed(self, message: Outgoing) -> None:
        if message.topic.startswith(FEED):
            self._feed_confirmed += 1

    def _send_waiting(self, session: Session) -> None:
        self._waker.hush()
        if self._said_to_be_away:
            self._say_here(session)
        # Acknowledgements first: zones wait for them, nobody waits for the feed.
        while self._down:
            session.publish(self._down.popleft())
        if self._tree is not None and self._tree is not self._tree_sent:
            self._tree_sent = self._tree
            session.publish(Outgoing(HEADQUARTERS_TREE, self._tree, retain=True))
        while self._feed and session.backlog < FEED_BACKLOG_MAX:
            session.publish(self._feed.popleft())

    # The committing thread

    def _run_committer(self) -> None:
        while (taken := self._take()) is not None:
            self._commit([(zone, payload) for zone, kind, payload in taken if kind == "up"])
            for zone, kind, payload in taken:
                if kind == "retained":
                    self._guarded(self._end.refuse_retained, zone, payload)
                elif kind == "state" and self._on_zone_state is not None:
                    self._guarded(self._on_zone_state, zone, _is_on(payload))

    def _take(self) -> list[tuple[str, str, bytes]] | None:
        """Everything that waits, but at least one message; ``None`` when it is time to stop."""
        taken: list[tuple[str, str, bytes]] = []
        while len(taken) < TAKEN_AT_ONCE_MAX:
            try:
                message = self._committer_queue.get(block=not taken)
            except queue.Empty:
                break
            if message is None:
                if not taken:
                    return None
                self._committer_queue.put(None)
                break
            taken.append(message)
        with self._waiting_lock:
            self._waiting -= Counter(zone for zone, _, _ in taken)
            self._flooding &= self._waiting.keys()
        return taken

    def _commit(self, messages: Sequence[tuple[str, bytes]]) -> None:
        try:
            # One by one as they are stored, so that what fails takes nothing with it that was stored before.
            for outcome in self._end.take(messages):
                self._down.extend(Outgoing(f"v1/{outcome.zone}/down", reply) for reply in outcome.replies)
                self._waker.wake()
                for advance in outcome.advances:
                    self._guarded(self._on_advanced, advance.zone, advance.log, advance.first, advance.lines)
        except Exception as error:
            # The database failed, or one message trips it. Each alone, so that the others do not suffer.
            if len(messages) > 1:
                for message in messages:
                    self._commit([message])
            else:
                log.error(
                    "a message of zone %s was not stored, the zone sends it again. Free space on, or mend, "
                    "headquarters' database: %s",
                    messages[0][0],
                    error,
                    exc_info=True,
                )

    def _guarded(self, callback: Callable[..., None], *values: object) -> None:
        """Whatever happens in a listener: the next message must be committed and answered."""
        try:
            callback(*values)
        except Exception:
            log.exception("handling what zone %s sent failed; it is stored, and can be handled again", values[0])


def _is_on(payload: bytes) -> bool:
    """``on`` of a state message; whatever cannot be read counts as away."""
    try:
        state = orjson.loads(payload)
    except orjson.JSONDecodeError:
        return False
    return isinstance(state, dict) and state.get("on") == 1

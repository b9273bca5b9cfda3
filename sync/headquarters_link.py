"""Headquarters' end of the road at the broker: its state machine between the network and the database."""

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

from config.central import Broker

from .errors import BrokerUnreachable, SyncError
from .keys import HEADQUARTERS_NAME
from .patience import Hearing, Retry
from .protocol.headquarters import HeadquartersEnd
from .session import HANDED_OVER_MAX, Endpoint, Incoming, Outgoing, Session
from .topics import BEAT_S, FEED, HEADQUARTERS_ECHO, HEADQUARTERS_STATE, HEADQUARTERS_TREE, is_on
from .waker import Waker

log = logging.getLogger(__name__)

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
            self._said_to_be_away |= not message.retained and not is_on(message.payload)
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
                    self._guarded(self._on_zone_state, zone, is_on(payload))

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

"""One connection to an MQTT broker, from its opening to its loss; never used twice.

paho-mqtt does the protocol (3.1.1, QoS 1, clean session) and nothing else. It gets no thread: everything happens
in the thread that calls, so that a message needs no hand-over between threads. It gets no backlog either: what it
holds it keeps in memory only, and after a reconnection it would send all of it at once.
"""

from __future__ import annotations

import select
import socket
import ssl
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode

from .errors import BrokerUnreachable, KeyMissing
from .keys import check_certificate, check_private

HANDED_OVER_MAX = 16
"""Messages that paho holds at most: enough for two windows of batches, few enough to lose at a disconnection."""
KEEPALIVE_S = 20
OPENING_S_MAX = 10.0
"""For TCP, TLS, CONNACK and SUBACK together; a broker that needs longer is overloaded or no broker."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where the broker is, and as whom to go there. Without ``ca`` there is no TLS (the demo's own broker)."""

    host: str
    port: int
    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None
    name: str | None = None
    """Whose certificate it must be: another's is refused here, a broker would refuse its messages in silence."""

    def __str__(self) -> str:
        shown = f" with certificate {self.certificate}" if self.certificate else ""
        return f"broker {self.host}:{self.port}{shown}"


@dataclass(frozen=True, slots=True)
class Incoming:
    topic: str
    payload: bytes
    retained: bool


@dataclass(frozen=True, slots=True)
class Outgoing:
    topic: str
    payload: bytes
    retain: bool = False


class Session:
    """Belongs to one thread. ``open``, then ``wait`` again and again, then ``close``."""

    def __init__(
        self,
        endpoint: Endpoint,
        *,
        client_id: str,
        will: Outgoing,
        on_confirmed: Callable[[Outgoing], None] | None = None,
    ) -> None:
        """``on_confirmed`` is told each message that the broker has confirmed (PUBACK)."""
        self._endpoint = endpoint
        self._on_confirmed = on_confirmed
        self._valid_until = "?"
        self._incoming: list[Incoming] = []
        self._waiting: deque[Outgoing] = deque()
        self._handed_over: dict[int, Outgoing] = {}
        self._connack: int | None = None
        self._suback: list[int] | None = None
        self._client = self._new_client(client_id)
        self._client.will_set(will.topic, will.payload, qos=1, retain=will.retain)

    def open(self, topics: Sequence[str]) -> None:
        """Connect and subscribe; returns when the broker has confirmed both. Raises ``BrokerUnreachable``."""
        ends_s = time.monotonic() + OPENING_S_MAX
        endpoint = self._endpoint
        try:
            self._set_tls()
            self._client.connect(endpoint.host, endpoint.port, KEEPALIVE_S)
        except OSError as error:
            raise BrokerUnreachable(f"{endpoint}: {_explained(error, endpoint)}") from error
        while self._connack is None:
            self._step_until(ends_s, "it does not answer CONNECT; is it an MQTT broker?")
        if self._connack:
            raise BrokerUnreachable(f"{endpoint}: {_refusal(self._connack)}")
        self._client.subscribe([(topic, 1) for topic in topics])
        while self._suback is None:
            self._step_until(ends_s, "it does not answer SUBSCRIBE")
        refused = [topic for topic, code in zip(topics, self._suback, strict=True) if code >= 0x80]
        if refused:
            raise BrokerUnreachable(f"{endpoint}: the broker refuses {', '.join(refused)}; correct its ACL")

    def publish(self, message: Outgoing) -> None:
        """Send as soon as the broker has taken enough of what went before."""
        self._waiting.append(message)
        self._hand_over()

    def wait(self, timeout_s: float, wake_fds: Sequence[int] = ()) -> list[Incoming]:
        """What came; waits up to ``timeout_s`` for it, or until one of ``wake_fds`` can be read.

        Raises ``BrokerUnreachable`` when the connection is lost.
        """
        self._step(timeout_s, wake_fds)
        came, self._incoming = self._incoming, []
        return came

    @property
    def backlog(self) -> int:
        """Messages given to ``publish`` that the broker has not confirmed."""
        return len(self._waiting) + len(self._handed_over)

    def unconfirmed(self) -> list[Outgoing]:
        """Those messages, oldest first: after a loss nobody knows which of them arrived."""
        return [*self._handed_over.values(), *self._waiting]

    def close(self, *, flush_s: float = 1.0) -> None:
        """Say goodbye, so that the broker does not publish the will; waits a little for what is on the way."""
        ends_s = time.monotonic() + flush_s
        try:
            while self.backlog and time.monotonic() < ends_s:
                self._step(0.05, ())
            self._client.disconnect()
        except BrokerUnreachable:
            return

    def abandon(self) -> None:
        """Drop the connection without a word, as after a loss."""
        sock = self._client.socket()
        if sock is not None:
            sock.close()

    # Inside

    def _new_client(self, client_id: str) -> paho.Client:
        client = paho.Client(
            CallbackAPIVersion.VERSION2,
            client_id=client_id,
            clean_session=True,
            protocol=paho.MQTTv311,
            reconnect_on_failure=False,  # else it would fall back to MQTT 3.1 by itself
        )
        client.max_inflight_messages_set(HANDED_OVER_MAX)
        client.on_socket_open = _no_delay
        client.on_connect = self._on_connect
        client.on_subscribe = self._on_subscribe
        client.on_message = self._on_message
        client.on_publish = self._on_publish
        return client

    def _set_tls(self) -> None:
        endpoint = self._endpoint
        if endpoint.ca is None:
            return
        if not endpoint.ca.is_file():
            raise KeyMissing(endpoint.ca, "make it with fourmusts keys, or correct its path in the settings")
        if endpoint.certificate is not None:
            self._valid_until = check_certificate(endpoint.certificate, endpoint.name)
            # Without a file of its own the key stands in the certificate's.
            check_private(endpoint.key or endpoint.certificate)
        self._client.tls_set(
            str(endpoint.ca),
            str(endpoint.certificate) if endpoint.certificate else None,
            str(endpoint.key) if endpoint.key else None,
        )

    # Callbacks only put things down: they run in the middle of paho's own work.

    def _on_connect(self, client: Any, userdata: Any, flags: Any, reason: Any, properties: Any) -> None:
        self._connack = int(reason.value)

    def _on_subscribe(self, client: Any, userdata: Any, mid: int, reasons: list[Any], properties: Any) -> None:
        self._suback = [int(reason.value) for reason in reasons]

    def _on_message(self, client: Any, userdata: Any, message: paho.MQTTMessage) -> None:
        self._incoming.append(Incoming(message.topic, bytes(message.payload), message.retain))

    def _on_publish(self, client: Any, userdata: Any, mid: int, reason: Any, properties: Any) -> None:
        message = self._handed_over.pop(mid, None)
        if message is not None and self._on_confirmed is not None:
            self._on_confirmed(message)

    def _hand_over(self) -> None:
        while self._waiting and len(self._handed_over) < HANDED_OVER_MAX:
            message = self._waiting.popleft()
            info = self._client.publish(message.topic, message.payload, qos=1, retain=message.retain)
            self._handed_over[info.mid] = message

    def _step_until(self, ends_s: float, what: str) -> None:
        left_s = ends_s - time.monotonic()
        if left_s <= 0:
            raise BrokerUnreachable(f"{self._endpoint}: {what}")
        self._step(left_s, ())

    def _step(self, timeout_s: float, wake_fds: Sequence[int]) -> None:
        sock = self._socket()
        # What TLS has decrypted already does not make the socket readable.
        decrypted = isinstance(sock, ssl.SSLSocket) and sock.pending() > 0
        poll = select.poll()
        poll.register(sock, select.POLLIN | (select.POLLOUT if self._client.want_write() else 0))
        for fd in wake_fds:
            poll.register(fd, select.POLLIN)
        ready = dict(poll.poll(0 if decrypted or self._incoming else max(timeout_s, 0) * 1000))
        events = ready.get(sock.fileno(), 0)
        if decrypted or events & ~select.POLLOUT:
            self._check(self._client.loop_read())
        if events & select.POLLOUT:
            self._check(self._client.loop_write())
        self._check(self._client.loop_misc())
        self._hand_over()

    def _socket(self) -> socket.socket:
        sock = self._client.socket()
        if not isinstance(sock, socket.socket):
            raise self._lost("nothing can be sent")
        return sock

    def _check(self, code: MQTTErrorCode) -> None:
        if code != paho.MQTT_ERR_SUCCESS and not self._connack:
            raise self._lost(paho.error_string(code))

    def _lost(self, detail: str) -> BrokerUnreachable:
        if self._connack is None and self._endpoint.ca is not None:
            # With TLS 1.3 a refused client certificate shows only now, as a connection that ends.
            what = (
                "the broker ended the connection; does it know this certificate's authority, is its own clock "
                f"right (this certificate is valid until {self._valid_until})?"
            )
        elif self._connack is None:
            what = "the broker ended the connection; does this port want TLS? Then set ca, certificate and key"
        else:
            what = f"the connection was lost ({detail})"
        return BrokerUnreachable(f"{self._endpoint}: {what}")


def _no_delay(client: Any, userdata: Any, sock: Any) -> None:
    # Nagle and delayed ACKs together cost 44 ms a round trip; the broker must do the same (set_tcp_nodelay).
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def _explained(error: OSError, endpoint: Endpoint) -> str:
    match error:
        case ssl.SSLCertVerificationError():
            return (
                f"its certificate is not accepted: {error.verify_message}; is {endpoint.ca} its authority, and "
                f"was the certificate made for the name {endpoint.host} (fourmusts keys broker --host)?"
            )
        case ssl.SSLError():
            return (
                f"TLS failed: {error.reason or error}; is this a TLS port, do certificate and key belong together?"
            )
        case ConnectionRefusedError():
            return "nobody listens there; start the broker, or correct host and port"
        case socket.gaierror():
            return f"the name is not known: {error.strerror}; correct host, or the name server"
        case TimeoutError():
            return "no answer; is the machine up, does a firewall stand between?"
        case _:
            return f"{error.strerror or error}"


def _refusal(code: int) -> str:
    # paho 2 gives the reason codes of MQTT 5 also for the return codes of 3.1.1.
    if code in (134, 135):
        return "the broker knows this certificate or user, but does not let it in; correct its ACL or its users"
    if code == 133:
        return "the broker refuses the client id; it must be the common name of the certificate"
    return f"the broker refuses the connection (reason {code})"

"""The whole road on real parts: SQLite at both ends, mosquitto with mutual TLS and ACLs between them."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from lines import Line

from config.clock import ManualClock, SystemClock
from custody.events import Draft, format_utc
from sync import keys
from sync.bell import ring
from sync.commands import make_command
from sync.errors import BrokerUnreachable, KeyReadable
from sync.headquarters_link import WAITING_OF_A_ZONE_MAX, HeadquartersLink
from sync.keys import HEADQUARTERS_KEY, ZONE_KEY, load_signing_key
from sync.ledger import BELL, Ledger
from sync.note import Checkpoint, open_checkpoint
from sync.protocol.headquarters import HeadquartersEnd
from sync.protocol.messages import Batch, Hello, encode
from sync.protocol.zone import ZoneEnd
from sync.session import Endpoint, Incoming, Outgoing, Session
from sync.topics import HEADQUARTERS_STATE
from sync.zone_link import ZoneLink, beat_every_s

Until = Callable[..., None]


class Zone:
    """A zone's ledger and its link in a thread."""

    def __init__(self, directory: Path, broker: Any, name: str = "nz01") -> None:
        self.broker, self.name = broker, name
        self.clock = SystemClock(fixed_utc_offset_s=28_800)
        self.key = load_signing_key(broker.keys / name / ZONE_KEY)
        self.ledger = Ledger.create(directory / name, zone=name, deployment="test", clock=self.clock)
        self.endpoint = broker.endpoint(name)
        self.beats = 0

    def start(self) -> None:
        headquarters = load_signing_key(self.broker.keys / "hq" / HEADQUARTERS_KEY).verifier
        self.end = ZoneEnd(self.ledger, self.key, headquarters, self.clock, random.Random(1))
        self.link = ZoneLink(self.end, self.ledger, self.endpoint, self.clock)
        self.stop_asked = threading.Event()
        self.thread = threading.Thread(target=self.link.run, args=(self.stop_asked, self._beat))
        self.thread.start()

    def _beat(self) -> None:
        self.beats += 1

    def stop(self) -> None:
        self.stop_asked.set()
        ring(self.ledger.directory / BELL)
        self.thread.join(20)
        assert not self.thread.is_alive()

    def append(self, count: int = 1) -> list[str]:
        return [self.ledger.append(Draft("door.opened", {"door": "front-door"}))[0].id for _ in range(count)]

    def cosigned(self) -> tuple[int, str]:
        return self.ledger.spans()[-1][0].cosigned()

    def is_safe(self) -> bool:
        return self.cosigned()[0] == self.ledger.spans()[-1][0].size()


class Headquarters:
    """A store and a link; may be stopped and started again on the same store."""

    def __init__(self, broker: Any, store: Any) -> None:
        self.broker, self.store = broker, store
        self.key = load_signing_key(broker.keys / "hq" / HEADQUARTERS_KEY)
        self.advanced: list[tuple[str, str, int, int]] = []
        self.states: list[tuple[str, bool]] = []

    def start(self) -> None:
        self.prepare()
        self.link.start()

    def prepare(self, port: int | None = None) -> None:
        zones = {name: load_signing_key(self.broker.keys / name / ZONE_KEY).verifier for name in ("nz01", "nz02")}
        end = HeadquartersEnd(self.store, self.key, zones, SystemClock())
        settings = self.broker.settings("hq")
        self.link = HeadquartersLink(
            end,
            settings if port is None else settings.model_copy(update={"port": port}),
            on_advanced=lambda zone, log, first, lines: self.advanced.append((zone, log, first, len(lines))),
            on_zone_state=lambda zone, on: self.states.append((zone, on)),
        )

    def stop(self) -> None:
        self.link.stop()


@pytest.fixture
def zone(tmp_path: Path, mosquitto: Any) -> Iterator[Zone]:
    made = Zone(tmp_path, mosquitto)
    made.start()
    yield made
    made.stop()
    made.ledger.close()


@pytest.fixture
def headquarters(tmp_path: Path, mosquitto: Any, new_store: Callable[..., Any]) -> Iterator[Headquarters]:
    made = Headquarters(mosquitto, new_store(tmp_path / "hq.sqlite3"))
    made.start()
    yield made
    made.stop()


def listen(broker: Any, who: str, topics: list[str]) -> Session:
    """Somebody at the broker with the certificate of ``who``."""
    session = Session(broker.endpoint(who), client_id=who, will=Outgoing(f"v1/{who}/state", b'{"on":0}'))
    session.open(topics)
    return session


def hear(session: Session, enough: Callable[[list[Incoming]], bool], until: Until) -> list[Incoming]:
    heard: list[Incoming] = []

    def heard_enough() -> bool:
        heard.extend(session.wait(0.05))
        return enough(heard)

    until(heard_enough, "not heard in time")
    return heard


def test_an_appended_event_is_stored_at_headquarters_and_its_cosignature_comes_back(
    zone: Zone, headquarters: Headquarters, until: Until
) -> None:
    ids = zone.append(3)
    until(zone.is_safe, "no cosignature came back")
    assert set(ids) <= headquarters.store.event_ids("nz01")
    size, note = zone.cosigned()
    checkpoint = open_checkpoint(note, headquarters.key.verifier)
    assert checkpoint == open_checkpoint(note, zone.key.verifier)
    assert (checkpoint.size, checkpoint.root) == (size, zone.ledger.spans()[0][0].root(size))
    until(lambda: sum(count for *_, count in headquarters.advanced) == 4, "headquarters was not told")
    assert zone.beats > 0


def test_a_backlog_is_carried_whole_and_in_order(zone: Zone, headquarters: Headquarters, until: Until) -> None:
    for _ in range(5):
        zone.ledger.append(*[Draft("door.opened", {"door": f"door-{number}"}) for number in range(700)])
    until(zone.is_safe, "the backlog did not arrive")
    file = zone.ledger.spans()[0][0]
    assert headquarters.store.lines("nz01", file.id, 1, 4000) == list(file.all_lines())


def test_headquarters_that_was_away_gets_what_happened_meanwhile(
    zone: Zone, headquarters: Headquarters, until: Until
) -> None:
    zone.append()
    until(zone.is_safe, "no cosignature came back")
    headquarters.stop()
    ids = zone.append(50)
    assert not zone.is_safe()
    headquarters.start()
    until(zone.is_safe, "the events did not arrive")
    assert set(ids) <= headquarters.store.event_ids("nz01")


def test_headquarters_that_is_said_to_be_away_says_that_it_is_not(
    tmp_path: Path, amqtt: Any, new_store: Callable[..., Any], until: Until
) -> None:
    zone, headquarters = Zone(tmp_path, amqtt), Headquarters(amqtt, new_store())
    zone.start()
    headquarters.start()
    try:
        until(zone.is_safe, "no cosignature came back")
        late_will = Outgoing(HEADQUARTERS_STATE, b'{"on":0}', retain=True)
        somebody = Session(amqtt.endpoint("nz02"), client_id="nz02", will=late_will)
        somebody.open([HEADQUARTERS_STATE])
        somebody.publish(late_will)
        said = hear(somebody, lambda messages: payloads(messages)[-2:] == [b'{"on":0}', b'{"on":1}'], until)
        assert said
        somebody.close()
        zone.append()
        until(zone.is_safe, "the zone still waits")
    finally:
        zone.stop()
        zone.ledger.close()
        headquarters.stop()


def payloads(messages: list[Incoming]) -> list[bytes]:
    return [message.payload for message in messages]


def test_headquarters_leaves_a_connection_on_which_nothing_comes_any_more(
    mosquitto: Any,
    new_store: Callable[..., Any],
    until: Until,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr("sync.patience.SILENCE_S", 0.3)
    monkeypatch.setattr("sync.patience.ECHO_S_MAX", 3.0)
    line = Line(mosquitto.port)
    headquarters = Headquarters(mosquitto, new_store())
    headquarters.prepare(port=line.port)
    headquarters.link.start()
    try:
        until(headquarters.link.connected.is_set, "headquarters did not connect")
        line.hang()
        until(lambda: "delivers nothing any more" in caplog.text, "it listens for ever", timeout_s=60)
        line.mend()
        until(headquarters.link.connected.is_set, "headquarters did not come back", timeout_s=60)
    finally:
        line.mend()
        headquarters.stop()
        line.close()


def test_a_zone_that_nobody_answers_tries_a_new_connection(
    tmp_path: Path,
    mosquitto: Any,
    until: Until,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr("sync.protocol.resend.RESEND_S", 0.2)
    monkeypatch.setattr("sync.protocol.resend.RESEND_S_MAX", 0.8)
    zone = Zone(tmp_path, mosquitto)
    zone.start()
    try:
        until(lambda: "answers nothing" in caplog.text, "it asks for ever", timeout_s=60)
        until(lambda: zone.link.connected, "it did not come back", timeout_s=60)
    finally:
        zone.stop()
        zone.ledger.close()


def test_headquarters_restored_from_a_backup_gets_again_what_it_forgot_and_that_is_recorded(
    zone: Zone, headquarters: Headquarters, until: Until
) -> None:
    zone.append()
    until(zone.is_safe, "no cosignature came back")
    backup = headquarters.store.image()
    ids = zone.append(10)
    until(zone.is_safe, "no cosignature came back")
    headquarters.stop()
    headquarters.store.restore(backup)
    assert not set(ids) & headquarters.store.event_ids("nz01")
    headquarters.start()
    until(lambda: set(ids) <= headquarters.store.event_ids("nz01"), "they were not sent again")
    until(zone.is_safe, "no cosignature came back")
    (recorded,) = [event for event in zone.ledger.events() if event.type == "headquarters.rollback"]
    held = open_checkpoint(recorded.data["cosigned"], headquarters.key.verifier)
    found = open_checkpoint(recorded.data["status"], headquarters.key.verifier)
    assert held.size > found.size


def test_two_zones_do_not_disturb_each_other(
    zone: Zone, headquarters: Headquarters, tmp_path: Path, mosquitto: Any, until: Until
) -> None:
    other = Zone(tmp_path, mosquitto, "nz02")
    other.start()
    try:
        ids, other_ids = zone.append(30), other.append(30)
        until(lambda: zone.is_safe() and other.is_safe(), "not everything arrived")
        assert set(ids) <= headquarters.store.event_ids("nz01")
        assert set(other_ids) <= headquarters.store.event_ids("nz02")
        until(lambda: {("nz01", True), ("nz02", True)} <= set(headquarters.states), "states were not seen")
    finally:
        other.stop()
        other.ledger.close()
    until(lambda: ("nz02", False) in headquarters.states, "nz02's end was not seen")


def test_another_s_client_id_does_not_throw_the_other_out(mosquitto: Any, until: Until) -> None:
    first = listen(mosquitto, "nz01", ["v1/nz01/down"])
    impostor = Session(mosquitto.endpoint("nz02"), client_id="nz01", will=Outgoing("v1/nz02/state", b"x"))
    impostor.open(["v1/nz02/down"])
    headquarters = listen(mosquitto, "hq", ["v1/hq/tree"])
    headquarters.publish(Outgoing("v1/nz01/down", b"still there"))
    headquarters.wait(0.0)
    heard = hear(first, lambda messages: len(messages) > 0, until)
    assert heard[0].payload == b"still there"


def test_without_a_certificate_of_our_authority_there_is_no_connection(
    mosquitto: Any, deployment_keys: Path, tmp_path: Path
) -> None:
    will = Outgoing("v1/nz01/state", b"x")
    ours = deployment_keys / "nz01"
    nobody = Endpoint("127.0.0.1", mosquitto.port, ours / "ca.crt")
    with pytest.raises(BrokerUnreachable, match=r"ended the connection|TLS failed"):
        Session(nobody, client_id="nz01", will=will).open(["v1/nz01/down"])
    keys.make_authority(tmp_path / "strangers", "strangers")
    keys.make_zone_certificate(tmp_path / "strangers", tmp_path / "stranger", "nz01")
    stranger = Endpoint(
        "127.0.0.1", mosquitto.port, ours / "ca.crt", tmp_path / "stranger/tls.crt", tmp_path / "stranger/tls.key"
    )
    with pytest.raises(BrokerUnreachable, match=r"stranger/tls\.crt.*(ended the connection|TLS failed)"):
        Session(stranger, client_id="nz01", will=will).open(["v1/nz01/down"])
    plain = Endpoint("127.0.0.1", mosquitto.port)
    with pytest.raises(BrokerUnreachable, match="TLS"):
        Session(plain, client_id="nz01", will=will).open(["v1/nz01/down"])
    wrong = Endpoint(
        "127.0.0.1", mosquitto.port, tmp_path / "strangers/ca.crt", ours / "tls.crt", ours / "tls.key"
    )
    with pytest.raises(BrokerUnreachable, match=r"certificate is not accepted.*strangers/ca\.crt"):
        Session(wrong, client_id="nz01", will=will).open(["v1/nz01/down"])


def test_a_broker_that_is_not_there_is_named_and_tried_again(
    zone: Zone, headquarters: Headquarters, mosquitto: Any, until: Until, caplog: pytest.LogCaptureFixture
) -> None:
    until(lambda: zone.link.connected, "the zone did not connect")
    mosquitto.kill()
    until(lambda: "nobody listens there" in caplog.text, "nothing was said")
    assert f"broker 127.0.0.1:{mosquitto.port} with certificate" in caplog.text
    assert "Events stay in the ledger" in caplog.text
    beats = zone.beats
    until(lambda: zone.beats > beats, "the link does not show that it lives while it waits")
    mosquitto.start()
    zone.append()
    until(zone.is_safe, "the zone did not come back")


def test_a_private_key_that_others_can_read_is_refused(mosquitto: Any, tmp_path: Path) -> None:
    ours = mosquitto.keys / "nz01"
    open_key = tmp_path / "tls.key"
    open_key.write_bytes((ours / "tls.key").read_bytes())
    open_key.chmod(0o644)
    endpoint = Endpoint("127.0.0.1", mosquitto.port, ours / "ca.crt", ours / "tls.crt", open_key)
    with pytest.raises(KeyReadable, match="chmod 600"):
        Session(endpoint, client_id="nz01", will=Outgoing("v1/nz01/state", b"x")).open(["v1/nz01/down"])


def test_a_key_that_stands_in_its_certificate_s_file_is_private_too(mosquitto: Any, tmp_path: Path) -> None:
    ours = mosquitto.keys / "nz01"
    both = tmp_path / "tls.pem"
    both.write_bytes((ours / "tls.crt").read_bytes() + (ours / "tls.key").read_bytes())
    both.chmod(0o644)
    endpoint = Endpoint("127.0.0.1", mosquitto.port, ours / "ca.crt", both)
    with pytest.raises(KeyReadable, match="chmod 600"):
        Session(endpoint, client_id="nz01", will=Outgoing("v1/nz01/state", b"x")).open(["v1/nz01/down"])


def test_a_zone_with_another_s_certificate_is_told_so(
    tmp_path: Path, mosquitto: Any, until: Until, caplog: pytest.LogCaptureFixture
) -> None:
    wrong = Zone(tmp_path, mosquitto)
    wrong.endpoint = mosquitto.endpoint("nz02")
    wrong.start()
    try:
        until(lambda: "it is the certificate of nz02, not of nz01" in caplog.text, "nothing was said")
    finally:
        wrong.stop()
        wrong.ledger.close()


def test_rubbish_from_one_zone_becomes_evidence_and_stops_nobody(
    zone: Zone, headquarters: Headquarters, mosquitto: Any, until: Until
) -> None:
    until(lambda: headquarters.link.connected.is_set(), "headquarters did not connect")
    vandal = listen(mosquitto, "nz02", ["v1/nz02/down"])
    wrong_key = encode(Batch("0" * 16, 1, zone_note(zone), (b"{}",)))
    for payload in (b"rubbish", b"{" * 100_000, b"\x78\x9cbroken", wrong_key):
        vandal.publish(Outgoing("v1/nz02/up", payload))
    vandal.wait(0.0)
    ids = zone.append(5)
    until(zone.is_safe, "the other zone suffered")
    assert set(ids) <= headquarters.store.event_ids("nz01")
    until(
        lambda: (vandal.wait(0.0), len(headquarters.store.evidence_kinds()) == 4)[1], "the evidence was not kept"
    )
    assert sorted(headquarters.store.evidence_kinds()) == ["malformed", "malformed", "oversize", "wrong_signature"]


def zone_note(zone: Zone) -> str:
    return Checkpoint(zone.ledger.spans()[0][0].identity.origin, 1, b"r" * 32).signed(zone.key)


def test_a_command_of_headquarters_is_put_into_the_register_once(
    zone: Zone, headquarters: Headquarters, mosquitto: Any, until: Until
) -> None:
    zone.append()
    until(zone.is_safe, "the zone is not connected")
    now_us = zone.clock.now_us()
    command = make_command(
        headquarters.key, "nz01", "door.release", {"door": "front-door"}, actor="p0001", now_us=now_us, valid_s=30
    )
    headquarters.link.send("nz01", encode(command))
    headquarters.link.send("nz01", encode(command))

    def commands() -> list[Any]:
        return [event for event in zone.ledger.events() if event.type.startswith("command.")]

    until(lambda: len(commands()) == 2, "the commands did not arrive")
    received, refused = commands()
    assert received.type == "command.received"
    assert received.data["command"] == "door.release"
    assert received.data["args"] == {"door": "front-door"}
    assert refused.type == "command.refused"
    assert "given before" in refused.data["reason"]


def test_the_feed_carries_each_event_as_it_was_written(
    zone: Zone, headquarters: Headquarters, mosquitto: Any, until: Until
) -> None:
    reader = listen(mosquitto, "feed", ["v1/feed/#"])
    lines = [zone.ledger.append(Draft("door.opened", {"door": "front-door"}))[0].line for _ in range(40)]
    for line in lines:
        headquarters.link.publish_feed("nz01", "door.opened", line)
    heard = hear(reader, lambda messages: len(messages) == 40, until)
    assert [message.payload for message in heard] == lines
    assert {message.topic for message in heard} == {"v1/feed/nz01/door/opened"}


def test_the_feed_is_held_back_until_the_broker_is_reached(
    mosquitto: Any, new_store: Callable[..., Any], until: Until
) -> None:
    reader = listen(mosquitto, "feed", ["v1/feed/#"])
    waiting = Headquarters(mosquitto, new_store())
    waiting.prepare()
    for number in range(30):
        waiting.link.publish_feed("nz01", "door.opened", b"%d" % number)
    waiting.link.start()
    try:
        heard = hear(reader, lambda messages: len(messages) >= 30, until)
    finally:
        waiting.stop()
    assert [message.payload for message in heard] == [b"%d" % number for number in range(30)]


def test_a_line_of_the_feed_waits_until_the_broker_has_confirmed_it(
    mosquitto: Any, new_store: Callable[..., Any], until: Until
) -> None:
    mosquitto.kill()
    waiting = Headquarters(mosquitto, new_store())
    waiting.start()
    waiting.link.publish_feed("nz01", "door.opened", b"1")
    try:
        assert waiting.link.feed_waiting == 1
        mosquitto.start()
        until(lambda: waiting.link.feed_waiting == 0, "the broker did not confirm")
    finally:
        waiting.stop()


def test_the_checkpoint_of_headquarters_own_ledger_is_kept_for_zones_even_by_a_broker_that_was_wiped(
    headquarters: Headquarters, mosquitto: Any, until: Until
) -> None:
    headquarters.link.publish_tree("older")
    headquarters.link.publish_tree("newest")

    def zone_reads() -> list[bytes]:
        reader = listen(mosquitto, "nz01", ["v1/hq/tree"])
        heard = reader.wait(0.2)
        reader.close()
        return [message.payload for message in heard if message.retained]

    for _ in range(2):
        until(lambda: zone_reads() == [b"newest"], "the broker does not know the checkpoint")
        mosquitto.kill()
        mosquitto.start()


def test_a_message_that_the_broker_kept_is_evidence_and_not_answered(
    mosquitto: Any, new_store: Callable[..., Any], until: Until
) -> None:
    forger = listen(mosquitto, "hq", ["v1/nz01/down"])
    forger.publish(Outgoing("v1/nz01/up", encode(Hello(())), retain=True))
    until(lambda: forger.wait(0.02) == [] and not forger.backlog, "the broker did not take it")
    forger.close()
    started = Headquarters(mosquitto, new_store())
    started.start()
    try:
        until(lambda: started.store.evidence_kinds() == ["retained"], "it was not kept as evidence")
    finally:
        started.stop()


def test_a_zone_that_floods_headquarters_takes_nobody_else_s_place(
    headquarters: Headquarters, mosquitto: Any, until: Until
) -> None:
    until(headquarters.link.connected.is_set, "headquarters did not connect")
    flooding = listen(mosquitto, "nz02", ["v1/nz02/down"])
    other = listen(mosquitto, "nz01", ["v1/nz01/down"])
    with headquarters.store._lock:  # a database that is slow
        for number in range(300):
            flooding.publish(Outgoing("v1/nz02/up", b"rubbish %d" % number))
        until(lambda: flooding.wait(0.02) == [] and not flooding.backlog, "the broker did not take all")
        other.publish(Outgoing("v1/nz01/up", b"rubbish"))
        until(lambda: other.wait(0.02) == [] and headquarters.link._waiting["nz01"], "it did not arrive")
    until(lambda: ("nz01",) in headquarters.store.rows("SELECT zone FROM evidence"), "it was lost")
    kept = headquarters.store.rows("SELECT count(*) FROM evidence WHERE zone = 'nz02'")
    assert 0 < int(kept[0][0]) <= 2 * WAITING_OF_A_ZONE_MAX


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_thread_of_headquarters_link_that_dies_is_noticed(headquarters: Headquarters, until: Until) -> None:
    assert headquarters.link.alive
    headquarters.link.publish_feed("nz01", "a#", b"no topic")
    until(lambda: not headquarters.link.alive, "it looks alive")


def test_times_in_states_are_the_zone_s(zone: Zone, mosquitto: Any, until: Until) -> None:
    until(lambda: zone.link.connected, "the zone did not connect")
    witness = listen(mosquitto, "hq", ["v1/+/state"])
    heard = hear(witness, lambda messages: any(m.topic == "v1/nz01/state" for m in messages), until)
    (state,) = [message.payload for message in heard if message.topic == "v1/nz01/state"]
    assert b'"on":1' in state
    assert zone.clock.bootid.encode() in state
    assert b"+08:00" in state


def test_manual_time_still_beats(clock: ManualClock) -> None:
    assert beat_every_s(clock) > 0
    assert format_utc(clock.now_us()).endswith("Z")

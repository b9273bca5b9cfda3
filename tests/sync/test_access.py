"""Who may say and hear what at a broker that is set up as config/broker/ says."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from broker_processes import BrokerProcess, Mosquitto, NatsServer
from click.testing import CliRunner

from fourmusts import main
from sync.errors import BrokerUnreachable
from sync.session import Incoming, Outgoing, Session

Until = Callable[..., None]


@pytest.fixture(params=[Mosquitto, NatsServer], ids=["mosquitto", "nats-server"])
def broker(request: pytest.FixtureRequest, tmp_path: Path, deployment_keys: Path) -> Iterator[BrokerProcess]:
    made: BrokerProcess = request.param(tmp_path / "broker", deployment_keys)
    made.start()
    yield made
    made.stop()


def listen(broker: BrokerProcess, who: str, topics: list[str]) -> Session:
    """Somebody at the broker with the certificate of ``who``."""
    session = Session(broker.endpoint(who), client_id=who, will=Outgoing(f"v1/{who}/state", b'{"on":0}'))
    try:
        session.open(topics)
    except BrokerUnreachable:
        session.abandon()
        raise
    return session


def say(session: Session, until: Until, *topics: str) -> None:
    """On each topic its own name, until the broker has taken it, whatever it makes of it."""
    for topic in topics:
        session.publish(Outgoing(topic, topic.encode()))
    until(lambda: session.wait(0.01) is not None and not session.backlog, "the broker does not take it")


def heard_until(session: Session, last: str, until: Until) -> list[str]:
    """The topics that are heard, up to the last that is expected."""
    heard: list[Incoming] = []

    def it_came() -> bool:
        heard.extend(session.wait(0.05))
        return any(message.topic == last for message in heard)

    until(it_came, f"{last} was not heard")
    return [message.topic for message in heard]


def test_a_zone_speaks_on_its_own_topics_and_on_no_other(broker: BrokerProcess, until: Until) -> None:
    headquarters = listen(broker, "hq", ["v1/+/up", "v1/+/state", "v1/+/down", "v1/feed/#"])
    forbidden = ("v1/nz01/up", "v1/nz01/down", "v1/nz01/state", "v1/hq/state", "v1/feed/nz01/door/opened")
    zone = listen(broker, "nz02", ["v1/nz02/down"])
    say(zone, until, *forbidden, "v1/nz02/state", "v1/nz02/up")
    assert set(heard_until(headquarters, "v1/nz02/up", until)) <= {"v1/nz02/state", "v1/nz02/up"}


def test_a_zone_hears_what_is_meant_for_it_and_for_all(broker: BrokerProcess, until: Until) -> None:
    headquarters = listen(broker, "hq", ["v1/hq/tree"])
    zone = listen(broker, "nz02", ["v1/nz02/down", "v1/hq/state", "v1/hq/tree"])
    say(headquarters, until, "v1/nz01/down", "v1/nz01/up", "v1/hq/state", "v1/hq/tree", "v1/nz02/down")
    assert set(heard_until(zone, "v1/nz02/down", until)) <= {"v1/hq/state", "v1/hq/tree", "v1/nz02/down"}


@pytest.mark.parametrize("wanted", ["v1/nz01/down", "v1/nz01/up", "v1/+/down", "v1/feed/#", "$MQTT/sub/#", "#"])
def test_a_zone_that_listens_elsewhere_hears_nothing(broker: BrokerProcess, wanted: str, until: Until) -> None:
    headquarters = listen(broker, "hq", ["v1/hq/tree"])
    try:
        curious = listen(broker, "nz02", [wanted])
    except BrokerUnreachable:
        return  # NATS says at once that it is not allowed; Mosquitto says yes and delivers nothing
    say(headquarters, until, "v1/nz01/down", "v1/nz01/up", "v1/feed/nz01/door/opened", "v1/nz02/down")
    heard = {message.topic for _ in range(5) for message in curious.wait(0.1)}
    assert heard <= {"v1/nz02/down"}


def test_the_reader_of_the_feed_reads_it_and_does_nothing_else(broker: BrokerProcess, until: Until) -> None:
    headquarters = listen(broker, "hq", ["v1/+/up"])
    reader = listen(broker, "feed", ["v1/feed/#"])
    say(reader, until, "v1/nz02/up", "v1/feed/nz01/door/opened")
    zone = listen(broker, "nz01", ["v1/nz01/down"])
    say(zone, until, "v1/nz01/up")
    assert heard_until(headquarters, "v1/nz01/up", until) == ["v1/nz01/up"]
    say(headquarters, until, "v1/feed/nz01/door/closed")
    assert heard_until(reader, "v1/feed/nz01/door/closed", until) == ["v1/feed/nz01/door/closed"]


def command(*words: str | Path) -> tuple[int, str]:
    done = CliRunner().invoke(main, ["broker", *map(str, words)])
    return done.exit_code, done.output


def test_nats_is_set_up_for_every_zone_that_central_toml_enrols(deployment_keys: Path, tmp_path: Path) -> None:
    keys = tmp_path / "broker"
    keys.mkdir()
    (keys / "broker.crt").write_bytes((deployment_keys / "broker" / "broker.crt").read_bytes())
    central = tmp_path / "central.toml"
    central.write_text(
        '[bureau]\nname = "test"\n[[zone]]\nid = "nz01"\nname = "one"\nverifier_key = "test/nz01+0+0"\n'
    )
    status, said = command("nats", keys, "--central", central, "--zone", "nz02")
    assert (status, "2 zones" in said) == (0, True), said
    written = (keys / "nats-server.conf").read_text()
    assert 'user: "CN=nz01"' in written and 'user: "CN=nz02"' in written
    assert f'cert_file: "{keys}/broker.crt"' in written
    assert command("nats", keys)[0] != 0
    assert "cannot be a zone's id" in command("nats", keys, "--zone", "v1.>")[1]


def test_a_broker_without_keys_is_told_how_to_make_them(tmp_path: Path) -> None:
    for server in (("mosquitto",), ("nats", "--zone", "nz01")):
        status, said = command(server[0], tmp_path, *server[1:])
        assert status == 1
        assert f"fourmusts keys broker {tmp_path}" in said

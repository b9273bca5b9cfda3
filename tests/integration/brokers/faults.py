"""What befalls a deployment, one function each. Every one leaves all programs started and every line mended; none
waits until all is well again, so the next may strike while this one still hurts."""

from __future__ import annotations

import contextlib
import random
import time
import zlib
from collections.abc import Callable, Iterator, Sequence

from deployed import Deployment, Zone, until
from history import evidence

from sync.errors import BrokerUnreachable
from sync.keys import ZONE_KEY, load_signing_key
from sync.note import Checkpoint
from sync.protocol.messages import Ack, Batch, encode
from sync.session import Incoming, Outgoing, Session

BAD = "nz99"
"""Enrolled, with a certificate and keys of its own, and gone bad."""
ON_THE_WAY = 100
"""Lines that wait before whoever takes them comes back."""
HEARD_S = 0.5
FLOOD_MESSAGES = 60
FLOOD_BYTES = 60_000

Fault = Callable[[Deployment, random.Random], None]


def a_moment(dice: random.Random) -> None:
    time.sleep(0.1 + 0.4 * dice.random())


def something_waits(deployment: Deployment, zone: Zone) -> None:
    """So that what comes back finds a zone with lines on the way."""
    until(lambda: zone.size() - zone.cosigned() >= ON_THE_WAY, lambda: f"{zone.name} writes nothing")


def the_broker_dies_and_is_wiped(deployment: Deployment, dice: random.Random) -> None:
    deployment.broker.kill()
    something_waits(deployment, dice.choice(deployment.zones))
    deployment.broker.wipe()
    deployment.broker.start()


def links_die(deployment: Deployment, dice: random.Random) -> None:
    for _ in range(3):
        zone = dice.choice(deployment.zones)
        zone.link.kill()
        zone.link.start()
        time.sleep(1.5 * dice.random())  # so that the next is met in the middle of its start, or of its work


def headquarters_dies(deployment: Deployment, dice: random.Random) -> None:
    deployment.central.kill()
    something_waits(deployment, dice.choice(deployment.zones))
    deployment.central.start()
    time.sleep(3.0 * dice.random())
    deployment.central.kill()
    deployment.central.start()


def a_zone_is_cut_off(deployment: Deployment, dice: random.Random) -> None:
    zone = dice.choice(deployment.zones)
    zone.line.cut()
    something_waits(deployment, zone)
    zone.line.mend()


def headquarters_is_cut_off(deployment: Deployment, dice: random.Random) -> None:
    deployment.line.cut()
    something_waits(deployment, dice.choice(deployment.zones))
    deployment.line.mend()


def a_line_hangs(deployment: Deployment, dice: random.Random) -> None:
    line = dice.choice([deployment.line, *(zone.line for zone in deployment.zones)])
    line.hang()
    a_moment(dice)
    line.mend()


def headquarters_does_not_read(deployment: Deployment, dice: random.Random) -> None:
    """The broker must keep, drop or disconnect: it may do what it likes."""
    with bad_zone(deployment) as session:
        deployment.central.freeze()
        try:
            for _ in range(FLOOD_MESSAGES):
                session.publish(Outgoing(f"v1/{BAD}/up", dice.randbytes(FLOOD_BYTES)))
            pump(session, lambda heard: not session.backlog)
            something_waits(deployment, dice.choice(deployment.zones))
        finally:
            deployment.central.thaw()


def headquarters_reads_slowly(deployment: Deployment, dice: random.Random) -> None:
    deployment.line.slow(64 * 1024)
    a_moment(dice)
    a_moment(dice)
    deployment.line.mend()


def a_zone_sends_poison(deployment: Deployment, dice: random.Random) -> None:
    """Each piece of it becomes evidence; the largest do not even pass every broker."""
    wrong_key = load_signing_key(deployment.broker.keys / "nz01" / ZONE_KEY)
    poison = [
        b"rubbish",
        b"\xff\xfe" * 50,
        b"{" * 100_000,
        b"\x78\x9cbroken",
        zlib.compress(b"0" * 50_000_000),
        b'{"v":1,"k":"batch","log":7,"first":-1,"n":1e99,"cp":null}',
        b'{"v":1,"k":"hello","logs":' + b"[" * 5000,
        encode(Batch("0" * 16, 1, Checkpoint(f"test/{BAD}/{'0' * 16}", 1, bytes(32)).signed(wrong_key), (b"{}",))),
    ]
    expected = {(BAD, kind) for kind in ("malformed", "oversize", "wrong_signature")}
    until(
        lambda: expected <= evidence(deployment) or sent(deployment, poison),
        lambda: f"kept as evidence is only {evidence(deployment)}",
    )
    with contextlib.suppress(BrokerUnreachable), bad_zone(deployment) as session:
        session.publish(Outgoing(f"v1/{BAD}/up", bytes(2_000_000)))
        pump(session, lambda heard: not session.backlog)


def a_zone_speaks_for_others(deployment: Deployment, dice: random.Random) -> None:
    """Where there are certificates none of it arrives; elsewhere it is evidence, and changes nothing."""
    key = load_signing_key(deployment.broker.keys / BAD / ZONE_KEY)
    victim = deployment.zones[0]
    log = victim.ledger.id
    batch = Batch(log, 1, Checkpoint(f"test/{victim.name}/{log}", 1, bytes(32)).signed(key), (b"{}",))
    ack = Ack(log, Checkpoint(f"test/{victim.name}/{log}", 10**6, bytes(32)).signed(key))
    forged = [
        (f"v1/{victim.name}/up", encode(batch), False),
        (f"v1/{victim.name}/down", encode(ack), False),
        (f"v1/{victim.name}/state", b'{"on":0}', True),
        ("v1/hq/state", b'{"on":0}', False),
        ("v1/hq/tree", b"no checkpoint", True),
    ]

    def try_it() -> bool:
        with contextlib.suppress(BrokerUnreachable), bad_zone(deployment) as session:
            for topic, payload, retain in forged:
                session.publish(Outgoing(topic, payload, retain))
            pump(session, lambda heard: not session.backlog)
            return not session.backlog
        return False

    def it_took_place() -> bool:
        if not try_it():
            return False
        return deployment.broker.secured or forgery_is_evidence(deployment, victim)

    until(it_took_place, lambda: f"the forgery did not come to {victim.name} and headquarters")


def forgery_is_evidence(deployment: Deployment, victim: Zone) -> bool:
    """Whether somebody else's word in the victim's name was refused by both ends."""
    at_zone = {kind for kind, _, _ in victim.ledger.spans()[-1][0].evidence()}
    return (victim.name, "wrong_signature") in evidence(deployment) and "wrong_signature" in at_zone


def a_zone_comes_under_another_s_name(deployment: Deployment, dice: random.Random) -> None:
    """With its own certificate and the victim's client id. It may throw the victim out; the victim comes back.

    Without certificates there is nobody whose name it is; and amqtt, when it has thrown somebody out, takes the
    subscriptions of whoever comes back under that name for those of the one who left."""
    if not deployment.broker.secured:
        return
    victim = dice.choice(deployment.zones)
    heard: list[Incoming] = []
    for topics in ([f"v1/{victim.name}/down"], [f"v1/{BAD}/down"]):
        with contextlib.suppress(BrokerUnreachable), bad_zone(deployment, victim.name, topics) as session:
            session.publish(Outgoing(f"v1/{victim.name}/up", b"in another's name"))
            heard += pump(session, lambda heard: False)
    assert heard == [], f"it heard what is {victim.name}'s: {heard}"


FAULTS: tuple[Fault, ...] = (
    the_broker_dies_and_is_wiped,
    links_die,
    headquarters_dies,
    a_zone_is_cut_off,
    headquarters_is_cut_off,
    a_line_hangs,
    headquarters_does_not_read,
    headquarters_reads_slowly,
    a_zone_sends_poison,
    a_zone_speaks_for_others,
    a_zone_comes_under_another_s_name,
)

# The bad zone's own connection


@contextlib.contextmanager
def bad_zone(deployment: Deployment, client_id: str = BAD, topics: Sequence[str] = ()) -> Iterator[Session]:
    will = Outgoing(f"v1/{BAD}/state", b'{"on":0}')
    session = Session(deployment.broker.endpoint(BAD), client_id=client_id, will=will)
    try:
        session.open(topics or [f"v1/{BAD}/down"])
        yield session
    finally:
        session.abandon()


def pump(session: Session, enough: Callable[[list[Incoming]], bool]) -> list[Incoming]:
    """What is heard until it is enough, or nothing more moves."""
    heard: list[Incoming] = []
    ends_s = time.monotonic() + HEARD_S
    while not enough(heard) and time.monotonic() < ends_s:
        before = session.backlog
        heard += session.wait(0.05)
        if session.backlog < before:
            ends_s = time.monotonic() + HEARD_S
    return heard


def sent(deployment: Deployment, payloads: Sequence[bytes]) -> bool:
    """Send these once more; ``False``, as whether they arrive is to be seen elsewhere."""
    with contextlib.suppress(BrokerUnreachable), bad_zone(deployment) as session:
        for payload in payloads:
            session.publish(Outgoing(f"v1/{BAD}/up", payload))
        pump(session, lambda heard: not session.backlog)
    return False

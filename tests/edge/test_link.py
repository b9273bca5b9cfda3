"""The link process, with the embedded broker of the demo between it and headquarters' end."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from config.central import Broker
from config.clock import SystemClock
from config.zone import Headquarters, Identity, RoomSettings, ZoneSettings
from custody.events import Draft
from edge.link.process import run
from edge.pulse import is_alive
from sync.broker import BrokerNotStarted, EmbeddedBroker
from sync.errors import BadNote, KeyMissing, LedgerMissing
from sync.headquarters_link import HeadquartersLink
from sync.keys import make_zone_key
from sync.ledger import Ledger
from sync.note import KeyType, SigningKey
from sync.protocol.headquarters import HeadquartersEnd
from sync.store import Head

CLOCK = SystemClock(fixed_utc_offset_s=28_800)
COSIGNER = SigningKey.generate("test/hq", KeyType.COSIGNATURE)


class Memory:
    """A ``LogStore`` that forgets with the process: what headquarters keeps is not what is tested here."""

    def __init__(self) -> None:
        self.heads: dict[tuple[str, str], Head] = {}
        self.kept: dict[tuple[str, str], list[bytes]] = {}

    def head(self, zone: str, log: str) -> Head:
        return self.heads.get((zone, log), Head(0, (), ""))

    def lines(self, zone: str, log: str, first: int, count: int) -> list[bytes]:
        return self.kept.get((zone, log), [])[first - 1 : first - 1 + count]

    def advance(self, zone: str, log: str, *, known_size: int, head: Head, lines: Sequence[bytes]) -> bool:
        if self.head(zone, log).size != known_size:
            return False
        self.kept.setdefault((zone, log), []).extend(lines)
        self.heads[zone, log] = head
        return True

    def keep_evidence(self, zone: str, log: str | None, kind: str, detail: str, message: bytes) -> None:
        raise AssertionError(f"{zone}: {kind}: {detail}")


@pytest.fixture
def broker() -> Iterator[EmbeddedBroker]:
    made = EmbeddedBroker()
    made.start()
    yield made
    made.stop()


def settings(directory: Path, port: int | None, verifier_key: str = str(COSIGNER.verifier)) -> ZoneSettings:
    headquarters = None if port is None else Headquarters(port=port, verifier_key=verifier_key)
    return ZoneSettings(
        zone=Identity(id="nz01", name="Zone", deployment="test", state_dir=directory),
        headquarters=headquarters,
        rooms=[RoomSettings(id="hall", name="Hall")],
    )


def make_zone(zone: ZoneSettings) -> Ledger:
    return Ledger.create(zone.ledger_dir, zone="nz01", deployment="test", clock=CLOCK)


@contextlib.contextmanager
def running(zone: ZoneSettings) -> Iterator[None]:
    stop = threading.Event()
    thread = threading.Thread(target=run, args=(zone, CLOCK, stop))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(20)
    assert not thread.is_alive()


def until(condition: Callable[[], object], what: str) -> None:
    ends_s = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < ends_s, what
        time.sleep(0.005)


def test_the_link_carries_the_ledger_to_headquarters_and_shows_that_it_lives(
    tmp_path: Path, broker: EmbeddedBroker
) -> None:
    zone = settings(tmp_path, broker.port)
    ledger = make_zone(zone)
    key = make_zone_key(zone.keys_dir, "test", "nz01")
    store = Memory()
    end = HeadquartersEnd(store, COSIGNER, {"nz01": key.verifier}, CLOCK)
    headquarters = HeadquartersLink(
        end, Broker(host=broker.host, port=broker.port), on_advanced=lambda zone, log, first, lines: None
    )
    headquarters.start()
    try:
        with running(zone):
            written = ledger.append(*[Draft("door.opened", {"door": "front-door"}) for _ in range(300)])
            file = ledger.spans()[0][0]
            until(lambda: file.cosigned()[0] == 301, "no cosignature came back")
            assert store.lines("nz01", ledger.id, 2, 300) == [event.line for event in written]
            assert is_alive(zone.run_dir, "link", CLOCK)
        assert not is_alive(zone.run_dir, "link", CLOCK)
    finally:
        headquarters.stop()
        ledger.close()


def test_without_headquarters_it_says_so_and_lives_on(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    zone = settings(tmp_path, None)
    with running(zone):
        until(lambda: is_alive(zone.run_dir, "link", CLOCK), "it does not show that it lives")
        assert "no [headquarters] in zone.toml" in caplog.text


def test_without_a_key_a_ledger_or_a_verifier_key_it_does_not_start(tmp_path: Path) -> None:
    stop = threading.Event()
    with pytest.raises(KeyMissing, match=r"zone\.key"):
        run(settings(tmp_path, 1), CLOCK, stop)
    make_zone_key(tmp_path / "keys", "test", "nz01")
    with pytest.raises(BadNote, match=r"\[headquarters\] verifier_key in zone\.toml.*copy the whole line"):
        run(settings(tmp_path, 1, "test/hq"), CLOCK, stop)
    elsewhere = str(SigningKey.generate("other/hq", KeyType.COSIGNATURE).verifier)
    with pytest.raises(
        BadNote, match=r"the key of other/hq, expected that of test/hq: correct \[zone\] deployment"
    ):
        run(settings(tmp_path, 1, elsewhere), CLOCK, stop)
    with pytest.raises(LedgerMissing, match="fourmusts init"):
        run(settings(tmp_path, 1), CLOCK, stop)


def test_an_embedded_broker_that_cannot_listen_says_where(broker: EmbeddedBroker) -> None:
    with pytest.raises(BrokerNotStarted, match=rf"127\.0\.0\.1:{broker.port}.*another port"):
        EmbeddedBroker(broker.port).start()

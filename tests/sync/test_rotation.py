"""A key exchanged for another: who vouches for it, who follows, and what a crash in between leaves."""

from __future__ import annotations

import random
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from config.clock import ManualClock
from custody.events import Draft, draft
from sync import keys
from sync.errors import BadNote, KeyMissing, KeyReadable, WrongSignature
from sync.keys import ZONE_KEY, KeyRefused, load_signing_key, make_zone_key
from sync.keys_rotation import NEXT, PREVIOUS, prepare, take_up
from sync.ledger import Ledger
from sync.note import KeyType, SigningKey
from sync.protocol.headquarters import HeadquartersEnd
from sync.protocol.messages import Key, decode, encode
from sync.protocol.zone import ZoneEnd
from sync.rotation import FOLLOWED, FollowedKey, Rotation, ZoneKeys, follow, rotations_in


def _zone_key() -> SigningKey:
    return SigningKey.generate("test/nz01", KeyType.NOTE)


def _hq_key() -> SigningKey:
    return SigningKey.generate("test/hq", KeyType.COSIGNATURE)


def test_only_the_old_key_vouches_for_the_new_one() -> None:
    old, new, thief = _zone_key(), _zone_key(), _zone_key()
    rotation = Rotation.make(old, new)
    assert Rotation.read(*rotation.words()) == rotation
    forged = Rotation.make(thief, new)
    with pytest.raises(WrongSignature):
        Rotation.checked(old.verifier, new.verifier, forged.signature)
    with pytest.raises(WrongSignature):
        Rotation.checked(old.verifier, thief.verifier, rotation.signature)
    with pytest.raises(BadNote, match=r"test/nz01 cannot vouch for one of test/hq"):
        Rotation.make(old, _hq_key())


def test_a_chain_is_followed_from_whatever_was_pinned() -> None:
    made = [_zone_key() for _ in range(4)]
    rotations = [Rotation.make(old, new) for old, new in pairwise(made)]
    for start in range(4):
        assert follow(made[start].verifier, rotations)[-1] == made[3].verifier
    back = Rotation.make(made[3], made[0])
    assert follow(made[0].verifier, [*rotations, back])[-1] == made[3].verifier
    stranger = _zone_key().verifier
    assert follow(stranger, rotations) == [stranger]


def test_what_headquarters_key_led_to_is_kept_over_restarts_and_damage(tmp_path: Path) -> None:
    first, second, third = _hq_key(), _hq_key(), _hq_key()
    known = FollowedKey(first.verifier, tmp_path)
    for old, new in ((first, second), (second, third)):
        rotation = Rotation.make(old, new)
        assert known.leads_on(rotation)
        known.accept(rotation)
        assert not known.leads_on(rotation)
    assert FollowedKey(first.verifier, tmp_path).all == [key.verifier for key in (first, second, third)]
    assert FollowedKey(third.verifier, tmp_path).now == third.verifier
    file = tmp_path / FOLLOWED
    file.write_text(file.read_text().replace("test/hq", "test/qh", 1))
    assert FollowedKey(first.verifier, tmp_path).now == first.verifier
    assert FollowedKey(second.verifier, tmp_path).now == third.verifier


@pytest.mark.parametrize("killed_after", range(4))
def test_killed_at_any_point_the_exchange_is_ended_at_the_next_start(tmp_path: Path, killed_after: int) -> None:
    """0: before it was told, 1: told, 2: the old one put aside, 3: all done."""
    old = make_zone_key(tmp_path, "test", "nz01")
    _, new = prepare(tmp_path)
    file, waiting, before = (tmp_path / f"{ZONE_KEY}{ending}" for ending in ("", NEXT, PREVIOUS))
    told: list[Rotation] = []

    class Killed(Exception): ...

    def tell(rotation: Rotation) -> None:
        if killed_after == 0 and not told:
            told.append(rotation)
            raise Killed
        told.append(rotation)

    if killed_after == 0:
        with pytest.raises(Killed):
            take_up(file, tell)
        assert load_signing_key(file).verifier == old.verifier
    elif killed_after == 1:
        tell(Rotation.make(old, new))
    elif killed_after == 2:
        tell(Rotation.make(old, new))
        before.write_bytes(file.read_bytes())
        before.chmod(0o600)
    present, previous = take_up(file, tell)
    assert present.verifier == load_signing_key(file).verifier == new.verifier
    assert previous is not None and previous.verifier == old.verifier
    assert not waiting.exists()
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}
    assert follow(old.verifier, told)[-1] == new.verifier
    assert take_up(file, tell)[0].verifier == new.verifier


def test_one_key_waits_at_a_time_and_only_beside_one_that_is_there(tmp_path: Path) -> None:
    with pytest.raises(KeyMissing, match="directory of a zone's or of headquarters' keys"):
        prepare(tmp_path)
    make_zone_key(tmp_path, "test", "nz01")
    prepare(tmp_path)
    with pytest.raises(KeyRefused, match="waits to be taken up already"):
        prepare(tmp_path)


def test_every_key_that_lies_there_is_shown_by_its_public_half(tmp_path: Path) -> None:
    old = make_zone_key(tmp_path, "test", "nz01")
    _, new = prepare(tmp_path)
    shown = [(ZONE_KEY, f"verifier key {old.verifier}"), (ZONE_KEY + NEXT, f"verifier key {new.verifier}")]
    assert keys.describe(tmp_path) == shown
    take_up(tmp_path / ZONE_KEY, lambda rotation: None)
    assert [name for name, _ in keys.describe(tmp_path)] == [ZONE_KEY, ZONE_KEY + PREVIOUS]
    (tmp_path / (ZONE_KEY + PREVIOUS)).chmod(0o644)
    with pytest.raises(KeyReadable, match=r"zone\.key\.previous"):
        keys.describe(tmp_path)


class Pair:
    """A zone and headquarters on real stores, either of which may start again with another key."""

    def __init__(self, ledger: Ledger, store: Any, zone: SigningKey, hq: SigningKey, clock: ManualClock) -> None:
        self.ledger, self.store, self.clock = ledger, store, clock
        self.pinned_zone, self.pinned_hq = zone.verifier, hq.verifier
        self.rotations: list[Rotation] = []
        self.start_zone(zone)
        self.start_headquarters(hq)

    def start_zone(self, key: SigningKey, previous: SigningKey | None = None) -> None:
        dice = random.Random(1)
        self.zone = ZoneEnd(self.ledger, key, self.pinned_hq, self.clock, dice, previous=previous)
        self.zone.connected()

    def start_headquarters(self, key: SigningKey) -> None:
        lines = [line for log in self._logs() for line in self.store.lines("nz01", log, 1, 10_000)]
        zone_keys = ZoneKeys({"nz01": self.pinned_zone}, known=lambda zone: list(rotations_in(lines)))
        self.end = HeadquartersEnd(self.store, key, zone_keys, self.clock, rotations=self.rotations)
        self.zone.connected()

    def _logs(self) -> list[str]:
        return [str(row[0]) for row in self.store.rows("SELECT log FROM log")]

    def settle(self) -> None:
        for _ in range(10):
            for payload in self.zone.poll(0.0):
                for reply in self.end.receive("nz01", payload):
                    self.zone.receive(reply, 0.0)

    def carries_one_more(self) -> bool:
        self.ledger.append(Draft("door.opened", {"door": "front"}))
        self.settle()
        file = self.ledger.spans()[-1][0]
        return file.cosigned()[0] == file.size()


@pytest.fixture
def pair(
    ledger: Ledger,
    new_store: Callable[..., Any],
    zone_key: SigningKey,
    headquarters_key: SigningKey,
    clock: ManualClock,
) -> Pair:
    made = Pair(ledger, new_store(), zone_key, headquarters_key, clock)
    assert made.carries_one_more()
    return made


def test_headquarters_follows_a_zone_to_its_new_key_and_refuses_the_old_one_from_then_on(
    pair: Pair, zone_key: SigningKey, headquarters_key: SigningKey
) -> None:
    new = _zone_key()
    pair.ledger.append(draft(Rotation.make(zone_key, new).event()))
    pair.start_zone(new, previous=zone_key)
    assert pair.carries_one_more()
    pair.start_zone(new)
    assert pair.carries_one_more()
    pair.start_headquarters(headquarters_key)  # which knows it from the stored lines
    assert pair.carries_one_more()
    pair.start_zone(zone_key)  # a thief with the old key
    assert not pair.carries_one_more()
    assert set(pair.store.evidence_kinds()) == {"wrong_signature"}


def test_a_backlog_over_the_exchange_is_taken_whatever_batch_it_stands_in(
    pair: Pair, zone_key: SigningKey
) -> None:
    new = _zone_key()
    pair.ledger.append(*[Draft("door.opened", {"door": "front"})] * 300)
    pair.ledger.append(draft(Rotation.make(zone_key, new).event()))
    pair.ledger.append(*[Draft("door.opened", {"door": "front"})] * 300)
    pair.start_zone(new, previous=zone_key)
    assert pair.carries_one_more()


def test_a_headquarters_set_back_to_before_the_exchange_follows_again(
    pair: Pair, zone_key: SigningKey, headquarters_key: SigningKey
) -> None:
    image = pair.store.image()
    new = _zone_key()
    pair.ledger.append(draft(Rotation.make(zone_key, new).event()))
    pair.start_zone(new, previous=zone_key)
    assert pair.carries_one_more()
    pair.store.restore(image)
    pair.start_headquarters(headquarters_key)
    assert pair.carries_one_more()


def test_a_new_key_that_the_old_one_did_not_vouch_for_is_refused(pair: Pair) -> None:
    thief, stolen = _zone_key(), _zone_key()
    pair.ledger.append(draft(Rotation.make(thief, stolen).event()))
    pair.start_zone(stolen)
    assert not pair.carries_one_more()
    said = Rotation.make(thief, stolen).event()
    lie = said.model_copy(update={"old": str(pair.pinned_zone)})
    pair.ledger.append(draft(lie))
    assert not pair.carries_one_more()


def test_a_zone_follows_headquarters_to_its_new_key_and_writes_it_down(
    pair: Pair, headquarters_key: SigningKey, zone_key: SigningKey
) -> None:
    new = _hq_key()
    pair.rotations = [Rotation.make(headquarters_key, new)]
    pair.start_headquarters(new)
    assert pair.carries_one_more()
    (told,) = [event for event in pair.ledger.events() if event.type == "key.rotated"]
    assert told.data["new"] == str(new.verifier)
    pair.start_zone(zone_key)
    assert pair.carries_one_more()
    assert len([event for event in pair.ledger.events() if event.type == "key.rotated"]) == 1
    pair.start_headquarters(headquarters_key)  # a thief with the old key
    assert not pair.carries_one_more()


def test_a_zone_believes_no_new_key_of_headquarters_that_the_old_one_does_not_sign(
    pair: Pair, headquarters_key: SigningKey
) -> None:
    thief, stolen = _hq_key(), _hq_key()
    pair.rotations = [Rotation.make(thief, stolen)]
    pair.start_headquarters(stolen)
    assert not pair.carries_one_more()
    old, new, signature = Rotation.make(thief, stolen).words()
    pair.zone.receive(encode(Key(str(headquarters_key.verifier), new, signature)), 0.0)
    kinds = {kind for kind, _, _ in pair.ledger.spans()[-1][0].evidence()}
    assert {"unknown_key", "wrong_signature"} <= kinds
    assert [event for event in pair.ledger.events() if event.type == "key.rotated"] == []
    assert decode(encode(Key(old, new, signature))) == Key(old, new, signature)


def test_nothing_of_a_revoked_zone_is_taken(pair: Pair, headquarters_key: SigningKey) -> None:
    pair.end = HeadquartersEnd(
        pair.store, headquarters_key, ZoneKeys({"nz01": pair.pinned_zone}, revoked=["nz01"]), pair.clock
    )
    pair.zone.connected()
    assert not pair.carries_one_more()
    assert set(pair.store.evidence_kinds()) == {"revoked"}


def test_revoked_certificates_gather_on_the_list_and_the_broker_gets_it(tmp_path: Path) -> None:
    authority, broker = tmp_path / "authority", tmp_path / "broker"
    keys.make_authority(authority, "test")
    keys.make_broker(authority, broker, ["broker.example"])
    for zone in ("nz01", "nz02"):
        keys.make_zone_certificate(authority, tmp_path / zone, zone)
    assert len(x509.load_pem_x509_crl((broker / "ca.crl").read_bytes())) == 0
    assert (keys.revoke(authority, "nz01"), keys.revoke(authority, "nz02"), keys.revoke(authority, "nz01")) == (
        1,
        1,
        1,
    )
    keys.copy_list(authority, broker)
    listed = x509.load_pem_x509_crl((broker / "ca.crl").read_bytes())
    certificates = [
        x509.load_pem_x509_certificate((tmp_path / zone / "tls.crt").read_bytes()) for zone in ("nz01", "nz02")
    ]
    assert {one.serial_number for one in listed} == {one.serial_number for one in certificates}
    issuer = x509.load_pem_x509_certificate((authority / "ca.crt").read_bytes())
    assert listed.is_signature_valid(issuer.public_key())  # type: ignore[arg-type]
    with pytest.raises(KeyRefused, match="no certificate of nz03 is known here"):
        keys.revoke(authority, "nz03")
    with pytest.raises(KeyMissing, match="fourmusts keys broker"):
        keys.copy_list(authority, tmp_path / "nz01")

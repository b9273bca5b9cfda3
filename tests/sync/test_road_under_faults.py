"""Both ends' real code and real ledgers under a deterministic network, with crashes and restored disks.

One seed is one run: which faults there are, when they strike, which message is lost, repeated or overtaken. After
the faults the road heals, and then every event must be at headquarters once, under the root that the zone has.
"""

from __future__ import annotations

import random
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from config.clock import ManualClock
from custody.events import Draft
from sync.ledger import Ledger
from sync.note import SigningKey
from sync.protocol.headquarters import HeadquartersEnd
from sync.protocol.zone import ZoneEnd

ON_THE_WAY = ("drop", "repeat", "overtake", "cut")
AT_AN_END = ("zone_crash", "headquarters_crash", "zone_restored", "headquarters_restored")
FAULTS = (*ON_THE_WAY, *AT_AN_END)
SEEDS = range(40)
FAULTY_STEPS = 120
HEALING_STEPS = 400
STEP_S = 1.0


class World:
    """A zone, headquarters, what is between them and what befalls them."""

    def __init__(
        self, seed: int, directory: Path, store: Any, zone_key: SigningKey, headquarters_key: SigningKey
    ) -> None:
        self.dice = random.Random(seed)
        self.faults = set(self.dice.sample(FAULTS, self.dice.randrange(len(FAULTS) + 1)))
        self.clock = ManualClock()
        self.directory, self.backup = directory / "ledger", directory / "backup"
        self.store, self.zone_key, self.headquarters_key = store, zone_key, headquarters_key
        self.up: list[bytes] = []
        self.down: list[bytes] = []
        self.cut_steps = 0
        self.now_s = 0.0
        self.happened: Counter[str] = Counter()
        self.made: list[str] = []
        self.forgiven: set[str] = set()
        """Events that a restored disk took away before headquarters had them: nobody can bring these back."""
        self.ledger = Ledger.create(self.directory, zone="nz01", deployment="test", clock=self.clock)
        self._zone_starts()
        self._headquarters_starts()
        self._back_up_zone()
        self.image = store.image()

    def run(self) -> None:
        for _ in range(FAULTY_STEPS):
            self._life()
            self._strike()
            self._network(faulty=True)
        self.cut_steps = 0
        for _ in range(HEALING_STEPS):
            self._network(faulty=False)
            if self.end.unconfirmed == 0 and not self.up and not self.down and self._quiet():
                return

    def _quiet(self) -> bool:
        return self.end.wake_at_s() is None

    # What happens

    def _life(self) -> None:
        for _ in range(self.dice.randrange(3)):
            self.clock.advance(0.1)
            (event,) = self.ledger.append(Draft("door.opened", {"door": "front-door", "number": len(self.made)}))
            self.made.append(event.id)

    def _chance(self, fault: str, share: float) -> bool:
        struck = fault in self.faults and self.dice.random() < share
        self.happened[fault] += struck
        return struck

    def _strike(self) -> None:
        if self._chance("cut", 0.03):
            self.cut_steps = self.dice.randrange(3, 25)
        if self._chance("zone_crash", 0.03):
            self.ledger.close()
            self.ledger = Ledger.open(self.directory, zone="nz01", deployment="test", clock=self.clock)
            self._zone_starts()
        if self._chance("headquarters_crash", 0.03):
            self._headquarters_starts()
        if self.dice.random() < 0.03:
            self._back_up_zone()
        if self.dice.random() < 0.03:
            self.image = self.store.image()
        if self._chance("zone_restored", 0.015):
            self._restore_zone()
        if self._chance("headquarters_restored", 0.015):
            self.store.restore(self.image)
            self._headquarters_starts()

    def _zone_starts(self) -> None:
        dice = random.Random(self.dice.random())
        self.end = ZoneEnd(self.ledger, self.zone_key, self.headquarters_key.verifier, self.clock, dice)
        self.end.connected()
        self.up.clear()

    def _headquarters_starts(self) -> None:
        keys = {"nz01": self.zone_key.verifier}
        self.headquarters = HeadquartersEnd(self.store, self.headquarters_key, keys, self.clock)
        self.down.clear()
        self.end.headquarters_is(True, retained=False)

    def _back_up_zone(self) -> None:
        """An image of the disk, as a careful operator makes it: the last connection closed, nothing in the WAL."""
        self.ledger.close()
        shutil.rmtree(self.backup, ignore_errors=True)
        shutil.copytree(self.directory, self.backup)
        self.ledger = Ledger.open(self.directory, zone="nz01", deployment="test", clock=self.clock)
        self._zone_starts()

    def _restore_zone(self) -> None:
        had = {event.id for event in self.ledger.events()}
        self.ledger.close()
        shutil.rmtree(self.directory)
        shutil.copytree(self.backup, self.directory)
        self.ledger = Ledger.open(self.directory, zone="nz01", deployment="test", clock=self.clock)
        self.forgiven |= had - {event.id for event in self.ledger.events()}
        self._zone_starts()

    # What is between them

    def _network(self, *, faulty: bool) -> None:
        self.now_s += STEP_S
        self.clock.advance(STEP_S)
        self.up += self.end.poll(self.now_s)
        if self.cut_steps:
            self.cut_steps -= 1
            self.up.clear()
            self.down.clear()
            return
        for _ in range(6):
            if (message := self._pick(self.up, faulty=faulty)) is not None:
                self.down += self.headquarters.receive("nz01", message)
            if (message := self._pick(self.down, faulty=faulty)) is not None:
                self.end.receive(message, self.now_s)

    def _pick(self, box: list[bytes], *, faulty: bool) -> bytes | None:
        if not box:
            return None
        message = box.pop(self.dice.randrange(len(box)) if faulty and self._chance("overtake", 0.3) else 0)
        if faulty and self._chance("drop", 0.15):
            return None
        if faulty and self._chance("repeat", 0.15):
            box.insert(self.dice.randrange(len(box) + 1), message)
        return message


@pytest.fixture(autouse=True)
def _small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """So small that several are on the way at once and a lost one leaves a gap."""
    monkeypatch.setattr("sync.protocol.zone.BATCH_LINES_MAX", 3)
    monkeypatch.setattr("sync.protocol.messages.BATCH_LINES_MAX", 3)


@pytest.fixture(scope="module")
def happened() -> Counter[str]:
    """Over all seeds: how often each fault struck and each rare state was reached."""
    return Counter()


@pytest.mark.parametrize("seed", SEEDS)
def test_nothing_is_lost_and_nothing_counts_twice(
    seed: int,
    tmp_path: Path,
    new_store: Callable[..., Any],
    zone_key: SigningKey,
    headquarters_key: SigningKey,
    happened: Counter[str],
) -> None:
    store = new_store()
    world = World(seed, tmp_path, store, zone_key, headquarters_key)
    world.run()
    assert world.end.unconfirmed == 0, f"seed {seed} with {world.faults}: the road did not heal"

    at_headquarters = store.event_ids("nz01")
    lost = [id_ for id_ in world.made if id_ not in at_headquarters and id_ not in world.forgiven]
    assert not lost, f"seed {seed} with {world.faults}: {len(lost)} events of {len(world.made)} lost"
    # Each event that the zone itself has must be there too, and be what the zone has, line for line.
    for file, end in world.ledger.spans():
        size = file.size() if end is None else end
        assert store.lines("nz01", file.id, 1, size) == list(file.all_lines(1, size)), f"seed {seed}"
    ids = [event.id for event in world.ledger.events()]
    assert len(ids) == len(set(ids)), f"seed {seed}: the chain counts an event twice"

    happened.update(world.happened)
    happened["zone in a new ledger"] += len(world.ledger.spans()) > 1
    happened["headquarters behind"] += any(e.type == "headquarters.rollback" for e in world.ledger.events())
    happened["both restored"] += {"zone_restored", "headquarters_restored"} <= world.happened.keys() & {
        fault for fault, count in world.happened.items() if count
    }
    happened["events"] += len(world.made)


def test_the_runs_above_met_every_fault(happened: Counter[str]) -> None:
    rare = ("zone in a new ledger", "headquarters behind", "both restored")
    if happened["events"] == 0:
        pytest.fail("run this file whole: this test judges the runs above")
    assert [name for name in (*FAULTS, *rare) if happened[name] == 0] == []

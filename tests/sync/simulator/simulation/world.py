"""One run: a zone, headquarters, what is between them and what befalls them, all out of one seed."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from config.clock import ManualClock
from sync.errors import LedgerError

from .books import Books, CentralImage, ZoneImage, described
from .disk import Disk, Image, PowerOff, installed
from .machines import CENTRAL, ZONE, HeadquartersMachine, ZoneMachine
from .network import Road

ON_THE_ROAD = ("drop", "repeat", "overtake", "late", "cut")
AT_AN_END = (
    "zone off", "zone without power", "zone restored", "zone full", "zone clock", "link restarts",
    "headquarters off", "headquarters restored", "headquarters full", "headquarters clock",
    "both restored", "two workers",
)  # fmt: skip
FAULTS = (*ON_THE_ROAD, *AT_AN_END)

FAULTY_STEPS = 70
HEALING_STEPS = 600
STEP_S = 1.0
EVENTS_AT_ONCE_MAX = 4
IMAGES_MAX = 4
STATEMENTS_MAX = 60
"""A machine goes off within so many statements of SQL: in the midst of whatever it does next."""


class World:
    def __init__(self, seed: int, directory: Path, central: Image, *, tracing: bool = False) -> None:
        self.seed = seed
        self.dice = random.Random(seed)
        self.faults = set(self.dice.sample(FAULTS, self.dice.randrange(len(FAULTS) + 1)))
        self.met: Counter[str] = Counter()
        self.books = Books()
        self.trace: list[str] = []
        self._tracing = tracing
        self.step = 0
        self._cut_until = 0
        self._untold = False
        self._away_until = 0
        self._written = 0
        self._zone_images: list[ZoneImage] = []
        self._central_images: list[CentralImage] = []
        disks = [Disk(directory / name, self.dice, self.sometimes, name) for name in ("zone", "headquarters")]
        self.disks = disks
        workers = 2 if "two workers" in self.faults else 1
        # The clocks of two machines never agree quite.
        clocks = ManualClock(), ManualClock(1_763_860_000_700_000)
        self.zone = ZoneMachine(disks[0], clocks[0], self.dice)
        self.headquarters = HeadquartersMachine(disks[1], clocks[1], self.dice, workers)
        self.up = Road("up", self.faults, self.dice, self.sometimes)
        self.down = Road("down", self.faults, self.dice, self.sometimes)
        self._central = central

    def run(self, then: Callable[[World], None]) -> None:
        """Faults, then peace, then ``then`` looks at what has become of it, with both machines still running."""
        with installed(self.disks, self.dice):
            self._begin()
            try:
                for _ in range(FAULTY_STEPS):
                    self._one_step(faulty=True)
                self._heal()
                for _ in range(HEALING_STEPS):
                    self._one_step(faulty=False)
                    if self.at_rest():
                        break
                then(self)
            finally:
                for disk, machine in zip(self.disks, (None, self.headquarters), strict=True):
                    disk.cut_off(power=False)
                    if machine is not None:
                        machine.stop()
                    disk.come_back()

    def at_rest(self) -> bool:
        """Nothing is on the way and nobody waits for anything."""
        end = self.zone.end
        return not self.up and not self.down and end.unconfirmed == 0 and end.wake_at_s() is None

    def sometimes(self, what: str) -> None:
        self.met[what] += 1
        self._say(lambda: f"* {what}")

    def expect(self, held: bool, promise: str) -> None:
        if not held:
            raise Broken(promise)

    # The course of things

    def _begin(self) -> None:
        for disk in self.disks:
            disk.directory.mkdir(parents=True)
        self.zone.make()
        self.zone.start()
        self.disks[1].come_back(self._central | {})
        self.headquarters.start()
        self._back_up_zone()
        self._back_up_central()

    def _one_step(self, *, faulty: bool) -> None:
        self.step += 1
        for clock in (self.zone.clock, self.headquarters.clock):
            clock.advance(STEP_S)
        if faulty:
            self._strike()
            self._write()
        if not self.headquarters.running and self.step >= self._away_until:
            self._headquarters_comes_back()
        if self._cut_until and self.step >= self._cut_until:
            self._cut_until = 0
            self._reconnect()
        self._traffic(faulty=faulty)

    def _heal(self) -> None:
        """From now on nothing fails; what was sent before may still come."""
        self._say(lambda: "from here on nothing fails")
        for disk in self.disks:
            disk.fill(False)
            disk.light_fuse(2**60, power=False)
        self._away_until = self.step
        if self._cut_until or self._untold:
            self._cut_until = self.step + 1

    def _write(self) -> None:
        for _ in range(self.dice.randrange(3)):
            count = self.dice.randrange(1, EVENTS_AT_ONCE_MAX + 1)
            numbers = list(range(self._written, self._written + count))
            self._written += count
            ids = [f"e{number}" for number in numbers]
            try:
                self.zone.write(numbers)
            except LedgerError as error:
                self.sometimes("the zone's disk took no event")
                self._say(lambda ids=ids, error=error: f"not written: {ids}: {error}")
            except PowerOff:
                self._zone_comes_back()
                if self.zone.has(ids[-1]):
                    self.sometimes("an event was on disk although its writer never heard so")
                    self.books.present.update(ids)
            else:
                self._say(lambda ids=ids: f"written: {ids}")
                self.books.present.update(ids)

    # What goes wrong

    def _chance(self, fault: str, share: float) -> bool:
        if fault not in self.faults or self.dice.random() >= share:
            return False
        self.sometimes(fault)
        return True

    def _strike(self) -> None:
        for fault, share, strike in (
            ("cut", 0.03, self._cut),
            ("zone off", 0.03, lambda: self.disks[0].light_fuse(self._some(STATEMENTS_MAX), power=False)),
            ("zone without power", 0.03, lambda: self.disks[0].light_fuse(self._some(STATEMENTS_MAX), power=True)),
            ("headquarters off", 0.04, lambda: self.disks[1].light_fuse(self._some(STATEMENTS_MAX), power=True)),
            ("link restarts", 0.02, self.zone.start_link),
            ("zone full", 0.06, lambda: self.disks[0].fill(not self.disks[0].full)),
            ("headquarters full", 0.06, lambda: self.disks[1].fill(not self.disks[1].full)),
            ("zone clock", 0.03, lambda: self.zone.clock.step_wall(self.dice.uniform(-4000, 4000))),
            ("headquarters clock", 0.03, lambda: self.headquarters.clock.step_wall(self.dice.uniform(-200, 200))),
            ("zone restored", 0.015, self._restore_zone),
            ("headquarters restored", 0.015, self._restore_central),
            ("both restored", 0.008, lambda: (self._restore_zone(), self._restore_central())),
        ):
            if self._chance(fault, share):
                strike()
        if self.dice.random() < 0.04:
            self._back_up_zone()
        if self.dice.random() < 0.04:
            self._back_up_central()

    def _some(self, most: int) -> int:
        return self.dice.randrange(most)

    def _cut(self) -> None:
        self._cut_until = self.step + self.dice.randrange(3, 25)
        self.up.lose()
        self.down.lose()

    def _back_up_zone(self) -> None:
        if not self.disks[0].off:
            self._zone_images.append(ZoneImage(self.disks[0].image(), frozenset(self.books.present)))
            del self._zone_images[:-IMAGES_MAX]

    def _back_up_central(self) -> None:
        if not self.disks[1].off:
            self.look_at_central()
            self._central_images.append(CentralImage(self.disks[1].image(), dict(self.books.stored)))
            del self._central_images[:-IMAGES_MAX]

    def _restore_zone(self) -> None:
        image = self.dice.choice(self._zone_images)
        self.disks[0].cut_off(power=False)
        self.disks[0].come_back(image.disk)
        self.books.zone_restored(image)
        self._zone_comes_back(came_back=True)

    def _restore_central(self) -> None:
        image = self.dice.choice(self._central_images)
        if not self.disks[1].off:
            self.disks[1].cut_off(power=False)
        self.headquarters.stop()
        self.disks[1].come_back(image.disk)
        self.books.central_restored(image)
        self._headquarters_goes()

    def _zone_comes_back(self, *, came_back: bool = False) -> None:
        """Until it is up: it may go off again while it starts."""
        self.books.zone_off()
        while True:
            if not came_back:
                self.disks[0].come_back()
            try:
                self.zone.start()
                break
            except PowerOff:
                came_back = False
            except LedgerError:
                # A disk that is full when the machine starts: somebody must make room on it.
                self.sometimes("the zone could not start on a full disk")
                self.expect(self.disks[0].full, "a zone can start unless its disk is full")
                self.disks[0].fill(False)
                self.disks[0].cut_off(power=False)
                came_back = False
        self._reconnect()

    def _headquarters_goes(self) -> None:
        self._away_until = self.step + self.dice.randrange(4)
        if self.dice.random() < 0.7:
            self.down.lose()
        if self._cut_until:
            return
        if self.dice.random() < 0.3:
            self._untold = True
        else:
            self.zone.end.headquarters_is(False, retained=False)

    def _headquarters_comes_back(self) -> None:
        if self.disks[1].off:
            self.disks[1].come_back()
        try:
            self.headquarters.start()
        except PowerOff:
            return
        if not self._cut_until and not self._untold:
            self.zone.end.headquarters_is(True, retained=False)

    def _reconnect(self) -> None:
        """The zone has a new connection to the broker, and finds there what headquarters left."""
        self._untold = False
        if not self._cut_until:
            self.zone.end.connected()
            self.zone.end.headquarters_is(self.headquarters.running, retained=True)

    # Messages

    def _traffic(self, *, faulty: bool) -> None:
        if self._cut_until:
            return
        self._zone_sends()
        for _ in range(3):
            if self.headquarters.running:
                self._headquarters_takes(faulty)
            for _ in range(2):
                message = self.down.take(self.step, faulty=faulty)
                if message is not None:
                    self._zone_takes(message)

    def _zone_sends(self) -> None:
        try:
            messages = self.zone.end.poll(float(self.step))
            for message in messages:
                self.books.sent(self.zone, message)
        except LedgerError as error:
            self.sometimes("the zone could not send")
            self._say(lambda error=error: f"the zone cannot send: {error}")
            self._reconnect()
        except PowerOff:
            self._zone_comes_back()
        else:
            for message in messages:
                self._say(lambda message=message: f"zone -> {described(message)}")
            self.up.put(messages)

    def _headquarters_takes(self, faulty: bool) -> None:
        taken = [self.up.take(self.step, faulty=faulty) for _ in range(self.dice.randrange(1, 5))]
        messages = [message for message in taken if message is not None]
        for message in messages:
            self._say(lambda message=message: f"hq <- {described(message)}")
        try:
            for outcome in self.headquarters.take(messages, self._not_stored):
                for reply in outcome.replies:
                    self._say(lambda reply=reply: f"hq -> {described(reply)}")
                    self.books.answered(reply)
                self.down.put(outcome.replies)
                if len(messages) > 1 and any(len(advance.lines) > 3 for advance in outcome.advances):
                    self.sometimes("batches were stored together")
        except PowerOff:
            self.headquarters.stop()
            self._headquarters_goes()

    def _not_stored(self, error: Exception) -> None:
        self.expect(self.disks[1].full, f"headquarters stores what is right: {error}")
        self.sometimes("headquarters' disk took no batch")

    def _zone_takes(self, message: bytes) -> None:
        self._say(lambda: f"zone <- {described(message)}")
        try:
            for rare in self.books.told(self.zone, message):
                self.sometimes(rare)
            self.zone.end.receive(message, float(self.step))
        except PowerOff:
            self._zone_comes_back()

    # What is seen from outside

    def look_at_central(self) -> dict[str, tuple[bytes, ...]]:
        """The lines that headquarters has of each ledger of the zone; it may only have added to them."""
        found: dict[str, list[bytes]] = {}
        query = "SELECT log, line FROM lines JOIN logs ON key = log_key WHERE zone = ? ORDER BY key, seq"
        for log, line in self.disks[1].rows(query, ZONE, file=CENTRAL):
            found.setdefault(log, []).append(line)
        now = {log: tuple(lines) for log, lines in found.items()}
        for log, lines in self.books.stored.items():
            self.expect(now.get(log, ())[: len(lines)] == lines, f"headquarters changes no line of {log}")
        self.books.stored = now
        return now

    def _say(self, what: Callable[[], str]) -> None:
        if self._tracing:
            self.trace.append(f"{self.step:4} {what()}")


class Broken(AssertionError):
    """A promise that was not kept."""

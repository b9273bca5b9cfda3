"""Not accidents but enemies: who has the zone's key, rewrites a history, forges a word or repeats an old one.

Each adversary is one story on a quiet road, without faults. It raises ``Broken`` when the ends let it pass.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import orjson

from config.clock import ManualClock
from custody.events import HeadquartersRollback, parse_line
from sync.errors import LedgerUnwritable
from sync.ledger_file import SUFFIX
from sync.merkle import CompactRange
from sync.note import Checkpoint, KeyType, SigningKey, only_cosigned, open_checkpoint
from sync.protocol.messages import Ack, Batch, Hello, Status, decode, encode

from .disk import Disk, Image, installed
from .machines import CENTRAL, HEADQUARTERS_KEY, ZONE, ZONE_KEY, HeadquartersMachine, ZoneMachine
from .world import Broken

Adversary = Callable[[Path, Image], None]
ROUNDS_MAX = 200
STEP_S = 10.0


class Stage:
    """Headquarters, the zone, and a second board for whoever has stolen the first one's disk."""

    def __init__(self, directory: Path, central: Image) -> None:
        dice = random.Random(1)
        self.clock = ManualClock()
        self.disks = [Disk(directory / name, dice, lambda what: None, name) for name in ("hq", "zone", "other")]
        self.headquarters = HeadquartersMachine(self.disks[0], self.clock, dice, 1)
        self.zone, self.other = (ZoneMachine(disk, self.clock, dice) for disk in self.disks[1:])
        self.said: list[bytes] = []
        """Every word of headquarters."""
        self._dice = dice
        self._central = central
        self._written = 0
        self._now_s = 0.0

    @contextmanager
    def set(self) -> Iterator[Stage]:
        with installed(self.disks, self._dice):
            for disk in self.disks:
                disk.directory.mkdir(parents=True)
            self.zone.make()
            self.zone.start()
            self.disks[0].come_back(self._central)
            self.headquarters.start()
            try:
                yield self
            finally:
                self.headquarters.stop()
                for disk in self.disks:
                    disk.cut_off(power=False)
                    disk.come_back()

    def write(self, zone: ZoneMachine, count: int) -> None:
        zone.write(range(self._written, self._written + count))
        self._written += count
        self.settle(zone)

    def settle(self, zone: ZoneMachine) -> None:
        """Messages go to and fro until nobody has anything to say."""
        for _ in range(ROUNDS_MAX):
            self.pass_time()
            messages = zone.end.poll(self._now_s)
            if not messages:
                return
            for message in messages:
                self.hear(zone, self.tell(message))
        raise Broken("the two ends come to rest")

    def pass_time(self) -> None:
        self.clock.advance(STEP_S)
        self._now_s += STEP_S

    def tell(self, message: bytes) -> list[bytes]:
        """Headquarters' answers to one message."""
        (outcome,) = self.headquarters.take([message], _unexpected)
        self.said += outcome.replies
        return list(outcome.replies)

    def hear(self, zone: ZoneMachine, words: Sequence[bytes]) -> None:
        for word in words:
            zone.end.receive(word, self._now_s)

    def restore(self, image: Image) -> None:
        """The zone's disk is set back."""
        self.disks[1].cut_off(power=False)
        self.disks[1].come_back(image)
        self.zone.start()

    def restore_headquarters(self, image: Image) -> None:
        self.disks[0].cut_off(power=False)
        self.headquarters.stop()
        self.disks[0].come_back(image)
        self.headquarters.start()

    # What is seen from outside

    def lines(self, log: str) -> list[bytes]:
        query = "SELECT line FROM lines JOIN logs ON key = log_key WHERE log = ? ORDER BY seq"
        return [line for (line,) in self.disks[0].rows(query, log, file=CENTRAL)]

    def own_types(self) -> list[str]:
        """Types of the lines of headquarters' own ledger."""
        query = "SELECT line FROM lines JOIN logs ON key = log_key WHERE zone = 'hq' ORDER BY seq"
        return [orjson.loads(line)["type"] for (line,) in self.disks[0].rows(query, file=CENTRAL)]

    def counted(self) -> list[str]:
        ids = [id_ for (id_,) in self.disks[0].rows("SELECT id FROM events WHERE zone = ?", ZONE, file=CENTRAL)]
        return sorted((id_ for id_ in ids if id_[0] == "e" and id_[1:].isdigit()), key=lambda id_: int(id_[1:]))

    def expect_all_counted(self) -> None:
        counted, written = self.counted(), [f"e{number}" for number in range(self._written)]
        expect(counted == written, f"every event counts once: {counted} of {self._written}")

    def expect_the_zone_s_counted(self) -> None:
        """Where a restored disk undid the others at the zone, and another one at headquarters."""
        counted, there = self.counted(), self.zone.written()
        expect(len(set(counted)) == len(counted), "no event counts twice")
        expect(set(there) <= set(counted), f"every event on the zone's disk counts: {there}, of which {counted}")


def two_machines_have_one_key(directory: Path, central: Image) -> None:
    """Somebody copies the board and runs the copy beside it."""
    with Stage(directory, central).set() as stage:
        stage.write(stage.zone, 5)
        log = stage.zone.ledger.id
        stage.disks[2].come_back(stage.disks[1].image())
        stage.other.start()
        stage.write(stage.zone, 3)
        before = stage.lines(log)
        stage.write(stage.other, 3)
        expect(stage.lines(log) == before, "the copy adds nothing to the ledger of the first")
        expect(stage.other.ledger.id != log, "the copy leaves the ledger that is not its own")
        expect("ledger.fork" in stage.own_types(), "headquarters tells of the fork")
        stage.write(stage.zone, 2)
        expect(stage.zone.ledger.id == log, "the first goes on undisturbed")
        stage.expect_all_counted()


def a_zone_s_history_is_rewritten(directory: Path, central: Image) -> None:
    """Who owns the board changes a line that headquarters has, and makes the tree anew under the zone's key."""
    with Stage(directory, central).set() as stage:
        stage.write(stage.zone, 6)
        log = stage.zone.ledger.id
        before = stage.lines(log)
        rewrite_ledger(stage.disks[1], log, at=3)
        stage.zone.start()
        stage.settle(stage.zone)
        expect(stage.lines(log) == before, "headquarters keeps the line as it was")
        expect("ledger.fork" in stage.own_types(), "headquarters tells of the fork")
        stage.write(stage.zone, 2)
        expect(stage.zone.ledger.id != log, "the zone does not go on in the rewritten ledger")
        stage.expect_all_counted()


def a_line_is_rewritten_and_sent_again(directory: Path, central: Image) -> None:
    """The forger has the key, and sends again what headquarters has, with one line changed."""
    with Stage(directory, central).set() as stage:
        stage.write(stage.zone, 6)
        log = stage.zone.ledger.id
        forged = _rewritten(stage.lines(log), at=2)[:3]
        words = stage.tell(_batch(stage.zone, 1, forged, forged))
        expect(all(isinstance(decode(word), Status) for word in words), "it is not acknowledged")
        expect("ledger.fork" in stage.own_types(), "headquarters tells of the fork")


def a_batch_of_another_history_joins(directory: Path, central: Image) -> None:
    """The forger sends new lines that join what headquarters has, under a tree with another past."""
    with Stage(directory, central).set() as stage:
        stage.write(stage.zone, 6)
        before = stage.lines(stage.zone.ledger.id)
        forged = [*_rewritten(before, at=2), before[-1].replace(b"e5", b"e6")]
        stage.tell(_batch(stage.zone, len(before) + 1, forged[-1:], forged))
        expect(stage.lines(stage.zone.ledger.id) == before, "it is not stored")
        expect("ledger.fork" in stage.own_types(), "headquarters tells of the fork")


def headquarters_shows_a_rewritten_history(directory: Path, central: Image) -> None:
    """Headquarters signs another past of the zone's ledger than the one that it cosigned."""
    with Stage(directory, central).set() as stage:
        stage.write(stage.zone, 6)
        file, _ = stage.zone.ledger.spans()[-1]
        size, cosigned_note = file.cosigned()
        tree, _ = CompactRange().extended(_rewritten(stage.lines(file.id), at=2))
        forged = Checkpoint(file.identity.origin, size, tree.root())
        shown = only_cosigned(forged, HEADQUARTERS_KEY, stage.clock.now_us() // 1_000_000)
        stage.zone.end.connected()
        for _ in range(ROUNDS_MAX):
            hellos = [decode(message) for message in stage.zone.end.poll(0.0)]
            if not (asked := [hello.ask for hello in hellos if isinstance(hello, Hello)]):
                break
            stage.hear(stage.zone, [encode(Status(file.id, shown, asked[0]))])
        expect(stage.zone.ledger.id != file.id, "the zone does not go on under a history that is not its own")
        kept = [note.decode() for kind, _, note in file.evidence() if kind == "ledger_rollback"]
        expect(shown in kept, "it keeps what it was shown")
        expect(file.cosigned() == (size, cosigned_note), "beside what was cosigned before")
        signed = [open_checkpoint(note, HEADQUARTERS_KEY.verifier) for note in (cosigned_note, shown)]
        expect(signed[0].size == signed[1].size and signed[0].root != signed[1].root, "and so proves the lie")
        stage.write(stage.zone, 2)
        stage.expect_all_counted()


def a_cosignature_is_forged(directory: Path, central: Image) -> None:
    """Somebody acknowledges in headquarters' name, with another key or with headquarters' signature elsewhere."""
    with Stage(directory, central).set() as stage:
        stage.write(stage.zone, 2)
        file, _ = stage.zone.ledger.spans()[-1]
        stage.zone.write([100, 101])
        checkpoint = Checkpoint(file.identity.origin, file.size(), file.root(file.size()))
        forger = SigningKey.generate(HEADQUARTERS_KEY.verifier.name, KeyType.COSIGNATURE)
        signed_by_forger = only_cosigned(checkpoint, forger, stage.clock.now_us() // 1_000_000)
        signature = file.cosigned()[1].splitlines()[-1]
        moved = f"{checkpoint.text()}\n{signature}\n"
        stage.zone.end.poll(0.0)
        stage.hear(stage.zone, [encode(Ack(file.id, note)) for note in (signed_by_forger, moved)])
        expect(stage.zone.end.unconfirmed == 2, "what nobody has acknowledged is not freed")
        kinds = [kind for kind, _, _ in file.evidence()]
        expect(kinds == ["wrong_signature", "wrong_signature"], f"both are kept as evidence: {kinds}")


def every_old_word_comes_again(directory: Path, central: Image) -> None:
    """Somebody has kept every word of headquarters and repeats them all, before and after the true answer."""
    with Stage(directory, central).set() as stage:
        for _ in range(4):
            stage.write(stage.zone, 4)
            stage.zone.end.connected()
            stage.settle(stage.zone)
        log = stage.zone.ledger.id
        for _ in range(5):
            stage.zone.end.connected()
            stage.zone.end.poll(0.0)
            old = list(stage.said)
            stage._dice.shuffle(old)
            stage.hear(stage.zone, old)
            stage.settle(stage.zone)
            stage.hear(stage.zone, old)
            stage.write(stage.zone, 1)
        accused = [event for event in stage.zone.ledger.events() if event.type == HeadquartersRollback.TYPE]
        expect(accused == [], "old words accuse nobody")
        expect(stage.zone.ledger.id == log, "nor do they end a ledger")
        expect(stage.zone.end.unconfirmed == 0, "nor do they free or hold anything")
        stage.expect_all_counted()


def a_broker_confirms_and_loses(directory: Path, central: Image) -> None:
    """It takes every message for an hour, as brokers do whose queue is full, and delivers none."""
    with Stage(directory, central).set() as stage:
        stage.write(stage.zone, 2)
        stage.zone.write([2, 3, 4])
        stage._written += 3
        for _ in range(360):
            stage.pass_time()
            stage.zone.end.poll(stage._now_s)
            expect(stage.zone.end.unconfirmed == 3, "what nobody has acknowledged is not freed")
        while (wake_s := stage.zone.end.wake_at_s()) is not None and stage._now_s < wake_s:
            stage.pass_time()
        stage.settle(stage.zone)
        expect(stage.zone.end.unconfirmed == 0, "it is sent again until it is acknowledged")
        stage.expect_all_counted()


def both_are_restored_until_their_histories_part(directory: Path, central: Image) -> None:
    """No enemy could do it better: both disks are set back, both go on together, and then the zone is set forward
    to a backup from before. What headquarters cosigned then is not what it has now under the same numbers."""
    with Stage(directory, central).set() as stage:
        stage.write(stage.zone, 5)
        early, early_headquarters = stage.disks[1].image(), stage.disks[0].image()
        stage.write(stage.zone, 5)
        late = stage.disks[1].image()
        stage.restore(early)
        stage.restore_headquarters(early_headquarters)
        stage.write(stage.zone, 10)
        stage.restore(late)
        stage.settle(stage.zone)
        expect(stage.zone.end.unconfirmed == 0, "everything is acknowledged")
        stage.expect_all_counted()


def a_closed_ledger_parts_from_headquarters(directory: Path, central: Image) -> None:
    """As before, but what the zone alone has is the end of a ledger that it had left already: it can neither be
    sent under its old numbers nor be moved to the next ledger, which has begun long since."""
    with Stage(directory, central).set() as stage:
        stage.write(stage.zone, 5)
        early, early_headquarters = stage.disks[1].image(), stage.disks[0].image()
        stage.write(stage.zone, 5)
        middle = stage.disks[1].image()
        stage.write(stage.zone, 2)
        stage.restore(middle)
        stage.write(stage.zone, 2)
        left, late = stage.zone.ledger.spans()[0][0].id, stage.disks[1].image()
        stage.restore(early)
        stage.restore_headquarters(early_headquarters)
        stage.write(stage.zone, 10)
        others = stage.lines(left)
        stage.restore(late)
        stage.settle(stage.zone)
        chain = stage.zone.ledger.spans()
        expect(len(chain) == 2 and chain[0][0].id == left, "here the ledger is closed")
        expect(stage.lines(left) == others, "what headquarters has of it stays")
        expect(stage.zone.end.unconfirmed == 0, "everything is acknowledged")
        stage.expect_the_zone_s_counted()
        (branch,) = stage.zone.ledger.branches()
        expect(stage.lines(branch.id) == list(branch.all_lines()), "its own end reaches headquarters in a branch")
        cited = parse_line(branch.lines(1, 1)[0]).data["follows"]
        tree, _ = CompactRange().extended(others[: cited["size"]])
        expect(cited["root"] == tree.root().hex(), "which cites what both have of it")
        stage.restore(late)
        stage.settle(stage.zone)
        stage.zone.start()
        stage.settle(stage.zone)
        expect(len(stage.zone.ledger.branches()) == 1, "it is branched off once, however often they ask")
        stage.expect_the_zone_s_counted()


def an_image_is_of_the_moment_between_two_ledgers(directory: Path, central: Image) -> None:
    """A ledger is closed, but on a full disk its successor cannot be made. An image of that moment is restored
    after the successor was made and sent."""
    with Stage(directory, central).set() as stage:
        stage.write(stage.zone, 5)
        early = stage.disks[1].image()
        stage.write(stage.zone, 3)
        stage.restore(early)
        stage.disks[1].fill(True)
        with suppress(LedgerUnwritable):
            stage.settle(stage.zone)
        between = stage.disks[1].image()
        expect(sum(name.endswith(SUFFIX) for name in between) == 1, "there is no second ledger yet")
        stage.disks[1].fill(False)
        stage.write(stage.zone, 2)
        first = stage.zone.ledger.id
        lines = stage.lines(first)
        stage.restore(between)
        stage.write(stage.zone, 4)
        expect(stage.zone.ledger.id != first, "no id is given to two ledgers")
        expect(stage.lines(first) == lines, "headquarters keeps the ledger that was lost")
        expect(len(stage.zone.ledger.spans()) == 2, "the zone need not leave the new one")
        stage.expect_all_counted()


ALL: tuple[Adversary, ...] = (
    two_machines_have_one_key,
    a_zone_s_history_is_rewritten,
    a_line_is_rewritten_and_sent_again,
    a_batch_of_another_history_joins,
    headquarters_shows_a_rewritten_history,
    a_cosignature_is_forged,
    every_old_word_comes_again,
    a_broker_confirms_and_loses,
    both_are_restored_until_their_histories_part,
    a_closed_ledger_parts_from_headquarters,
    an_image_is_of_the_moment_between_two_ledgers,
)


def expect(held: bool, promise: str) -> None:
    if not held:
        raise Broken(promise)


def rewrite_ledger(disk: Disk, log: str, *, at: int) -> None:
    """Change line ``at`` of a ledger that nobody has open, and make every hash after it anew."""
    disk.cut_off(power=False)
    disk.come_back()
    file = f"{log}.sqlite3"
    lines = _rewritten(
        [line for (line,) in disk.rows("SELECT line FROM line ORDER BY sequence", file=file)], at=at
    )
    _, hashes = CompactRange().extended(lines)
    disk.write(
        "UPDATE line SET line = ?, subtrees = ? WHERE sequence = ?",
        [
            (line, completed, sequence)
            for sequence, (line, completed) in enumerate(zip(lines, hashes, strict=True), 1)
        ],
        file=file,
    )


def _rewritten(lines: Sequence[bytes], *, at: int) -> list[bytes]:
    """The line of that number says something else."""
    changed = lines[at - 1].replace(b'"door":"d"', b'"door":"x"')
    assert changed != lines[at - 1] and parse_line(changed)
    return [*lines[: at - 1], changed, *lines[at:]]


def _batch(zone: ZoneMachine, first: int, lines: Sequence[bytes], history: Sequence[bytes]) -> bytes:
    """Lines from ``first`` on, under the zone's signature for the tree of ``history``."""
    tree, _ = CompactRange().extended(history)
    origin = zone.ledger.spans()[-1][0].identity.origin
    note = Checkpoint(origin, tree.size, tree.root()).signed(ZONE_KEY)
    return encode(Batch(zone.ledger.id, first, note, tuple(lines)))


def _unexpected(error: Exception) -> None:
    raise error

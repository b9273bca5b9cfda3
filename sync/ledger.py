"""The ledger of a zone: its only bus, its register and its outbox.

Promise: when ``append`` returns, the events are on disk, in order, and in the Merkle tree; when it raises, nothing
of them is. Any number of processes and threads may append and follow at once.

On disk it is a directory with one SQLite file a ledger (``<id>.sqlite3``, the id is 8 random bytes in hex).
There is more than one only after a disk was restored from an old image: the newest cites the one that it
follows, the old ones stay. Lines of an old ledger beyond the cited size were moved to its successor under the
same event ids.

A *branch* (``<id>.branch.sqlite3``) is beside that chain. It repeats the end of a closed ledger for headquarters,
which was restored too and has other lines under those numbers; who reads the ledger reads them where they are.
"""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

from config.clock import Clock
from custody.events import (
    Draft,
    Event,
    LedgerCited,
    LedgerOpened,
    LedgerReason,
    Stamp,
    check_data,
    draft,
    encode_line,
    event_id,
    parse_line,
    written,
)

from . import ledger_file
from .ballast import Ballast
from .bell import ring
from .errors import LedgerDamaged, LedgerExists, LedgerForeign, LedgerFull, LedgerMissing, LedgerUnwritable
from .follower import Follower
from .ledger_database import Identity
from .ledger_file import SUFFIX, LedgerClosed, LedgerFile, Succession
from .once import Once

BELL = "bell"
ID_BYTES = 8
BRANCH = ".branch" + SUFFIX
_NAME = re.compile(r"[0-9a-f]{16}" + re.escape(SUFFIX))
_BRANCH_NAME = re.compile(r"[0-9a-f]{16}" + re.escape(BRANCH))


class Ledger:
    """The chain of a zone's ledgers; it is written at its newest end. Thread-safe."""

    def __init__(self, directory: Path, zone: str, deployment: str, clock: Clock) -> None:
        """Use ``Ledger.create`` or ``Ledger.open``."""
        self.directory = directory
        self.zone = zone
        self.deployment = deployment
        self.ballast = Ballast(directory)
        self._clock = clock
        self._lock = threading.RLock()
        self._chain: list[LedgerFile] = []
        self._branches: dict[str, LedgerFile] = {}

    @classmethod
    def create(cls, directory: Path, *, zone: str, deployment: str, clock: Clock) -> Ledger:
        """Make the first ledger of a zone (``fourmusts init``); its first event is ``ledger.opened``.

        Raises ``LedgerExists`` if there is one, ``LedgerUnwritable`` if the disk does not take it.
        """
        found = _names(directory, _NAME)
        if found:
            raise LedgerExists(directory, found)
        try:
            directory.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise LedgerUnwritable(directory, str(error)) from error
        ledger = cls(directory, zone, deployment, clock)
        identity = Identity(new_id(), zone, deployment, LedgerReason.FIRST.value, clock.now_us())
        opened = draft(LedgerOpened(follows=None, reason=LedgerReason.FIRST))
        ledger_file.create(
            directory / (identity.id + SUFFIX),
            identity,
            lambda size: [event.line for event in ledger._stamped(identity, size, [opened])],
        )
        ledger._load()
        return ledger

    @classmethod
    def open(cls, directory: Path, *, zone: str, deployment: str, clock: Clock) -> Ledger:
        """Open what ``create`` made.

        Raises ``LedgerMissing``, ``LedgerForeign`` (another zone's) or ``LedgerDamaged``.
        """
        if not _names(directory, _NAME):
            raise LedgerMissing(directory)
        ledger = cls(directory, zone, deployment, clock)
        ledger._load()
        return ledger

    @property
    def id(self) -> str:
        """Id of the ledger that is written now."""
        return self._newest().id

    def append(self, *drafts: Draft, once: Once | None = None) -> list[Event]:
        """Write events in one transaction; on disk when it returns, in the order given.

        With ``once`` it raises ``GivenBefore`` when lines with this nonce were written before, or may have been.
        Raises ``SchemaBroken`` for a draft that breaks the schema of its type and ``LedgerUnwritable`` when the
        disk does not take them. Then nothing was written, and the ledger stays usable. A disk that is full gets
        room once, by the ballast.
        """
        for one in drafts:
            check_data(one.type, one.data)
        if not drafts:
            return []
        events: list[Event] = []

        def encode(size: int) -> Sequence[bytes]:
            events[:] = self._stamped(file.identity, size, drafts)
            return [event.line for event in events]

        while True:
            file = self._newest()
            try:
                if once is not None:
                    self.check_once(once)
                file.append(encode, once=once)
                break
            except LedgerClosed:
                self._load()
            except LedgerFull:
                if not self.ballast.give_up():
                    raise
        ring(self.directory / BELL)
        return events

    def check_once(self, once: Once) -> None:
        """Raises ``GivenBefore`` if any ledger of the chain knows this nonce, or may have forgotten it."""
        for file, _ in self.spans():
            file.check_once(once)

    def events(self) -> Iterator[Event]:
        """Every event that is kept, once, oldest first, over the whole chain."""
        for file, last in self.spans():
            for line in file.all_lines(1, last):
                yield parse_line(line)

    def follow(self, *, from_start: bool = True) -> Follower:
        """A reader of its own that goes on where it stopped; from now on, if not from the start."""
        return Follower(self.directory / BELL, self.spans, from_start=from_start)

    def spans(self) -> list[tuple[LedgerFile, int | None]]:
        """The chain, oldest first: each ledger and its last line that counts (``None``: as far as it goes)."""
        with self._lock:
            if self._chain[-1].succession() is not None:
                self._load()
            sizes = [file.identity.follows_size for file in self._chain[1:]]
            return list(zip(self._chain, [*sizes, None], strict=True))

    def succeed(self, old: LedgerFile, cosigned_size: int, reason: LedgerReason) -> None:
        """Close the newest ledger ``old`` and go on in a new one that cites its first ``cosigned_size`` lines.

        The lines after them move there and keep their ids. Killed at any point, the next who opens the ledger
        ends the work. Does nothing if ``old`` has been succeeded already.
        """
        old.close_at(cosigned_size, reason.value)
        self._make_successor(old)
        self._load()
        ring(self.directory / BELL)

    def branches(self) -> list[LedgerFile]:
        """The ledgers beside the chain, each whole: they are for headquarters alone."""
        with self._lock:
            for name in _names(self.directory, _BRANCH_NAME):
                if name not in self._branches:
                    self._branches[name] = self._opened(self.directory / name)
            return list(self._branches.values())

    def branch_off(self, closed: LedgerFile, size: int, last: int) -> bool:
        """Repeat lines ``size + 1`` to ``last`` of a closed ledger in a branch that cites its first ``size``.
        ``False``: a branch has them already."""
        with self._lock:
            for found in (branch.identity for branch in self.branches()):
                if found.follows == closed.id and (found.follows_size or 0) <= size:
                    return False
            self._make_after(closed, Succession("", size, LedgerReason.ROLLBACK.value), BRANCH, last)
            return True

    def now_us(self) -> int:
        """The moment by the zone's clock; UTC microseconds."""
        return self._clock.now_us()

    def close(self) -> None:
        with self._lock:
            for file in (*self._chain, *self._branches.values()):
                file.close()

    def _newest(self) -> LedgerFile:
        with self._lock:
            return self._chain[-1]

    def _stamped(self, identity: Identity, size: int, drafts: Sequence[Draft]) -> list[Event]:
        """The drafts as lines ``size + 1`` and on of that ledger, written now."""
        clock = self._clock
        now_us, boottime_s = clock.now_us(), clock.boottime_s()
        offset_s, bootid = clock.utc_offset_s(now_us), clock.bootid
        entropy = os.urandom(10 * len(drafts))
        return [
            written(
                one,
                Stamp(
                    one.id or event_id(now_us, entropy[10 * place : 10 * place + 10]),
                    identity.zone,
                    identity.id,
                    size + place + 1,
                    now_us,
                    offset_s,
                    bootid,
                    boottime_s,
                ),
            )
            for place, one in enumerate(drafts)
        ]

    def _load(self) -> None:
        """Read the chain from the directory; end a succession that was interrupted."""
        with self._lock:
            known = {file.path.name: file for file in self._chain}
            while True:
                for name in _names(self.directory, _NAME):
                    if name not in known:
                        known[name] = self._opened(self.directory / name)
                chain = _in_order(self.directory, list(known.values()))
                if chain[-1].succession() is None:
                    break
                self._make_successor(chain[-1])
            # A file restored from before it was closed does not know that it is, nor by whom it is followed.
            for file, next_ in pairwise(chain):
                found = next_.identity
                file.note_successor(Succession(found.id, found.follows_size or 0, found.reason))
            self._chain = chain

    def _opened(self, path: Path) -> LedgerFile:
        file = LedgerFile(path)
        found = f"{file.identity.deployment}/{file.identity.zone}"
        expected = f"{self.deployment}/{self.zone}"
        if found != expected:
            file.close()
            raise LedgerForeign(path, found, expected)
        return file

    def _make_successor(self, old: LedgerFile) -> None:
        def make(succession: Succession) -> str:
            if (self.directory / (succession.id + SUFFIX)).exists():
                return succession.id
            return self._make_after(old, succession, SUFFIX)

        old.hand_over(make)

    def _make_after(self, old: LedgerFile, succession: Succession, suffix: str, last: int | None = None) -> str:
        """A new ledger that cites ``old`` and has its lines after that, up to ``last``. Its id is drawn only now:
        an image of the disk from before it was made must not lead to two ledgers of one id."""
        identity = Identity(
            id=new_id(),
            zone=self.zone,
            deployment=self.deployment,
            reason=succession.reason,
            created_us=self._clock.now_us(),
            follows=old.id,
            follows_size=succession.size,
        )
        cited = LedgerCited(ledger=old.id, size=succession.size, root=old.root(succession.size).hex())
        opened = draft(LedgerOpened(follows=cited, reason=LedgerReason(succession.reason)))

        def encode(size: int) -> list[bytes]:
            first = self._stamped(identity, size, [opened])[0].line
            return [first, *_moved(old, succession.size + 1, last, identity)]

        ledger_file.create(self.directory / (identity.id + suffix), identity, encode)
        return identity.id


def new_id() -> str:
    return os.urandom(ID_BYTES).hex()


def _names(directory: Path, form: re.Pattern[str]) -> list[str]:
    try:
        return sorted(path.name for path in directory.iterdir() if form.fullmatch(path.name))
    except FileNotFoundError:
        return []
    except OSError as error:
        raise LedgerDamaged(directory, f"the directory cannot be read: {error}") from error


def _moved(old: LedgerFile, first: int, last: int | None, to: Identity) -> list[bytes]:
    """The lines of ``old`` from ``first`` to ``last`` as lines of the ledger ``to``, from its line 2: everything
    about them stays but their place. The old one's own ``ledger.opened`` stays behind."""
    moved: list[bytes] = []
    for line in old.all_lines(first, last):
        event = parse_line(line)
        if event.type == LedgerOpened.TYPE:
            continue
        stamp = Stamp(
            event.id,
            to.zone,
            to.id,
            len(moved) + 2,
            event.written_us,
            event.utc_offset_s,
            event.bootid,
            event.boottime_s,
        )
        moved.append(encode_line(Draft(event.type, event.data, event.subject, event.time_us), stamp))
    return moved


def _in_order(directory: Path, files: list[LedgerFile]) -> list[LedgerFile]:
    """The chain by who follows whom. Ledgers before the first may be missing (archived), none in between."""
    ids = {file.id for file in files}
    after: dict[str, LedgerFile] = {}
    starts: list[LedgerFile] = []
    for file in files:
        before = file.identity.follows
        if before is None or before not in ids:
            starts.append(file)
        elif before in after:
            raise LedgerDamaged(directory, f"{file.path.name} and {after[before].path.name} both follow {before}")
        else:
            after[before] = file
    if len(starts) != 1:
        names = ", ".join(file.path.name for file in starts)
        raise LedgerDamaged(directory, f"these ledgers are not one chain: {names}; one between them is missing")
    chain = starts
    while chain[-1].id in after:
        chain.append(after[chain[-1].id])
    return chain

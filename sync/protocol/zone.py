"""A zone's end of the road: offers every ledger on its disk, sends what headquarters lacks, and believes only
headquarters' cosignature.

Nothing here is lost with the process: what was cosigned is in the ledger, the rest is asked for with ``hello``.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Callable

from config.clock import Clock
from custody.events import HeadquartersRollback, LedgerReason, draft

from ..commands import AnyCommand, CommandDesk, Intake
from ..errors import BadMessage, BadNote, LedgerError, LedgerPruned, LedgerUnwritable
from ..ledger import Ledger
from ..note import Checkpoint, SigningKey, VerifierKey
from ..rotation import FollowedKey, Rotation
from .messages import (
    BATCH_LINES_MAX,
    HELLO_LOGS_MAX,
    MESSAGE_BYTES_MAX,
    Ack,
    Batch,
    Command,
    Hello,
    Key,
    Proof,
    Status,
    decode,
    encode,
    lines_that_fit,
)
from .resend import Resend
from .road import ROLLBACK_EVIDENCE, Question, Road
from .tree import TreeWatch

log = logging.getLogger(__name__)

WINDOW_BATCHES = 8
"""Batches on the way at once: enough to keep headquarters busy, few enough to lose little on a broken line."""
EVIDENCE_BYTES_MAX = 2 * MESSAGE_BYTES_MAX
"""Of one message that is kept; a broker may let one through that would fill the zone's disk."""


class ZoneEnd:
    """What to send, and what to make of what comes. ``now_s`` is any clock that runs with the network's real time.

    Belongs to one thread. The shell calls ``connected`` for every connection, ``receive`` for every message,
    ``poll`` whenever something may be to do: after each of these, at ``wake_at_s``, and when the ledger has grown.
    """

    def __init__(
        self,
        ledger: Ledger,
        key: SigningKey,
        headquarters: VerifierKey,
        clock: Clock,
        dice: random.Random,
        *,
        previous: SigningKey | None = None,
        intake: Intake | None = None,
        on_confirmed: Callable[[str, int], None] | None = None,
    ) -> None:
        """``headquarters``: the key pinned in zone.toml; where it leads to is followed. ``previous``: the zone's
        key before the present one, which signs too: headquarters may be, or be set back to, before the exchange.

        ``intake`` says which commands may be given here, any unless it is given.

        ``on_confirmed(ledger id, size)`` is called for each new cosignature, after it was verified and kept.
        """
        self._ledger = ledger
        self._keys = [key] if previous is None else [key, previous]
        self._headquarters = FollowedKey(headquarters, ledger.directory)
        self._clock = clock
        self._dice = dice
        self._on_confirmed = on_confirmed
        self._commands = CommandDesk(ledger, self._headquarters.now, clock, intake or AnyCommand())
        self._tree = TreeWatch(ledger, self._keys, self._headquarters, clock)
        self._unread_tree: bytes | None = None
        self._roads: dict[str, Road] = {}
        self._branches = ledger.branches()
        self._paused = False
        self._hello_sent = False
        self._ask = self._new_question()
        self._resend = Resend(dice)

    # What happens

    def connected(self) -> None:
        """A new connection to the broker: nothing that was on the way counts any more."""
        for road in self._roads.values():
            road.known = road.pruned = False
            road.doubted = None
            road.rewind()
        self._paused = False
        self._hello_sent = False
        self._ask = self._new_question()
        self._resend = Resend(self._dice)
        self._tree.connected()

    def headquarters_is(self, on: bool, *, retained: bool) -> None:
        """``v1/hq/state``. Headquarters that comes back may have been restored: it is asked how far it is."""
        if on and (self._paused or not retained):
            self.connected()
        if not on and not self._paused:
            log.info("headquarters is away; events stay in the ledger until it is back")
        self._paused = not on

    def receive(self, payload: bytes, now_s: float, *, retained: bool = False) -> None:
        """A message from ``v1/<zone>/down``. Never raises: what is wrong is kept as evidence."""
        try:
            message = decode(payload)
            if isinstance(message, Command):
                self._commands.take(message, retained=retained)
            elif retained:
                raise BadMessage("retained", "headquarters retains no message on this topic")
            elif isinstance(message, Status | Ack):
                self._believe(message, now_s)
            elif isinstance(message, Proof):
                self._tree.proven(message)
            elif isinstance(message, Key):
                self._trust(message)
            else:
                raise BadMessage("malformed", f"a zone takes no {type(message).__name__.lower()}")
        except BadMessage as bad:
            self._keep(bad, payload)
        except LedgerError as error:
            log.error("a message from headquarters could not be dealt with: %s", error)

    def tree_shown(self, payload: bytes) -> None:
        """``v1/hq/tree``: what headquarters shows of its own ledger. Never raises, as ``receive``."""
        try:
            self._unread_tree = None
            self._tree.shown(payload)
        except BadMessage as bad:
            if bad.kind == "unknown_key":
                # Headquarters may have exchanged its key, and says so in its next answer.
                self._unread_tree = payload
                log.warning("%s", bad)
            else:
                self._keep(bad, payload)
        except LedgerUnwritable as full:
            log.error("headquarters' tree could not be kept, it will be shown again: %s", full)

    def poll(self, now_s: float) -> list[bytes]:
        """The messages to send now. Raises ``LedgerError`` when the ledger cannot be read."""
        self._look_at_ledgers()
        if self._paused:
            return []
        if self._resend.is_due(now_s):
            self._send_again()
        messages = [*self._hellos(), *self._batches()]
        if messages:
            self._resend.sent(now_s)
        return [*messages, *self._tree.poll(now_s)]

    def wake_at_s(self) -> float | None:
        """When ``poll`` has something to do even if nothing happens."""
        due = [at_s for at_s in (self._resend.at_s, self._tree.wake_at_s()) if at_s is not None]
        return None if self._paused else min(due, default=None)

    @property
    def unheard(self) -> bool:
        """Whether headquarters, which is said to be there, has answered nothing for over a minute."""
        return not self._paused and self._resend.unheard

    @property
    def unconfirmed(self) -> int:
        """Lines that headquarters has not cosigned, over all ledgers, as of the last ``poll``."""
        return sum(max(road.size() - road.cosigned, 0) for road in self._roads.values())

    def _trust(self, message: Key) -> None:
        """Follow headquarters to its new key, if the one that is known here vouches for it."""
        try:
            rotation = Rotation.read(message.old, message.new, message.signature)
        except BadNote as bad:
            raise BadMessage("wrong_signature", f"a new key of headquarters: {bad}") from bad
        if not self._headquarters.leads_on(rotation):
            if rotation.new in self._headquarters.all or rotation.old in self._headquarters.all[:-1]:
                return
            detail = f"{rotation.old} vouches for a new key, but {self._headquarters.now} is known here"
            raise BadMessage("unknown_key", detail)
        self._ledger.append(draft(rotation.event()))
        self._headquarters.accept(rotation)
        self._commands.trust(rotation.new)
        log.warning("headquarters signs with %s now, as its old key says; put it into zone.toml", rotation.new)
        if self._unread_tree is not None:
            self.tree_shown(self._unread_tree)

    # Sending

    def _look_at_ledgers(self) -> None:
        branches = [(file, file.size()) for file in self._branches]
        for file, end in (*branches, *self._ledger.spans()):
            road = self._roads.get(file.id)
            if road is None:
                self._roads[file.id] = Road.of(file, end)
                self._hello_sent = False
            else:
                road.end = end

    def _hellos(self) -> list[bytes]:
        if self._hello_sent:
            return []
        self._hello_sent = True
        asked = [(road.file.id, self._checkpoint(road, road.ask(self._ask).size)) for road in self._unknown()]
        return [
            encode(Hello(tuple(asked[start : start + HELLO_LOGS_MAX]), self._ask))
            for start in range(0, len(asked), HELLO_LOGS_MAX)
        ]

    def _batches(self) -> list[bytes]:
        messages: list[bytes] = []
        free = WINDOW_BATCHES - sum(len(road.on_the_way) for road in self._roads.values())
        for road in self._roads.values():
            while free > 0 and road.known and (batch := self._next_batch(road, at_once=free == WINDOW_BATCHES)):
                messages.append(encode(batch))
                free -= 1
        return messages

    def _next_batch(self, road: Road, *, at_once: bool) -> Batch | None:
        """The next lines of a ledger. While others are on the way it waits until a batch is full."""
        ready = road.size() - road.sent
        if ready <= 0 or road.pruned:
            return None
        try:
            lines = road.file.lines(road.sent + 1, min(ready, BATCH_LINES_MAX))
        except LedgerPruned as pruned:
            log.error("%s; until then nothing of this ledger can be sent", pruned)
            road.pruned = True
            return None
        count = lines_that_fit(lines)
        if not at_once and count == len(lines) < BATCH_LINES_MAX:
            return None
        first, road.sent = road.sent + 1, road.sent + count
        road.on_the_way.append(road.sent)
        return Batch(road.file.id, first, self._checkpoint(road, road.sent), tuple(lines[:count]))

    def _checkpoint(self, road: Road, size: int) -> str:
        return Checkpoint(road.file.identity.origin, size, road.file.root(size)).signed(*self._keys)

    def _send_again(self) -> None:
        """Nobody answered: everything unconfirmed goes out once more, each time after a longer wait."""
        self._hello_sent = self._hello_sent and not self._unknown()
        for road in self._roads.values():
            road.rewind()

    def _new_question(self) -> str:
        """Kept while the hello is repeated: headquarters may take longer to answer than we take to ask again."""
        return f"{self._dice.getrandbits(64):016x}"

    def _ask_anew(self, road: Road) -> None:
        road.known = False
        self._hello_sent = False
        self._ask = self._new_question()

    def _answers(self, message: Status | Ack) -> bool:
        """Whether it was said after we asked. Who does not repeat the question is taken at his word."""
        return isinstance(message, Status) and message.ask in (None, self._ask)

    def _unknown(self) -> list[Road]:
        return [road for road in self._roads.values() if not road.known]

    # Headquarters' word

    def _believe(self, message: Status | Ack, now_s: float) -> None:
        if message.log not in self._roads:
            self._look_at_ledgers()
        road = self._roads.get(message.log)
        if road is None:
            raise BadMessage("unknown_ledger", f"there is no ledger {message.log} here")
        checkpoint = road.read(message.checkpoint, self._headquarters.now)
        ours = road.has(checkpoint)
        if not ours:
            self._doubt(road, checkpoint, message)
        if not road.known and isinstance(message, Status) and self._answers(message):
            self._begin(road, checkpoint, message)
        elif not ours:
            # It may be an old word: headquarters may have less by now, and be owed the rest.
            if road.known:
                self._ask_anew(road)
        elif checkpoint.size > road.cosigned:
            self._confirm(road, checkpoint.size, message.checkpoint)
        elif road.known and isinstance(message, Status):
            self._fallen_back(road, checkpoint.size)
        # An old ack, repeated or overtaken, says nothing new.
        waiting = any(not road.known or road.on_the_way for road in self._roads.values())
        self._resend.heard(now_s, waiting=waiting)

    def _begin(self, road: Road, checkpoint: Checkpoint, message: Status) -> None:
        """Headquarters has answered: this much of the ledger is the same on both sides, the rest is sent."""
        question = road.ask(self._ask)
        shared = road.shared_with(checkpoint, message.proof, question.size)
        if shared is None:
            road.doubt_more()
            self._ask_anew(road)
            return
        ours = road.has(checkpoint)
        fell_back = checkpoint.size < question.held and (ours or road.end is None)
        recorded = fell_back and self._record_rollback(question, checkpoint.size, message.checkpoint)
        if road.forsaken and road.end is None:
            self._leave(road, shared)
        elif not ours:
            self._branch_off(road, shared)
        road.known = True
        # Where headquarters has other lines under the next numbers, no more of this ledger can be sent.
        road.cosigned = shared if ours else road.size()
        road.doubted = None
        road.rewind()
        self._resend.agreed()
        if ours and (recorded or checkpoint.size > road.held):
            self._hold(road, checkpoint.size, message.checkpoint)

    def _record_rollback(self, question: Question, size: int, status: str) -> bool:
        """First the record, then the lines: else headquarters would catch up and nobody would know. Raises
        ``LedgerUnwritable``; then headquarters is asked again. ``False``: its word is an old one, which somebody
        may have kept. That proves nothing; what headquarters lacks by it is sent, which costs nothing."""
        if self._headquarters.said_before(status, question.note):
            return False
        what = "headquarters has ledger %s up to %d, but cosigned %d before: it was restored from an old state"
        log.error(what + "; everything since is sent again", question.log, size, question.held)
        rollback = HeadquartersRollback(ledger=question.log, cosigned=question.note, status=status)
        self._ledger.append(draft(rollback))
        return True

    def _confirm(self, road: Road, size: int, note: str) -> None:
        if size > road.held:
            self._hold(road, size, note)
        self._resend.agreed()
        road.cosigned = size
        road.sent = max(road.sent, size)
        while road.on_the_way and road.on_the_way[0] <= size:
            road.on_the_way.popleft()
        if self._on_confirmed is not None:
            self._on_confirmed(road.file.id, size)

    def _hold(self, road: Road, size: int, note: str) -> None:
        """Keep the cosignature. A full disk must not stop the events from leaving, so failing is only said."""
        try:
            road.file.keep_cosigned(size, note, self._clock.now_us())
            road.held = size
        except LedgerUnwritable as full:
            log.error("headquarters' cosignature could not be kept, it will be asked for again: %s", full)

    def _fallen_back(self, road: Road, size: int) -> None:
        """A status after the first: a batch was lost (headquarters is where we thought), or it was restored."""
        if size < road.cosigned:
            self._ask_anew(road)
        elif road.rewound_at != size:
            road.rewound_at = size
            road.rewind()

    def _doubt(self, road: Road, checkpoint: Checkpoint, message: Status | Ack) -> None:
        """Headquarters has lines under our signature that we do not have: this disk was restored from an old
        image, or rewritten. Those numbers are never used again."""
        # Of a closed ledger headquarters may well have more than counts here: that was told when it was closed.
        if not road.forsaken and (road.end is None or checkpoint.size < road.end):
            what = f"headquarters has {road.file.id} at size {checkpoint.size} with another history than this disk"
            self._keep(BadMessage(ROLLBACK_EVIDENCE, what), message.checkpoint.encode())
        road.forsaken = True

    def _leave(self, road: Road, shared: int) -> None:
        """Go on in a new ledger, with the lines that headquarters does not have under these numbers. The first
        line says what the ledger follows, and stays where it is."""
        self._ledger.succeed(road.file, max(shared, 1), LedgerReason.ROLLBACK)
        self._look_at_ledgers()
        log.error(
            "headquarters has ledger %s with another end; it is closed at line %d, the zone goes on in %s",
            road.file.id,
            road.size(),
            self._ledger.id,
        )

    def _branch_off(self, road: Road, shared: int) -> None:
        """What headquarters cannot take under the numbers of a closed ledger, it gets in a branch of it."""
        shared = max(shared, 1)
        if shared < road.size() and self._ledger.branch_off(road.file, shared, road.size()):
            self._branches = self._ledger.branches()
            self._look_at_ledgers()
            what = "headquarters has other lines after line %d of the closed ledger %s; ours go in a branch of it"
            log.error(what, shared, road.file.id)

    def _keep(self, bad: BadMessage, payload: bytes) -> None:
        log.warning("a message from headquarters is kept as evidence: %s: %s", bad.kind, bad)
        try:
            newest, _ = self._ledger.spans()[-1]
            newest.keep_evidence(bad.kind, str(bad), payload[:EVIDENCE_BYTES_MAX], self._clock.now_us())
        except LedgerUnwritable as full:
            log.error("the evidence could not be kept: %s", full)

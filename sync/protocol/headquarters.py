"""Headquarters' end of the road: verifies what zones send, has it stored, and answers with its own signed word.

The cosigned checkpoint is the acknowledgement. It is made after the store's commit and never before, so a zone
that holds one knows that its events are safe; a zone that holds none keeps them.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from operator import itemgetter

from config.clock import Clock

from ..errors import BadMessage, BadNote, WrongSignature
from ..merkle import EMPTY_ROOT, CompactRange, compact_range, consistency_proof
from ..note import Checkpoint, SigningKey, VerifierKey, cosigned, only_cosigned, open_checkpoint
from ..rotation import Rotation, ZoneKeys
from ..store import Head, LogStore
from .messages import Ack, Batch, Hello, Key, Message, Status, Tree, decode, encode
from .tree import TreeEnd, TreeStore

log = logging.getLogger(__name__)

MERGED_BATCHES_MAX = 16
"""Waiting batches of one ledger that are committed at once: twice a zone's window."""
RACES_MAX = 5
"""How often another worker may be first on one batch before it is left to the zone's retransmission."""


@dataclass(frozen=True, slots=True)
class Advance:
    """Lines ``first`` and on of a zone's ledger that are now stored and verified."""

    zone: str
    log: str
    first: int
    lines: Sequence[bytes]


@dataclass(slots=True)
class Outcome:
    """What came of messages of one zone: payloads for ``v1/<zone>/down``, and what was stored."""

    zone: str
    replies: list[bytes] = field(default_factory=list)
    advances: list[Advance] = field(default_factory=list)


class _OutOfStep(Exception):
    """A batch that does not join what is known; the answer is the status."""


class HeadquartersEnd:
    """Answers the messages of all zones. Needs no memory of its own: everything that counts is in the store.

    Belongs to one thread; any number of them, in any number of processes, may share one store.
    """

    def __init__(
        self,
        store: LogStore,
        signer: SigningKey,
        zone_keys: Mapping[str, VerifierKey],
        clock: Clock,
        *,
        tree: TreeStore | None = None,
        rotations: Sequence[Rotation] = (),
    ) -> None:
        """``zone_keys``: zone id to the key pinned at enrolment; its name is ``<deployment>/<zone>``. ``tree``:
        headquarters' own ledger; without it zones that hold headquarters to it get no answer. ``rotations``: how
        headquarters came to its present key; zones that know an older one are told."""
        self._store = store
        self._signer = signer
        self._zone_keys = zone_keys if isinstance(zone_keys, ZoneKeys) else ZoneKeys(zone_keys)
        self._new_keys = [encode(Key(*rotation.words())) for rotation in rotations]
        self._clock = clock
        own = [*(rotation.old for rotation in rotations), signer.verifier]
        self._tree = None if tree is None else TreeEnd(tree, own, self._zone_keys)
        # Only what this end stored last. Another worker may be further; then the store's compare-and-swap says so.
        self._heads: dict[tuple[str, str], Head] = {}

    def receive(self, zone: str, payload: bytes) -> list[bytes]:
        """The answers to one message from ``v1/<zone>/up``. Raises only what the store raises."""
        return next(self.take([(zone, payload)])).replies

    def refuse_retained(self, zone: str, payload: bytes) -> None:
        """A message that the broker kept on ``v1/<zone>/up``: a zone retains none there, so it is not answered."""
        self._keep(zone, None, BadMessage("retained", "a zone retains no message on this topic"), payload)

    def take(self, messages: Sequence[tuple[str, bytes]]) -> Iterator[Outcome]:
        """What comes of waiting messages, zone by zone, each as soon as it is stored; adjoining batches of one
        ledger are stored in one transaction.

        Each zone's messages stay in order; those of other zones in between must not cost it a transaction a batch.
        A message that is wrong is kept as evidence and costs the others nothing.
        """
        waiting: list[tuple[str, bytes, Batch]] = []
        for zone, payload in sorted(messages, key=itemgetter(0)):
            message = self._read(zone, payload)
            if isinstance(message, Batch):
                if waiting and not _adjoins(waiting, zone, message):
                    yield self._take_batches(waiting)
                    waiting = []
                waiting.append((zone, payload, message))
                continue
            if waiting:
                yield self._take_batches(waiting)
                waiting = []
            yield self._answer(zone, payload, message)
        if waiting:
            yield self._take_batches(waiting)

    def _read(self, zone: str, payload: bytes) -> Message | None:
        try:
            if zone not in self._zone_keys:
                raise BadMessage("unknown_zone", f"zone {zone} is not enrolled; add a [[zone]] to central.toml")
            if zone in self._zone_keys.revoked:
                raise BadMessage("revoked", f"zone {zone} is revoked in central.toml; enrol a new key of it")
            return decode(payload)
        except BadMessage as bad:
            self._keep(zone, None, bad, payload)
            return None

    def _answer(self, zone: str, payload: bytes, message: Message | None) -> Outcome:
        outcome = Outcome(zone)
        if isinstance(message, Hello):
            outcome.replies += self._new_keys
            for name, note in message.logs:
                try:
                    checkpoint = self._open(zone, name, note)
                except BadMessage as bad:
                    self._keep(zone, name, bad, payload)
                    continue
                outcome.replies.append(self._status(zone, name, message.ask, checkpoint.size))
                if self._contradicts(zone, name, checkpoint):
                    self._keep(zone, name, BadMessage("wrong_root", _wrong_root(checkpoint)), payload)
        elif isinstance(message, Tree) and self._tree is not None:
            try:
                outcome.replies += self._tree.answer(zone, message)
            except BadMessage as bad:
                self._keep(zone, message.log, bad, payload)
        elif message is not None:
            what = f"headquarters takes no {type(message).__name__.lower()}"
            self._keep(zone, None, BadMessage("malformed", what), payload)
        return outcome

    def _take_batches(self, waiting: Sequence[tuple[str, bytes, Batch]]) -> Outcome:
        """Adjoining batches of one ledger: at once if they are right as a whole, else one by one."""
        zone, _, first = waiting[0]
        outcome = Outcome(zone)
        if len(waiting) > 1:
            # The last checkpoint covers every line before it, so the ones between need no look.
            lines = [line for _, _, batch in waiting for line in batch.lines]
            try:
                self._advance(outcome, first.log, first.first, lines, waiting[-1][2].checkpoint)
                return outcome
            except (BadMessage, _OutOfStep):
                pass
        for _, payload, batch in waiting:
            try:
                self._advance(outcome, batch.log, batch.first, batch.lines, batch.checkpoint)
            except _OutOfStep:
                outcome.replies.append(self._status(zone, batch.log))
            except BadMessage as bad:
                self._keep(zone, batch.log, bad, payload)
                if bad.kind in ("wrong_root", "wrong_overlap"):
                    outcome.replies.append(self._status(zone, batch.log))
        return outcome

    def _advance(self, outcome: Outcome, name: str, first: int, lines: Sequence[bytes], note: str) -> None:
        """Verify, store, and only then answer. ``BadMessage`` or ``_OutOfStep``: nothing was stored."""
        zone = outcome.zone
        checkpoint = self._open(zone, name, note, lines)
        if checkpoint.size != first + len(lines) - 1:
            what = f"lines {first} to {first + len(lines) - 1} with a checkpoint of size {checkpoint.size}"
            raise BadMessage("malformed", what)
        head = self._heads.get((zone, name)) or self._known_anew(zone, name)
        for _ in range(RACES_MAX):
            if first > head.size + 1:
                head = self._known_anew(zone, name)
                if first > head.size + 1:
                    raise _OutOfStep
            fresh = self._beyond_overlap(zone, name, head, first, lines)
            grown, _ = CompactRange(head.size, head.edge).extended(fresh)
            if grown.size == checkpoint.size and grown.root() != checkpoint.root:
                raise BadMessage("wrong_root", _wrong_root(checkpoint))
            if not fresh:
                outcome.replies.append(self._ack(name, head))
                return
            advanced = Head(grown.size, grown.edge, note)
            if self._store.advance(zone, name, known_size=head.size, head=advanced, lines=fresh):
                self._heads[zone, name] = advanced
                self._zone_keys.stored(zone, fresh)
                outcome.advances.append(Advance(zone, name, head.size + 1, fresh))
                outcome.replies.append(self._ack(name, advanced))
                return
            head = self._known_anew(zone, name)
        raise _OutOfStep

    def _beyond_overlap(
        self, zone: str, name: str, head: Head, first: int, lines: Sequence[bytes]
    ) -> Sequence[bytes]:
        """The lines after what is known already; what is sent again must be what it was."""
        overlap = min(head.size - first + 1, len(lines))
        if overlap and self._store.lines(zone, name, first, overlap) != list(lines[:overlap]):
            raise BadMessage(
                "wrong_overlap", f"lines {first} to {first + overlap - 1} are not what they once were"
            )
        return lines[overlap:]

    def _open(self, zone: str, name: str, note: str, lines: Sequence[bytes] = ()) -> Checkpoint:
        """``lines`` come with it: they may exchange the key that signs it."""
        key = self._zone_keys[zone]
        try:
            try:
                checkpoint = open_checkpoint(note, key)
            except WrongSignature:
                checkpoint = open_checkpoint(note, self._zone_keys.leads_to(zone, lines))
        except WrongSignature as wrong:
            raise BadMessage("wrong_signature", f"{wrong}; enrolled for zone {zone} is {key}") from wrong
        except BadNote as bad:
            raise BadMessage("malformed", str(bad)) from bad
        if checkpoint.origin != _origin(key, name):
            raise BadMessage("wrong_origin", f"a checkpoint of {checkpoint.origin}, not of {_origin(key, name)}")
        return checkpoint

    def _known_anew(self, zone: str, name: str) -> Head:
        self._heads.pop((zone, name), None)
        return self._store.head(zone, name)

    def _ack(self, name: str, head: Head) -> bytes:
        return encode(Ack(name, cosigned(head.checkpoint, self._signer, self._now_s())))

    def _status(self, zone: str, name: str, ask: str | None = "", known_size: int = 0) -> bytes:
        """``known_size``: what the zone has of it; what is beyond is proven to continue that."""
        head = self._known_anew(zone, name)
        if head.size == 0:
            empty = Checkpoint(_origin(self._zone_keys[zone], name), 0, EMPTY_ROOT)
            return encode(Status(name, only_cosigned(empty, self._signer, self._now_s()), ask))
        proof: list[bytes] = []
        if known_size < head.size:
            proof = consistency_proof(partial(self._store.subtree, zone, name), known_size, head.size)
        return encode(Status(name, cosigned(head.checkpoint, self._signer, self._now_s()), ask, tuple(proof)))

    def _contradicts(self, zone: str, name: str, checkpoint: Checkpoint) -> bool:
        """Whether the zone now signs another tree of a size that headquarters has."""
        if checkpoint.size > self._store.head(zone, name).size:
            return False
        tree = compact_range(partial(self._store.subtree, zone, name), checkpoint.size)
        return tree.root() != checkpoint.root

    def _now_s(self) -> int:
        return self._clock.now_us() // 1_000_000

    def _keep(self, zone: str, name: str | None, bad: BadMessage, payload: bytes) -> None:
        log.warning("zone %s, ledger %s: a message is kept as evidence: %s: %s", zone, name or "?", bad.kind, bad)
        self._store.keep_evidence(zone, name, bad.kind, str(bad), payload)


def _adjoins(waiting: Sequence[tuple[str, bytes, Batch]], zone: str, batch: Batch) -> bool:
    last_zone, _, last = waiting[-1]
    return (
        len(waiting) < MERGED_BATCHES_MAX
        and (last_zone, last.log) == (zone, batch.log)
        and last.first + len(last.lines) == batch.first
    )


def _origin(key: VerifierKey, name: str) -> str:
    return f"{key.name}/{name}"


def _wrong_root(checkpoint: Checkpoint) -> str:
    return (
        f"{checkpoint.origin}: the zone signed another root at size {checkpoint.size} than its lines have: "
        "its history was rewritten, its disk was restored, or two machines use its key"
    )

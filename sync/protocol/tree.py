"""Headquarters held to its own history: both ends of what zones and headquarters say about its ledger.

Headquarters shows the checkpoint of its own ledger on ``v1/hq/tree``. A zone that has seen a smaller one says so
(``tree``), gets the consistency proof from there (``proof``), verifies it, keeps the new checkpoint on disk, and
only then cosigns (``tree`` again). It never keeps or cosigns one that does not continue the one before. The broker
may repeat, delay or forge whatever it likes: only two checkpoints that headquarters itself has signed accuse it.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from config.clock import Clock
from custody.events import HeadquartersFork, HeadquartersRollback, draft

from ..errors import BadMessage, BadNote, WrongSignature
from ..held_tree import HeldTree
from ..ledger import Ledger
from ..merkle import verify_consistency
from ..note import Checkpoint, KeyType, Note, SigningKey, VerifierKey, cosigned, cosigned_by, split_note
from ..rotation import FollowedKey
from .messages import Proof, Tree, encode

log = logging.getLogger(__name__)

ASK_AGAIN_S = 30.0
"""Real seconds until a proof that did not come is asked for again."""
SHOWN_BYTES_MAX = 64 * 1024
"""Of a checkpoint with the cosignatures of many zones and witnesses."""
BAD_PROOFS_MAX = 3
"""So many proofs that do not hold are recorded as a fork; one alone may have been damaged on its way."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A checkpoint of headquarters' tree with its signature, and the POSIX second at which it was signed."""

    checkpoint: Checkpoint
    time_s: int
    note: str

    @property
    def log(self) -> str:
        return self.checkpoint.origin.rpartition("/")[2]

    @classmethod
    def open(cls, note: str, keys: Sequence[VerifierKey]) -> Seen:
        """``keys``: those that headquarters signs or signed with; of the signatures only these are kept.

        Raises ``BadMessage``, of kind ``unknown_key`` if none of them signed.
        """
        headquarters = keys[-1]
        try:
            opened = Note.parse(note)
            headquarters = next((key for key in reversed(keys) if opened.signed_by(key)), headquarters)
            if not opened.signed_by(headquarters):
                raise BadMessage("unknown_key", f"headquarters' tree is not signed by {headquarters}")
            time_s = opened.verify(headquarters)
            checkpoint = Checkpoint.parse(opened.text)
            text, _ = split_note(note)
            own = cosigned_by(note, headquarters.name)
        except WrongSignature as wrong:
            raise BadMessage("wrong_signature", f"headquarters' tree: {wrong}") from wrong
        except BadNote as bad:
            raise BadMessage("malformed", f"headquarters' tree: {bad}") from bad
        if checkpoint.origin.rpartition("/")[0] != headquarters.name:
            raise BadMessage("wrong_origin", f"a tree of {checkpoint.origin}, not of {headquarters.name}")
        return cls(checkpoint, time_s or 0, "\n".join([text, "".join(own)]))


class TreeWatch:
    """A zone's eye on headquarters' ledger. Belongs to the thread of the zone's end; sends nothing itself.

    ``shown`` and ``proven`` raise ``BadMessage`` for what cannot be believed, ``LedgerUnwritable`` if the disk
    does not take it.
    """

    def __init__(
        self, ledger: Ledger, keys: Sequence[SigningKey], headquarters: FollowedKey, clock: Clock
    ) -> None:
        """``keys``: the zone's own, each of which cosigns."""
        self._ledger = ledger
        self._keys = [key.of_type(KeyType.COSIGNATURE) for key in keys]
        self._clock = clock
        self._headquarters = headquarters
        self._file = HeldTree(ledger.directory)
        self._held = self._opened(self._file.load())
        # Anew, as the keys may be others than those that cosigned the file; it is the same promise.
        self._note = "" if self._held is None else self._cosigned(self._held)
        self._newest: Seen | None = None
        self._bad_proofs = 0
        self._say = True
        self._ask_again_at_s: float | None = None

    def connected(self) -> None:
        """Headquarters is told anew what is held: it may have been restored from an old state meanwhile."""
        self._say = True
        self._ask_again_at_s = None

    def shown(self, payload: bytes) -> None:
        """What stands on ``v1/hq/tree``."""
        if len(payload) > SHOWN_BYTES_MAX:
            raise BadMessage("oversize", f"a tree of {len(payload)} bytes, at most {SHOWN_BYTES_MAX} are read")
        try:
            seen = Seen.open(payload.decode(), [self._headquarters.now])
        except UnicodeDecodeError as error:
            raise BadMessage("malformed", f"headquarters' tree is no text: {error}") from error
        held = self._held
        if held is None:
            self._take(seen)
        elif seen.log != held.log:
            # An older one is the broker's echo; a newer one means that headquarters has begun a new ledger.
            if seen.time_s > held.time_s:
                self._accuse_of_rollback(held, seen)
                self._take(seen)
        elif seen.checkpoint.size == held.checkpoint.size and seen.checkpoint.root != held.checkpoint.root:
            self._accuse_of_fork(held, seen)
        elif seen.checkpoint.size < held.checkpoint.size:
            if seen.time_s > held.time_s:
                self._accuse_of_rollback(held, seen)
        elif seen.checkpoint.size > held.checkpoint.size:
            self._newest = seen
            self._say = True

    def proven(self, proof: Proof) -> None:
        """Headquarters' answer; one to a question of before says nothing any more."""
        held = self._held
        if held is None or (proof.log, proof.old) != (held.log, held.checkpoint.size):
            return
        seen = Seen.open(proof.checkpoint, [self._headquarters.now])
        old, new = held.checkpoint, seen.checkpoint
        if seen.log == held.log and verify_consistency(old.size, new.size, proof.hashes, old.root, new.root):
            self._bad_proofs = 0
            self._take(seen)
            return
        self._bad_proofs += 1
        if self._bad_proofs >= BAD_PROOFS_MAX:
            self._accuse_of_fork(held, seen)
        raise BadMessage(
            "wrong_proof", f"no proof that {new.origin} at {new.size} continues what it was at {old.size}"
        )

    def poll(self, now_s: float) -> list[bytes]:
        """What to say to headquarters now."""
        held = self._held
        if held is None:
            return []
        behind = self._newest is not None and self._newest.checkpoint.size > held.checkpoint.size
        late = behind and self._ask_again_at_s is not None and now_s >= self._ask_again_at_s
        if not self._say and not late:
            return []
        self._say = False
        self._ask_again_at_s = now_s + ASK_AGAIN_S if behind else None
        return [encode(Tree(held.log, self._note))]

    def wake_at_s(self) -> float | None:
        return self._ask_again_at_s

    def _opened(self, note: str) -> Seen | None:
        if not note:
            return None
        try:
            return Seen.open(note, self._headquarters.all)
        except BadMessage as bad:
            # Damaged, or of a key that was replaced by hand: then it can accuse nobody any more.
            log.warning("%s cannot be used and begins anew: %s", self._file.file, bad)
            return None

    def _take(self, seen: Seen) -> None:
        """Keep, then cosign: the other way round a power cut could make this zone forget what it vouched for."""
        note = self._cosigned(seen)
        self._file.store(note)
        self._note, self._held = note, seen
        self._say = True

    def _cosigned(self, seen: Seen) -> str:
        note = seen.note
        for key in self._keys:
            note = cosigned(note, key, self._clock.now_us() // 1_000_000)
        return note

    def _accuse_of_rollback(self, held: Seen, seen: Seen) -> None:
        log.error(
            "headquarters shows its ledger %s at size %d, but signed %s at %d before: it was restored or cut",
            seen.log,
            seen.checkpoint.size,
            held.log,
            held.checkpoint.size,
        )
        if not self._file.is_told("rollback", held.note):
            said = HeadquartersRollback(ledger=held.log, cosigned=held.note, status=seen.note)
            self._ledger.append(draft(said))
            self._file.tell("rollback", held.note)

    def _accuse_of_fork(self, held: Seen, seen: Seen) -> None:
        log.error(
            "headquarters' ledger %s at size %d does not continue what it signed at %d: its history was rewritten",
            seen.log,
            seen.checkpoint.size,
            held.checkpoint.size,
        )
        if not self._file.is_told("fork", held.note):
            self._ledger.append(draft(HeadquartersFork(ledger=held.log, cosigned=held.note, shown=seen.note)))
            self._file.tell("fork", held.note)


class TreeStore(Protocol):
    """Headquarters' own ledger, as the answers to zones need it."""

    def published(self) -> tuple[str, int, str] | None:
        """(log, size, note) that stands on ``v1/hq/tree``; ``None`` before the first."""
        ...

    def own_root(self, log: str, size: int) -> bytes | None:
        """Root of that ledger at that size; ``None`` if it is unknown or was never so large."""
        ...

    def consistency(self, log: str, old: int, size: int) -> list[bytes]:
        """The consistency proof between two sizes that it has had."""
        ...

    def keep_cosignature(self, log: str, size: int, cosigner: str, note: str) -> None:
        """Keep a verified note with the cosignature; of each cosigner the largest is kept."""
        ...

    def contradicted(self, zone: str, log: str, note: str, detail: str) -> None:
        """A zone holds a checkpoint that headquarters signed and that its own ledger does not have: this database
        was restored from an old state. Its numbers are not given again: the ledger goes on in a new one."""
        ...


class TreeEnd:
    """Headquarters' answers to zones that hold it to its history."""

    def __init__(self, store: TreeStore, own: Sequence[VerifierKey], zone_keys: Mapping[str, VerifierKey]) -> None:
        """``own``: the keys that headquarters has signed with, the present one last."""
        self._store = store
        self._own = own
        self._zone_keys = zone_keys

    def answer(self, zone: str, said: Tree) -> list[bytes]:
        """Raises ``BadMessage`` when the zone's word is not its own, or is not about headquarters' word."""
        seen = Seen.open(said.checkpoint, self._own)
        key = self._zone_keys[zone].of_type(KeyType.COSIGNATURE)
        try:
            Note.parse(said.checkpoint).verify(key)
        except BadNote as wrong:
            raise BadMessage("wrong_signature", f"{wrong}; enrolled for zone {zone} is {key}") from wrong
        size, root = seen.checkpoint.size, seen.checkpoint.root
        if said.log != seen.log:
            raise BadMessage("wrong_origin", f"a tree of {seen.log} under the name {said.log}")
        known = self._store.own_root(seen.log, size)
        if known != root:
            here = "it is not that long" if known is None else "it has another root"
            detail = (
                f"zone {zone} holds headquarters' ledger {seen.log} at size {size} as headquarters signed it, but "
                f"here {here}: this database is an old one or another one"
            )
            log.error("%s", detail)
            self._store.contradicted(zone, seen.log, said.checkpoint, detail)
            return []
        self._store.keep_cosignature(seen.log, size, key.name, said.checkpoint)
        published = self._store.published()
        if published is None or published[0] != seen.log or published[1] <= size:
            return []
        hashes = self._store.consistency(seen.log, size, published[1])
        return [encode(Proof(seen.log, size, tuple(hashes), published[2]))]

"""How far one ledger of a zone is on its way to headquarters."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from ..errors import BadMessage, BadNote, WrongSignature
from ..ledger_file import LedgerFile
from ..merkle import verify_consistency
from ..note import Checkpoint, Note, VerifierKey, open_checkpoint

ROLLBACK_EVIDENCE = "ledger_rollback"
"""Kind of the evidence that headquarters has lines of a ledger that this disk does not have: its checkpoint."""


@dataclass(frozen=True, slots=True)
class Question:
    """How far has headquarters this ledger? What it had cosigned when it was asked, it must still have."""

    name: str
    log: str
    size: int
    """Headquarters proves that what it has continues this much of the ledger."""
    held: int
    note: str
    """The largest cosignature that the ledger then held, and its size."""


@dataclass(slots=True)
class Road:
    """One ledger, and what its zone believes of headquarters' copy."""

    file: LedgerFile
    end: int | None
    """Its last line that counts; ``None`` for the ledger that still grows."""
    held: int
    """Size of the largest cosignature that the ledger holds."""
    known: bool = False
    """Whether headquarters has answered since we asked how far it has this ledger."""
    cosigned: int = 0
    sent: int = 0
    pruned: bool = False
    """Whether headquarters lacks lines that were pruned here, behind its own older cosignature."""
    rewound_at: int = -1
    """What was cosigned when a gap made us send again; seven more batches behind the gap say the same."""
    on_the_way: deque[int] = field(default_factory=deque)
    """The size after each batch that is sent and not cosigned, oldest first."""
    forsaken: bool = False
    """Whether headquarters has signed lines that this disk does not have: it must not be written any more."""
    question: Question | None = None
    doubted: int | None = None
    """From this size on, headquarters may have other lines than we: so we ask about less than we have."""

    @classmethod
    def of(cls, file: LedgerFile, end: int | None) -> Road:
        """At the start of a zone's end: with what the ledger itself has kept."""
        road = cls(file, end, held=file.cosigned()[0])
        road.forsaken = end is None and any(
            kind == ROLLBACK_EVIDENCE and road._speaks_against(note) for kind, _, note in file.evidence()
        )
        return road

    def size(self) -> int:
        return self.file.size() if self.end is None else self.end

    def ask(self, name: str) -> Question:
        """The question of that name, the same however often it is put."""
        if self.question is None or self.question.name != name:
            size = self.size() if self.doubted is None else min(self.size(), self.doubted)
            self.question = Question(name, self.file.id, size, *self.file.cosigned())
        return self.question

    def doubt_more(self) -> None:
        """What we asked about is not the same on both sides. What headquarters has cosigned is, unless both were
        restored; the first line always is, unless somebody has our key."""
        asked = self.size() if self.question is None else self.question.size
        self.doubted = self.held if asked > self.held > 1 else min(asked - 1, 1)

    def rewind(self) -> None:
        self.sent = self.cosigned
        self.on_the_way.clear()

    def read(self, note: str, key: VerifierKey) -> Checkpoint:
        """The checkpoint of this ledger that headquarters cosigned with ``key``. Raises ``BadMessage``."""
        try:
            checkpoint = open_checkpoint(note, key)
        except WrongSignature as wrong:
            raise BadMessage(
                "wrong_signature", f"{wrong}; see [headquarters] verifier_key in zone.toml"
            ) from wrong
        except BadNote as bad:
            raise BadMessage("malformed", str(bad)) from bad
        if checkpoint.origin != self.file.identity.origin:
            raise BadMessage("wrong_origin", f"{checkpoint.origin} is cosigned, not {self.file.identity.origin}")
        return checkpoint

    def has(self, checkpoint: Checkpoint) -> bool:
        """Whether the ledger has had this tree."""
        return checkpoint.size <= self.file.size() and self.file.root(checkpoint.size) == checkpoint.root

    def shared_with(self, checkpoint: Checkpoint, proof: Sequence[bytes], asked: int) -> int | None:
        """How many lines are surely the same here and under that checkpoint; ``None`` if ``asked`` are not."""
        if self.has(checkpoint):
            return checkpoint.size
        mine = self.file.root(asked)
        same = verify_consistency(asked, checkpoint.size, proof, mine, checkpoint.root)
        return asked if same else None

    def _speaks_against(self, note: bytes) -> bool:
        try:
            checkpoint = Checkpoint.parse(Note.parse(note.decode()).text)
        except (BadNote, UnicodeDecodeError):
            return False
        return checkpoint.origin == self.file.identity.origin and not self.has(checkpoint)

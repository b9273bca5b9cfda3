"""What the simulator itself knows, beside the two ends: what was written, what a restored disk undid, what was
acknowledged, and which rollbacks somebody saw. At the end both ends are held against it (``promises``)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sync.errors import LedgerError
from sync.note import Checkpoint, Note
from sync.protocol.messages import Ack, Batch, Hello, Status, decode

from .disk import Image
from .machines import HEADQUARTERS_KEY, ZoneMachine


@dataclass(frozen=True)
class ZoneImage:
    """A backup of the zone's disk, and which events are on it."""

    disk: Image
    present: frozenset[str]


@dataclass(frozen=True)
class CentralImage:
    """A backup of headquarters' disk, and the lines of each ledger that are on it."""

    disk: Image
    lines: Mapping[str, tuple[bytes, ...]]


@dataclass
class Books:
    present: set[str] = field(default_factory=set)
    """Events that the zone must have: written and not undone by a restored disk."""
    stored: dict[str, tuple[bytes, ...]] = field(default_factory=dict)
    """Lines of each ledger that headquarters was seen to have; it may only add to them."""
    acknowledged: dict[str, int] = field(default_factory=dict)
    """How much of each ledger headquarters has given its word for, as far as it was not restored since."""
    diverged: set[str] = field(default_factory=set)
    """Ledgers of which the zone was told what its disk does not have: it must not go on in them."""
    rolled_back: dict[str, str] = field(default_factory=dict)
    """Of a ledger: the cosignature that the zone held when it saw that headquarters had fallen behind it."""
    unwritable: set[str] = field(default_factory=set)
    """Those of ``rolled_back`` that the zone had no room to write down when it saw them."""
    asked: str | None = None
    """The zone's last question: only what answers it says where headquarters is now."""
    held: dict[str, tuple[int, str]] = field(default_factory=dict)
    """(size, note) of the cosignature of each ledger that the zone held when it asked."""

    def sent(self, zone: ZoneMachine, message: bytes) -> None:
        """The zone sends a message."""
        word = decode(message)
        if isinstance(word, Hello):
            if word.ask != self.asked:
                self.asked = word.ask
                self.held.clear()
            for file in zone.files():
                self.held.setdefault(file.id, file.cosigned())

    def zone_restored(self, image: ZoneImage) -> None:
        self.present = set(image.present)
        # It knows no more what it has seen, unless it sees it again.
        self.diverged.clear()
        self.rolled_back.clear()
        self.unwritable.clear()

    def zone_off(self) -> None:
        """It knows what it was told only if it came to write it down."""
        self.diverged.clear()

    def central_restored(self, image: CentralImage) -> None:
        self.stored = dict(image.lines)
        for log in self.acknowledged:
            self.acknowledged[log] = min(self.acknowledged[log], len(image.lines.get(log, ())))

    def answered(self, message: bytes) -> None:
        """Headquarters gives its word."""
        word = decode(message)
        assert isinstance(word, Ack | Status)
        checkpoint = _checkpoint(word.checkpoint)
        self.acknowledged[word.log] = max(checkpoint.size, self.acknowledged.get(word.log, 0))

    def told(self, zone: ZoneMachine, message: bytes) -> set[str]:
        """What the zone is about to learn, as words for what is rare about it."""
        word = decode(message)
        assert isinstance(word, Ack | Status)
        checkpoint = _checkpoint(word.checkpoint)
        try:
            return set(self._told(zone, word, checkpoint))
        except LedgerError:
            return set()

    def _told(self, zone: ZoneMachine, word: Ack | Status, checkpoint: Checkpoint) -> list[str]:
        newest, _ = zone.ledger.spans()[-1]
        file = next((file for file in zone.files() if file.id == word.log), None)
        if file is None:
            return ["the zone heard of a ledger that its disk does not have"]
        if checkpoint.size > file.size() or file.root(checkpoint.size) != checkpoint.root:
            answers = isinstance(word, Status) and word.ask == self.asked
            if answers and file.id in self.unwritable and checkpoint.size >= self.held[file.id][0]:
                # Headquarters was set forward again before there was room: nothing proves now that it fell back.
                del self.rolled_back[file.id]
                self.unwritable.discard(file.id)
            if file is not newest:
                return ["of a closed ledger headquarters has another end"]
            if answers and not zone.disk.full:
                self.diverged.add(file.id)
            return ["the zone heard of lines that its disk does not have"]
        if isinstance(word, Ack):
            return ["an acknowledgement came that was overtaken"] if checkpoint.size < file.cosigned()[0] else []
        if word.ask != self.asked:
            return ["a status came that answers nothing that was asked"] if word.ask else []
        held, note = self.held[file.id]
        self.unwritable.discard(file.id)
        if checkpoint.size >= held:
            self.rolled_back.pop(file.id, None)
            return []
        if _time_s(word.checkpoint) < _time_s(note):
            # By its own words it was not behind: nothing that the zone could put on record proves it.
            self.rolled_back.pop(file.id, None)
            return ["headquarters was behind, but its clock was set back"]
        self.rolled_back[file.id] = note
        if zone.disk.full:
            self.unwritable.add(file.id)
        return ["headquarters was behind its own cosignature"]


def _time_s(note: str) -> int:
    return Note.parse(note).verify(HEADQUARTERS_KEY.verifier) or 0


def described(message: bytes) -> str:
    """A message in a few words, for the trace."""
    word = decode(message)
    match word:
        case Hello(logs):
            return "hello " + ", ".join(f"{log[:4]} {_size(note)}" for log, note in logs)
        case Batch(log, first, note, lines):
            return f"batch {log[:4]} {first}-{first + len(lines) - 1} of {_size(note)}"
        case Status(log, note) | Ack(log, note):
            return f"{type(word).__name__.lower()} {log[:4]} {_size(note)}"
    return type(word).__name__.lower()


def _size(note: str) -> int:
    return _checkpoint(note).size


def _checkpoint(note: str) -> Checkpoint:
    return Checkpoint.parse(Note.parse(note).text)

"""What always holds of a zone's ledger, numbered, and the check of it at three levels of cost.

*quick* reads a few dozen rows whatever the size; *normal* reads every line and hashes it; *full* also reads what
the lines say, verifies headquarters' signature and lets SQLite check its own pages. It may run while others
append: what is checked of a ledger is what was there when the check came to it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum, StrEnum

from custody.events import EventError, LedgerOpened, check_data, parse_line

from .errors import BadNote, LedgerDamaged
from .ledger import BRANCH, Ledger
from .ledger_file import SUFFIX, LedgerFile
from .merkle import HASH_BYTES, CompactRange, leaf_hash, subtree_count
from .note import Checkpoint, Note, VerifierKey, open_checkpoint


class Level(IntEnum):
    """How much is read; each level includes the one before."""

    QUICK = 0
    NORMAL = 1
    FULL = 2


class Invariant(StrEnum):
    """Name and promise of each invariant; ``LEVEL`` says from which level on it is checked."""

    L1 = "a ledger's file is named after it"
    L2 = "the newest line stands in the tree, and the tree's right edge is whole"
    L3 = "what headquarters cosigned is no more than there is, and has the same root"
    L4 = "a ledger that another one follows is closed, and cited with its size and root"
    L5 = "the lines are numbered from 1 on without a gap"
    L6 = "every stored hash is that of the bytes, or of the two hashes, below it"
    L7 = "no line is pruned that headquarters had not cosigned"
    L8 = "every line is an event of this zone and ledger, at the place that it names, true to its schema"
    L9 = "no two lines that count have the same event id"
    L10 = "the cosignatures that are held are by headquarters' key"
    L11 = "every table is there, and SQLite finds its own pages and indexes in order"


LEVEL = {
    Invariant.L1: Level.QUICK,
    Invariant.L2: Level.QUICK,
    Invariant.L3: Level.QUICK,
    Invariant.L4: Level.QUICK,
    Invariant.L5: Level.NORMAL,
    Invariant.L6: Level.NORMAL,
    Invariant.L7: Level.NORMAL,
    Invariant.L8: Level.FULL,
    Invariant.L9: Level.FULL,
    Invariant.L10: Level.FULL,
    Invariant.L11: Level.FULL,
}


@dataclass(frozen=True, slots=True)
class Breach:
    """An invariant that does not hold: in which ledger, at which line (``None``: the file), and what is found."""

    invariant: Invariant
    ledger: str
    sequence: int | None
    detail: str


def check(ledger: Ledger, level: Level, *headquarters: VerifierKey) -> Iterator[Breach]:
    """Every breach, oldest ledger first; nothing when all is in order. Reads in portions, never all at once.

    ``headquarters``: the key of [headquarters] verifier_key in zone.toml and those that it leads to; without any,
    L10 is not checked.
    """
    ids: dict[str, tuple[str, int]] = {}
    chain, branches = ledger.spans(), ledger.branches()
    by_id = {file.id: file for file, _ in chain}
    # Of a branch no line counts: each stands in the chain too.
    for file, last in (*chain, *((branch, 0) for branch in branches)):
        try:
            size = file.size()
            yield from _quick(file, size)
            old = by_id.get(file.identity.follows or "")
            if old is not None:
                yield from _follows(file, old, branches=file in branches)
            if level >= Level.NORMAL:
                yield from _lines(file, size, last, ids if level >= Level.FULL else None)
            if level >= Level.FULL:
                yield from _cosignatures(file, headquarters)
                yield from _pages(file)
        except LedgerDamaged as damaged:
            yield Breach(Invariant.L11, file.id, None, str(damaged))


# Quick


def _quick(file: LedgerFile, size: int) -> Iterator[Breach]:
    if file.path.name not in (file.id + SUFFIX, file.id + BRANCH):
        yield Breach(Invariant.L1, file.id, None, f"it lies in {file.path.name}")
    try:
        file.root(size)
    except LedgerDamaged as damaged:
        yield Breach(Invariant.L2, file.id, size, str(damaged))
        return
    if size == 0:
        yield Breach(Invariant.L2, file.id, None, "there is no line, not even its ledger.opened")
        return
    ((_, line, hashes),) = file.rows(size, 1)
    if line and leaf_hash(line) != hashes[:HASH_BYTES]:
        yield Breach(Invariant.L2, file.id, size, "the newest line is not the one that was hashed")
    note = file.cosigned()[1]
    if note:
        yield from _agrees(file, size, note, Invariant.L3)


def _agrees(file: LedgerFile, size: int, note: str, invariant: Invariant) -> Iterator[Breach]:
    """Whether the tree is the one that a cosigned checkpoint names."""
    try:
        cosigned = Checkpoint.parse(Note.parse(note).text)
    except BadNote as bad:
        yield Breach(invariant, file.id, None, f"the checkpoint that is held cannot be read: {bad}")
        return
    if cosigned.origin != file.identity.origin:
        yield Breach(invariant, file.id, None, f"the checkpoint that is held is of {cosigned.origin}")
    elif cosigned.size > size:
        yield Breach(invariant, file.id, size, f"headquarters cosigned {cosigned.size} lines, there are {size}")
    else:
        try:
            root = file.root(cosigned.size)
        except LedgerDamaged as damaged:
            yield Breach(invariant, file.id, cosigned.size, str(damaged))
            return
        if root != cosigned.root:
            yield Breach(invariant, file.id, cosigned.size, "the root is another than the one that was cosigned")


def _follows(file: LedgerFile, old: LedgerFile, *, branches: bool) -> Iterator[Breach]:
    """What a ledger says of the one that it follows, or branches off, which is here too."""
    cited_size = file.identity.follows_size or 0
    succession = old.succession()
    if not branches and (succession is None or (succession.id, succession.size) != (file.id, cited_size)):
        yield Breach(Invariant.L4, old.id, None, f"it does not say that {file.id} follows it from {cited_size} on")
    if cited_size > old.size():
        yield Breach(Invariant.L4, file.id, 1, f"it cites {cited_size} lines of {old.id}, which has {old.size()}")
        return
    found = file.lines(1, 1)
    try:
        cited = parse_line(found[0]).data["follows"] if found else None
    except (EventError, KeyError) as error:
        yield Breach(Invariant.L4, file.id, 1, f"its first line does not say which ledger it follows: {error}")
        return
    expected = {"ledger": old.id, "size": cited_size, "root": old.root(cited_size).hex()}
    if cited != expected:
        yield Breach(Invariant.L4, file.id, 1, f"it cites {cited}, expected {expected}")


# Normal


def _lines(
    file: LedgerFile, size: int, last: int | None, ids: dict[str, tuple[str, int]] | None
) -> Iterator[Breach]:
    tree = CompactRange()
    prunings = file.prunings()
    cosigned_size = max((one.cosigned_size for one in prunings), default=0)
    for one in prunings:
        yield from _agrees(file, size, one.cosigned, Invariant.L7)
    for sequence, line, hashes in file.all_rows(size):
        if sequence != tree.size + 1:
            yield Breach(Invariant.L5, file.id, sequence, f"the line before it is {tree.size}")
            return
        if len(hashes) != HASH_BYTES * subtree_count(sequence):
            yield Breach(
                Invariant.L6, file.id, sequence, f"{len(hashes)} bytes of hashes, not of each subtree it ends"
            )
            return
        tree, (expected,) = tree.grown([leaf_hash(line) if line else hashes[:HASH_BYTES]])
        if expected != hashes:
            yield Breach(Invariant.L6, file.id, sequence, "line and hashes do not belong together")
            return
        if not line and sequence > cosigned_size:
            yield Breach(Invariant.L7, file.id, sequence, f"it is pruned; {cosigned_size} lines were cosigned")
        if line and ids is not None:
            yield from _says(file, sequence, line, ids, counts=last is None or sequence <= last)
    if tree.size != size:
        yield Breach(Invariant.L5, file.id, size, f"the lines end at {tree.size}")


# Full


def _says(
    file: LedgerFile, sequence: int, line: bytes, ids: dict[str, tuple[str, int]], *, counts: bool
) -> Iterator[Breach]:
    try:
        event = parse_line(line)
        check_data(event.type, event.data)
    except EventError as error:
        yield Breach(Invariant.L8, file.id, sequence, str(error))
        return
    said = (event.zone, event.ledger, event.sequence)
    if said != (file.identity.zone, file.id, sequence):
        yield Breach(Invariant.L8, file.id, sequence, f"it names zone, ledger and place {said}")
    if (event.type == LedgerOpened.TYPE) != (sequence == 1):
        yield Breach(Invariant.L8, file.id, sequence, f"it is a {event.type}")
    if counts:
        first = ids.setdefault(event.id, (file.id, sequence))
        if first != (file.id, sequence):
            yield Breach(
                Invariant.L9, file.id, sequence, f"line {first[1]} of {first[0]} has the same id {event.id}"
            )


def _cosignatures(file: LedgerFile, headquarters: tuple[VerifierKey, ...]) -> Iterator[Breach]:
    if not headquarters:
        return
    for note in [file.cosigned()[1], *(one.cosigned for one in file.prunings())]:
        try:
            if note:
                signed = Note.parse(note).signed_by
                open_checkpoint(note, next((key for key in headquarters if signed(key)), headquarters[0]))
        except BadNote as bad:
            yield Breach(Invariant.L10, file.id, None, str(bad))


def _pages(file: LedgerFile) -> Iterator[Breach]:
    for found in file.integrity():
        yield Breach(Invariant.L11, file.id, None, found)

"""Proof for a court that a line stands in a ledger: one text file, checked offline with public keys alone.

The form is c2sp.org/tlog-proof. The line itself lies in ``extra``, so that the file needs nothing beside it::

    c2sp.org/tlog-proof@v1
    extra eyJzcGVjdmVyc2lvbiI6IjEuMCIsImlkIjoi…        the event line, base64
    index 1234                                         its sequence less one
    gSKyXoYZUgZ6jduWYrkDOARinOMGJveXjgMkBTcdPlQ=       the path from its leaf to the root (RFC 9162)
    B95lDa8R83lS8n0eG+o0buTxRKQTYFi//1U8anccXmA=

    fourmusts/nz01/9f2c61d07a3be845                    the checkpoint, signed by the zone
    1500                                               and cosigned by headquarters and other witnesses
    sFodV/vSp5O8n9a8QpW6PRY97tfOSW5bsc2Xl/EQi08=

    — fourmusts/nz01 hI2DJw…
    — fourmusts/hq mJirIklj…
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from custody.events import Event, MalformedLine, parse_line

from .errors import BadNote, SyncError, WrongSignature
from .keys import HEADQUARTERS_NAME
from .ledger import Ledger
from .merkle import HASH_BYTES, inclusion_proof, leaf_hash, verify_inclusion
from .note import Checkpoint, KeyType, Note, VerifierKey, from_base64, to_base64

HEADER = "c2sp.org/tlog-proof@v1"
PATH_MAX = 63
"""No tree that can be has a longer path (as c2sp.org/tlog-witness limits its proofs)."""
_INDEX = re.compile(r"index (0|[1-9][0-9]{0,18})")


class ProofRefused(SyncError):
    """A proof that cannot be read or does not prove; the text says at which line and why."""


class NotProvable(SyncError):
    """A line for which there is no proof (yet)."""


@dataclass(frozen=True, slots=True)
class Proof:
    """As in the file. ``extra`` is the event line, or nothing when that travels by itself."""

    extra: bytes | None
    index: int
    path: tuple[bytes, ...]
    checkpoint: str

    def text(self) -> str:
        extra = [] if self.extra is None else [f"extra {to_base64(self.extra)}"]
        lines = [HEADER, *extra, f"index {self.index}", *map(to_base64, self.path), "", ""]
        return "\n".join(lines) + self.checkpoint

    @classmethod
    def parse(cls, text: str) -> Proof:
        """Raises ``ProofRefused`` unless it is a tlog-proof in its one canonical form."""
        head, separator, checkpoint = text.partition("\n\n")
        lines = head.split("\n")
        if lines[0] != HEADER:
            raise ProofRefused(
                f"line 1: {lines[0]!r:.60}, expected {HEADER}: this is no proof, or of a later form"
            )
        if not separator:
            raise ProofRefused(
                f"line {len(lines)}: the file ends without a checkpoint; it was cut off, get it again"
            )
        place, extra = 1, None
        if lines[1:] and lines[1].startswith("extra "):
            extra = _decoded(lines[1].removeprefix("extra "), 2)
            place = 2
        found = _INDEX.fullmatch(lines[place]) if len(lines) > place else None
        if found is None:
            raise ProofRefused(f"line {place + 1}: expected 'index' and a decimal number")
        path = [_decoded(line, number) for number, line in enumerate(lines[place + 1 :], place + 2)]
        for number, step in enumerate(path, place + 2):
            if len(step) != HASH_BYTES:
                raise ProofRefused(f"line {number}: a hash of {len(step)} bytes, expected {HASH_BYTES}")
        if len(path) > PATH_MAX:
            raise ProofRefused(f"line {place + 2 + PATH_MAX}: a path of more than {PATH_MAX} hashes")
        return cls(extra, int(found[1]), tuple(path), checkpoint)


@dataclass(frozen=True, slots=True)
class Signer:
    """Whose signature on the checkpoint was verified; ``time_s`` (POSIX) of a cosignature, none of the owner's."""

    key: VerifierKey
    time_s: int | None


@dataclass(frozen=True, slots=True)
class Proven:
    """What a proof proves: this line stands at this place of the ledger whose checkpoint these keys signed."""

    line: bytes
    checkpoint: Checkpoint
    sequence: int
    signers: tuple[Signer, ...]

    @property
    def event(self) -> Event:
        """The line read. Raises ``ProofRefused`` if it names another place than the proven one."""
        try:
            event = parse_line(self.line)
        except MalformedLine as error:
            raise ProofRefused(f"the line stands in the ledger, but is no event: {error}") from error
        owner, _, log = self.checkpoint.origin.rpartition("/")
        said = (event.zone, event.ledger, event.sequence)
        if said != (owner.rpartition("/")[2], log, self.sequence):
            place = f"line {self.sequence} of {self.checkpoint.origin}"
            raise ProofRefused(
                f"the line says that it is line {said[2]} of {said[0]}/{said[1]}, but it is {place}"
            )
        return event


def verify_proof(
    proof: Proof, keys: Iterable[VerifierKey], *, line: bytes | None = None, witnesses: int | None = None
) -> Proven:
    """Check a proof against public keys. Raises ``ProofRefused`` saying what does not hold and what is missing.

    ``line`` is for proofs that do not carry it. ``witnesses``: how many others than the ledger's owner must have
    cosigned; by default one (headquarters), and none for headquarters' own ledger.
    """
    leaf = proof.extra if line is None else line
    if leaf is None:
        raise ProofRefused("the proof does not carry its line; give it with --event FILE")
    checkpoint, signers = verify_checkpoint(proof.checkpoint, keys, witnesses=witnesses)
    if not verify_inclusion(leaf_hash(leaf), proof.index, checkpoint.size, proof.path, checkpoint.root):
        raise ProofRefused(
            f"the line is not line {proof.index + 1} of {checkpoint.origin} as it was signed at size "
            f"{checkpoint.size}: line, index or path were changed. Get the proof again from the ledger"
        )
    return Proven(leaf, checkpoint, proof.index + 1, signers)


def verify_checkpoint(
    note: str, keys: Iterable[VerifierKey], *, witnesses: int | None = None
) -> tuple[Checkpoint, tuple[Signer, ...]]:
    """The checkpoint in a note and who signed it, of these keys. Raises ``ProofRefused``."""
    try:
        opened = Note.parse(note)
        checkpoint = Checkpoint.parse(opened.text)
    except BadNote as bad:
        raise ProofRefused(f"the checkpoint cannot be read: {bad}") from bad
    owner = checkpoint.origin.rpartition("/")[0]
    signers: list[Signer] = []
    for key in _both_types(keys):
        if opened.signed_by(key):
            try:
                signers.append(Signer(key, opened.verify(key)))
            except WrongSignature as wrong:
                raise ProofRefused(f"the checkpoint was changed, or is forged: {wrong}") from wrong
    names = ", ".join(sorted({f"{one.name} ({one.key_id.hex()})" for one in opened.signatures}))
    if not any(signer.key.name in (owner, checkpoint.origin) for signer in signers):
        raise ProofRefused(
            f"none of the given keys is that of {owner}, whose ledger this is; the checkpoint bears signatures by "
            f"{names}. Give the owner's verifier key with --key, as headquarters pinned it in central.toml"
        )
    others = {signer.key.name for signer in signers} - {owner, checkpoint.origin}
    wanted = witnesses if witnesses is not None else int(owner.rpartition("/")[2] != HEADQUARTERS_NAME)
    if len(others) < wanted:
        raise ProofRefused(
            f"{len(others)} of the given keys have cosigned the checkpoint, {wanted} must have; it bears "
            f"signatures by {names}. Give headquarters' verifier key with --key, as it stands in zone.toml, "
            "or the later one if it was exchanged (fourmusts keys show)"
        )
    return checkpoint, tuple(signers)


def prove(ledger: Ledger, event_id: str) -> Proof:
    """The proof of an event from a zone's ledger, under the newest cosignature held. Raises ``NotProvable``."""
    wanted = event_id.encode()
    for file, last in reversed(ledger.spans()):
        for line in file.all_lines(1, last):
            if wanted not in line or (event := parse_line(line)).id != event_id:
                continue
            sequence = event.sequence  # not a count of the lines: some may be pruned
            size, note = file.cosigned()
            if size < sequence:
                raise NotProvable(
                    f"{file.path}: {event_id} is line {sequence}, headquarters has cosigned {size}. Once the link "
                    "has carried it there (the panel shows what waits), ask again"
                )
            path = inclusion_proof(file.subtree, sequence - 1, size)
            return Proof(line, sequence - 1, tuple(path), note)
    raise NotProvable(
        f"{ledger.directory}: no line has the id {event_id}. Look the id up on the panel or with fourmusts judge; "
        "lines that were pruned here are proven from headquarters: fourmusts central proof"
    )


def read_keys(given: Sequence[str]) -> list[VerifierKey]:
    """Verifier keys given as themselves or as files with some in them: one a line, a zone.toml or a central.toml.

    Lines that begin with # do not count. Raises ``BadNote``.
    """
    found: list[VerifierKey] = []
    for one in given:
        if "+" in one and not Path(one).exists():
            found.append(VerifierKey.parse(one))
            continue
        try:
            text = Path(one).read_text()
        except (OSError, UnicodeDecodeError) as error:
            raise BadNote(f"{one}: neither a verifier key nor a file with some: {error}") from error
        lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
        keys = [VerifierKey.parse(word) for line in lines for word in _KEY.findall(line)]
        if not keys:
            raise BadNote(f"{one}: there is no verifier key in this file (name+8 hex digits+base64)")
        found += keys
    return found


_KEY = re.compile(r"[^\s+\"'=]+\+[0-9a-f]{8}\+[A-Za-z0-9+/]{44}")


def _both_types(keys: Iterable[VerifierKey]) -> Iterable[VerifierKey]:
    """A zone signs its own checkpoints and cosigns headquarters' with one key, under two ids."""
    for key in dict.fromkeys(keys):
        yield key
        if key.type is KeyType.NOTE:
            yield key.of_type(KeyType.COSIGNATURE)


def _decoded(text: str, number: int) -> bytes:
    try:
        return from_base64(text, f"line {number}")
    except BadNote as bad:
        raise ProofRefused(f"{bad}: the file was damaged on its way; get it again") from bad

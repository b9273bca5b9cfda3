"""Signed notes, checkpoints and cosignatures, byte for byte as C2SP specifies them, so that any witness can join.

A cosigned checkpoint looks like this: origin, size and root of the tree; the zone's signature over these three
lines (c2sp.org/signed-note, c2sp.org/tlog-checkpoint); headquarters' cosignature, which says that at that second
this was the largest consistent tree it had seen (c2sp.org/tlog-cosignature, ``cosignature/v1``)::

    fourmusts/nz01/9f2c61d07a3be845
    1235
    CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

    — fourmusts/nz01 Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
    — fourmusts/hq jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xU…

Parsers take the one canonical form only: two different texts must never mean the same.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass, field
from enum import IntEnum

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from .errors import BadNote, WrongSignature
from .merkle import HASH_BYTES

SIGNATURES_MAX = 100
"""c2sp.org/signed-note: at least 16 must be accepted, Go's takes 100; twenty-seven zones cosign one tree."""
KEY_BYTES = 32
SIGNATURE_BYTES = 64
_STAMP_BYTES = 8
_SEPARATOR = "\n\n"
_DASH = "\N{EM DASH} "
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")
_NAME = re.compile(r"[^\s+]+")
_HASH = re.compile(r"[0-9a-f]{8}")
_SIZE = re.compile(r"0|[1-9][0-9]{0,18}")


class KeyType(IntEnum):
    """Signature types of c2sp.org/signed-note that we use."""

    NOTE = 0x01
    """Ed25519 over the text."""
    COSIGNATURE = 0x04
    """Ed25519 over the text with a time before it (``cosignature/v1``)."""


@dataclass(frozen=True)
class VerifierKey:
    """A public key with its name: ``<name>+<key id, 8 hex digits>+<base64 of type and key>``."""

    name: str
    type: KeyType
    key: bytes
    _public: Ed25519PublicKey = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise BadNote(f"the key name {self.name!r} is empty or has a space or a plus sign in it")
        if len(self.key) != KEY_BYTES:
            raise BadNote(f"the key of {self.name} has {len(self.key)} bytes, an Ed25519 key has {KEY_BYTES}")
        object.__setattr__(self, "_public", Ed25519PublicKey.from_public_bytes(self.key))

    @classmethod
    def parse(cls, text: str) -> VerifierKey:
        """Raises ``BadNote`` unless ``text`` is a verifier key of a type that we know."""
        parts = text.split("+", 2)
        if len(parts) != 3 or not _HASH.fullmatch(parts[1]):
            raise BadNote(f"{text!r} is no verifier key (name+8 hex digits+base64); copy the whole line")
        material = from_base64(parts[2], "the key")
        if len(material) != 1 + KEY_BYTES or material[0] not in list(KeyType):
            raise BadNote(f"the verifier key of {parts[0]!r} is not an Ed25519 key of type 0x01 or 0x04")
        key = cls(parts[0], KeyType(material[0]), material[1:])
        if key.id.hex() != parts[1]:
            raise BadNote(f"the verifier key of {parts[0]!r} is damaged: its id is not the digest of name and key")
        return key

    @property
    def id(self) -> bytes:
        """First four bytes of SHA-256(name ‖ 0x0A ‖ type ‖ key)."""
        return hashlib.sha256(self.name.encode() + b"\n" + bytes([self.type]) + self.key).digest()[:4]

    def __str__(self) -> str:
        return f"{self.name}+{self.id.hex()}+{to_base64(bytes([self.type]) + self.key)}"

    def of_type(self, type_: KeyType) -> VerifierKey:
        """The same key for the other signature type; it has another id."""
        return VerifierKey(self.name, type_, self.key)

    def verify(self, message: bytes, signature: bytes) -> None:
        """A bare Ed25519 signature over ``message``. Raises ``WrongSignature``."""
        try:
            self._public.verify(signature, message)
        except InvalidSignature:
            raise WrongSignature(f"the signature by {self.name} does not verify") from None


@dataclass(frozen=True)
class SigningKey:
    """The private half of a ``VerifierKey``."""

    verifier: VerifierKey
    _private: Ed25519PrivateKey = field(repr=False)

    @classmethod
    def generate(cls, name: str, type_: KeyType) -> SigningKey:
        return cls._of(name, type_, Ed25519PrivateKey.generate())

    @classmethod
    def parse(cls, text: str) -> SigningKey:
        """Reads what ``encode`` wrote; raises ``BadNote``."""
        prefix, parts = "PRIVATE+KEY+", text.strip().removeprefix("PRIVATE+KEY+").split("+", 2)
        if not text.startswith(prefix) or len(parts) != 3:
            raise BadNote("not a private note key (PRIVATE+KEY+name+id+base64)")
        material = from_base64(parts[2], "the private key")
        if len(material) != 1 + KEY_BYTES or material[0] not in list(KeyType):
            raise BadNote("not a private Ed25519 key of type 0x01 or 0x04")
        key = cls._of(parts[0], KeyType(material[0]), Ed25519PrivateKey.from_private_bytes(material[1:]))
        if key.verifier.id.hex() != parts[1]:
            raise BadNote("the private key is damaged: its id is not the digest of name and key")
        return key

    @classmethod
    def _of(cls, name: str, type_: KeyType, private: Ed25519PrivateKey) -> SigningKey:
        return cls(VerifierKey(name, type_, private.public_key().public_bytes_raw()), private)

    def of_type(self, type_: KeyType) -> SigningKey:
        """The same key for the other signature type. What the two sign begins differently, so neither can be taken
        for the other: a cosigned text with ``cosignature/v1`` alone on its line, a checkpoint with an origin.
        """
        return SigningKey(self.verifier.of_type(type_), self._private)

    def encode(self) -> str:
        """``PRIVATE+KEY+<name>+<id>+<base64 of type and seed>``, as Go's sumdb tools write it."""
        material = to_base64(bytes([self.verifier.type]) + self._private.private_bytes_raw())
        return f"PRIVATE+KEY+{self.verifier.name}+{self.verifier.id.hex()}+{material}"

    def sign(self, message: bytes) -> bytes:
        """A bare Ed25519 signature. Whoever signs bare bytes gives them a prefix of their own."""
        return self._private.sign(message)

    def sign_note(self, text: str) -> str:
        """The signature line of a note. Only for keys of type ``NOTE``."""
        if self.verifier.type is not KeyType.NOTE:
            raise ValueError(f"{self.verifier.name} cosigns, it does not sign notes")
        return self._line(self._private.sign(text.encode()))

    def cosign(self, text: str, time_s: int) -> str:
        """The cosignature line of a checkpoint at that POSIX time. Only for keys of type ``COSIGNATURE``."""
        if self.verifier.type is not KeyType.COSIGNATURE:
            raise ValueError(f"{self.verifier.name} signs notes, it does not cosign")
        stamp = time_s.to_bytes(_STAMP_BYTES, "big")
        return self._line(stamp + self._private.sign(_cosigned_message(text, time_s)))

    def _line(self, signature: bytes) -> str:
        return f"{_DASH}{self.verifier.name} {to_base64(self.verifier.id + signature)}\n"


@dataclass(frozen=True, slots=True)
class NoteSignature:
    name: str
    key_id: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class Note:
    """A signed note as read; its text means nothing before ``verify``."""

    text: str
    signatures: tuple[NoteSignature, ...]

    @classmethod
    def parse(cls, note: str) -> Note:
        """Raises ``BadNote`` unless it is a signed note in its canonical form."""
        if _CONTROL.search(note):
            raise BadNote("the note has control characters in it")
        text, separator, lines = note.rpartition(_SEPARATOR)
        if not separator or not text or not lines.endswith("\n"):
            raise BadNote("the note has no signatures after an empty line")
        signed = [_parse_signature(line) for line in lines[:-1].split("\n")]
        if len(signed) > SIGNATURES_MAX:
            raise BadNote(f"the note has {len(signed)} signatures, at most {SIGNATURES_MAX} are read")
        return cls(text + "\n", tuple(signed))

    def signed_by(self, key: VerifierKey) -> bool:
        """Whether there is a signature under this key's name and id; whether it is right only ``verify`` says."""
        return any((found.name, found.key_id) == (key.name, key.id) for found in self.signatures)

    def verify(self, key: VerifierKey) -> int | None:
        """Whether ``key`` signed the text: the POSIX time of a cosignature, ``None`` for a plain signature.

        Raises ``WrongSignature`` if it did not, or if one of the signatures under its name and id is wrong.
        """
        matching = [found for found in self.signatures if (found.name, found.key_id) == (key.name, key.id)]
        if not matching:
            raise WrongSignature(f"the note is not signed by {key.name} ({key.id.hex()})")
        times = [_verify_one(key, self.text, found.signature) for found in matching]
        return times[-1]


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """How large a ledger is and the root of its tree: the three lines of c2sp.org/tlog-checkpoint."""

    origin: str
    size: int
    root: bytes

    def text(self) -> str:
        return f"{self.origin}\n{self.size}\n{to_base64(self.root)}\n"

    @classmethod
    def parse(cls, text: str) -> Checkpoint:
        """Raises ``BadNote`` unless it is exactly three canonical lines (extension lines cannot be audited)."""
        lines = text.split("\n")
        if len(lines) != 4 or lines[3] or not lines[0]:
            raise BadNote("a checkpoint has exactly three lines: origin, size, root")
        if not _SIZE.fullmatch(lines[1]):
            raise BadNote(f"the size {lines[1]!r} of the checkpoint is not a plain decimal number")
        root = from_base64(lines[2], "the root")
        if len(root) != HASH_BYTES:
            raise BadNote(f"the root of the checkpoint has {len(root)} bytes, not {HASH_BYTES}")
        return cls(lines[0], int(lines[1]), root)

    def signed(self, *keys: SigningKey) -> str:
        """The checkpoint as a note signed by each of these."""
        text = self.text()
        return f"{text}\n{''.join(key.sign_note(text) for key in keys)}"


def open_checkpoint(note: str, key: VerifierKey) -> Checkpoint:
    """The checkpoint in a note that ``key`` signed or cosigned. Raises ``BadNote``, ``WrongSignature``."""
    opened = Note.parse(note)
    opened.verify(key)
    return Checkpoint.parse(opened.text)


def cosigned_at_s(note: str, key: VerifierKey) -> int:
    """When ``key`` cosigned, POSIX seconds by the cosigner's clock. Raises ``BadNote``, ``WrongSignature``."""
    time_s = Note.parse(note).verify(key)
    if time_s is None:
        raise BadNote(f"{key.name} signed this note, it did not cosign it")
    return time_s


def cosigned(note: str, key: SigningKey, time_s: int) -> str:
    """A checkpoint's note with one more line: the cosignature by ``key``."""
    text = note.rpartition(_SEPARATOR)[0] + "\n"
    return note + key.cosign(text, time_s)


def only_cosigned(checkpoint: Checkpoint, key: SigningKey, time_s: int) -> str:
    """A checkpoint with a cosignature alone, for a tree that nobody has signed yet (size 0)."""
    text = checkpoint.text()
    return f"{text}\n{key.cosign(text, time_s)}"


def split_note(note: str) -> tuple[str, list[str]]:
    """(text, signature lines) of a note, unread: for who passes signatures on. Raises ``BadNote``."""
    text, separator, lines = note.rpartition(_SEPARATOR)
    if not separator or not lines.endswith("\n"):
        raise BadNote("the note has no signatures after an empty line")
    return text + "\n", lines.splitlines(keepends=True)


def cosigned_by(note: str, name: str) -> list[str]:
    """The signature lines in a note under that name, unread. Raises ``BadNote``."""
    return [line for line in split_note(note)[1] if line.startswith(f"{_DASH}{name} ")]


def _cosigned_message(text: str, time_s: int) -> bytes:
    return f"cosignature/v1\ntime {time_s}\n{text}".encode()


def _verify_one(key: VerifierKey, text: str, signature: bytes) -> int | None:
    if key.type is KeyType.NOTE:
        key.verify(text.encode(), signature)
        return None
    if len(signature) != _STAMP_BYTES + SIGNATURE_BYTES:
        raise WrongSignature(f"the cosignature by {key.name} has {len(signature)} bytes, not 72")
    time_s = int.from_bytes(signature[:_STAMP_BYTES], "big")
    if time_s >= 2**63:
        raise WrongSignature(f"the cosignature by {key.name} has an impossible time")
    key.verify(_cosigned_message(text, time_s), signature[_STAMP_BYTES:])
    return time_s


def _parse_signature(line: str) -> NoteSignature:
    if not line.startswith(_DASH):
        raise BadNote(f"{line!r:.60} is no signature line; one begins with an em dash and a space")
    name, space, encoded = line.removeprefix(_DASH).partition(" ")
    if not space or not _NAME.fullmatch(name):
        raise BadNote(f"{line!r:.60} is no signature line: name and signature are missing")
    signature = from_base64(encoded, f"the signature by {name}")
    if len(signature) <= 4:
        raise BadNote(f"the signature by {name} is too short")
    return NoteSignature(name, signature[:4], signature[4:])


def to_base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def from_base64(text: str, what: str) -> bytes:
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise BadNote(f"{what} is not base64") from None
    if to_base64(raw) != text:
        raise BadNote(f"{what} is not in canonical base64")
    return raw

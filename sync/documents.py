"""What is too large, or too private, for the ledger: a document that headquarters sends to a zone, in parts.

Each part is a command of its own, ``roster.set`` or ``policy.set``, with the arguments::

    {"version":7,"sha256":"<of the whole document>","part":1,"parts":2,"content":"<base64 of a piece of its zlib>"}

The ledger is for ever, so its line of such a command has everything but ``content``, which may be cards and PINs.
"""

from __future__ import annotations

import base64
import hashlib
import re
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .commands import CommandUnwelcome

ROSTER_SET = "roster.set"
POLICY_SET = "policy.set"
PIECE_BYTES_MAX = 30_000
"""40,000 characters of base64: with its header a command stays well below the limit of a message."""
PARTS_MAX = 16
DOCUMENT_BYTES_MAX = 2 * 1024 * 1024
"""Unpacked. A roster of 2,000 officers with two PINs each has about 1 MiB."""
VERSION_MAX = 2**53
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Part:
    """One piece of a document; ``number`` counts from 1."""

    version: int
    sha256: str
    number: int
    of: int
    piece: bytes

    def for_ledger(self) -> dict[str, Any]:
        return {"version": self.version, "sha256": self.sha256, "part": self.number, "parts": self.of}


def split(version: int, document: bytes) -> list[dict[str, Any]]:
    """The arguments of the commands that bring this document. Raises ``ValueError`` for one that is too large."""
    packed = zlib.compress(document, 9)
    pieces = [packed[at : at + PIECE_BYTES_MAX] for at in range(0, len(packed), PIECE_BYTES_MAX)]
    if len(pieces) > PARTS_MAX or len(document) > DOCUMENT_BYTES_MAX:
        raise ValueError(
            f"a document of {len(document)} bytes, {len(packed)} packed; at most {DOCUMENT_BYTES_MAX} and "
            f"{PARTS_MAX * PIECE_BYTES_MAX} can be sent"
        )
    sha256 = hashlib.sha256(document).hexdigest()
    return [
        {**Part(version, sha256, number, len(pieces), piece).for_ledger(), "content": _base64(piece)}
        for number, piece in enumerate(pieces, 1)
    ]


def read_part(args: Mapping[str, Any]) -> Part:
    """A part from such arguments. Raises ``CommandUnwelcome``."""
    version, number, of = (_whole(args, name) for name in ("version", "part", "parts"))
    sha256, content = args.get("sha256"), args.get("content")
    if not 1 <= version <= VERSION_MAX:
        raise CommandUnwelcome(f"args.version is {version}; versions count from 1")
    if not 1 <= number <= of <= PARTS_MAX:
        raise CommandUnwelcome(f"it is part {number} of {of}; a document has at most {PARTS_MAX} parts")
    if not isinstance(sha256, str) or not _SHA256.fullmatch(sha256):
        raise CommandUnwelcome("args.sha256 is no SHA-256 in lower-case hexadecimal digits")
    try:
        piece = base64.b64decode(content, validate=True) if isinstance(content, str) else b""
    except ValueError:
        raise CommandUnwelcome("args.content is not base64") from None
    if not 0 < len(piece) <= PIECE_BYTES_MAX:
        raise CommandUnwelcome(f"args.content is empty or has more than {PIECE_BYTES_MAX} bytes")
    return Part(version, sha256, number, of, piece)


def joined(pieces: Sequence[bytes], sha256: str) -> bytes:
    """The whole document. Raises ``CommandUnwelcome`` if it is not the one that the digest names."""
    unpacker = zlib.decompressobj()
    try:
        document = unpacker.decompress(b"".join(pieces), DOCUMENT_BYTES_MAX + 1)
    except zlib.error:
        raise CommandUnwelcome("its parts together are not zlib") from None
    if len(document) > DOCUMENT_BYTES_MAX:
        raise CommandUnwelcome(f"it has more than {DOCUMENT_BYTES_MAX} bytes when unpacked")
    if hashlib.sha256(document).hexdigest() != sha256:
        raise CommandUnwelcome("its parts together are not the document that args.sha256 names")
    return document


def _whole(args: Mapping[str, Any], name: str) -> int:
    value = args.get(name)
    if type(value) is not int:
        raise CommandUnwelcome(f"args.{name} is missing or no whole number")
    return value


def _base64(piece: bytes) -> str:
    return base64.b64encode(piece).decode()

"""The messages between a zone and headquarters, as bytes and back.

The first line is a JSON header, the others are event lines; the whole may be compressed with zlib::

    {"v":1,"k":"hello","logs":[{"log":"9f2c61d07a3be845","cp":"<note>"}],"ask":"5d0c…"}
    {"v":1,"k":"batch","log":"9f2c61d07a3be845","first":1235,"n":2,"cp":"<note>"}\\n<line>\\n<line>
    {"v":1,"k":"status","log":"9f2c61d07a3be845","cp":"<cosigned note>","ask":"5d0c…","proof":["<hash>",…]}
    {"v":1,"k":"ack","log":"9f2c61d07a3be845","cp":"<cosigned note>"}
    {"v":1,"k":"command","id":…,"name":…,"args":{…},"actor":…,"not_after":…,"nonce":…,"sig":…}
    {"v":1,"k":"tree","log":"5d0c4e1b9a7f2836","cp":"<note of headquarters' tree, cosigned by the zone>"}
    {"v":1,"k":"proof","log":"5d0c4e1b9a7f2836","old":40,"proof":["<hash>",…],"cp":"<note>"}
    {"v":1,"k":"key","old":"<verifier key>","new":"<verifier key>","sig":"<signature by the old one>"}

A line feed stands between lines, none at the end (JSON has none inside a line). Unknown header fields are ignored.

``ask`` names the question (16 hexadecimal digits): a status that answers a hello repeats the hello's, one that
answers a batch has an empty one. So a zone tells an answer from a word that the broker kept back. Who leaves it
out is answered and believed. ``proof`` shows that what headquarters has continues what the hello named (RFC 9162
section 2.1.4); there is none to show when it has no more than that.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from ..errors import BadMessage, BadNote
from ..merkle import HASH_BYTES
from ..note import from_base64, to_base64

VERSION = 1
MESSAGE_BYTES_MAX = 64 * 1024
"""Before compression. Below the packet limit of every broker seen (the smallest is 128 KiB)."""
BATCH_LINES_MAX = 256
HELLO_LOGS_MAX = 64
"""A checkpoint has about 300 bytes, so this many stay well below the limit; more go into further hellos."""
COMPRESS_FROM_BYTES = 1024
"""Below, zlib saves less than one TCP segment."""
NOTE_BYTES_MAX = 1500
"""A checkpoint with two signatures has about 400; with headquarters' cosignature it must still fit a header."""
HEADER_BYTES_MAX = 2048
"""What a batch's header with its checkpoint takes at most; the rest of the message is for lines."""
PROOF_HASHES_MAX = 63
"""As c2sp.org/tlog-witness has it; no tree that can be needs more."""
_ZLIB_LEVEL = 1
_LOG = re.compile(r"[0-9a-f]{16}")
_ASK = re.compile(r"([0-9a-f]{16})?")


@dataclass(frozen=True, slots=True)
class Hello:
    """A zone names every ledger on its disk: (log, signed checkpoint)."""

    logs: tuple[tuple[str, str], ...]
    ask: str | None = None


@dataclass(frozen=True, slots=True)
class Batch:
    """Lines ``first`` and on of a ledger, and the zone's checkpoint at the last of them."""

    log: str
    first: int
    checkpoint: str
    lines: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Status:
    """How far headquarters has a ledger, in answer to a hello or to a batch that does not fit."""

    log: str
    checkpoint: str
    ask: str | None = None
    proof: tuple[bytes, ...] = ()
    """That it continues the size that the hello named; headquarters cannot see whether it was the same tree."""


@dataclass(frozen=True, slots=True)
class Ack:
    """Headquarters has committed a ledger up to this cosigned checkpoint."""

    log: str
    checkpoint: str


@dataclass(frozen=True, slots=True)
class Command:
    """An order to a zone; ``sync.commands`` signs and checks it. Times are ISO 8601."""

    id: str
    name: str
    args: Mapping[str, Any] = field(hash=False)
    actor: str
    not_after: str
    nonce: str
    signature: str

    def fields(self) -> dict[str, Any]:
        """Everything that the signature covers."""
        return {
            "id": self.id,
            "name": self.name,
            "args": dict(self.args),
            "actor": self.actor,
            "not_after": self.not_after,
            "nonce": self.nonce,
        }


@dataclass(frozen=True, slots=True)
class Tree:
    """A zone says which tree of headquarters' own ledger it has seen last, and cosigns it; if headquarters has a
    larger one by now, it answers with a ``Proof``."""

    log: str
    checkpoint: str


@dataclass(frozen=True, slots=True)
class Proof:
    """Headquarters' present tree, and that it continues the one of size ``old`` (RFC 9162 section 2.1.4)."""

    log: str
    old: int
    hashes: tuple[bytes, ...]
    checkpoint: str


@dataclass(frozen=True, slots=True)
class Key:
    """Headquarters has exchanged its key (``sync.rotation``); said in front of every answer to a hello."""

    old: str
    new: str
    signature: str


Message = Hello | Batch | Status | Ack | Command | Tree | Proof | Key


def encode(message: Message) -> bytes:
    """The payload. Raises ``ValueError`` if it would be larger than a message may be."""
    header: dict[str, Any] = {"v": VERSION, "k": type(message).__name__.lower()}
    lines: Sequence[bytes] = ()
    match message:
        case Hello(logs):
            header["logs"] = [{"log": log, "cp": checkpoint} for log, checkpoint in logs]
            header |= _asked(message)
        case Batch(log, first, checkpoint, lines):
            header |= {"log": log, "first": first, "n": len(lines), "cp": checkpoint}
        case Status(log, checkpoint, _, proof):
            header |= {"log": log, "cp": checkpoint, **_asked(message)}
            if proof:
                header["proof"] = [to_base64(node) for node in proof]
        case Ack(log, checkpoint) | Tree(log, checkpoint):
            header |= {"log": log, "cp": checkpoint}
        case Command():
            header |= message.fields() | {"sig": message.signature}
        case Proof(log, old, hashes, checkpoint):
            header |= {"log": log, "old": old, "proof": [to_base64(one) for one in hashes], "cp": checkpoint}
        case Key(old_key, new_key, signature):
            header |= {"old": old_key, "new": new_key, "sig": signature}
    payload = b"\n".join([orjson.dumps(header), *lines])
    if len(payload) > MESSAGE_BYTES_MAX:
        raise ValueError(f"a message of {len(payload)} bytes; at most {MESSAGE_BYTES_MAX} may be sent")
    return zlib.compress(payload, _ZLIB_LEVEL) if len(payload) >= COMPRESS_FROM_BYTES else payload


def decode(payload: bytes) -> Message:
    """Read a payload. Raises ``BadMessage`` of kind ``oversize`` or ``malformed`` with what is wrong."""
    head, *lines = _unpacked(payload).split(b"\n")
    try:
        header = orjson.loads(head)
    except orjson.JSONDecodeError as error:
        raise BadMessage("malformed", f"the header is not JSON: {error}") from error
    if not isinstance(header, dict) or header.get("v") != VERSION:
        raise BadMessage("malformed", f"the header is not of version {VERSION}: {head[:80]!r}")
    try:
        return _READERS[header["k"]](header, lines)
    except (KeyError, TypeError) as error:
        raise BadMessage(
            "malformed", f"the header lacks {error} or has it in another form: {head[:80]!r}"
        ) from error


def lines_that_fit(lines: Sequence[bytes]) -> int:
    """How many of these lines one batch takes, by number and by bytes. At least one: a line is below the limit."""
    room = MESSAGE_BYTES_MAX - HEADER_BYTES_MAX
    for count, line in enumerate(lines[:BATCH_LINES_MAX]):
        room -= len(line) + 1
        if room < 0:
            return max(count, 1)
    return min(len(lines), BATCH_LINES_MAX)


def _unpacked(payload: bytes) -> bytes:
    if payload[:1] != b"\x78":
        if len(payload) > MESSAGE_BYTES_MAX:
            raise BadMessage("oversize", f"{len(payload)} bytes, at most {MESSAGE_BYTES_MAX} are taken")
        return payload
    unpacker = zlib.decompressobj()
    try:
        unpacked = unpacker.decompress(payload, MESSAGE_BYTES_MAX + 1)
    except zlib.error as error:
        raise BadMessage("malformed", f"not zlib: {error}") from error
    if len(unpacked) > MESSAGE_BYTES_MAX:
        raise BadMessage("oversize", f"more than {MESSAGE_BYTES_MAX} bytes when unpacked")
    if not unpacker.eof or unpacker.unused_data:
        raise BadMessage("malformed", "the zlib data is cut off or has something after it")
    return unpacked


def _read_hello(header: dict[str, Any], lines: list[bytes]) -> Hello:
    _no_lines(lines)
    logs = tuple((_log(entry), _note(entry)) for entry in header["logs"])
    if len(logs) > HELLO_LOGS_MAX:
        raise BadMessage("malformed", f"a hello with {len(logs)} ledgers, at most {HELLO_LOGS_MAX} are read")
    return Hello(logs, _ask(header))


def _read_batch(header: dict[str, Any], lines: list[bytes]) -> Batch:
    first, count = header["first"], header["n"]
    if type(first) is not int or not 1 <= first < 2**62:
        raise BadMessage("malformed", f"a batch from line {first!r:.40}; lines count from 1")
    if count != len(lines) or not 1 <= len(lines) <= BATCH_LINES_MAX:
        raise BadMessage("malformed", f"a batch that says {count!r:.40} lines and has {len(lines)}")
    return Batch(_log(header), first, _note(header), tuple(lines))


def _read_status(header: dict[str, Any], lines: list[bytes]) -> Status:
    _no_lines(lines)
    return Status(_log(header), _note(header), _ask(header), _hashes(header.get("proof", [])))


def _read_ack(header: dict[str, Any], lines: list[bytes]) -> Ack:
    _no_lines(lines)
    return Ack(_log(header), _note(header))


def _read_command(header: dict[str, Any], lines: list[bytes]) -> Command:
    _no_lines(lines)
    args = header["args"]
    if not isinstance(args, dict):
        raise BadMessage("malformed", "the arguments of a command are not an object")
    words = [_text(header, name) for name in ("id", "name", "actor", "not_after", "nonce", "sig")]
    return Command(words[0], words[1], args, *words[2:])


def _read_tree(header: dict[str, Any], lines: list[bytes]) -> Tree:
    _no_lines(lines)
    return Tree(_log(header), _note(header))


def _read_proof(header: dict[str, Any], lines: list[bytes]) -> Proof:
    _no_lines(lines)
    old = header["old"]
    if type(old) is not int or not 0 <= old < 2**62:
        raise BadMessage("malformed", f"a proof from size {old!r:.40}")
    return Proof(_log(header), old, _hashes(header["proof"]), _note(header))


def _read_key(header: dict[str, Any], lines: list[bytes]) -> Key:
    _no_lines(lines)
    return Key(_text(header, "old"), _text(header, "new"), _text(header, "sig"))


_READERS: dict[str, Callable[[dict[str, Any], list[bytes]], Message]] = {
    "hello": _read_hello,
    "batch": _read_batch,
    "status": _read_status,
    "ack": _read_ack,
    "command": _read_command,
    "tree": _read_tree,
    "proof": _read_proof,
    "key": _read_key,
}


def _no_lines(lines: list[bytes]) -> None:
    if lines:
        raise BadMessage("malformed", "lines after a header that announces none")


def _log(fields: dict[str, Any]) -> str:
    log = fields["log"]
    if not isinstance(log, str) or not _LOG.fullmatch(log):
        raise BadMessage("malformed", f"{log!r:.40} is no ledger id (16 hexadecimal digits)")
    return log


def _asked(message: Hello | Status) -> dict[str, str]:
    return {} if message.ask is None else {"ask": message.ask}


def _ask(fields: dict[str, Any]) -> str | None:
    ask = fields.get("ask")
    if ask is not None and (not isinstance(ask, str) or not _ASK.fullmatch(ask)):
        raise BadMessage("malformed", f"{ask!r:.40} names no question (16 hexadecimal digits, or none)")
    return ask


def _note(fields: dict[str, Any]) -> str:
    note = _text(fields, "cp")
    if len(note.encode()) > NOTE_BYTES_MAX:
        raise BadMessage(
            "malformed", f"a checkpoint of {len(note)} characters, at most {NOTE_BYTES_MAX} bytes are read"
        )
    return note


def _hashes(texts: Any) -> tuple[bytes, ...]:
    if not isinstance(texts, list) or len(texts) > PROOF_HASHES_MAX:
        raise BadMessage("malformed", f"a proof that is no list of at most {PROOF_HASHES_MAX} hashes")
    return tuple(_hash(text) for text in texts)


def _hash(text: Any) -> bytes:
    try:
        raw = from_base64(text, "a hash of the proof")
    except BadNote as bad:
        raise BadMessage("malformed", str(bad)) from bad
    if len(raw) != HASH_BYTES:
        raise BadMessage("malformed", f"a hash of {len(raw)} bytes in the proof")
    return raw


def _text(fields: dict[str, Any], name: str) -> str:
    value = fields[name]
    if not isinstance(value, str):
        raise BadMessage("malformed", f"{name!r} is not a text")
    return value

"""Commands from headquarters to a zone: how they are signed, and what makes a zone refuse one.

The signature is Ed25519 by headquarters' key over ``command/v1\\n<zone>\\n`` and the command's fields as JSON with
sorted keys: so it holds for one zone only, and can be mistaken for no note and no cosignature.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Mapping
from typing import Any

import orjson

from custody.events import event_id, format_utc, parse_time

from .errors import SyncError, WrongSignature
from .note import SigningKey, VerifierKey
from .protocol.messages import Command


class CommandUnwelcome(SyncError):
    """Why a command is refused, in words that go into the register."""


def make_command(
    key: SigningKey, zone: str, name: str, args: Mapping[str, Any], *, actor: str, now_us: int, valid_s: float
) -> Command:
    """A signed command for one zone, to be followed within ``valid_s`` seconds and once at most."""
    not_after = format_utc(now_us + round(valid_s * 1e6))
    id_, nonce = event_id(now_us, os.urandom(10)), os.urandom(16).hex()
    unsigned = Command(id_, name, args, actor, not_after, nonce, "")
    signature = base64.b64encode(key.sign(_signed_bytes(unsigned, zone))).decode()
    return Command(id_, name, args, actor, not_after, nonce, signature)


def check_command(command: Command, zone: str, key: VerifierKey, now_us: int) -> int:
    """The time until which it is valid, UTC microseconds. Raises ``CommandUnwelcome`` with the reason.

    Whether it was given before (its nonce) and whether its actor may give it is for the caller to decide.
    """
    try:
        key.verify(_signed_bytes(command, zone), base64.b64decode(command.signature, validate=True))
    except (WrongSignature, ValueError):  # not base64, not even ASCII
        raise CommandUnwelcome("its signature is not headquarters' for this zone") from None
    try:
        not_after_us, _ = parse_time(command.not_after)
    except ValueError:
        raise CommandUnwelcome(f"its not_after is {command.not_after!r:.40}, not a time with an offset") from None
    if now_us > not_after_us:
        raise CommandUnwelcome(f"it expired at {command.not_after}")
    return not_after_us


def _signed_bytes(command: Command, zone: str) -> bytes:
    fields = orjson.dumps(command.fields(), option=orjson.OPT_SORT_KEYS)
    return b"command/v1\n" + zone.encode() + b"\n" + fields

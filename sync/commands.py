"""Commands from headquarters to a zone: how they are signed, and what makes a zone refuse one.

The signature is Ed25519 by headquarters' key over ``command/v1\\n<zone>\\n`` and the command's fields as JSON with
sorted keys: so it holds for one zone only, and can be mistaken for no note and no cosignature.

What headquarters has signed becomes one line of the zone's ledger, ``command.received`` or ``command.refused``,
with the command's id: headquarters knows what became of it from the ledger alone, and gives it again until then.
"""

from __future__ import annotations

import base64
import logging
import os
import re
from collections.abc import Mapping
from typing import Any, Protocol

import orjson

from config.clock import Clock
from custody.events import (
    CommandReceived,
    CommandRefused,
    LedgerReason,
    SchemaBroken,
    draft,
    event_id,
    format_utc,
    parse_time,
)

from .errors import SyncError, WrongSignature
from .ledger import Ledger
from .note import SigningKey, VerifierKey
from .once import GivenBefore, Once
from .protocol.messages import Command

log = logging.getLogger(__name__)

VALID_S_MAX = 7 * 86_400.0
"""How long a command may be valid: an order that a zone finds after a week of silence is no longer meant."""
STRANGERS_MAX = 20
REFUSED_MAX = 40
REFUSALS_WINDOW_S = 600.0
"""So many refusals, of commands that headquarters did not and did sign, are written down one by one in such a
time, the others counted: whoever reaches the broker can send anything, and what was sent before, as often as he
likes, and must not be able to fill the ledger."""
SHOWN_CHARS_MAX = 64
ORIGIN = "headquarters"
"""``origin`` of a command in the ledger, where the panel's have none."""
_UUID7 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


class CommandUnwelcome(SyncError):
    """Why a command is refused, in words that go into the register."""


class CommandRepeated(CommandUnwelcome):
    """It was given before: this refusal says nothing of what became of it then."""


class CommandNotKept(SyncError):
    """What a command brings could not be stored. It is not answered, so headquarters gives it again."""


class Intake(Protocol):
    """What a zone makes of the commands that headquarters has signed for it."""

    def admit(self, command: Command) -> Mapping[str, Any]:
        """Its arguments as they go into the ledger; whatever else it brings is on disk when this returns.

        It may be asked again about the same command. Raises ``CommandUnwelcome`` or ``CommandNotKept``.
        """
        ...

    def recorded(self, command: Command) -> None:
        """The command stands in the ledger now."""
        ...


class AnyCommand:
    """Takes whatever is signed, as it is."""

    def admit(self, command: Command) -> Mapping[str, Any]:
        return command.args

    def recorded(self, command: Command) -> None:
        return


def make_command(
    key: SigningKey, zone: str, name: str, args: Mapping[str, Any], *, actor: str, now_us: int, valid_s: float
) -> Command:
    """A signed command for one zone, to be followed within ``valid_s`` seconds and once at most."""
    not_after = format_utc(now_us + round(valid_s * 1e6))
    id_, nonce = event_id(now_us, os.urandom(10)), os.urandom(16).hex()
    unsigned = Command(id_, name, args, actor, not_after, nonce, "")
    signature = base64.b64encode(key.sign(_signed_bytes(unsigned, zone))).decode()
    return Command(id_, name, args, actor, not_after, nonce, signature)


def check_signature(command: Command, zone: str, key: VerifierKey) -> None:
    """Raises ``CommandUnwelcome`` unless headquarters signed exactly this for this zone."""
    try:
        key.verify(_signed_bytes(command, zone), base64.b64decode(command.signature, validate=True))
    except (WrongSignature, ValueError):  # not base64, not even ASCII
        raise CommandUnwelcome("its signature is not headquarters' for this zone") from None


def check_times(command: Command, now_us: int) -> int:
    """The time until which it is valid, UTC microseconds. Raises ``CommandUnwelcome`` with the reason."""
    try:
        not_after_us, _ = parse_time(command.not_after)
    except ValueError:
        raise CommandUnwelcome(f"its not_after is {command.not_after!r:.40}, not a time with an offset") from None
    if now_us > not_after_us:
        raise CommandUnwelcome(f"it expired at {command.not_after}")
    if not_after_us - now_us > VALID_S_MAX * 1e6:
        longest = f"{VALID_S_MAX / 86_400:g} days"
        raise CommandUnwelcome(f"it is valid until {command.not_after}; at most {longest} are taken")
    return not_after_us


def issued_us(command: Command) -> int:
    """When headquarters made it, by its id, UTC microseconds. Raises ``CommandUnwelcome``."""
    if not _UUID7.fullmatch(command.id):
        raise CommandUnwelcome("its id is no UUIDv7, which says when it was made")
    return int(command.id.replace("-", "")[:12], 16) * 1000


class CommandDesk:
    """A zone's end of the commands. Belongs to one thread."""

    def __init__(self, ledger: Ledger, headquarters: VerifierKey, clock: Clock, intake: Intake) -> None:
        self._ledger = ledger
        self._headquarters = headquarters
        self._clock = clock
        self._intake = intake
        self._strangers = _Budget(STRANGERS_MAX)
        self._refused = _Budget(REFUSED_MAX)

    def trust(self, headquarters: VerifierKey) -> None:
        """Headquarters signs with this key from now on."""
        self._headquarters = headquarters

    def take(self, command: Command, *, retained: bool) -> None:
        """Put it into the register, as received or as refused; who can carry it out follows the ledger.

        Raises ``LedgerUnwritable``.
        """
        try:
            check_signature(command, self._ledger.zone, self._headquarters)
        except CommandUnwelcome as refusal:
            # Nothing that it says is believed, so its id is not repeated either.
            self._refuse(command, str(refusal), {}, self._strangers)
            return
        known: dict[str, Any] = {"id": command.id, "origin": ORIGIN}
        try:
            self._follow(command, retained)
        except CommandUnwelcome as refusal:
            repeated = {"repeated": True} if isinstance(refusal, CommandRepeated) else {}
            self._refuse(command, str(refusal), known | repeated, self._refused)
        except SchemaBroken:
            self._refuse(command, "its arguments fit no line of the ledger", known, self._refused)
        except (CommandNotKept, OSError) as error:
            log.error("command %s by %s cannot be taken now: %s", command.name, command.actor, error)

    def _follow(self, command: Command, retained: bool) -> None:
        now_us = self._clock.now_us()
        once = Once(command.nonce, check_times(command, now_us), now_us)
        if retained:
            raise CommandUnwelcome("it was retained by the broker: a command is given once, not kept lying about")
        if issued_us(command) <= self._restored_us():
            # The restored disk may have forgotten that it followed this one.
            raise CommandUnwelcome("it was made before this zone's disk was restored; give it again")
        try:
            self._ledger.check_once(once)
            args = dict(self._intake.admit(command))
            received = {"command": command.name, "actor": command.actor, "args": args, "id": command.id}
            self._ledger.append(draft(CommandReceived.model_validate({**received, "origin": ORIGIN})), once=once)
        except GivenBefore as known:
            raise CommandRepeated(str(known)) from None
        log.info("command %s by %s is received", command.name, command.actor)
        self._tell_recorded(command)

    def _tell_recorded(self, command: Command) -> None:
        """Whoever follows the ledger does what this may fail to do."""
        try:
            self._intake.recorded(command)
        except (SyncError, OSError) as error:
            log.error("command %s is received, what it brings is not in force yet: %s", command.name, error)

    def _restored_us(self) -> int:
        """When the ledger that is written now began after a disk was restored; 0 if it did not."""
        newest, _ = self._ledger.spans()[-1]
        identity = newest.identity
        return identity.created_us if identity.reason == LedgerReason.ROLLBACK.value else 0

    def _refuse(self, command: Command, reason: str, known: Mapping[str, Any], budget: _Budget) -> None:
        name, actor = command.name[:SHOWN_CHARS_MAX], command.actor[:SHOWN_CHARS_MAX]
        log.warning("command %s by %s is refused: %s", name, actor, reason)
        unwritten = budget.spend(self._clock.boottime_s())
        if unwritten is None:
            return
        if unwritten:
            reason += f"; before it {unwritten} like it were not written down"
        refused = {"command": name, "actor": actor, "reason": reason, **known}
        self._ledger.append(draft(CommandRefused.model_validate(refused)))


class _Budget:
    """How many lines may still be written in this window of time."""

    def __init__(self, lines: int) -> None:
        self._lines = lines
        self._asked = 0
        self._since_s = 0.0

    def spend(self, now_s: float) -> int | None:
        """Whether one more may be written: how many were not before it, or ``None``."""
        unwritten = 0
        if now_s - self._since_s > REFUSALS_WINDOW_S:
            unwritten = max(0, self._asked - self._lines)
            self._asked, self._since_s = 0, now_s
        self._asked += 1
        return unwritten if self._asked <= self._lines else None


def _signed_bytes(command: Command, zone: str) -> bytes:
    fields = orjson.dumps(command.fields(), option=orjson.OPT_SORT_KEYS)
    return b"command/v1\n" + zone.encode() + b"\n" + fields

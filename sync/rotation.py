"""A new key, vouched for by the old one: how a zone or headquarters exchanges its key without being enrolled anew.

The old key signs ``key-rotation/v1``, its own verifier key and the new one, a line each. Whoever has pinned the
old key follows to the new one; whoever has pinned the new one has nothing to do. The signed word travels as an
event (``key.rotated``) in the ledger of who exchanges its key, and to zones also as the message ``key``.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import orjson

from custody.events import EventError, KeyRotated, parse_line

from .errors import BadNote, LedgerUnwritable
from .held_tree import keep
from .note import SigningKey, VerifierKey, cosigned_at_s, from_base64, to_base64

log = logging.getLogger(__name__)

FOLLOWED = "headquarters.keys"
_MARK = b'"key.rotated"'


@dataclass(frozen=True, slots=True)
class Rotation:
    """From ``old`` to ``new``; proven by ``signature``, which is verified when it is made or read."""

    old: VerifierKey
    new: VerifierKey
    signature: bytes

    @classmethod
    def make(cls, old: SigningKey, new: SigningKey) -> Rotation:
        return cls.checked(old.verifier, new.verifier, old.sign(_signed_bytes(old.verifier, new.verifier)))

    @classmethod
    def read(cls, old: str, new: str, signature: str) -> Rotation:
        """Raises ``BadNote``; ``WrongSignature`` if the old key did not sign it."""
        return cls.checked(VerifierKey.parse(old), VerifierKey.parse(new), from_base64(signature, "the signature"))

    @classmethod
    def checked(cls, old: VerifierKey, new: VerifierKey, signature: bytes) -> Rotation:
        if (old.name, old.type) != (new.name, new.type):
            raise BadNote(f"a key of {old.name} cannot vouch for one of {new.name}")
        old.verify(_signed_bytes(old, new), signature)
        return cls(old, new, signature)

    def words(self) -> tuple[str, str, str]:
        return str(self.old), str(self.new), to_base64(self.signature)

    def event(self) -> KeyRotated:
        old, new, signature = self.words()
        return KeyRotated(old=old, new=new, signature=signature)


def follow(pinned: VerifierKey, rotations: Iterable[Rotation]) -> list[VerifierKey]:
    """Every key that ``pinned`` leads to, itself first: the last one is valid now, the others sign nothing new."""
    chain = [pinned]
    for rotation in rotations:
        if rotation.old == chain[-1] and rotation.new not in chain:
            chain.append(rotation.new)
    return chain


def rotations_in(lines: Iterable[bytes]) -> Iterator[Rotation]:
    """Those that stand in event lines; what is none is passed over."""
    for line in lines:
        if _MARK not in line:
            continue
        try:
            event = parse_line(line)
            if event.type == KeyRotated.TYPE:
                yield Rotation.read(event.data["old"], event.data["new"], event.data["signature"])
        except (EventError, BadNote, KeyError, TypeError) as error:
            log.warning("a line says that a key was exchanged, but proves it not: %s", error)


class ZoneKeys(Mapping[str, VerifierKey]):
    """The keys by which headquarters knows its zones now: pinned in the settings, and followed from there."""

    def __init__(
        self,
        pinned: Mapping[str, VerifierKey],
        *,
        known: Callable[[str], Iterable[Rotation]] = lambda zone: (),
        revoked: Iterable[str] = (),
    ) -> None:
        """``known``: the rotations in a zone's stored lines; another worker may have stored one meanwhile."""
        self._known = known
        self._chains = {zone: follow(key, known(zone)) for zone, key in pinned.items()}
        self.revoked = frozenset(revoked)

    def __getitem__(self, zone: str) -> VerifierKey:
        return self._chains[zone][-1]

    def __iter__(self) -> Iterator[str]:
        return iter(self._chains)

    def __len__(self) -> int:
        return len(self._chains)

    def all(self, zone: str) -> Sequence[VerifierKey]:
        """The present key and those before it, whose old checkpoints stay valid."""
        return self._chains[zone]

    def leads_to(self, zone: str, lines: Sequence[bytes]) -> VerifierKey:
        """Which key would be valid once these lines are stored."""
        return follow(follow(self[zone], self._known(zone))[-1], rotations_in(lines))[-1]

    def stored(self, zone: str, lines: Sequence[bytes]) -> None:
        """These lines are stored: a key that they exchange is exchanged."""
        if any(_MARK in line for line in lines):
            chain = self._chains[zone]
            known = follow(chain[-1], [*self._known(zone), *rotations_in(lines)])
            for key in known[1:]:
                log.info("zone %s signs with %s from now on", zone, key)
                chain.append(key)


class FollowedKey:
    """The key by which a zone knows headquarters now: pinned in zone.toml, and followed from there.

    What was followed is kept in a file beside the ledger; each line of it is proven by the key before, so the file
    need not be trusted, and headquarters says it again if it is lost.
    """

    def __init__(self, pinned: VerifierKey, directory: Path) -> None:
        self._file = directory / FOLLOWED
        self._rotations = list(self._load())
        self._chain = follow(pinned, self._rotations)

    @property
    def now(self) -> VerifierKey:
        return self._chain[-1]

    @property
    def all(self) -> Sequence[VerifierKey]:
        """The present key and those before it, oldest first."""
        return self._chain

    def said_before(self, note: str, than: str) -> bool:
        """Whether headquarters cosigned ``note`` before that other one, by its own clock."""
        times_s: list[int] = []
        for key in self.all:
            with contextlib.suppress(BadNote):
                times_s.append(cosigned_at_s(than, key))
        return bool(times_s) and cosigned_at_s(note, self.now) < times_s[-1]

    def leads_on(self, rotation: Rotation) -> bool:
        """Whether it exchanges the present key; one that is known already does not."""
        return rotation.old == self.now and rotation.new not in self._chain

    def accept(self, rotation: Rotation) -> None:
        """On disk when it returns. Raises ``LedgerUnwritable``."""
        self._rotations.append(rotation)
        lines = [orjson.dumps(one.words()).decode() for one in self._rotations]
        keep(self._file, "".join(f"{line}\n" for line in lines))
        self._chain = [*self._chain, rotation.new]

    def _load(self) -> Iterator[Rotation]:
        try:
            lines = self._file.read_text().splitlines()
        except FileNotFoundError:
            return
        except (OSError, UnicodeDecodeError) as error:
            raise LedgerUnwritable(self._file, f"it cannot be read: {error}") from error
        for line in lines:
            try:
                yield Rotation.read(*orjson.loads(line))
            except (orjson.JSONDecodeError, BadNote, TypeError) as error:
                log.warning("%s: a line is damaged, headquarters will say it again: %s", self._file, error)


def _signed_bytes(old: VerifierKey, new: VerifierKey) -> bytes:
    return f"key-rotation/v1\n{old}\n{new}\n".encode()

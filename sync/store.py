"""What the protocol asks of headquarters' database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Head:
    """How far a ledger is verified."""

    size: int
    edge: tuple[bytes, ...]
    """Hashes of the perfect subtrees at the right edge, largest first: an RFC 9162 compact range."""
    checkpoint: str
    """The note of exactly that size, signed by the zone; empty at size 0."""


class LogStore(Protocol):
    """Headquarters' copy of the zones' ledgers. Lines are opaque bytes: the store itself marks broken ones."""

    def head(self, zone: str, log: str) -> Head:
        """How far the ledger is verified; size 0 if it is unknown."""
        ...

    def lines(self, zone: str, log: str, first: int, count: int) -> list[bytes]:
        """Up to ``count`` lines from sequence ``first`` on; sequences count from 1."""
        ...

    def subtree(self, zone: str, log: str, level: int, index: int) -> bytes:
        """The hash of a perfect subtree (``merkle.Subtree``) of the lines that are stored."""
        ...

    def advance(self, zone: str, log: str, *, known_size: int, head: Head, lines: Sequence[bytes]) -> bool:
        """Add verified lines and the new head in one transaction, on disk when it returns ``True``.

        ``False`` if the ledger no longer has ``known_size``: somebody else was first, and nothing was changed.
        An event id that is known already (moved from another ledger) is a line of this ledger, but counts once.
        """
        ...

    def keep_evidence(self, zone: str, log: str | None, kind: str, detail: str, message: bytes) -> None:
        """Keep a message that was not taken, and why. ``kind`` is one word: wrong_root, wrong_signature, …"""
        ...

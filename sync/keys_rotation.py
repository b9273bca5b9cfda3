"""Exchanging a signing key on its own machine.

=====================  ============================================================================
``zone.key``           signs now (``headquarters.key`` likewise)
``zone.key.next``      made by ``fourmusts keys rotate``; taken up when the link starts
``zone.key.previous``  signs beside the new one, for a headquarters set back to before the exchange
=====================  ============================================================================
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from .durable import sync_directory
from .errors import KeyMissing
from .keys import HEADQUARTERS_KEY, ZONE_KEY, KeyRefused, load_signing_key, make_signing_key
from .note import SigningKey
from .rotation import Rotation

NEXT, PREVIOUS = ".next", ".previous"


def prepare(directory: Path) -> tuple[SigningKey, SigningKey]:
    """Make the key that follows the one in ``directory``: (the present one, the new one).

    Raises ``KeyMissing``; ``KeyRefused`` if one is waiting already.
    """
    found = [directory / name for name in (ZONE_KEY, HEADQUARTERS_KEY) if (directory / name).exists()]
    if len(found) != 1:
        raise KeyMissing(directory / ZONE_KEY, "give the directory of a zone's or of headquarters' keys")
    present = load_signing_key(found[0])
    waiting = _beside(found[0], NEXT)
    if waiting.exists():
        raise KeyRefused(f"{waiting} waits to be taken up already: restart the link, or headquarters")
    return present, make_signing_key(waiting, present.verifier.name, present.verifier.type)


def take_up(file: Path, tell: Callable[[Rotation], None]) -> tuple[SigningKey, SigningKey | None]:
    """(the key that signs now, the one before if it is there), after taking up one that waits.

    Order: told (in the ledger, on disk), the present key put aside, the new one put in its place. Killed in
    between, it is done again; told twice is told once. Raises ``KeyMissing``, ``KeyReadable``, ``KeyUnusable`` or
    what ``tell`` raises; then nothing was exchanged.
    """
    present = load_signing_key(file)
    waiting, before = _beside(file, NEXT), _beside(file, PREVIOUS)
    if waiting.exists():
        new = load_signing_key(waiting)
        tell(Rotation.make(present, new))
        _copy(file, _beside(before, ".new")).replace(before)
        waiting.replace(file)
        sync_directory(file.parent)
        present = new
    return present, load_signing_key(before) if before.exists() else None


def _copy(file: Path, copy: Path) -> Path:
    """A private key a second time, synced."""
    copy.unlink(missing_ok=True)
    with os.fdopen(os.open(copy, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as opened:
        opened.write(file.read_bytes())
        opened.flush()
        os.fsync(opened.fileno())
    return copy


def _beside(file: Path, ending: str) -> Path:
    return file.with_name(file.name + ending)

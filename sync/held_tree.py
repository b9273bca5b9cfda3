"""What a zone has seen last of headquarters' own ledger, kept so that headquarters cannot take it back.

One small text file beside the zone's ledgers: the checkpoint as headquarters signed it and this zone cosigned it.
Its loss costs this: until the next checkpoint is seen, headquarters could show this zone another past.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from .durable import write_whole
from .errors import LedgerUnwritable

FILE, TOLD = "headquarters.tree", "headquarters.told"
TOLD_MAX = 100


class HeldTree:
    """Belongs to one process: the zone's link."""

    def __init__(self, directory: Path) -> None:
        self.file = directory / FILE
        self._told = directory / TOLD

    def load(self) -> str:
        """The cosigned checkpoint; empty if none was seen yet."""
        try:
            return self.file.read_text()
        except FileNotFoundError:
            return ""

    def store(self, note: str) -> None:
        """On disk when it returns: only then the cosignature may leave. Raises ``LedgerUnwritable``."""
        keep(self.file, note)

    def is_told(self, accusation: str, note: str) -> bool:
        """Whether it was recorded that headquarters contradicts this checkpoint in this way."""
        return _digest(accusation, note) in self._all_told()

    def tell(self, accusation: str, note: str) -> None:
        """From now on it is. Raises ``LedgerUnwritable``."""
        told = [*self._all_told(), _digest(accusation, note)]
        keep(self._told, "".join(f"{one}\n" for one in told[-TOLD_MAX:]))

    def _all_told(self) -> list[str]:
        try:
            return self._told.read_text().split()
        except FileNotFoundError:
            return []


def _digest(accusation: str, note: str) -> str:
    """Of the text alone: the same tree signed at another second is the same one."""
    text, _, _ = note.partition("\n\n")
    return hashlib.sha256(f"{accusation}\n{text}".encode()).hexdigest()


def keep(file: Path, text: str) -> None:
    """On disk when it returns. Raises ``LedgerUnwritable``."""
    try:
        write_whole(file, text.encode())
    except OSError as error:
        raise LedgerUnwritable(file, str(error)) from error

"""Files and names that survive a power cut."""

from __future__ import annotations

import os
from pathlib import Path


def write_whole(file: Path, content: bytes, *, mode: int = 0o644) -> None:
    """Written whole and synced under another name first: after a power cut there is the old or the new content.

    Nobody ever sees the file with other rights than ``mode``. Raises ``OSError``.
    """
    growing = file.with_name(f".{file.name}.new")
    growing.unlink(missing_ok=True)
    fd = os.open(growing, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(fd, "wb") as opened:
        opened.write(content)
        opened.flush()
        os.fsync(opened.fileno())
    growing.replace(file)
    sync_directory(file.parent)


def sync_directory(directory: Path) -> None:
    """A new name in a directory is on disk only when the directory is."""
    fd = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)

"""The file that holds a reader's secure channel key (SCBK): 32 hexadecimal digits, readable by its owner alone."""

from __future__ import annotations

import os
import re
import secrets
import stat
import sys
from pathlib import Path

from ..errors import KeyFileRefused

_DIGITS = re.compile(r"[0-9A-Fa-f]{32}")
DEFAULT_KEY = bytes.fromhex("303132333435363738393A3B3C3D3E3F")
"""SCBK-D of the OSDP specification: printed in it, so it secures nothing."""


def read_key(file: Path) -> bytes:
    """The 16 bytes of the key. Raises ``KeyFileRefused``."""
    try:
        with file.open("rb") as opened:
            mode = os.fstat(opened.fileno()).st_mode
            text = opened.read(256).decode("ascii", "replace").strip()
    except OSError as error:
        mend = f"make one with: python -m devices.readers.key_file {file}; the reader must be given the same"
        raise KeyFileRefused(file, f"it cannot be read ({error.strerror})", mend) from error
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise KeyFileRefused(file, f"others may read it (mode {stat.S_IMODE(mode):04o})", f"chmod 600 {file}")
    if not _DIGITS.fullmatch(text):
        raise KeyFileRefused(
            file, f"expected 32 hexadecimal digits, found {len(text)} characters", "write it anew"
        )
    key = bytes.fromhex(text)
    if key == DEFAULT_KEY:
        raise KeyFileRefused(
            file, "this is the default key that the OSDP specification prints", "give the reader a key of its own"
        )
    return key


def write_new_key(file: Path) -> bytes:
    """Make a key from the operating system's entropy and write it; an existing file is never overwritten.

    libosdp's own ``KeyStore.gen_key`` uses Python's ``random``, which is no source of keys.
    """
    key = secrets.token_bytes(16)
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as opened:
        opened.write(f"{key.hex()}\n")
        opened.flush()
        os.fsync(opened.fileno())
    return key


if __name__ == "__main__":
    for name in sys.argv[1:]:
        write_new_key(Path(name))
        print(f"{name}: a new key was written; give it to the reader in its maker's provisioning tool")

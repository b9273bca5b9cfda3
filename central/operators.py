"""Who may give commands through headquarters' interface: whoever can read the operator's token.

There is no sign-in at headquarters, and its pages are for this machine only; but a door must not open because some
program of another user on this machine asks. The token lies beside headquarters' key, for the same eyes.
"""

from __future__ import annotations

import hmac
import os
import secrets
from pathlib import Path

from sync.keys import check_private

TOKEN_FILE = "operator.token"


def make_token(keys_dir: Path) -> Path:
    """Make it where there is none yet; its file."""
    file = keys_dir / TOKEN_FILE
    if not file.exists():
        keys_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as opened:
            opened.write(secrets.token_urlsafe(32) + "\n")
    return file


def is_operator(keys_dir: Path, authorization: str | None) -> bool:
    """Whether this ``Authorization`` header is ``Bearer`` and the token. Raises ``SyncError`` for a token that is
    missing or that others may read."""
    file = keys_dir / TOKEN_FILE
    check_private(file)
    scheme, _, given = (authorization or "").partition(" ")
    token = file.read_text().strip()
    return (
        scheme.lower() == "bearer" and bool(token) and hmac.compare_digest(given.strip().encode(), token.encode())
    )

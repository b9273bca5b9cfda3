"""Where a zone keeps the documents that headquarters sent: one file a version, named with its signed digest.

In ``<state_dir>/directives``, readable by the service's user alone, since a roster has cards and PIN hashes::

    roster.set-000007-<sha256>.part-02   a part, until the others are there
    roster.set-000007-<sha256>.whole     all of it, checked, until the ledger says that it was received
    roster.set-000007-<sha256>.json      in force; of these the last three stay, to fall back on

Files appear under their names whole and on disk. Losing them costs a repeated command: until then the zone goes on
with what is left, at last with the roster in ``zone.toml`` and the policy of its programs. They are trusted as
``zone.toml`` is: the digest finds damage, not somebody who may write here.
"""

from __future__ import annotations

import hashlib
import logging
import re
from dataclasses import dataclass
from pathlib import Path

from sync.commands import CommandNotKept
from sync.documents import Part
from sync.durable import sync_directory, write_whole

log = logging.getLogger(__name__)

VERSIONS_KEPT = 3
_NAME = re.compile(r"([a-z.]+)-([0-9]{6,16})-([0-9a-f]{64})\.(json|whole|part-[0-9]{2})")


@dataclass(frozen=True, slots=True, order=True)
class Version:
    """One document of a kind (the name of the command that brings it)."""

    number: int
    sha256: str
    kind: str


class DirectiveStore:
    """Any number of processes may have one on the same directory; only the link puts documents there."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def in_force(self, kind: str) -> list[Version]:
        """The versions that were put in force and are still kept, the newest first."""
        return sorted({version for version, suffix in self._files(kind) if suffix == "json"}, reverse=True)

    def read(self, version: Version) -> bytes | None:
        """A document in force; ``None`` when it cannot be read or is not what it was."""
        try:
            document = self._path(version, "json").read_bytes()
        except OSError as error:
            log.error("%s", error)
            return None
        return document if hashlib.sha256(document).hexdigest() == version.sha256 else None

    def keep_part(self, kind: str, part: Part) -> list[bytes] | None:
        """On disk when it returns; all pieces once none is missing. Raises ``CommandNotKept``."""
        version = Version(part.version, part.sha256, kind)
        for other, suffix in self._files(kind):
            # Parts of a document that was never completed; the intake admits none of an older one.
            if suffix.startswith("part") and other != version:
                self._path(other, suffix).unlink(missing_ok=True)
        self._write(self._path(version, _part(part.number)), part.piece)
        try:
            return [self._path(version, _part(number)).read_bytes() for number in range(1, part.of + 1)]
        except FileNotFoundError:
            return None

    def drop_parts(self, version: Version) -> None:
        for other, suffix in self._files(version.kind):
            if other == version and suffix.startswith("part"):
                self._path(other, suffix).unlink(missing_ok=True)

    def parts_of(self, kind: str) -> list[Version]:
        """Documents of which parts are there."""
        return sorted({version for version, suffix in self._files(kind) if suffix.startswith("part")})

    def keep_whole(self, version: Version, document: bytes) -> None:
        """On disk when it returns, in force only later. Raises ``CommandNotKept``."""
        self._write(self._path(version, "whole"), document)

    def put_in_force(self, version: Version) -> None:
        """Once the ledger says that it was received; harmless when repeated, from any process."""
        whole = self._path(version, "whole")
        if not whole.exists():
            return
        try:
            whole.replace(self._path(version, "json"))
            sync_directory(self._directory)
        except FileNotFoundError:
            return  # another process was first
        self.drop_parts(version)
        for old in self.in_force(version.kind)[VERSIONS_KEPT:]:
            self._path(old, "json").unlink(missing_ok=True)

    # Inside

    def _files(self, kind: str) -> list[tuple[Version, str]]:
        try:
            names = [path.name for path in self._directory.iterdir()]
        except FileNotFoundError:
            return []
        except OSError as error:
            # The doors go on with the roster of their settings; the next document shows that nothing can be kept.
            log.error("%s", error)
            return []
        found = [match for match in map(_NAME.fullmatch, names) if match and match[1] == kind]
        return [(Version(int(match[2]), match[3], kind), match[4]) for match in found]

    def _path(self, version: Version, suffix: str) -> Path:
        return self._directory / f"{version.kind}-{version.number:06}-{version.sha256}.{suffix}"

    def _write(self, path: Path, content: bytes) -> None:
        try:
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_whole(path, content, mode=0o600)
        except OSError as error:
            raise CommandNotKept(f"{path}: {error.strerror or error}; free space or mend the disk") from error


def _part(number: int) -> str:
    return f"part-{number:02}"

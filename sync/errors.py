"""What can be wrong with a ledger, a key, a message or the road to headquarters, each with its mend."""

from __future__ import annotations

from pathlib import Path

from custody.errors import FourmustsError


class SyncError(FourmustsError):
    """Anything in ``sync`` that a person can meet and mend; its text says what, where and how."""


class LedgerError(SyncError):
    """A ledger that cannot be used as it was meant."""


class LedgerMissing(LedgerError):
    """There is no ledger where one is expected. A daemon never makes one: that would hide a lost disk."""

    def __init__(self, directory: Path) -> None:
        super().__init__(
            f"{directory}: there is no ledger here. If this zone is new, make its ledger once with: "
            "fourmusts init. If it is not new, its disk was lost or is not mounted: mount it or restore it first"
        )


class LedgerExists(LedgerError):
    """A ledger is to be made where there is one already."""

    def __init__(self, directory: Path, found: list[str]) -> None:
        super().__init__(
            f"{directory}: there is a ledger here already ({', '.join(found)}); nothing was changed. "
            "To use it, start the zone; to begin a second zone, give it a state_dir of its own"
        )


class LedgerForeign(LedgerError):
    """The ledger belongs to somebody else than the settings say."""

    def __init__(self, file: Path, found: str, expected: str) -> None:
        super().__init__(
            f"{file}: this ledger belongs to {found}, the settings say {expected}; "
            "correct [zone] id, deployment or state_dir in zone.toml"
        )


class LedgerDamaged(LedgerError):
    """The files of the ledger do not make one chain, or one of them is no ledger."""

    def __init__(self, where: Path, detail: str) -> None:
        super().__init__(
            f"{where}: {detail}. Keep a copy of the directory, then restore it from a backup or begin anew with "
            "fourmusts init in an empty state_dir; headquarters keeps every event that it cosigned"
        )


class LedgerUnwritable(LedgerError):
    """The disk did not take an append; nothing of it was written, and what was there is intact."""

    def __init__(self, file: Path, detail: str) -> None:
        super().__init__(
            f"{file}: the events were not written: {detail}. Free space or mend the disk "
            f"(df {file.parent}; ls -l {file.parent}); the next append is tried afresh"
        )


class LedgerFull(LedgerUnwritable):
    """The disk has no room for an append."""


class LedgerPruned(LedgerError):
    """A line is asked for that was given up after headquarters had cosigned it."""

    def __init__(self, file: Path, sequence: int) -> None:
        super().__init__(
            f"{file}: line {sequence} is asked for and no longer kept: headquarters had cosigned it, and the "
            "retention ([ledger] retention_days in zone.toml) is over. If headquarters was restored from a "
            "backup, restore a newer one there"
        )


class LedgerUncosigned(LedgerError):
    """A line is to be given up that only this disk is known to have."""

    def __init__(self, file: Path, sequence: int, cosigned: int) -> None:
        super().__init__(
            f"{file}: line {sequence} is to be pruned, but headquarters has cosigned only {cosigned} lines; "
            "nothing was pruned. Look at the link: journalctl -u fourmusts-link"
        )


class BadMessage(SyncError):
    """A message from the other end that is not taken; ``kind`` is one word for what is wrong with it."""

    def __init__(self, kind: str, detail: str) -> None:
        super().__init__(detail)
        self.kind = kind


class BadNote(SyncError, ValueError):
    """A note, a checkpoint or a verifier key that is not in its one canonical form, or is wrongly signed."""


class WrongSignature(BadNote):
    """A signature by a known key that does not verify, or none by a known key at all."""


class KeyMissing(SyncError):
    """A key or a certificate is not where it should be."""

    def __init__(self, file: Path, mend: str) -> None:
        super().__init__(f"{file}: this key is missing; {mend}")


class KeyReadable(SyncError):
    """A private key that others may read is no longer private."""

    def __init__(self, file: Path, mode: int) -> None:
        super().__init__(
            f"{file}: this private key may be read by others (mode {mode:04o}). If nobody has copied it: "
            f"chmod 600 {file}; otherwise make a new one and enrol it"
        )


class KeyUnusable(SyncError):
    """A key file that holds something else than it should."""

    def __init__(self, file: Path, detail: str) -> None:
        super().__init__(f"{file}: this key cannot be used: {detail}; make it again with fourmusts keys")


class BrokerUnreachable(SyncError):
    """No connection to the broker; says which, which certificate was shown, and what to look at."""

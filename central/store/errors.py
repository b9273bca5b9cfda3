"""What can be wrong with headquarters' database."""

from __future__ import annotations

from custody.errors import FourmustsError


class StoreError(FourmustsError):
    """The database of headquarters cannot be used as it is."""


class DatabaseUnreachable(StoreError):
    def __init__(self, url: str, problem: object) -> None:
        super().__init__(
            f"{url}: this database cannot be opened ({problem}); check that bureau.state_dir exists and "
            "belongs to this user, or make it with `fourmusts central init --config FILE`"
        )


class DatabaseDamaged(StoreError):
    def __init__(self, url: str, problem: object) -> None:
        super().__init__(
            f"{url}: this database is damaged ({problem}). Keep a copy of it as it is, then restore its newest "
            "backup: the zones send again what that one lacks"
        )


class DatabaseMissing(StoreError):
    def __init__(self, url: str) -> None:
        super().__init__(
            f"{url}: there is no database of headquarters here. Make it once with "
            "`fourmusts central init --config FILE`; if there was one, restore its backup instead: "
            "the zones send again what it lacks"
        )


class DatabaseForeign(StoreError):
    def __init__(self, url: str, found: int | None, expected: int) -> None:
        super().__init__(
            f"{url}: this database has schema version {found}, this program needs {expected}; "
            "run the release of fourmusts that made it, or point bureau.database at another one"
        )


class OwnLedgerMissing(StoreError):
    def __init__(self, url: str) -> None:
        super().__init__(
            f"{url}: headquarters' own ledger was never begun; run `fourmusts central init --config FILE` once"
        )

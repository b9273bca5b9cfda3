"""An officer as a roster knows him: what he is, what he carries and knows, what he may do."""

from __future__ import annotations

import re
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from custody.events import Area, PartId, Rank, Sex
from custody.events.stays import ApproverRole

from ..loading import Settings

_ARGON2ID = re.compile(
    r"\$argon2id\$v=19\$m=(?P<memory>[0-9]{1,9}),t=(?P<passes>[0-9]{1,3}),p=(?P<lanes>[0-9]{1,2})"
    r"\$[A-Za-z0-9+/]{11,64}\$[A-Za-z0-9+/]{22,86}"
)
MEMORY_KIB_MAX = 256 * 1024
PASSES_MAX = 10
LANES_MAX = 8
"""A hash that asks for more would keep a small board busy, and its door shut, for seconds."""


class Role(StrEnum):
    GUARD = "guard"
    CASE_OFFICER = "case_officer"
    ZONE_MANAGER = "zone_manager"
    INSPECTOR = "inspector"


def _card(value: object) -> object:
    return value.upper() if isinstance(value, str) else value


def _pin_hash(value: str) -> str:
    found = _ARGON2ID.fullmatch(value)
    # The value itself is not repeated: errors go into logs and into the ledger.
    if found is None:
        raise ValueError("a PIN is given as its argon2id hash; make one with: fourmusts central pin")
    if (
        int(found["memory"]) > MEMORY_KIB_MAX
        or int(found["passes"]) > PASSES_MAX
        or int(found["lanes"]) > LANES_MAX
    ):
        raise ValueError(
            f"a PIN's argon2id hash may cost {MEMORY_KIB_MAX} KiB, {PASSES_MAX} passes and {LANES_MAX} lanes at "
            "most; make one with: fourmusts central pin"
        )
    return value


Card = Annotated[str, BeforeValidator(_card), Field(pattern=r"^[0-9A-F]{1,64}$")]
"""A card's number as the reader gives it: its bits as upper-case hexadecimal digits."""
PinHash = Annotated[str, Field(max_length=256), AfterValidator(_pin_hash)]
"""``$argon2id$v=19$m=…,t=…,p=…$salt$hash``."""


class OfficerSettings(Settings):
    """``valid_from`` inclusive, ``valid_until`` exclusive, each with its UTC offset."""

    id: PartId
    name: str = Field(max_length=64)
    rank: Rank
    sex: Sex
    card: Card | None = None
    pin_hash: PinHash | None = None
    duress_pin_hash: PinHash | None = None
    """The PIN that opens just as well and calls for help."""
    roles: list[Role] = []
    approves_as: ApproverRole | None = None
    areas: list[Area] | None = None
    """The kinds of rooms that he may pass into, every kind by default; ``outside`` need not be named."""
    doors: list[PartId] | None = None
    """The only doors that he may pass; by default all that admit one of his roles."""
    schedule: PartId | None = None
    """When he may pass; by default at any time."""
    valid_from: datetime | None = None
    valid_until: datetime | None = None
    active: bool = True

    @model_validator(mode="after")
    def _times_agree(self) -> Self:
        for key, moment in (("valid_from", self.valid_from), ("valid_until", self.valid_until)):
            if moment is not None and moment.tzinfo is None:
                raise ValueError(f"{key} has no UTC offset; write it like 2026-03-01T08:00:00+08:00")
        if self.valid_from is not None and self.valid_until is not None and self.valid_until <= self.valid_from:
            raise ValueError("valid_until is not after valid_from, so the officer would never be valid")
        return self

    @model_validator(mode="after")
    def _pins_agree(self) -> Self:
        if self.duress_pin_hash is not None and self.pin_hash is None:
            raise ValueError("duress_pin_hash without pin_hash: his only PIN would be the one that calls help")
        if self.pin_hash is not None and self.pin_hash == self.duress_pin_hash:
            raise ValueError("pin_hash and duress_pin_hash are the same, so every entry would call help")
        return self

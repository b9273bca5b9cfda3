"""How a door stands for everybody, whoever comes: released, locked down, neither, or released over a lockdown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from custody.events import DoorMode, Draft, PartId, ReleaseCause, draft


@dataclass(frozen=True)
class Mode:
    released: ReleaseCause | None = None
    """Unlocked until somebody who may do so says that it is to be secured."""
    locked_down: bool = False
    """Ended by its own command alone. A release stands above it, and it is still there afterwards."""


USUAL = Mode()


def told(door: PartId, mode: Mode, actor: str | None, **extra: Any) -> Draft:
    """The line that this door stands so from now on."""
    fields = {"door": door, "released": mode.released, "locked_down": mode.locked_down, "actor": actor, **extra}
    return draft(DoorMode.model_validate(fields))


def followed(modes: Mapping[PartId, Mode], type_: str, data: Mapping[str, Any]) -> Mapping[PartId, Mode]:
    """The modes after one more line of the ledger. Raises ``KeyError``, ``TypeError`` or ``ValueError`` for one
    that breaks its schema."""
    if type_ != DoorMode.TYPE:
        return modes
    cause = data["released"]
    mode = Mode(None if cause is None else ReleaseCause(cause), bool(data["locked_down"]))
    return {**modes, data["door"]: mode}

"""What the register refuses, and why.

Every refusal carries a message id in English with named places, so that the panel can say it in the reader's
language; ``str()`` of it is the English sentence.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from custody.errors import FourmustsError


@dataclass(frozen=True)
class Said:
    """A sentence with named places: ``pattern % values``, its pattern being a message id of the catalogues."""

    pattern: str
    values: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.pattern % self.values


@dataclass(frozen=True)
class Obstacle:
    """Something that the musts forbid now. ``rule`` is the rule of rules.md that would be broken."""

    rule: str
    said: Said


class RegisterError(FourmustsError):
    """An act that the register does not write. ``what`` is wrong; ``mend`` says what to do."""

    code = "refused"
    status = 409

    def __init__(self, what: Said, mend: Said) -> None:
        super().__init__(f"{what} {mend}")
        self.what = what
        self.mend = mend


class Unknown(RegisterError):
    """A stay, room, door, officer, search or activity that does not exist."""

    code = "unknown"
    status = 404


class NotNow(RegisterError):
    """The register stands otherwise: somebody not inside cannot be moved, one who has left cannot leave."""

    code = "not_now"


class WrongTime(RegisterError):
    """A time of happening that cannot be: in the future, or before the stay began."""

    code = "wrong_time"
    status = 422


class Forbidden(RegisterError):
    """The step gate: the musts forbid it. It can be overridden with a reason; it then stays judged."""

    code = "forbidden"

    def __init__(self, obstacles: Sequence[Obstacle]) -> None:
        self.obstacles = list(obstacles)
        said = " ".join(str(obstacle.said) for obstacle in obstacles)
        super().__init__(
            Said("%(obstacles)s", {"obstacles": said}),
            Said("Do that step first. In an emergency go on with a reason; it is recorded and judged."),
        )


class PersonKeyBroken(FourmustsError):
    """The key of the persons' records cannot be used."""

    def __init__(self, path: Path, found: str, mend: str) -> None:
        super().__init__(f"{path}: the key of the persons' records cannot be used: {found}; {mend}")
        self.path = path


class PersonRecordBroken(FourmustsError):
    """A person's record that cannot be kept or opened."""

    def __init__(self, stay: str, paper: str, found: str) -> None:
        super().__init__(
            f"the record {paper!r} of {stay} cannot be used: {found}; "
            "restore persons.sqlite3 and keys/persons.key from the same backup"
        )
        self.stay = stay

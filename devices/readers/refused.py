"""What a reader without a checked line may hand over beside cards and keys."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Refused:
    """Something arrived that is nothing; why, in words that show none of it: it may be a part of a PIN."""

    reason: str

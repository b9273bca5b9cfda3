"""What the judge finds: a gap between what was required and what is proven."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from hashlib import sha256
from typing import Any

import orjson

from .events import format_utc


class Verdict(StrEnum):
    BREACH = "breach"
    REVIEW = "review"
    UNPROVEN = "unproven"


class Severity(StrEnum):
    SERIOUS = "serious"
    BREACH = "breach"
    NOTICE = "notice"


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding, as rules.md shapes it.

    ``start_us`` and ``end_us`` are UTC microseconds; ``end_us`` is ``None`` while it lasts, and ``seconds_us``
    (microseconds too) then counts to the horizon. ``must`` is 1 to 4, 0 for the legal clocks. ``subject`` is what
    the rule looked at, apart from the stay: with it and the start the ``id`` stays the same for ever.
    """

    zone: str
    stay: str | None
    rule: str
    verdict: Verdict
    severity: Severity
    subject: str
    start_us: int
    end_us: int | None
    seconds_us: int
    evidence: tuple[str, ...]
    values: Mapping[str, Any]

    def longer(self, by_us: int) -> Finding:
        """The same, having lasted so much longer."""
        return replace(self, seconds_us=self.seconds_us + by_us) if by_us else self

    @property
    def id(self) -> str:
        key = "\n".join((self.zone, self.stay or "", self.rule, self.subject, str(self.start_us)))
        return sha256(key.encode()).hexdigest()[:32]

    @property
    def must(self) -> int:
        return 0 if self.rule.startswith("T") else int(self.rule[1])

    @property
    def place(self) -> tuple[int, str, str, str, str, str]:
        """What findings are sorted by: start, rule, zone, stay (none first)."""
        return (self.start_us, self.rule, self.zone, self.stay or "", self.subject, self.verdict)

    def says_the_same(self, other: Finding) -> bool:
        """Whether nothing differs but how long both, lasting, had lasted when they were found."""
        if self.end_us is None and other.end_us is None:
            return replace(self, seconds_us=0) == replace(other, seconds_us=0)
        return self == other

    def to_dict(self) -> dict[str, Any]:
        """The finding as JSON has it: times in UTC with six decimals, ``seconds`` a number."""
        return {
            "id": self.id,
            "zone": self.zone,
            "stay": self.stay,
            "must": self.must,
            "rule": self.rule,
            "verdict": self.verdict.value,
            "severity": self.severity.value,
            "start": format_utc(self.start_us),
            "end": None if self.end_us is None else format_utc(self.end_us),
            "seconds": self.seconds_us / 1_000_000,
            "evidence": list(self.evidence),
            "values": dict(self.values),
        }

    def to_json_line(self) -> str:
        """One line of JSON, without a line feed."""
        return orjson.dumps(self.to_dict()).decode()


class Difference:
    """What has come to be found, or is no longer found, since the last time that somebody asked.

    A finding that merely lasts longer is no difference.
    """

    def __init__(self) -> None:
        self.found: dict[str, Finding] = {}
        self.gone: dict[str, Finding] = {}

    def note(self, before: Iterable[Finding], after: Iterable[Finding]) -> None:
        """These findings have been replaced by those."""
        old = {finding.id: finding for finding in before}
        for finding in after:
            known = old.pop(finding.id, None)
            self.gone.pop(finding.id, None)
            if known is None or not known.says_the_same(finding):
                self.found[finding.id] = finding
        for id_, finding in old.items():
            self.found.pop(id_, None)
            self.gone[id_] = finding

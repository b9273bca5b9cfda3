"""What the judge measures with: every threshold of the rules, and which law holds on which day.

A ``Policy`` has no defaults of its own: config/policy.toml holds every number with its source. Times are given in
seconds there and kept in microseconds here, so ``review_s = 600`` becomes ``review_us``.
"""

from __future__ import annotations

import math
from datetime import date
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from .intervals import SECOND


def _micros(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError("expected a number of seconds")
    if not 0 <= value <= 10 * 366 * 86_400:
        raise ValueError("expected seconds of 0 to ten years")
    return round(value * SECOND)


Micros = Annotated[int, BeforeValidator(_micros)]


def _days(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 36_600:
        raise ValueError("expected a number of days, at most a hundred years")
    return round(value * 86_400 * SECOND)


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Reading(_Part):
    """How the lines are read."""

    heartbeat_timeout_us: Micros = Field(alias="heartbeat_timeout_s")
    clock_step_us: Micros = Field(alias="clock_step_s")
    bridge_us: Micros = Field(alias="bridge_s")


class GuardPolicy(_Part):
    """What proves that somebody is guarded, and for how long."""

    valid_us: Micros = Field(alias="guard_valid_s")
    reconfirm_us: Micros = Field(alias="reconfirm_s")
    linger_us: Micros = Field(alias="linger_s")
    arrival_us: Micros = Field(alias="arrival_s")
    transfer_us: Micros = Field(alias="transfer_s")
    collection_us: Micros = Field(alias="collection_s")
    check_us: Micros = Field(alias="check_s")


class CameraPolicy(_Part):
    reconfirm_us: Micros = Field(alias="reconfirm_s")


class Rule(_Part):
    """One rule: what it rests on and from when to when it is law. ``valid_to`` is the first day without it."""

    citation: str
    valid_from: date | None = None
    valid_to: date | None = None

    def in_force(self, day: date) -> bool:
        after = self.valid_from is None or self.valid_from <= day
        return after and (self.valid_to is None or day < self.valid_to)


class Ladder(_Part):
    """Lengths beyond which (longer, not equal) a finding is a review, a breach, a serious breach."""

    review_us: Micros | None = Field(default=None, alias="review_s")
    breach_us: Micros | None = Field(default=None, alias="breach_s")
    serious_us: Micros | None = Field(default=None, alias="serious_s")

    def step(self, length_us: int, factor: int = 1) -> tuple[str, str] | None:
        """(verdict, severity) of the highest step that a length passes, ``None`` below all."""
        if self.serious_us is not None and length_us > self.serious_us * factor:
            return "breach", "serious"
        if self.breach_us is not None and length_us > self.breach_us * factor:
            return "breach", "breach"
        if self.review_us is not None and length_us > self.review_us * factor:
            return "review", "notice"
        return None

    @property
    def lowest_us(self) -> int:
        """The length at or below which nothing is found."""
        return min(step for step in (self.review_us, self.breach_us, self.serious_us) if step is not None)

    @model_validator(mode="after")
    def _ascending(self) -> Ladder:
        given = [step for step in (self.review_us, self.breach_us, self.serious_us) if step is not None]
        if not given or given != sorted(given):
            raise ValueError("give at least one of review_s, breach_s, serious_s, and none below the one before")
        return self


class Steps(Rule, Ladder):
    """A rule whose findings grow with their length."""


class PaperEntry(Rule):
    window_us: Micros = Field(alias="window_s")


class EntryWithoutRegister(Rule):
    opened_us: Micros = Field(alias="opened_s")
    group_us: Micros = Field(alias="group_s")
    before_us: Micros = Field(alias="before_s")
    after_us: Micros = Field(alias="after_s")


class Removal(Rule):
    removal_reasons: tuple[str, ...]
    approver_roles: tuple[str, ...]
    medical_us: Micros = Field(alias="medical_s")


class NotBack(Rule):
    grace_us: Micros = Field(alias="grace_s")


class LateCorrection(Rule):
    review_us: Micros = Field(alias="review_s")


class SearchDelay(Steps):
    together_us: Micros = Field(alias="together_s")


class SearchOfficers(Rule):
    officers: int = Field(ge=1)
    ranks: tuple[str, ...]


class Collection(Rule):
    collection_required: bool


class Samples(Rule):
    free_items: tuple[str, ...]
    repeatable_items: tuple[str, ...]


class ShortSearch(Rule):
    shortest_us: Micros = Field(alias="shortest_s")


class Unguarded(Steps):
    unproven_us: Micros = Field(alias="unproven_s")
    high_risk: Ladder


class AuxiliaryAlone(Rule):
    questioning_us: Micros = Field(alias="continued_questioning_breach_s")
    review_us: Micros = Field(alias="review_s")


class Crowded(Rule):
    per_officer: int = Field(ge=1)
    per_officer_high_risk: int = Field(ge=1)
    review_us: Micros = Field(alias="review_s")


class HandoverPolicy(Rule):
    present_us: Micros = Field(alias="present_s")
    settled_us: Micros = Field(alias="settled_s")


class Checks(Rule):
    general_us: Micros = Field(alias="general_s")
    intermittent_us: Micros = Field(alias="intermittent_s")
    constant_us: Micros = Field(alias="constant_s")
    grace_us: Micros = Field(alias="grace_s")

    def limit_us(self, level: str) -> int:
        if level == "general":
            return self.general_us
        return self.constant_us if level == "constant" else self.intermittent_us


class Together(Rule):
    breach_us: Micros = Field(alias="breach_s")


class Interviewers(Rule):
    officers: int = Field(ge=1)
    run_us: Micros = Field(alias="run_s")
    single_officer_from: date


class Share(Rule):
    share: float = Field(ge=0, le=1)
    total_us: Micros = Field(alias="total_s")


class Unrecorded(Steps):
    unproven_us: Micros = Field(alias="unproven_s")


class AuditDue(Rule):
    due_us: Micros = Field(alias="due_s")


class Retention(Rule):
    retention_us: Annotated[int, BeforeValidator(_days)] = Field(alias="retention_days")


class Overstay(Rule):
    serious_us: Micros = Field(alias="serious_s")
    serious_48_us: Micros = Field(alias="serious_48_s")
    vulnerable_us: Micros = Field(alias="vulnerable_s")
    vulnerable_flags: tuple[str, ...]


class Tier(_Part):
    """A length that a measure may have. ``flags``: only for persons with one of these."""

    kind: str
    hours: float = Field(gt=0)
    citation: str
    valid_from: date | None = None
    valid_to: date | None = None
    flags: tuple[str, ...] = ()

    def in_force(self, day: date) -> bool:
        after = self.valid_from is None or self.valid_from <= day
        return after and (self.valid_to is None or day < self.valid_to)


class Rules(_Part):
    m1_1: Steps = Field(alias="M1.1")
    m1_2: PaperEntry = Field(alias="M1.2")
    m1_3: EntryWithoutRegister = Field(alias="M1.3")
    m1_4: Steps = Field(alias="M1.4")
    m1_5: Removal = Field(alias="M1.5")
    m1_6: NotBack = Field(alias="M1.6")
    m1_7: Rule = Field(alias="M1.7")
    m1_8: Rule = Field(alias="M1.8")
    m1_9: LateCorrection = Field(alias="M1.9")
    m2_1: Rule = Field(alias="M2.1")
    m2_2: SearchDelay = Field(alias="M2.2")
    m2_3: SearchOfficers = Field(alias="M2.3")
    m2_4: Rule = Field(alias="M2.4")
    m2_5: Collection = Field(alias="M2.5")
    m2_6: Samples = Field(alias="M2.6")
    m2_7: Rule = Field(alias="M2.7")
    m2_8: ShortSearch = Field(alias="M2.8")
    m3_1: Unguarded = Field(alias="M3.1")
    m3_2: AuxiliaryAlone = Field(alias="M3.2")
    m3_3: Crowded = Field(alias="M3.3")
    m3_4: HandoverPolicy = Field(alias="M3.4")
    m3_5: Checks = Field(alias="M3.5")
    m3_6: Together = Field(alias="M3.6")
    m3_7: Interviewers = Field(alias="M3.7")
    m3_8: Share = Field(alias="M3.8")
    m4_1: Unrecorded = Field(alias="M4.1")
    m4_2: Unrecorded = Field(alias="M4.2")
    m4_3: Steps = Field(alias="M4.3")
    m4_4: AuditDue = Field(alias="M4.4")
    m4_5: Retention = Field(alias="M4.5")
    m4_6: Share = Field(alias="M4.6")
    t1: Overstay = Field(alias="T1")
    t2: Rule = Field(alias="T2")
    t3: Rule = Field(alias="T3")


class Policy(_Part):
    """All of it. ``config.policy.load_policy`` reads one."""

    reading: Reading
    guards: GuardPolicy
    cameras: CameraPolicy
    rules: Rules
    tiers: tuple[Tier, ...] = Field(min_length=1)

    def rule(self, name: str) -> Rule:
        """The rule that a finding names, such as ``M3.1``. Raises ``KeyError`` for a name that is none."""
        found = RULE_FIELDS[name]
        rule = getattr(self.rules, found)
        assert isinstance(rule, Rule)
        return rule

    def tiers_of(self, kind: str, day: date, flags: frozenset[str]) -> list[float]:
        """The hours that a measure of this kind may last for such a person on that day, ascending."""
        return sorted(
            tier.hours
            for tier in self.tiers
            if tier.kind == kind and tier.in_force(day) and (not tier.flags or not flags.isdisjoint(tier.flags))
        )


RULE_FIELDS = {name.upper().replace("_", "."): name for name in Rules.model_fields}
"""Rule names as findings carry them (``M3.1``) and the fields of ``Rules`` that hold them."""

"""The measure in force at every moment of a stay, and the moment at which its limit is reached."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property

from custody.facts import Fact, Measure
from custody.intervals import FOREVER, SECOND, Intervals, normal

from .case import Case, day_of

HOUR = 3600 * SECOND


@dataclass(frozen=True, slots=True)
class Term:
    """From ``start`` to ``end`` this measure holds; counted as it counts, its limit is reached at ``deadline``.

    ``tier`` is the length that the law gives it, ``limit_hours`` the one that binds this person.
    """

    start: int
    end: int
    kind: str
    tier: float
    limit_hours: float
    deadline: int
    fact: Fact


class Terms:
    """All terms of a stay, from its arrival (or its first event) on."""

    def __init__(self, case: Case) -> None:
        self._case = case
        self._stay = case.stay
        self._changes = case.stay.measures

    @cached_property
    def all(self) -> list[Term]:
        """The terms in order; they cut time where the measure or the flags change."""
        begun = self._stay.begun
        moments = {begun.time}
        moments.update(fact.time for fact, _ in self._changes if fact.time > begun.time)
        moments.update(state.time for state in self._stay.states if state.time > begun.time)
        ordered = sorted(moments)
        found = []
        for index, start in enumerate(ordered):
            end = ordered[index + 1] if index + 1 < len(ordered) else FOREVER
            flags = self._stay.state_at(start).flags
            found.append(self._term(start, end, self._count_at(start), flags))
        return found

    def at(self, moment: int) -> Term:
        terms = self.all
        return terms[max(0, bisect_right(terms, moment, key=lambda term: term.start) - 1)]

    def before(self, change: Fact) -> Term:
        """The term that would have gone on but for this change."""
        count = sum(fact.order < change.order for fact, _ in self._changes)
        return self._term(change.time, FOREVER, count, self._stay.flags_by(change.order))

    def of(self, change: Fact) -> Term:
        """The term that this change begins."""
        count = sum(fact.order <= change.order for fact, _ in self._changes)
        return self._term(change.time, FOREVER, count, self._stay.flags_by(change.order))

    def in_force_as(self, kind: str) -> Intervals:
        """When the measure in force is of this kind."""
        return normal((term.start, term.end) for term in self.all if term.kind == kind)

    def _count_at(self, moment: int) -> int:
        return sum(fact.time <= moment for fact, _ in self._changes)

    def _term(self, start: int, end: int, count: int, flags: frozenset[str]) -> Term:
        """The term of a person with these flags under the first ``count`` measures."""
        fact, measure = self._changes[count - 1] if count else (self._stay.begun, Measure())
        since = self._stay.begun.time
        for _, earlier in self._changes[:count]:
            if earlier.since_us is not None:
                since = earlier.since_us
        tier = self._tier(fact, measure)
        limit = tier
        rule = self._case.policy.rules.t1
        if measure.kind == "continued_questioning" and not flags.isdisjoint(rule.vulnerable_flags):
            limit = min(tier, rule.vulnerable_us / HOUR)
        deadline = self._deadline(since, round(limit * HOUR), measure.kind)
        return Term(start, end, measure.kind, tier, limit, deadline, fact)

    def _tier(self, fact: Fact, measure: Measure) -> float:
        """The length that counts: the one given if the law knows it, else the next smaller, else the one given."""
        flags = self._stay.flags_by(fact.order)
        tiers = self._case.policy.tiers_of(measure.kind, day_of(fact), flags)
        general = self._case.policy.tiers_of(measure.kind, day_of(fact), frozenset())
        if measure.limit_hours is None:
            return min(general or self._case.policy.tiers_of("none", day_of(fact), frozenset()), default=8.0)
        return max((tier for tier in tiers if tier <= measure.limit_hours), default=measure.limit_hours)

    def _deadline(self, since: int, limit_us: int, kind: str) -> int:
        """When the time that counts reaches the limit; sobering does not count under an administrative summons."""
        deadline = since + limit_us
        if kind != "administrative_summons":
            return deadline
        sobering = normal((one.start, one.end) for one in self._stay.activities if one.body.kind == "sobering")
        for start, end in sobering:
            start = max(start, since)
            if start >= end:
                continue
            if start >= deadline:
                break
            if end >= FOREVER:
                return FOREVER
            deadline += end - start
        return deadline

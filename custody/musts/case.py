"""One stay before the judge: its timeline, its zone, and how a finding about it is written down."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from typing import Any

from custody.facts import Fact
from custody.findings import Finding, Severity, Verdict
from custody.intervals import FOREVER, Intervals
from custody.policy import Ladder, Policy
from custody.timeline.stay import StayTimeline
from custody.timeline.zone import Place, ZoneTimeline

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

SEVERITY = {Verdict.BREACH: Severity.BREACH, Verdict.REVIEW: Severity.NOTICE, Verdict.UNPROVEN: Severity.NOTICE}


def day_of(fact: Fact) -> date:
    """The calendar day of an event, read with the UTC offset written in its time."""
    return (_EPOCH + timedelta(microseconds=fact.time, seconds=fact.offset_s)).date()


class Findings:
    """Where the rules of one zone write down what they find."""

    def __init__(self, timeline: ZoneTimeline) -> None:
        self.timeline = timeline
        self.policy: Policy = timeline.policy
        self.found: list[Finding] = []
        self.wake = FOREVER

    def add(
        self,
        rule: str,
        verdict: str,
        start: int,
        end: int,
        *,
        subject: str = "",
        severity: str | None = None,
        stay: str | None = None,
        length_us: int | None = None,
        evidence: Iterable[Fact] = (),
        **values: Any,
    ) -> None:
        """Note a finding over [start, end). An end beyond the horizon means that it lasts, but for a moment;
        ``length_us`` is what counted, if that is not its whole length."""
        ends = None if end > max(start, self.timeline.horizon) else end
        if length_us is None:
            length_us = max(0, (self.timeline.horizon if ends is None else end) - start)
        said = Verdict(verdict)
        self.found.append(
            Finding(
                zone=self.timeline.zone,
                stay=stay,
                rule=rule,
                verdict=said,
                severity=SEVERITY[said] if severity is None else Severity(severity),
                subject=subject,
                start_us=start,
                end_us=ends,
                seconds_us=length_us,
                evidence=tuple(dict.fromkeys(id_ for fact in evidence for id_ in fact.evidence)),
                values={name: value for name, value in sorted(values.items()) if value is not None},
            )
        )

    # The rules below say not only what they find but until when that stays so if nothing new is written but the
    # zone is known to run on. Judging again can wait till then.

    def wake_at(self, moment: int) -> None:
        """At this moment a rule may find something else, though nothing happens."""
        if self.timeline.horizon < moment < self.wake:
            self.wake = moment

    def longer(self, length_us: int, limit_us: int, *, lasts: bool) -> bool:
        """Whether a length is beyond a limit; what lasts is looked at again when it will be."""
        if lasts and length_us <= limit_us:
            self.wake_at(self.timeline.horizon + limit_us - length_us + 1)
        return length_us > limit_us

    def step(
        self, ladder: Ladder, length_us: int, *, lasts: bool, factor: int = 1, less_us: int = 0
    ) -> tuple[str, str] | None:
        """The step that ``length_us`` less ``less_us`` passes; what lasts is looked at again at the next one."""
        compared = length_us - less_us
        if lasts:
            for limit in (ladder.review_us, ladder.breach_us, ladder.serious_us):
                if limit is not None:
                    self.longer(compared, limit * factor, lasts=True)
        return ladder.step(compared, factor)


class Case(Findings):
    """A stay as the rules of the musts look at it."""

    def __init__(self, timeline: ZoneTimeline, stay: StayTimeline) -> None:
        super().__init__(timeline)
        self.stay = stay
        self.day = day_of(stay.begun if stay.first is not None else stay.facts[0])

    def in_force(self, rule: str) -> bool:
        """Whether the rule was law on the day of the arrival."""
        return self.policy.rule(rule).in_force(self.day)

    def find(self, rule: str, verdict: str, start: int, end: int | None = None, **kinds: Any) -> None:
        """As ``add``, of this stay; without an end it is a moment."""
        self.add(rule, verdict, start, start if end is None else end, stay=self.stay.id, **kinds)

    @property
    def end(self) -> int:
        """Just past the horizon: what is open is judged up to here."""
        return self.timeline.end

    @cached_property
    def places(self) -> list[Place]:
        return self.timeline.places(self.stay)

    @cached_property
    def inside(self) -> Intervals:
        return [(start, min(end, self.end)) for start, end in self.stay.inside if start < self.end]

    def span(self, length_end: int) -> int:
        """An end as lengths are measured: what lasts, lasts to H."""
        return min(length_end, self.timeline.horizon)

    def lasts(self, end: int) -> bool:
        """Whether what ends there lasts at H."""
        return end > self.timeline.horizon

    def counted(self, start: int, end: int) -> int:
        """Microseconds from ``start`` to ``end``, or to H if it lasts."""
        return max(0, self.span(end) - start)

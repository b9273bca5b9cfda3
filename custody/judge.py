"""The judge: from the events of a zone to the findings, the same whatever the order in which they come.

``judge`` takes all events at once. ``Judge`` takes them as they come, keeps what the rules need and judges again
only what an event can have changed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from .events import Event
from .findings import Finding, Verdict
from .intervals import FOREVER
from .musts.case import Case, Findings
from .musts.direct_entry import judge_direct_entry
from .musts.guarded import judge_guarded
from .musts.in_company import crowded, judge_handover, judge_in_company, report_crowded
from .musts.legal_clocks import judge_legal_clocks
from .musts.recorded import judge_interviews_recorded, judge_recorded
from .musts.recorded_audits import judge_audit_clock, judge_audits_and_losses, judge_clocks
from .musts.register import judge_entries_without_register, judge_lines_of_stay, judge_lines_of_zone
from .musts.searched_first import judge_searched_first
from .policy import Policy
from .records import Records
from .timeline.zone import ZoneTimeline

MUSTS = (0, 1, 2, 3, 4)


def judge(events: Iterable[Event], policy: Policy, until_us: int | None = None) -> list[Finding]:
    """The findings of all zones that the events are of, sorted by start, rule, zone and stay.

    ``until_us``: as if what was written after it did not exist; what lasts, lasts to it.
    """
    by_zone: dict[str, list[Event]] = {}
    for event in events:
        by_zone.setdefault(event.zone, []).append(event)
    found: list[Finding] = []
    for zone, theirs in by_zone.items():
        judge_ = Judge(zone, policy, until_us=until_us)
        judge_.take(theirs)
        found.extend(judge_.findings())
    return sorted(found, key=lambda finding: finding.place)


class Judge:
    """Judges one zone as its events come.

    Events may come in any order and more than once. Nothing is judged before it is asked for.
    """

    def __init__(self, zone: str, policy: Policy, *, until_us: int | None = None) -> None:
        self.zone = zone
        self.policy = policy
        self._until_us = until_us
        self._records = Records(zone, policy)
        self._timeline = ZoneTimeline(zone, policy)
        self._changed: set[str] = set()
        self._of_stay: dict[str, list[Finding]] = {}
        self._of_zone: list[Finding] = []
        self._judged = True

    @property
    def broken(self) -> dict[str, str]:
        """Events whose data cannot be read, by id, and why."""
        return dict(self._records.broken)

    def take(self, events: Iterable[Event]) -> None:
        """Take events of this zone; those of other zones are not its business and are left aside."""
        mine = (event for event in events if event.zone == self.zone)
        if self._until_us is not None:
            until = self._until_us
            mine = (event for event in mine if event.written_us <= until)
        changes = self._records.take(mine)
        if changes.anew:
            self._timeline = ZoneTimeline(self.zone, self.policy)
            self._of_stay = {}
            self._changed = set()
        for fact in changes.withdrawn:
            self._timeline.withdraw(fact)
            if fact.stay:
                self._changed.add(fact.stay)
        for fact in changes.filed:
            self._timeline.file(fact)
            if fact.stay:
                self._changed.add(fact.stay)
        for moment in changes.good:
            self._timeline.clocks.good(moment)
        self._judged = False

    def findings(self) -> list[Finding]:
        """Everything found so far, sorted by start, rule, zone and stay."""
        self._judge()
        found = [finding for findings in self._of_stay.values() for finding in findings]
        found.extend(self._of_zone)
        return sorted(found, key=lambda finding: finding.place)

    def verdicts(self, excused: Collection[str] = ()) -> dict[str, dict[int, str]]:
        """For each stay the verdict of each must (0: the legal clocks). ``excused``: ids of excused findings."""
        self._judge()
        return {
            name: {must: self._verdict(name, must, excused) for must in MUSTS}
            for name in sorted(self._timeline.stay_facts)
            if self._timeline.stay(name).first is not None
        }

    def _verdict(self, stay: str, must: int, excused: Collection[str]) -> str:
        found = [finding for finding in self._of_stay.get(stay, ()) if finding.must == must]
        breaches = [finding for finding in found if finding.verdict is Verdict.BREACH]
        if breaches:
            return "excused" if all(finding.id in excused for finding in breaches) else "breached"
        if any(finding.verdict is Verdict.UNPROVEN for finding in found):
            return "unproven"
        return "pending" if self._timeline.stay(stay).exited is None else "kept"

    def _judge(self) -> None:
        if self._judged:
            return
        self._judged = True
        timeline = self._timeline
        written = self._records.ledgers.latest()
        if written is None:
            self._of_stay, self._of_zone = {}, []
            return
        timeline.at(written if self._until_us is None else self._until_us, written, self._records.ledgers.known())
        for name in self._changed:
            timeline.tell_again(name)
        self._changed = set()
        self._of_stay = {name: judge_stay(timeline, name) for name in timeline.stay_facts}
        self._of_zone = judge_zone(timeline)


def judge_stay(timeline: ZoneTimeline, name: str) -> list[Finding]:
    """Every finding about one stay."""
    stay = timeline.stay(name)
    case = Case(timeline, stay)
    judge_lines_of_stay(case)
    if stay.first is None:
        return case.found
    judge_legal_clocks(case)
    interviews = judge_interviews_recorded(case)
    if stay.suspect:
        judge_direct_entry(case)
        judge_searched_first(case)
        judge_guarded(case)
        judge_in_company(case, interviews)
        judge_recorded(case)
        judge_audits_and_losses(case)
    return case.found


def judge_zone(timeline: ZoneTimeline) -> list[Finding]:
    """Every finding that is about no single stay."""
    findings = Findings(timeline)
    judge_lines_of_zone(findings, -FOREVER)
    judge_entries_without_register(findings)
    judge_clocks(findings)
    for camera in timeline.cameras.values():
        for _, _, _, fact in camera.audits.all():
            judge_audit_clock(findings, fact)
    for fact in timeline.handovers.facts:
        judge_handover(findings, fact)
    for room in timeline.visits:
        for start, end in crowded(timeline, room, -FOREVER, timeline.end):
            report_crowded(findings, room, start, end)
    return findings.found

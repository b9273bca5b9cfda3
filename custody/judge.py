"""The judge: from the events of a zone to the findings, the same whatever the order in which they come.

``Judge`` takes events as they come, keeps what the rules need and judges again only what a line can have changed.
What it finds depends on the set of lines alone.
"""

from __future__ import annotations

import zlib
from bisect import bisect_left, insort
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from heapq import heappop, heappush

from .events import Event
from .facts import Described, Fact
from .findings import Difference, Finding, Verdict
from .heartbeats import Run
from .intervals import FOREVER, covers
from .musts.case import Case
from .musts.direct_entry import judge_direct_entry
from .musts.guarded import judge_guarded
from .musts.in_company import judge_in_company
from .musts.legal_clocks import judge_legal_clocks
from .musts.recorded import judge_interviews_recorded, judge_recorded
from .musts.recorded_audits import judge_audits_and_losses
from .musts.register import judge_lines_of_stay
from .musts.searched_first import judge_searched_first
from .policy import Policy
from .records import Changes, Records
from .timeline.zone import ZoneTimeline
from .touch import Reach, Touched, changes_others
from .zone_findings import ZoneFindings

MUSTS = (0, 1, 2, 3, 4)


@dataclass(slots=True)
class _Judged:
    """A stay as it was judged at a horizon; it stays so, but for what lasts, until ``wake``."""

    found: list[Finding]
    horizon: int
    wake: int
    exited: bool
    exists: bool


@dataclass(slots=True)
class _Open:
    """What has been taken and not been judged yet."""

    filed: dict[int, Fact] = field(default_factory=dict)
    withdrawn: list[Fact] = field(default_factory=list)
    touched: Touched = field(default_factory=Touched)
    good: bool = False
    everything: bool = False


class Judge:
    """Judges one zone as its events come.

    Events may come in any order and more than once. Nothing is judged before it is asked for.
    """

    def __init__(self, zone: str, policy: Policy, *, until_us: int | None = None) -> None:
        self.zone = zone
        self.policy = policy
        self._until_us = until_us
        self._ahead_us = -FOREVER
        self._records = Records(zone, policy)
        self._difference = Difference()
        self._reach = Reach(policy)
        self._begin()

    def _begin(self) -> None:
        self._timeline = ZoneTimeline(self.zone, self.policy)
        self._zone = ZoneFindings(self._timeline)
        self._stays: dict[str, _Judged] = {}
        self._spans: dict[str, tuple[int, int]] = {}
        self._by_end: list[tuple[int, str]] = []
        self._wakes: list[tuple[int, str]] = []
        self._horizon: int | None = None
        self._silent = False
        self._written = 0
        self._open = _Open(everything=True)

    @property
    def broken(self) -> dict[str, str]:
        """Events whose data cannot be read, by id, and why."""
        return dict(self._records.broken)

    def take(self, events: Iterable[Event]) -> None:
        """Take events of this zone; those of other zones are not its business and are left aside."""
        for event in events:
            if event.zone == self.zone:
                self.note(event)
        self.settle()

    def note(self, event: Event) -> None:
        """Take one event of this zone into a batch that ``settle`` ends."""
        if self._until_us is None or event.written_us <= self._until_us:
            self._records.note(event)

    def note_batch(self, runs: Sequence[Run], events: Sequence[Event]) -> None:
        """As ``note``, of lines of this zone that came together: good heartbeats in runs, and the others."""
        if self._until_us is not None:
            until_us = self._until_us
            events = [event for event in events if event.written_us <= until_us]
            runs = [kept for run in runs if (kept := run.until(until_us)).lines]
        self._records.note_batch(runs, events)

    def holds(self, id_: str) -> bool:
        """Whether an event of this id was taken; of good heartbeats only the last ones are known."""
        return self._records.holds(id_)

    def keep_heartbeats(self, count: int) -> None:
        """Of how many good heartbeats, the last ones, the lines are kept, about."""
        self._records.keep_quiet(count)

    def settle(self) -> None:
        """End a batch."""
        self._file(self._records.settle())

    def _file(self, changes: Changes) -> None:
        if changes.anew:
            for judged in self._stays.values():
                self._difference.note(judged.found, ())
            self._difference.note(self._zone.all(), ())
            self._begin()
        self._open.everything |= changes.settled
        self._open.good |= len(changes.good) > 0
        self._timeline.clocks.good(changes.good)
        for fact in changes.withdrawn:
            self._touch(fact)
            self._timeline.withdraw(fact)
            if self._open.filed.pop(id(fact), None) is None:
                self._open.withdrawn.append(fact)
        for fact in changes.filed:
            self._timeline.file(fact)
            self._touch(fact)
            self._open.filed[id(fact)] = fact
        self._open.touched.since = min(self._open.touched.since, changes.known_since)

    def save(self) -> bytes:
        """What ``resume`` needs to go on from here: the lines, not what was found."""
        return self._records.state()

    @classmethod
    def resume(cls, policy: Policy, state: bytes, *, until_us: int | None = None) -> Judge:
        """A judge that has taken everything that the saved one had. Raises ``ValueError`` for other bytes."""
        try:
            records, changes = Records.resume(policy, state)
        except (zlib.error, KeyError, TypeError) as error:
            raise ValueError(f"this is no saved judge: {error}; take all lines again instead") from error
        resumed = cls(records.zone, policy, until_us=until_us)
        resumed._records = records
        resumed._file(changes)
        return resumed

    def _touch(self, fact: Fact) -> None:
        first = isinstance(fact.body, Described) and self._timeline.descriptions.facts[:1] == [fact]
        self._reach.touch(fact, self._open.touched, first)
        if changes_others(fact) and fact.stay in self._spans:
            start = self._spans[fact.stay][0]
            self._open.touched.since = min(self._open.touched.since, start)

    def look_ahead(self, moment_us: int) -> None:
        """Judge up to this moment although nothing may have been written since: what lasts, lasts to it, and the
        time after the last line is unknown. It makes the silence of a zone show."""
        self._ahead_us = moment_us

    def findings(self) -> list[Finding]:
        """Everything found so far, sorted by start, rule, zone and stay."""
        self._judge()
        found = list(self._zone.all())
        for judged in self._stays.values():
            found.extend(self._grown(judged))
        return sorted(found, key=lambda finding: finding.place)

    def findings_of(self, stay: str) -> list[Finding]:
        """What is found about one stay."""
        self._judge()
        judged = self._stays.get(stay)
        return [] if judged is None else sorted(self._grown(judged), key=lambda finding: finding.place)

    def _grown(self, judged: _Judged) -> list[Finding]:
        by = (self._horizon or 0) - judged.horizon
        return [one if one.end_us is not None else one.longer(by) for one in judged.found]

    @property
    def timeline(self) -> ZoneTimeline:
        """What the zone's facts tell, as judged now; for reading alone."""
        self._judge()
        return self._timeline

    def differences(self) -> Difference:
        """What has come to be found, or is no longer, since this was last asked; costs nothing for the rest."""
        self._judge()
        said, self._difference = self._difference, Difference()
        return said

    def verdicts(self, excused: Collection[str] = ()) -> dict[str, dict[int, str]]:
        """For each stay the verdict of each must (0: the legal clocks). ``excused``: ids of excused findings."""
        self._judge()
        return {
            name: {must: _verdict(judged, must, excused) for must in MUSTS}
            for name, judged in sorted(self._stays.items())
            if judged.exists
        }

    # -- judging

    def _judge(self) -> None:
        """Judge again what has been touched, what is due, and nothing else."""
        written = self._records.ledgers.latest()
        if written is None:
            return
        horizon = max(written, self._ahead_us) if self._until_us is None else self._until_us
        open_, self._open = self._open, _Open()
        touched = open_.touched
        known = self._records.ledgers.known()
        lines = open_.everything or open_.filed or open_.withdrawn or open_.good
        nothing_new = not lines and touched.since == FOREVER
        if nothing_new and (horizon, written) == (self._horizon, self._written):
            return
        runs_on = covers(known, self._written - 1, written) and horizon == written and not self._silent
        self._silent = horizon != written
        if not runs_on or self._timeline.latest_time > self._written:
            touched.since = min(touched.since, self._written - 1)
        if open_.everything:
            touched.since = -FOREVER
        self._written, self._horizon = written, horizon
        self._timeline.at(horizon, written, known)
        others = set()
        for name in sorted(touched.stays):
            if self._timeline.tell_again(name):
                others.add(name)
            self._span(name)
        ended = [name for name in self._due(touched, horizon) if self._judge_stay(name)]
        filed, withdrawn = list(open_.filed.values()), open_.withdrawn
        if open_.everything:
            self._difference.note(self._zone.all(), ())
            self._zone = ZoneFindings(self._timeline)
            filed, withdrawn = self._timeline.lines_of_zone(), []
        self._zone.judge(filed, withdrawn, touched.since, others, self._difference)
        for name in ended:
            self._timeline.put_away(name)

    def _due(self, touched: Touched, horizon: int) -> set[str]:
        due = touched.stays & self._timeline.stay_facts.keys()
        if touched.since < FOREVER:
            first = bisect_left(self._by_end, (touched.since, ""))
            due.update(name for _, name in self._by_end[first:])
        for start, end in touched.windows:
            first = bisect_left(self._by_end, (start, ""))
            due.update(name for _, name in self._by_end[first:] if self._spans[name][0] <= end)
        while self._wakes and self._wakes[0][0] <= horizon:
            wake, name = heappop(self._wakes)
            if name in self._stays and self._stays[name].wake == wake:
                due.add(name)
        return due

    def _span(self, name: str) -> None:
        """From its first line to the end of what can touch the stay without naming it."""
        before = self._spans.pop(name, None)
        if before is not None:
            del self._by_end[bisect_left(self._by_end, (before[1], name))]
        if name not in self._timeline.stay_facts:
            judged = self._stays.pop(name, None)
            if judged is not None:
                self._difference.note(judged.found, ())
            return
        stay = self._timeline.stay(name)
        facts = stay.facts
        end = FOREVER
        if stay.exited is not None and all(visit.end < FOREVER for visit in stay.visits):
            end = max(facts[-1].time, stay.exited.time) + self._reach.back_us
        self._spans[name] = (facts[0].time, end)
        insort(self._by_end, (end, name))

    def _judge_stay(self, name: str) -> bool:
        """Judge a stay again. Returns whether nothing is expected of it any more."""
        stay = self._timeline.stay(name)
        case = judge_stay(self._timeline, name)
        before = self._stays.get(name)
        self._difference.note(() if before is None else before.found, case.found)
        self._stays[name] = _Judged(
            case.found, self._timeline.horizon, case.wake, stay.exited is not None, stay.first is not None
        )
        if case.wake < FOREVER:
            heappush(self._wakes, (case.wake, name))
        return case.wake == FOREVER and stay.exited is not None


def judge_stay(timeline: ZoneTimeline, name: str) -> Case:
    """Judge one stay by every rule that is about stays."""
    stay = timeline.stay(name)
    case = Case(timeline, stay)
    judge_lines_of_stay(case)
    if stay.first is None:
        return case
    judge_legal_clocks(case)
    interviews = judge_interviews_recorded(case)
    if stay.suspect:
        judge_direct_entry(case)
        judge_searched_first(case)
        judge_guarded(case)
        judge_in_company(case, interviews)
        judge_recorded(case)
        judge_audits_and_losses(case)
    return case


def _verdict(judged: _Judged, must: int, excused: Collection[str]) -> str:
    found = [finding for finding in judged.found if finding.must == must]
    breaches = [finding for finding in found if finding.verdict is Verdict.BREACH]
    if breaches:
        return "excused" if all(finding.id in excused for finding in breaches) else "breached"
    if any(finding.verdict is Verdict.UNPROVEN for finding in found):
        return "unproven"
    return "kept" if judged.exited else "pending"

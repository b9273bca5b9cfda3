"""What is found about a zone and about no single stay, line by line (M1.3, M1.4, M1.9, M3.3, M3.4, M4.3)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field

from .facts import Amended, Audited, ClockReading, Described, Entered, Fact, Granted, Handover, Opened
from .findings import Difference, Finding
from .intervals import FOREVER, SECOND, Intervals, clip, union
from .musts.case import Findings, day_of
from .musts.in_company import crowded, judge_handover, report_crowded
from .musts.recorded_audits import judge_clock_of, judge_heartbeats
from .musts.register import groups_brought_in, judge_group, late_corrections, late_lines
from .timeline.zone import ZoneTimeline

SETTLED_US = 2 * 86_400 * SECOND
"""Groups at a door this old, and answered, are looked at again only if something late comes before their end."""


@dataclass(slots=True)
class _Kept:
    """Findings as they stood at a horizon; open ones have grown since by what the horizon has."""

    found: list[Finding] = field(default_factory=list)
    horizon: int = 0
    wake: int = FOREVER


@dataclass(slots=True)
class _Door:
    """The groups at one door: those from ``since`` on are judged again whenever something happens there."""

    since: int = -FOREVER
    reach: int = -FOREVER
    done: list[Finding] = field(default_factory=list)
    live: _Kept = field(default_factory=_Kept)


@dataclass(slots=True)
class _Room:
    runs: Intervals = field(default_factory=list)
    kept: _Kept = field(default_factory=_Kept)


class ZoneFindings:
    """Every finding without a stay of one zone."""

    def __init__(self, timeline: ZoneTimeline) -> None:
        self._timeline = timeline
        self._lines: dict[str, Finding] = {}
        self._handovers: dict[str, _Kept] = {}
        self._pending_handovers: dict[str, Fact] = {}
        self._naming: dict[str, dict[str, Fact]] = {}
        self._doors: dict[str, _Door] = {}
        self._doors_since = -FOREVER
        self._rooms: dict[str, _Room] = {}
        self._clocks = _Kept()
        self._clocks_version = -1
        self.wake = FOREVER
        self._difference = Difference()
        rule = timeline.policy.rules.m1_3
        self._door_reach_us = rule.opened_us + rule.group_us + rule.before_us

    def all(self) -> Iterator[Finding]:
        """All of them, as they stand at the horizon."""
        yield from self._lines.values()
        yield from grown(self._clocks, self._timeline.horizon)
        for kept in self._handovers.values():
            yield from kept.found
        for door in self._doors.values():
            yield from door.done
            yield from grown(door.live, self._timeline.horizon)
        for room in self._rooms.values():
            yield from grown(room.kept, self._timeline.horizon)

    def judge(
        self,
        filed: Collection[Fact],
        withdrawn: Collection[Fact],
        since: int,
        others: Collection[str],
        difference: Difference,
    ) -> None:
        """Judge again after these facts were filed and withdrawn; nothing before ``since`` has changed by them.

        ``others``: stays that have turned out to be a suspect's, or not to be one's. What has become different is
        noted in ``difference``.
        """
        due = self.wake <= self._timeline.horizon or self._timeline.clocks.version != self._clocks_version
        if since == FOREVER and not (due or filed or withdrawn or others):
            return
        self._difference = difference
        for fact in withdrawn:
            self._forget(fact)
        for fact in filed:
            self._line(fact)
        self._judge_clocks()
        self._judge_handovers(since, others)
        doors_since = min(since, self._doors_since)
        if doors_since < FOREVER or self._due(door.live for door in self._doors.values()):
            self._judge_doors(doors_since)
        if since < FOREVER or self._due(room.kept for room in self._rooms.values()):
            self._judge_rooms(since)
        self.wake = min(
            (
                *(door.live.wake for door in self._doors.values()),
                *(room.kept.wake for room in self._rooms.values()),
                *(self._handovers[id_].wake for id_ in self._pending_handovers),
            ),
            default=FOREVER,
        )

    def _due(self, kept: Iterable[_Kept]) -> bool:
        return any(one.wake <= self._timeline.horizon for one in kept)

    def _forget(self, fact: Fact) -> None:
        gone = self._lines.pop(fact.id, None)
        self._difference.note([] if gone is None else [gone], ())
        handed_over = self._handovers.pop(fact.id, None)
        self._difference.note([] if handed_over is None else handed_over.found, ())
        self._pending_handovers.pop(fact.id, None)
        if isinstance(fact.body, Handover):
            for name in fact.body.stays:
                del self._naming[name][fact.id]
        self._touch_doors(fact)

    def _touch_doors(self, fact: Fact) -> None:
        if isinstance(fact.body, Granted | Opened | Entered | Described):
            self._doors_since = min(self._doors_since, fact.time - self._door_reach_us)

    def _line(self, fact: Fact) -> None:
        """What can be said of a line by itself."""
        self._touch_doors(fact)
        body = fact.body
        if isinstance(body, Handover):
            for name in body.stays:
                self._naming.setdefault(name, {})[fact.id] = fact
        findings = Findings(self._timeline)
        rules = findings.policy.rules
        if fact.type.startswith("guard."):
            if rules.m1_4.in_force(day_of(fact)):
                late_lines(findings, [fact], None)
        elif isinstance(body, Amended) and not body.stay:
            if rules.m1_9.in_force(day_of(fact)):
                late_corrections(findings, [fact], None)
        elif isinstance(body, Audited | ClockReading):
            judge_clock_of(findings, fact)
        for finding in findings.found:
            self._lines[fact.id] = finding
        self._difference.note((), findings.found)

    def _judge_clocks(self) -> None:
        clocks = self._timeline.clocks
        if clocks.version == self._clocks_version:
            return
        self._clocks_version = clocks.version
        findings = Findings(self._timeline)
        judge_heartbeats(findings)
        self._difference.note(self._clocks.found, findings.found)
        self._clocks = _Kept(findings.found, self._timeline.horizon)

    def _judge_handovers(self, since: int, others: Collection[str]) -> None:
        rule = self._timeline.policy.rules.m3_4
        again = dict(self._pending_handovers)
        for name in others:
            again.update(self._naming.get(name, {}))
        if since < FOREVER:
            track = self._timeline.handovers
            reach = max(rule.settled_us, rule.present_us) + 1
            again.update((fact.id, fact) for fact in track.facts[track.at(since - reach) :])
        for fact in again.values():
            assert isinstance(fact.body, Handover)
            findings = Findings(self._timeline)
            judge_handover(findings, fact)
            before = self._handovers.get(fact.id)
            self._difference.note([] if before is None else before.found, findings.found)
            self._handovers[fact.id] = _Kept(findings.found, self._timeline.horizon, findings.wake)
            if findings.wake < FOREVER:
                self._pending_handovers[fact.id] = fact
            else:
                self._pending_handovers.pop(fact.id, None)

    def _judge_doors(self, since: int) -> None:
        self._doors_since = FOREVER
        for name in self._timeline.grants:
            door = self._doors.setdefault(name, _Door())
            before = door.live.found
            if since <= door.reach:
                before = door.done + before
                self._doors[name] = door = _Door()
            done = len(door.done)
            self._judge_door(name, door)
            self._difference.note(before, door.done[done:] + door.live.found)

    def _judge_door(self, name: str, door: _Door) -> None:
        rule = self._timeline.policy.rules.m1_3
        horizon = self._timeline.horizon
        live = Findings(self._timeline)
        settling = True
        for group in groups_brought_in(live, name, door.since):
            before = len(live.found)
            judge_group(live, name, group)
            found = live.found[before:]
            reach = group[-1].time + rule.after_us + rule.group_us + rule.opened_us
            for finding in found:
                reach = max(reach, FOREVER if finding.end_us is None else finding.end_us)
            settling = settling and reach < horizon - SETTLED_US
            if settling:
                door.done.extend(found)
                del live.found[before:]
                door.since = group[-1].time + 1
                door.reach = max(door.reach, reach)
        door.live = _Kept(live.found, horizon, live.wake)

    def _judge_rooms(self, since: int) -> None:
        end = self._timeline.end
        for name in self._timeline.visits:
            room = self._rooms.setdefault(name, _Room())
            from_ = min(since, room.kept.horizon)
            if since == FOREVER and room.kept.wake > self._timeline.horizon:
                continue
            findings = Findings(self._timeline)
            room.runs = union(clip(room.runs, -FOREVER, from_), crowded(findings, name, from_, end))
            kept = [one for one in room.kept.found if one.end_us is not None and one.end_us < from_]
            for low, high in room.runs:
                if high >= from_:
                    report_crowded(findings, name, low, high)
            self._difference.note(room.kept.found, kept + findings.found)
            room.kept = _Kept(kept + findings.found, self._timeline.horizon, findings.wake)


def grown(kept: _Kept, horizon: int) -> Iterator[Finding]:
    """The findings, those that last as long as they are by now."""
    for finding in kept.found:
        yield finding if finding.end_us is not None else finding.longer(horizon - kept.horizon)

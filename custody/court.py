"""Many zones judged together, from events or from the bytes of their lines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice

import numpy as np

from .events import Event, MalformedLine, parse_line
from .findings import Finding
from .heartbeats import Run, good_heartbeats
from .judge import Judge
from .policy import Policy

LINES_AT_ONCE = 2048
"""So many lines, a megabyte, are read together: what is made of them stays in the processor's cache."""


def judge(events: Iterable[Event], policy: Policy, until_us: int | None = None) -> list[Finding]:
    """The findings of all zones that the events are of, sorted by start, rule, zone and stay.

    ``until_us``: as if what was written after it did not exist; what lasts, lasts to it.
    """
    court = Court(policy, until_us=until_us)
    for event in events:
        court.judge_of(event.zone).note(event)
    return court.findings()


class Court:
    """The judges of many zones, each made when its zone is first heard of."""

    HEARTBEATS_KEPT = 100_000
    """How many good heartbeats of all zones together are kept as lines, should one be corrected or come again."""
    EACH_KEEPS = 3000
    """And of one zone, surely, while there are few: two days."""

    def __init__(self, policy: Policy, *, until_us: int | None = None) -> None:
        self._policy = policy
        self._until_us = until_us
        self._good_us = policy.rules.m4_3.lowest_us
        self.judges: dict[str, Judge] = {}
        self._each_keeps = self.EACH_KEEPS

    def judge_of(self, zone: str) -> Judge:
        one = self.judges.get(zone)
        if one is None:
            one = self.judges[zone] = Judge(zone, self._policy, until_us=self._until_us)
            one.keep_heartbeats(self._each_keeps)
            zones = len(self.judges)
            if zones & (zones - 1) == 0:  # at every doubling; half of what is kept is the generation before
                self._each_keeps = min(self.EACH_KEEPS, max(100, self.HEARTBEATS_KEPT // (4 * zones)))
                for other in self.judges.values():
                    other.keep_heartbeats(self._each_keeps)
        return one

    def note_lines(self, lines: Iterable[bytes]) -> Iterator[tuple[int, Event | MalformedLine]]:
        """Take lines into the batches of their zones; empty ones are passed over.

        Yields the index of each line and the event that it is, or what is wrong with it; but nothing for most
        heartbeats that say that all is well.
        """
        more, first = iter(lines), 0
        while chunk := list(islice(more, LINES_AT_ONCE)):
            for index, found in self._note_chunk(chunk):
                yield first + index, found
            first += len(chunk)

    def _note_chunk(self, lines: list[bytes]) -> list[tuple[int, Event | MalformedLine]]:
        runs = good_heartbeats(lines, self._good_us)
        left: Iterable[int] = range(len(lines))
        if runs:
            left = np.delete(np.arange(len(lines)), np.concatenate([run.indexes for run in runs])).tolist()
        found: list[tuple[int, Event | MalformedLine]] = []
        batches: dict[str, tuple[list[Run], list[Event]]] = {run.zone: ([], []) for run in runs}
        for run in runs:
            batches[run.zone][0].append(run)
        for index in left:
            if not lines[index]:
                continue
            try:
                event = parse_line(lines[index])
            except MalformedLine as error:
                found.append((index, error))
                continue
            found.append((index, event))
            if event.zone in batches:
                batches[event.zone][1].append(event)
            else:
                self.judge_of(event.zone).note(event)
        for zone, batch in batches.items():
            self.judge_of(zone).note_batch(*batch)
        return found

    def findings(self) -> list[Finding]:
        """The findings of all zones, sorted by start, rule, zone and stay."""
        found: list[Finding] = []
        for one in self.judges.values():
            one.settle()
            found.extend(one.findings())
        return sorted(found, key=lambda finding: finding.place)

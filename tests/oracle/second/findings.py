"""The walk over the moments, the gaps that it meets, and the finding as it is compared."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from custody.events import format_utc

from .numbers import BRIDGE, FOREVER, S

Steps = tuple[tuple[int, str], ...]
Finding = dict[str, Any]


@dataclass
class Run:
    """A maximal stretch of one value. ``lasts``: the value still stands at H, the end of the walk."""

    start: int
    end: int
    value: Any
    lasts: bool = False


@dataclass
class Gap:
    start: int
    end: int
    missing: int
    lasts: bool


def walk(points: Iterable[int], start: int, end: int, h: int, value_at: Callable[[int], Any]) -> list[Run]:
    """The runs of ``value_at`` in [start, end), at the latest to H.

    It changes at ``points`` only. A stretch that the end of the fact itself ends does not last; one
    that reaches H lasts when the value is still the same at the moment H.
    """
    stop = min(end, h)
    if start >= stop:
        return []
    moments = sorted({start, stop, *(p for p in points if start < p < stop)})
    runs: list[Run] = []
    for a, b in itertools.pairwise(moments):
        value = value_at(a)
        if runs and runs[-1].value == value:
            runs[-1].end = b
        else:
            runs.append(Run(a, b, value))
    if end > h:
        runs[-1].lasts = value_at(h) == runs[-1].value
    return runs


def gaps(runs: list[Run]) -> list[Gap]:
    """Gaps of runs valued proven, missing, unknown, or None where nothing is required."""
    found: list[Gap] = []
    may_go_on = False
    for run in runs:
        if run.value is None:
            may_go_on = False
        elif run.value == "missing":
            length = run.end - run.start
            if may_go_on and run.start - found[-1].end < BRIDGE:
                found[-1] = Gap(found[-1].start, run.end, found[-1].missing + length, run.lasts)
            else:
                found.append(Gap(run.start, run.end, length, run.lasts))
            may_go_on = True
    return found


def step(length: int, steps: Steps) -> str | None:
    """The highest step that the length passes; to pass is to be longer."""
    passed = [name for limit, name in steps if length > limit]
    return passed[-1] if passed else None


def graded(step_name: str) -> tuple[str, str]:
    """(verdict, severity) of a step."""
    if step_name == "serious":
        return "breach", "serious"
    if step_name == "breach":
        return "breach", "breach"
    return step_name, "notice"


class Findings:
    """Collects the findings of one zone."""

    def __init__(self, zone: str, h: int) -> None:
        self.zone = zone
        self.h = h
        self.rows: list[Finding] = []

    def add(
        self, rule: str, stay: str | None, grade: str, start: int, end: int | None, counted: int | None = None
    ) -> None:
        """``end`` None or FOREVER: it lasts at H. ``counted``: the seconds, if they are not end − start."""
        if end is not None and end >= FOREVER:
            end = None
        verdict, severity = graded(grade)
        length = (self.h if end is None else end) - start if counted is None else counted
        self.rows.append(
            {
                "stay": stay,
                "rule": rule,
                "verdict": verdict,
                "severity": severity,
                "start": format_utc(start),
                "end": None if end is None else format_utc(end),
                "seconds": length / S,
                "zone": self.zone,
                "must": 0 if rule.startswith("T") else int(rule[1]),
            }
        )

    def at(self, rule: str, stay: str | None, grade: str, moment: int) -> None:
        self.add(rule, stay, grade, moment, moment)

    def of_run(self, rule: str, stay: str | None, grade: str, run: Run | Gap, counted: int | None = None) -> None:
        self.add(rule, stay, grade, run.start, None if run.lasts else run.end, counted)

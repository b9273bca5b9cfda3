"""``fourmusts judge``: event lines in, findings out."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import click

from custody.events import Event, EventError, parse_line, parse_time
from custody.findings import Finding
from custody.judge import MUSTS, Judge

from .errors import ConfigurationError
from .policy import load_policy

BAD_LINES = 2
"""Exit status when at least one line was no event."""


class _Time(click.ParamType[int]):
    name = "time"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        try:
            return parse_time(str(value))[0]
        except ValueError:
            self.fail(f"{value!r} is no time with a UTC offset; write 2026-11-23T09:00:00+08:00", param, ctx)


@click.command()
@click.argument("events", type=click.File("rb"))
@click.option("--policy", type=click.Path(path_type=Path), help="A file of thresholds to use instead.")
@click.option("--until", type=_Time(), help="Judge as if nothing written after this time existed.")
@click.option("--summary", is_flag=True, help="Print a table instead: a line a stay, a column a must.")
def judge(events: BinaryIO, policy: Path | None, until: int | None, summary: bool) -> None:
    """Judge the lines of EVENTS (- for standard input): print one finding a line as JSON.

    The lines may be of many zones, in any order, and repeated. A line that is not an event is named on
    standard error with its number, the rest is judged, and the exit status is 2.
    """
    try:
        rules = load_policy(policy)
    except ConfigurationError as error:
        raise click.ClickException(str(error)) from error
    judges: dict[str, Judge] = {}
    lines = _Lines(events)
    by_zone: dict[str, list[Event]] = {}
    for event in lines:
        by_zone.setdefault(event.zone, []).append(event)
    for zone, theirs in sorted(by_zone.items()):
        judges[zone] = Judge(zone, rules, until_us=until)
        judges[zone].take(theirs)
    if summary:
        _print_summary(judges)
    else:
        found = [finding for one in judges.values() for finding in one.findings()]
        _print_findings(sorted(found, key=lambda finding: finding.place))
    for one in judges.values():
        lines.report_broken(one.broken)
    sys.exit(BAD_LINES if lines.bad else 0)


class _Lines:
    """The events of a file; names every line that is none on standard error."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._numbers: dict[str, int] = {}
        self.bad = False

    def __iter__(self) -> Iterator[Event]:
        for number, line in enumerate(self._file, 1):
            stripped = line.strip()
            if not stripped:
                continue
            try:
                event = parse_line(stripped)
            except EventError as error:
                self._name(number, str(error))
                continue
            self._numbers[event.id] = number
            yield event

    def report_broken(self, broken: dict[str, str]) -> None:
        for id_, problem in sorted(broken.items(), key=lambda one: self._numbers.get(one[0], 0)):
            self._name(self._numbers.get(id_, 0), problem)

    def _name(self, number: int, problem: str) -> None:
        self.bad = True
        click.echo(f"line {number}: {problem}; this line is not judged", err=True)


def _print_findings(found: list[Finding]) -> None:
    for finding in found:
        click.echo(finding.to_json_line())


def _print_summary(judges: dict[str, Judge]) -> None:
    heading = ("stay", "clocks", *(f"must {must}" for must in MUSTS[1:]), "reviews")
    rows = [heading]
    for zone in sorted(judges):
        reviews: dict[str, int] = {}
        for finding in judges[zone].findings():
            if finding.verdict == "review" and finding.stay is not None:
                reviews[finding.stay] = reviews.get(finding.stay, 0) + 1
        for stay, verdicts in judges[zone].verdicts().items():
            rows.append((stay, *(verdicts[must] for must in MUSTS), str(reviews.get(stay, 0))))
    widths = [max(len(row[column]) for row in rows) for column in range(len(heading))]
    for row in rows:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())

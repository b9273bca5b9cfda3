"""``fourmusts judge``: event lines in, findings out."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from typing import BinaryIO

import click

from custody.court import Court
from custody.events import MalformedLine
from custody.findings import Finding, Verdict
from custody.judge import MUSTS, Judge

from .event_lines import BAD_LINES, policy_option, until_option
from .policy import load_policy


@click.command()
@click.argument("events", type=click.File("rb"))
@policy_option
@until_option
@click.option("--summary", is_flag=True, help="Print a table instead: a line a stay, a column a must.")
def judge(events: BinaryIO, policy: Path | None, until: int | None, summary: bool) -> None:
    """Judge the lines of EVENTS (- for standard input): print one finding a line as JSON.

    The lines may be of many zones, in any order, and repeated. A line that is not an event is named on
    standard error with its number, the rest is judged, and the exit status is 2.
    """
    court = Court(load_policy(policy), until_us=until)
    lines = _Lines(events)
    lines.into(court)
    found = court.findings()
    if summary:
        _print_summary(court.judges, found)
    else:
        for finding in found:
            click.echo(finding.to_json_line())
    lines.report_broken({id_: problem for one in court.judges.values() for id_, problem in one.broken.items()})
    sys.exit(BAD_LINES if lines.bad else 0)


class _Lines:
    """The lines of a file; names every one that is no event on standard error."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._numbers: dict[str, int] = {}
        self.bad = False

    def into(self, court: Court) -> None:
        for index, found in court.note_lines(line.strip() for line in self._file):
            if isinstance(found, MalformedLine):
                self._name(index + 1, str(found))
            else:
                self._numbers[found.id] = index + 1

    def report_broken(self, broken: dict[str, str]) -> None:
        for id_, problem in sorted(broken.items(), key=lambda one: self._numbers.get(one[0], 0)):
            self._name(self._numbers.get(id_, 0), problem)

    def _name(self, number: int, problem: str) -> None:
        self.bad = True
        click.echo(f"line {number}: {problem}; this line is not judged", err=True)


def _print_summary(judges: dict[str, Judge], found: list[Finding]) -> None:
    heading = ("stay", "clocks", *(f"must {must}" for must in MUSTS[1:]), "reviews")
    rows = [heading]
    reviews = Counter((finding.zone, finding.stay) for finding in found if finding.verdict is Verdict.REVIEW)
    for zone in sorted(judges):
        for stay, verdicts in judges[zone].verdicts().items():
            rows.append((stay, *(verdicts[must] for must in MUSTS), str(reviews[zone, stay])))
    widths = [max(len(row[column]) for row in rows) for column in range(len(heading))]
    for row in rows:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())

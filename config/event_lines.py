"""Event lines of a file, judged: what ``fourmusts explain`` and ``fourmusts timeline`` begin with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import click

from custody.drawn import DrawnJudge
from custody.errors import FourmustsError
from custody.events import Event, EventError, parse_line, parse_time
from custody.findings import Finding
from custody.policy import Policy

from .telling import names_in
from .wording import LANGUAGES, Names

BAD_LINES = 2
"""Exit status when at least one line was no event."""
SHOWN_MOST = 5
"""How many of the names that would do an error lists."""


class NotAmongTheLines(FourmustsError):
    """No finding, or no stay, or more than one, is called what was asked for."""


class Moment(click.ParamType[int]):
    """A time with its UTC offset, as microseconds."""

    name = "time"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        try:
            return parse_time(str(value))[0]
        except ValueError:
            self.fail(f"{value!r} is no time with a UTC offset; write 2026-11-23T09:00:00+08:00", param, ctx)


language_option = click.option(
    "--language", type=click.Choice(LANGUAGES), default="zh", show_default=True, help="In which language."
)
policy_option = click.option(
    "--policy", type=click.Path(path_type=Path), help="A file of thresholds to use instead."
)
until_option = click.option("--until", type=Moment(), help="Judge as if nothing written after this time existed.")


@dataclass
class JudgedLines:
    """The lines of one or many zones, judged. ``bad``: some line was no event."""

    judges: dict[str, DrawnJudge] = field(default_factory=dict)
    events: dict[str, Event] = field(default_factory=dict)
    bad: bool = False

    def findings(self) -> list[Finding]:
        return [finding for judge in self.judges.values() for finding in judge.findings()]

    def stays(self) -> Mapping[str, DrawnJudge]:
        """Every stay with the judge of its zone."""
        return {stay: judge for judge in self.judges.values() for stay in judge.verdicts()}

    def names(self, zone: str) -> Names:
        return names_in(one for one in self.events.values() if one.zone == zone)

    def utc_offset_s(self, zone: str) -> int:
        """That of the zone's latest line."""
        latest = max((one for one in self.events.values() if one.zone == zone), key=lambda one: one.written_us)
        return latest.utc_offset_s


def judge_lines(file: BinaryIO, policy: Policy, until_us: int | None) -> JudgedLines:
    """Read and judge every line; a line that is no event is named on standard error with its number."""
    judged = JudgedLines()
    for number, line in enumerate(file, 1):
        stripped = line.strip()
        if not stripped:
            continue
        try:
            event = parse_line(stripped)
        except EventError as error:
            judged.bad = True
            click.echo(f"line {number}: {error}; this line is not judged", err=True)
            continue
        judge = judged.judges.get(event.zone)
        if judge is None:
            judge = judged.judges[event.zone] = DrawnJudge(event.zone, policy, until_us=until_us)
        judge.note(event)
        judged.events[event.id] = event
    for judge in judged.judges.values():
        judge.settle()
    return judged


def the_one(asked: str, known: Iterable[str], kind: str, mend: str) -> str:
    """The name that was asked for, or the only one that begins with it. Raises ``NotAmongTheLines``."""
    names = sorted(set(known))
    found = [asked] if asked in names else [name for name in names if asked and name.startswith(asked)]
    if len(found) == 1:
        return found[0]
    if found:
        shown = ", ".join(found[:SHOWN_MOST])
        raise NotAmongTheLines(f"{len(found)} {kind} begin with {asked!r} ({shown} …); give more of it")
    shown = ", ".join(names[:SHOWN_MOST]) + (" …" if len(names) > SHOWN_MOST else "")
    there = f" (there are {shown})" if names else ""
    raise NotAmongTheLines(f"{asked!r} is none of the {len(names)} {kind} of these lines{there}; {mend}")

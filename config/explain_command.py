"""``fourmusts explain``: one finding in words, with its law and the events that it rests on."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import BinaryIO

import click

from .event_lines import BAD_LINES, judge_lines, language_option, policy_option, the_one, until_option
from .explaining import explain as explained
from .policy import load_policy
from .wording import Language


@click.command()
@click.argument("finding")
@click.argument("events", type=click.File("rb"), default="-")
@language_option
@policy_option
@until_option
def explain(finding: str, events: BinaryIO, language: Language, policy: Path | None, until: int | None) -> None:
    """Explain the finding FINDING (its id, or a beginning that only it has) of the lines of EVENTS.

    EVENTS are event lines of one or many zones, in any order (- or nothing: standard input). Printed are the
    finding as a sentence with its numbers, what it was measured against, the law, and the lines it rests on.
    Exit status 2 when some line was no event.
    """
    thresholds = load_policy(policy)
    judged = judge_lines(events, thresholds, until)
    known = {one.id: one for one in judged.findings()}
    found = known[the_one(finding, known, "findings", "fourmusts judge prints their ids")]
    made = explained(
        found, thresholds, judged.events.values(), language, names=judged.names(found.zone),
        utc_offset_s=judged.utc_offset_s(found.zone),
    )  # fmt: skip
    click.echo(made.as_text())
    sys.exit(BAD_LINES if judged.bad else 0)

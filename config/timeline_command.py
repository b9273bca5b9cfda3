"""``fourmusts timeline``: a stay drawn with one lane for each must."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import BinaryIO, TextIO

import click

from .drawing import draw
from .event_lines import BAD_LINES, judge_lines, language_option, policy_option, the_one, until_option
from .policy import load_policy
from .wording import Language


@click.command()
@click.argument("stay")
@click.argument("events", type=click.File("rb"), default="-")
@click.option("--svg", type=click.File("w", encoding="utf-8"), required=True, help="Where to draw it (-: here).")
@language_option
@policy_option
@until_option
def timeline(
    stay: str, events: BinaryIO, svg: TextIO, language: Language, policy: Path | None, until: int | None
) -> None:
    """Draw the stay STAY (its number, or a beginning that only it has) of the lines of EVENTS as an SVG.

    EVENTS are event lines of one or many zones, in any order (- or nothing: standard input). Each must has a
    lane: what was required above what is proven, gaps with their lengths, and each finding as a sentence below.
    Exit status 2 when some line was no event.
    """
    judged = judge_lines(events, load_policy(policy), until)
    stays = judged.stays()
    found = the_one(stay, stays, "stays", "fourmusts judge --summary lists them")
    lanes = stays[found].lanes(found)
    assert lanes is not None, "a stay that has verdicts has lanes"
    svg.write(draw(lanes, language, names=judged.names(lanes.zone)))
    sys.exit(BAD_LINES if judged.bad else 0)

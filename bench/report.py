"""How every benchmark speaks: a table for people, and as its last line one JSON object for machines.

The last line looks like this::

    {"bench":"link","figures":{"idle_ack_ratio":2.1,"catchup_ratio":6.3}}
"""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import statistics
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

Cell = str | int | float | None


def arguments(name: str, description: str) -> argparse.Namespace:
    """The command line of a benchmark: ``--quick`` (under 40 s) is all that there is."""
    parser = argparse.ArgumentParser(prog=f"python -m bench.{name}", description=description)
    parser.add_argument("--quick", action="store_true", help="fewer rounds: under 40 s")
    return parser.parse_args()


def say(text: str) -> None:
    """What is being run now; shown at once, so that a long run is seen to move."""
    print(text, flush=True)


def machine() -> str:
    """The machine that figures were made on, as README quotes it."""
    model = platform.machine()
    with Path("/proc/cpuinfo").open() as lines:
        names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{os.cpu_count()} × {names[0] if names else model}, Python {platform.python_version()}"


def median(values: Iterable[float]) -> float:
    """Median; ``nan`` of nothing."""
    found = list(values)
    return statistics.median(found) if found else math.nan


def percentile(values: Iterable[float], share: float) -> float:
    """The smallest value that at least ``share`` (0..1) of all values do not exceed; ``nan`` of nothing."""
    found = sorted(values)
    if not found:
        return math.nan
    return found[max(0, math.ceil(share * len(found)) - 1)]


def table(rows: Sequence[Sequence[Cell]]) -> None:
    """Print rows in columns; the first row is the heading, numbers stand to the right."""
    texts = [[_text(cell) for cell in row] for row in rows]
    widths = [max(len(row[column]) for row in texts) for column in range(len(texts[0]))]
    for index, (row, cells) in enumerate(zip(texts, rows, strict=True)):
        placed = [
            text.rjust(width) if isinstance(cell, int | float) else text.ljust(width)
            for text, width, cell in zip(row, widths, cells, strict=True)
        ]
        print("  ".join(placed).rstrip())
        if index == 0:
            print("  ".join("-" * width for width in widths))
    sys.stdout.flush()


def _text(cell: Cell) -> str:
    if cell is None:
        return "missing"
    if isinstance(cell, float):
        return f"{cell:,.0f}" if abs(cell) >= 1000 else f"{cell:.4g}"
    return f"{cell:,}" if isinstance(cell, int) else cell


def finish(name: str, figures: dict[str, float]) -> None:
    """Print the machine and, as the very last line, the figures as one JSON object.

    A figure that could not be measured must be left out, never guessed; ``ValueError`` on ``nan``.
    """
    for key, value in figures.items():
        if not math.isfinite(value):
            raise ValueError(f"{name}: the figure {key} is {value}; leave out what was not measured")
    print(f"\nmachine: {machine()}")
    rounded = {key: float(f"{value:.4g}") for key, value in figures.items()}
    print(json.dumps({"bench": name, "figures": rounded}, separators=(",", ":")), flush=True)

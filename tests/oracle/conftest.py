"""The second judge and its stories import each other by name: their folder joins the path."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

Told = tuple[str, str, str | None]


@pytest.fixture
def found() -> Callable[..., list[Told]]:
    """What the second judge finds by one rule: (grade, start, end), in the clock of the zone."""
    from oracle import judge
    from tales.day import Day

    def told(day: Day, rule: str, until: str | None = None) -> list[Told]:
        until_us = None if until is None else day.second(until) * 1_000_000
        return [
            (_grade(row), _clock(day, row["start"]), None if row["end"] is None else _clock(day, row["end"]))
            for row in judge(day.lines(), until_us)
            if row["rule"] == rule
        ]

    return told


def _grade(row: dict[str, Any]) -> str:
    return "serious" if row["severity"] == "serious" else str(row["verdict"])


def _clock(day: Any, text: str) -> str:
    moment = datetime.fromisoformat(text) + timedelta(hours=8)
    same_day = moment.strftime("%Y-%m-%d") == day.date
    return moment.strftime("%H:%M:%S" if same_day else "%Y-%m-%d %H:%M:%S")

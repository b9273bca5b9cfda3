"""Lines of generated days with a value spoilt: each is judged or set aside, none stops the judge."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import orjson
import pytest
from stories import story

from config.policy import load_policy
from custody.court import Court

SPOILT: tuple[Any, ...] = (
    None, -1, 0, "", [], {}, 1e308, 1.5, "x", True, 10**6, 2**63, [None], [{}], ["a"], [1, 2], [["a", "b"]],
    {"id": None}, {"id": "q"}, "2026-11-23T09:00:00", "2026-11-23T09:00:00Z",
    "9999-12-31T23:59:59.000000-01:00", "0001-01-01T00:00:00.000000+14:00",
)  # fmt: skip


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """(object or list, key or index) of every value in it."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in inner:
        yield value, key
        yield from places(one)


def spoilt(rng: random.Random, line: bytes) -> bytes:
    fields = orjson.loads(line)
    holder, key = rng.choice(list(places(fields)))
    if isinstance(holder, dict) and rng.random() < 0.2:
        del holder[key]
    else:
        holder[key] = rng.choice(SPOILT)
    return orjson.dumps(fields)


@pytest.mark.parametrize("seed", range(40))
def test_no_spoilt_line_stops_the_judge(seed: int) -> None:
    rng = random.Random(seed)
    court = Court(load_policy())
    lines = [spoilt(rng, line) if rng.random() < 0.05 else line for line in story(seed)]
    read = list(court.note_lines(lines))
    for finding in court.findings():
        assert orjson.loads(finding.to_json_line())["id"] == finding.id
    assert len(read) <= len(lines)

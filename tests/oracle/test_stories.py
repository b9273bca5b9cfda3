"""The generated days: valid, repeatable, rich in what they reach; and the second judge on them."""

from __future__ import annotations

import random

from hypothesis import HealthCheck, given, settings
from oracle import judge
from stories import stories, story, until_of

from custody.events import check_data, parse_line

RULES = {
    *(f"M1.{n}" for n in range(1, 10)), *(f"M2.{n}" for n in range(1, 9)), *(f"M3.{n}" for n in range(1, 9)),
    *(f"M4.{n}" for n in range(1, 7)), "T1", "T2", "T3",
}  # fmt: skip


@given(stories())
@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
def test_every_line_of_a_story_keeps_the_contract(lines: list[bytes]) -> None:
    for line in lines:
        event = parse_line(line)
        check_data(event.type, event.data)
        assert event.time_us % 1_000_000 == 0 and event.written_us >= event.time_us


def test_a_seed_tells_the_same_story_again() -> None:
    assert story(3) == story(3) != story(4)


def test_a_hundred_and_fifty_days_reach_every_rule() -> None:
    reached = set()
    for seed in range(150):
        lines = story(seed)
        reached |= {row["rule"] for row in judge(lines, until_of(seed, lines))}
    assert reached == RULES


def test_the_order_of_the_lines_and_doubles_change_nothing() -> None:
    for seed in range(20):
        lines = story(seed)
        other = [*lines, *lines[::3]]
        random.Random(seed).shuffle(other)
        assert judge(other) == judge(lines)

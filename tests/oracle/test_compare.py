"""The comparison: it must see a difference and bring it down to the lines that make it."""

from __future__ import annotations

from typing import Any

from compare import differences, rules_that_differ, shrink
from oracle import judge
from stories import story

from custody.events import parse_line


def short_searches_are_fine(lines: list[bytes], until_us: int | None) -> list[dict[str, Any]]:
    return [row for row in judge(lines, until_us) if row["rule"] != "M2.8"]


def a_story_with_a_short_search() -> list[bytes]:
    return next(lines for lines in map(story, range(100)) if any(r["rule"] == "M2.8" for r in judge(lines)))


def test_judges_that_agree_do_not_differ() -> None:
    assert rules_that_differ(judge, story(1), None) == set()


def test_a_judge_that_lacks_a_rule_is_seen() -> None:
    lines = a_story_with_a_short_search()
    product, second = differences(short_searches_are_fine, lines, None)
    assert not product and {row[1] for row in second} == {"M2.8"}


def test_a_difference_comes_down_to_the_lines_that_make_it() -> None:
    fewest = shrink(short_searches_are_fine, a_story_with_a_short_search(), None, "M2.8")
    assert sorted(parse_line(line).type for line in fewest) == ["search.finished", "search.started"]

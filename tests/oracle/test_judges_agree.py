"""The product's judge and the second judge find the same on generated days, finding by finding.

``python tests/oracle/compare.py --seeds 0:10000`` does the same on as many days as one has time for.
"""

from __future__ import annotations

import pytest
from compare import Row, differences, first_judge
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from stories import stories, story, until_of

FIRST = first_judge()


def told(lines: list[bytes], until_us: int | None) -> dict[str, list[Row]]:
    product, second = differences(FIRST, lines, until_us)
    return {"only the product": list(product.elements()), "only the second": list(second.elements())}


NOTHING: dict[str, list[Row]] = {"only the product": [], "only the second": []}


@pytest.mark.parametrize("first", range(0, 200, 20))
def test_they_agree_on_two_hundred_days(first: int) -> None:
    for seed in range(first, first + 20):
        lines = story(seed)
        assert told(lines, until_of(seed, lines)) == NOTHING, (
            f"python tests/oracle/compare.py --seeds {seed}:{seed + 1}"
        )


@given(stories(), st.integers(0, 100))
@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
def test_they_agree_on_any_day_at_any_moment(lines: list[bytes], moment: int) -> None:
    assert told(lines, until_of(moment, lines)) == NOTHING

"""The algebra of intervals agrees with sets of moments."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from custody.intervals import Intervals, clip, contains, covers, intersect, normal, subtract, total, union

pieces = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), max_size=6)


def moments(intervals: Intervals) -> set[int]:
    return {moment for start, end in intervals for moment in range(start, end)}


def is_normal(intervals: Intervals) -> bool:
    bounds = [bound for interval in intervals for bound in interval]
    return bounds == sorted(set(bounds))


@given(pieces, pieces)
def test_every_operation_is_that_of_sets_of_moments(one: Intervals, other: Intervals) -> None:
    left, right = normal(one), normal(other)
    for made, expected in (
        (left, moments(one)),
        (union(left, right), moments(left) | moments(right)),
        (intersect(left, right), moments(left) & moments(right)),
        (subtract(left, right), moments(left) - moments(right)),
        (clip(left, 5, 20), moments(left) & set(range(5, 20))),
    ):
        assert moments(made) == expected
        assert is_normal(made)
    assert total(left) == len(moments(left))


@given(pieces, st.integers(0, 30), st.integers(0, 10))
def test_what_is_covered_is_covered_at_every_moment(one: Intervals, start: int, length: int) -> None:
    whole = normal(one)
    assert covers(whole, start, start + length) == all(
        contains(whole, moment) for moment in range(start, start + length)
    )

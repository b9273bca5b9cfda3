"""Algebra of half-open intervals [start, end) in integer microseconds.

An ``Intervals`` value is a list of pairs that is sorted, disjoint, without empty pairs and without pairs
that touch. Every function takes and returns such lists and changes none of them.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from heapq import merge

Interval = tuple[int, int]
Intervals = list[Interval]

FOREVER = 1 << 62
"""Later than every moment: the end of what has not ended yet. It is far above any time in microseconds."""

SECOND = 1_000_000


def normal(pieces: Iterable[Interval]) -> Intervals:
    """The intervals that cover what any of ``pieces`` covers; pieces may overlap and come in any order."""
    return _joined(sorted(pieces))


def _joined(ordered: Iterable[Interval]) -> Intervals:
    found: Intervals = []
    last = None
    for start, end in ordered:
        if end <= start:
            continue
        if last is not None and start <= last:
            if end > last:
                found[-1] = (found[-1][0], end)
                last = end
        else:
            found.append((start, end))
            last = end
    return found


def union(*sets: Intervals) -> Intervals:
    filled = [one for one in sets if one]
    if not filled:
        return []
    if len(filled) == 1:
        return filled[0]
    return _joined(merge(*filled))


def intersect(left: Intervals, right: Intervals) -> Intervals:
    found: Intervals = []
    i = j = 0
    while i < len(left) and j < len(right):
        start = max(left[i][0], right[j][0])
        end = min(left[i][1], right[j][1])
        if start < end:
            found.append((start, end))
        if left[i][1] < right[j][1]:
            i += 1
        else:
            j += 1
    return found


def subtract(left: Intervals, right: Intervals) -> Intervals:
    """What ``left`` covers and ``right`` does not."""
    if not right or not left:
        return left
    found: Intervals = []
    j = 0
    for start, end in left:
        while j < len(right) and right[j][1] <= start:
            j += 1
        k = j
        while k < len(right) and right[k][0] < end:
            if right[k][0] > start:
                found.append((start, right[k][0]))
            start = right[k][1]
            k += 1
            if start >= end:
                break
        if start < end:
            found.append((start, end))
    return found


def clip(whole: Intervals, start: int, end: int) -> Intervals:
    """The part of ``whole`` that lies in [start, end). Costs the logarithm of the length, plus what is found."""
    first = max(0, bisect_right(whole, (start, FOREVER)) - 1)
    found: Intervals = []
    for index in range(first, len(whole)):
        low, high = whole[index]
        if low >= end:
            break
        low, high = max(low, start), min(high, end)
        if low < high:
            found.append((low, high))
    return found


def total(whole: Intervals) -> int:
    """Microseconds covered."""
    return sum(end - start for start, end in whole)


def contains(whole: Intervals, moment: int) -> bool:
    index = bisect_right(whole, (moment, FOREVER)) - 1
    return index >= 0 and whole[index][0] <= moment < whole[index][1]


def covers(whole: Intervals, start: int, end: int) -> bool:
    """Whether ``whole`` covers every moment of [start, end); an empty stretch is covered by anything."""
    if start >= end:
        return True
    index = bisect_right(whole, (start, FOREVER)) - 1
    return index >= 0 and whole[index][0] <= start and end <= whole[index][1]

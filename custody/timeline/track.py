"""Facts and stretches of time kept in order, so that a window of them is found without walking through history."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterator
from typing import Any

from custody.facts import Fact, Order


class Track:
    """Facts in the order of the timeline. Adding the newest costs nothing, adding a late one a short move."""

    __slots__ = ("facts", "orders")

    def __init__(self) -> None:
        self.orders: list[Order] = []
        self.facts: list[Fact] = []

    def add(self, fact: Fact) -> None:
        if not self.orders or fact.order > self.orders[-1]:
            self.orders.append(fact.order)
            self.facts.append(fact)
            return
        index = bisect_left(self.orders, fact.order)
        self.orders.insert(index, fact.order)
        self.facts.insert(index, fact)

    def remove(self, fact: Fact) -> None:
        index = bisect_left(self.orders, fact.order)
        assert self.facts[index] is fact, "a fact is removed from where it was added"
        del self.orders[index]
        del self.facts[index]

    def at(self, moment: int) -> int:
        """The index of the first fact at ``moment`` or later."""
        return bisect_left(self.orders, moment, key=_time)

    def within(self, first: int, last: int) -> list[Fact]:
        """The facts with a time of ``first`` to ``last``, both included."""
        return self.facts[self.at(first) : self.at(last + 1)]

    def after(self, order: Order) -> Iterator[Fact]:
        """The facts that come later than ``order``, the nearest first."""
        index = bisect_left(self.orders, order)
        while index < len(self.facts):
            if self.orders[index] != order:
                yield self.facts[index]
            index += 1

    def standing(self, moment: int) -> Fact | None:
        """The last fact at ``moment`` or before."""
        index = self.at(moment + 1)
        return self.facts[index - 1] if index else None

    def __len__(self) -> int:
        return len(self.facts)


def _time(order: Order) -> int:
    return order[0]


Stretch = tuple[int, int, str, Any]


class Stretches:
    """Things that each last from a start to an end: audits of a camera, stays in a room.

    They are kept by the order of magnitude of their length, so that a single long one, or one that has not ended,
    does not make every search walk back through history.
    """

    __slots__ = ("_by_length",)

    def __init__(self) -> None:
        self._by_length: dict[int, list[Stretch]] = {}

    def add(self, start: int, end: int, name: str, what: Any) -> None:
        """``name`` must be unique among those with the same start and end."""
        alike = self._by_length.setdefault((end - start).bit_length(), [])
        insort(alike, (start, end, name, what), key=_key)

    def remove(self, start: int, end: int, name: str) -> None:
        alike = self._by_length[(end - start).bit_length()]
        index = bisect_left(alike, (start, end, name), key=_key)
        assert _key(alike[index]) == (start, end, name), "a stretch is removed from where it was added"
        del alike[index]

    def all(self) -> list[Stretch]:
        """All of them, in order of their starts."""
        return sorted((one for alike in self._by_length.values() for one in alike), key=_key)

    def overlapping(self, start: int, end: int) -> list[Stretch]:
        """Those that share a moment with [start, end), in order of their starts."""
        found = []
        for bits, alike in self._by_length.items():
            index = bisect_left(alike, start - (1 << bits), key=_start)
            while index < len(alike) and alike[index][0] < end:
                if alike[index][1] > start:
                    found.append(alike[index])
                index += 1
        found.sort(key=_key)
        return found


def _key(stretch: Stretch) -> tuple[int, int, str]:
    return stretch[:3]


def _start(stretch: Stretch) -> int:
    return stretch[0]

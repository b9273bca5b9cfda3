"""Lines kept side by side in one block of memory.

A line kept as an object of its own holds the page of memory that it was read into; a month of a county would be
spread over half a gigabyte.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import accumulate, count
from operator import add


class Shelf:
    """Lines, each found by the place that it was given. None is ever taken away alone."""

    __slots__ = ("_text",)

    def __init__(self) -> None:
        self._text = bytearray()

    def put(self, line: bytes) -> int:
        """Keep a line, which must have no line feed in it; its place."""
        place = len(self._text)
        self._text += line
        self._text += b"\n"
        return place

    def put_all(self, lines: Sequence[bytes]) -> Iterator[int]:
        """Keep many lines; the place of each."""
        begin = len(self._text)
        self._text += b"\n".join(lines)
        self._text += b"\n"
        lengths_before = accumulate(map(len, lines[:-1]), initial=begin)
        return map(add, lengths_before, count())  # a line feed stands after each line before

    def get(self, place: int) -> bytes:
        """The line in this place."""
        return bytes(self._text[place : self._text.index(b"\n", place)])

"""Lines kept side by side in one block of memory.

A line kept as an object of its own holds the page of memory that it was read into; a month of a county would be
spread over half a gigabyte.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence


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

    def put_all(self, lines: Sequence[bytes]) -> None:
        """Keep many lines."""
        if lines:
            self._text += b"\n".join(lines)
            self._text += b"\n"

    def since(self, place: int) -> Iterator[tuple[int, bytes]]:
        """The lines from this place on, each with its own."""
        for line in self._text[place:].split(b"\n")[:-1]:
            yield place, bytes(line)
            place += len(line) + 1

    def get(self, place: int) -> bytes:
        """The line in this place."""
        return bytes(self._text[place : self._text.index(b"\n", place)])

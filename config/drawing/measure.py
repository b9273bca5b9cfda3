"""How wide a text is, where it breaks, and where labels go so that none lies upon another.

No font is asked: a Chinese character is as wide as it is high, other characters are taken wider than most fonts
draw them, so that what fits here fits everywhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

LATIN_EM = 0.6
WIDE_FROM = 0x2190
"""From the arrows on, characters are taken as wide as they are high."""
APART = 8.0
"""Least distance between two labels of a row."""


def text_width(text: str, size: float) -> float:
    return size * sum(1.0 if ord(character) >= WIDE_FROM else LATIN_EM for character in text)


def wrapped(text: str, size: float, width: float) -> list[str]:
    """The text in lines of at most ``width``: broken at spaces, and between Chinese characters."""
    lines: list[str] = []
    line = ""
    for part in _parts(text):
        if line and text_width(line + part.rstrip(), size) > width:
            lines.append(line.rstrip())
            line = part.lstrip()
        else:
            line += part
    return [*lines, line.rstrip()] if line.strip() or not lines else lines


def _parts(text: str) -> Iterator[str]:
    """Pieces that must not be broken; closing punctuation stays with what it closes."""
    part = ""
    for character in text:
        wide = ord(character) >= 0x2E80
        if part and wide and character not in "，。、；：）》”？！":
            yield part
            part = ""
        part += character
        if character == " ":
            yield part
            part = ""
    if part:
        yield part


@dataclass(frozen=True, slots=True)
class Label:
    """A text that wants to stand around ``centre``. ``texts``: the longest first, the shorter ones if need be;
    those of more ``weight`` choose first."""

    centre: float
    texts: tuple[str, ...]
    weight: int


@dataclass(frozen=True, slots=True)
class Placed:
    """A text from ``x`` to ``x + width`` in a row; 0 is the row nearest to what it is about."""

    label: Label
    text: str
    x: float
    width: float
    row: int


def place(labels: Sequence[Label], left: float, right: float, *, size: float, rows: int) -> list[Placed]:
    """As many of the labels as find room in ``rows`` rows between ``left`` and ``right``."""
    placed: list[Placed] = []
    for label in sorted(labels, key=lambda one: (-one.weight, one.centre)):
        found = _found(label, placed, left, right, size, rows)
        if found is not None:
            placed.append(found)
    return placed


def _found(
    label: Label, placed: Sequence[Placed], left: float, right: float, size: float, rows: int
) -> Placed | None:
    for text in label.texts:
        width = text_width(text, size)
        if width > right - left:
            continue
        for row in range(rows):
            for share in (0.5, 0.1, 0.9):
                x = min(max(left, label.centre - width * share), right - width)
                if all(_clear(one, x, width) for one in placed if one.row == row):
                    return Placed(label, text, x, width, row)
    return None


def _clear(other: Placed, x: float, width: float) -> bool:
    return x + width + APART <= other.x or other.x + other.width + APART <= x

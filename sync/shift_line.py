"""Size and root of a zone's ledger as one short line for the paper register of a shift.

Paper is out of reach of whoever rewrites a disk: typed back a year later, the line proves that the ledger still
contains, unchanged, everything that it contained then. The line has only characters that survive handwriting, a
telephone and the alphanumeric mode of a QR code::

    FM1 NZ01 9F2C61D07A3BE845 1235 7KD3-QZ0M-5J8R-XW2A-TB6N-0HVE-C49P-YG1S V3MT

zone, ledger, size, the first 160 bits of the root and a checksum against slips of the pen, in Crockford's base 32
(no I, L, O, U). 160 bits: to make two histories with the same line takes 2⁸⁰ attempts.
"""

from __future__ import annotations

import hashlib
import io
import re
from dataclasses import dataclass

import segno

from .errors import SyncError
from .ledger import Ledger

FORM = "FM1"
ROOT_BYTES = 20
_CHECK_BYTES = 5
_CHECK_DIGITS = 4
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_MISREAD = str.maketrans("ILO", "110")
_ZONE = re.compile(r"[0-9A-Z]{1,23}")
_LEDGER = re.compile(r"[0-9A-F]{16}")
_SIZE = re.compile(r"[1-9][0-9]{0,17}")


class LineUnreadable(SyncError):
    """A line that was not typed as it was printed."""


class LineBroken(SyncError):
    """The ledger does not contain what the line says: it was rewritten, shortened, or is another one."""


@dataclass(frozen=True, slots=True)
class ShiftLine:
    """``root`` is cut to ``ROOT_BYTES``."""

    zone: str
    ledger: str
    size: int
    root: bytes

    def __str__(self) -> str:
        digits = _digits(self.root)
        groups = "-".join(digits[at : at + 4] for at in range(0, len(digits), 4))
        return f"{FORM} {self.zone.upper()} {self.ledger.upper()} {self.size} {groups} {self._check()}"

    def _check(self) -> str:
        said = f"{FORM} {self.zone} {self.ledger} {self.size} ".encode() + self.root
        return _digits(hashlib.sha256(said).digest()[:_CHECK_BYTES])[:_CHECK_DIGITS]

    @classmethod
    def parse(cls, text: str) -> ShiftLine:
        """Small letters, spare spaces, O for 0, I and L for 1 are taken. Raises ``LineUnreadable``."""
        words = text.upper().split()
        if len(words) != 6 or words[0] != FORM:
            raise LineUnreadable(
                f"{text!r}: expected six words ({FORM}, zone, ledger, size, root, checksum); type the whole line"
            )
        zone, ledger, size, root, check = words[1:]
        ledger, size = ledger.replace("O", "0"), size.translate(_MISREAD)
        for word, form, name in ((zone, _ZONE, "zone"), (ledger, _LEDGER, "ledger"), (size, _SIZE, "size")):
            if not form.fullmatch(word):
                raise LineUnreadable(f"{word!r} is no {name}; compare it with the paper, digit by digit")
        line = cls(zone.lower(), ledger.lower(), int(size), _bytes(root.replace("-", "").translate(_MISREAD)))
        if check.translate(_MISREAD) != line._check():
            raise LineUnreadable(
                f"the checksum {check} does not fit: at least one character was typed otherwise than it is printed"
            )
        return line


def shift_line(ledger: Ledger) -> ShiftLine:
    """The line for now."""
    newest = ledger.spans()[-1][0]
    size = newest.size()
    return ShiftLine(ledger.zone, newest.id, size, newest.root(size)[:ROOT_BYTES])


def check_line(ledger: Ledger, line: ShiftLine) -> None:
    """Raises ``LineBroken`` unless the ledger contains, unchanged, what it contained when the line was printed."""
    if line.zone != ledger.zone:
        raise LineBroken(f"the line is of zone {line.zone}, this is the ledger of {ledger.zone}: use that zone's")
    for file, last in ledger.spans():
        if file.id != line.ledger:
            continue
        size = file.size()
        if size < line.size:
            what = (
                f"the paper says {line.size} lines, there are {size}: lines were lost, or an old disk was restored"
            )
        elif file.root(line.size)[:ROOT_BYTES] != line.root:
            what = (
                f"its first {line.size} lines are not those of the day when the line was printed: it was rewritten"
            )
        elif last is not None and last < line.size:
            what = (
                f"only its first {last} lines count, the paper says {line.size}: the disk was restored from an "
                "old image after that shift, the ledger.opened of the next ledger says when"
            )
        else:
            return
        raise LineBroken(f"{file.path}: {what}. Keep the paper and a copy of the disk, and tell headquarters")
    raise LineBroken(
        f"{ledger.directory}: there is no ledger {line.ledger} here. If it was archived, put its file back; if it "
        "never was, the disk was exchanged: keep the paper and tell headquarters"
    )


def qr_svg(line: ShiftLine) -> str:
    """The line as a QR code, an ``<svg>`` to be put into a page."""
    drawn = io.BytesIO()
    segno.make_qr(str(line), error="m").save(drawn, kind="svg", xmldecl=False, svgns=True, scale=3)
    return drawn.getvalue().decode()


def qr_text(line: ShiftLine) -> str:
    """The line as a QR code in block characters, for a terminal or a plain printer."""
    drawn = io.StringIO()
    segno.make_qr(str(line), error="m").terminal(drawn, compact=True)
    return drawn.getvalue()


def _digits(raw: bytes) -> str:
    """Base 32 of whole bytes whose bits are a multiple of five."""
    number, count = int.from_bytes(raw, "big"), len(raw) * 8 // 5
    return "".join(_ALPHABET[number >> 5 * place & 31] for place in range(count - 1, -1, -1))


def _bytes(digits: str) -> bytes:
    if len(digits) != ROOT_BYTES * 8 // 5 or not set(digits) <= set(_ALPHABET):
        raise LineUnreadable(
            f"the root has {len(digits)} digits, expected {ROOT_BYTES * 8 // 5} in groups of four"
        )
    number = 0
    for digit in digits:
        number = number << 5 | _ALPHABET.index(digit)
    return number.to_bytes(ROOT_BYTES, "big")

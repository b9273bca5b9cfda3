"""A card reader at one side of a door, with or without a keypad: what it reports, and what it can show."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

log = logging.getLogger(__name__)


class ReaderState(StrEnum):
    UNKNOWN = "unknown"
    """Not heard from yet."""
    ONLINE = "online"
    """It answers, and its line is secured (or needs no securing)."""
    INSECURE = "insecure"
    """Something answers, but not with this reader's key: a rogue reader, or one that lost its key."""
    OFFLINE = "offline"


class Feedback(StrEnum):
    """What a reader shows to the person in front of it."""

    GRANTED = "granted"
    DENIED = "denied"
    PIN_EXPECTED = "pin_expected"
    """The card is known; now its PIN."""
    SECOND_EXPECTED = "second_expected"
    """The card is known; now that of a second officer."""
    CLOSE_DOOR = "close_door"
    """The door has stood open for nearly as long as it may."""


@dataclass(frozen=True)
class CardRead:
    """A card was presented. ``number`` is its bits as upper-case hexadecimal digits, leading zeros kept."""

    reader: str
    number: str
    bits: int


@dataclass(frozen=True)
class PinEntered:
    """A PIN was keyed in and ended with ``#``: 1 to 12 digits. No ``repr`` shows it, so no log does."""

    reader: str
    pin: str = field(repr=False)


@dataclass(frozen=True)
class ReaderChanged:
    """The reader's state is another than before; ``detail`` says in words why, and what to do."""

    reader: str
    state: ReaderState
    detail: str


@dataclass(frozen=True)
class TamperChanged:
    """The reader's housing was opened (or closed again)."""

    reader: str
    tampered: bool


@dataclass(frozen=True)
class ProvisioningEnded:
    """``provision`` is over: the reader took its key, or did not and ``detail`` says why."""

    reader: str
    keyed: bool
    detail: str


ReaderFact = CardRead | PinEntered | ReaderChanged | TamperChanged | ProvisioningEnded
ReportFact = Callable[[ReaderFact], None]
"""Called on a thread of the driver. It may only enqueue."""


class Reader(ABC):
    """One reader."""

    def __init__(self, reader: str) -> None:
        self.id = reader
        self._report: ReportFact | None = None

    @property
    @abstractmethod
    def state(self) -> ReaderState:
        """The state last reported."""

    def start(self, report: ReportFact) -> None:
        """Report every fact from now on, each change of state first of all."""
        self._report = report

    def tell(self, fact: ReaderFact) -> None:
        """Report a fact. Whoever listens and fails costs no reader its thread."""
        report = self._report
        if report is None:
            return
        try:
            report(fact)
        except Exception:
            # The fact itself may be a PIN and is not shown.
            log.exception("reader %s: whoever listens to it failed on %s", self.id, type(fact).__name__)

    @abstractmethod
    def show(self, feedback: Feedback) -> None:
        """Light and buzzer, as far as the reader has them. Returns at once and never raises."""

    def provision(self) -> str | None:
        """Give an unkeyed reader its key over the line, within a limited time. Returns at once: None when it has
        begun (``ProvisioningEnded`` follows), or why it cannot be done.
        """
        return f"{self.id} has no key that could be given over its line"

    def close(self) -> None:
        """No report follows."""
        self._report = None


def card_number(bits: int, data: bytes) -> str:
    """A card's number from its bits, first bit in the highest bit of the first byte (as OSDP's RAW reply and
    Wiegand frames have them): hexadecimal, right aligned, padded with zeros to the bits' length.

    Raises ``ValueError`` when there are no bits, or fewer bytes than bits.
    """
    if bits <= 0 or len(data) * 8 < bits:
        raise ValueError(f"{len(data)} bytes cannot hold a card of {bits} bits")
    whole = (bits + 7) // 8
    value = int.from_bytes(data[:whole], "big") >> (whole * 8 - bits)
    return f"{value:0{(bits + 3) // 4}X}"

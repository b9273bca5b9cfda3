"""The readers of a zone, as its settings declare them: what hangs where, and what it speaks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from custody.events import Direction, PartId

from .loading import Settings


class OsdpReaderSettings(Settings):
    """On an RS-485 line, always over a secured channel."""

    id: PartId
    door: PartId
    direction: Direction
    driver: Literal["osdp"]
    port: Path
    """Serial device of the RS-485 adapter."""
    baud: int = 38400
    address: int = Field(1, ge=0, le=126)
    key_file: Path
    """The reader's secure channel key (SCBK): 32 hexadecimal digits, readable by nobody else."""


class WiegandReaderSettings(Settings):
    """On two GPIO lines, in the clear."""

    id: PartId
    door: PartId
    direction: Direction
    driver: Literal["wiegand"]
    d0: int = Field(ge=0)
    """BCM number of the line on which a pulse is a 0; that of ``d1`` is a 1."""
    d1: int = Field(ge=0)
    bits: Literal[26, 34, 37] = 26
    """How many bits its cards have, both parities with them. Anything else is refused."""
    keys: Literal[4, 8] | None = None
    """How many bits its keypad sends for a key; without one it is left out."""

    @model_validator(mode="after")
    def _two_lines(self) -> Self:
        if self.d0 == self.d1:
            raise ValueError(f"reader {self.id!r} has d0 and d1 on pin {self.d0}; they are two lines")
        return self


class UsbReaderSettings(Settings):
    """Types card numbers like a keyboard, in the clear."""

    id: PartId
    door: PartId
    direction: Direction
    driver: Literal["usb"]
    device: Path
    """Its input device, best by a name that stays: one of ``/dev/input/by-id`` or ``/dev/input/by-path``."""
    writes: Literal["hexadecimal", "decimal"] = "hexadecimal"
    characters: int = Field(8, ge=1, le=64)
    """How many it types for a number, leading zeros with it. Anything else is refused."""
    bits: int = Field(32, ge=4, le=256)
    """How many bits its cards have: a decimal number is padded to these."""


class SimulatedReaderSettings(Settings):
    id: PartId
    door: PartId
    direction: Direction
    driver: Literal["simulated"]


ReaderSettings = Annotated[
    OsdpReaderSettings | WiegandReaderSettings | UsbReaderSettings | SimulatedReaderSettings,
    Field(discriminator="driver"),
]


def check_places(readers: Sequence[ReaderSettings]) -> None:
    """No two readers in one place. Raises ``ValueError`` with the two and the mend."""
    _places_on_buses([reader for reader in readers if isinstance(reader, OsdpReaderSettings)])
    taken: dict[int | Path, PartId] = {}
    for reader in readers:
        places: list[int] | list[Path] = []
        match reader:
            case WiegandReaderSettings():
                places = [reader.d0, reader.d1]
            case UsbReaderSettings():
                places = [reader.device]
        for place in places:
            other = taken.setdefault(place, reader.id)
            if other != reader.id:
                raise ValueError(
                    f"readers {other!r} and {reader.id!r} are both on {place}; give one of them another"
                )


def _places_on_buses(readers: list[OsdpReaderSettings]) -> None:
    """Readers on one serial port share its line: each needs an address of its own, all the same speed."""
    first: dict[Path, OsdpReaderSettings] = {}
    places: dict[tuple[Path, int], OsdpReaderSettings] = {}
    for reader in readers:
        other = places.setdefault((reader.port, reader.address), reader)
        if other is not reader:
            raise ValueError(
                f"readers {other.id!r} and {reader.id!r} both have address {reader.address} on {reader.port}; "
                "give one of them another"
            )
        if first.setdefault(reader.port, reader).baud != reader.baud:
            raise ValueError(
                f"readers {first[reader.port].id!r} and {reader.id!r} share {reader.port} but not its baud; "
                "set one for both"
            )

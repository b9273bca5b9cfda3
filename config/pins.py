"""The GPIO lines that a zone's settings name: no two devices may be on one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from .readers import WiegandReaderSettings

if TYPE_CHECKING:
    from .zone import ZoneSettings


def check_pins(settings: ZoneSettings) -> None:
    """Raises ``ValueError`` with both devices and the mend."""
    taken: dict[int, str] = {}
    for pin, device in _pins(settings):
        other = taken.setdefault(pin, device)
        if other != device:
            raise ValueError(f"{other} and {device} are both on pin {pin}; give one of them another")


def _pins(settings: ZoneSettings) -> Iterator[tuple[int, str]]:
    for door in settings.doors:
        devices = {"lock": door.lock, "monitor": door.lock.monitor, "contact": door.contact, "button": door.button}
        for part, device in devices.items():
            if device is not None and device.driver == "gpio" and device.pin is not None:
                yield device.pin, f"the {part} of {door.id!r}"
    if settings.fire is not None and settings.fire.driver == "gpio" and settings.fire.pin is not None:
        yield settings.fire.pin, "the fire input"
    for reader in settings.readers:
        if isinstance(reader, WiegandReaderSettings):
            yield reader.d0, f"d0 of the reader {reader.id!r}"
            yield reader.d1, f"d1 of the reader {reader.id!r}"

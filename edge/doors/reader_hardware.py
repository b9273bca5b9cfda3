"""The zone's readers, built from the settings; one that cannot be set up reports that, and the others run."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from config.clock import Clock
from config.readers import (
    OsdpReaderSettings,
    SimulatedReaderSettings,
    UsbReaderSettings,
    WiegandReaderSettings,
)
from config.zone import ZoneSettings
from custody.events import Direction, PartId
from devices.errors import DeviceError
from devices.readers.simulated import SimulatedReader, at_door
from devices.readers.unusable import UnusableReader
from devices.simulation import Bench
from devices.thread_watch import ThreadWatch

if TYPE_CHECKING:
    from .hardware import Hardware

InTheClear = WiegandReaderSettings | UsbReaderSettings

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Makers:
    """What readers share with the rest of the hardware; each makes it at its first call."""

    pins: Callable[[], Any]
    canary: Callable[[], Any]
    bench: Callable[[], Bench]


class ReaderBuilder:
    """Adds the readers to ``hardware``, and what reads them to ``watch``."""

    def __init__(
        self,
        settings: ZoneSettings,
        hardware: Hardware,
        clock: Clock,
        watch: ThreadWatch,
        makers: Makers,
    ) -> None:
        self._settings = settings
        self._hardware = hardware
        self._clock = clock
        self._watch = watch
        self._make = makers

    def add_all(self) -> None:
        ports: dict[Path, list[OsdpReaderSettings]] = defaultdict(list)
        doors: dict[PartId, dict[Direction, SimulatedReader]] = defaultdict(dict)
        cards = {officer.id: officer.card for officer in self._settings.officers if officer.card is not None}
        for settings in self._settings.readers:
            match settings:
                case OsdpReaderSettings():
                    ports[settings.port].append(settings)
                case WiegandReaderSettings() | UsbReaderSettings():
                    self._add_in_the_clear(settings)
                case SimulatedReaderSettings():
                    reader = SimulatedReader(settings.id, cards=cards)
                    reader.stand_on(self._make.bench())
                    self._hardware.readers[settings.id] = reader
                    doors[settings.door].setdefault(settings.direction, reader)
        for door, sides in doors.items():
            self._name_after_door(door, sides)
        for port, readers in ports.items():
            self._add_bus(port, readers)

    def _name_after_door(self, door: PartId, sides: Mapping[Direction, SimulatedReader]) -> None:
        if door not in self._hardware.readers:
            self._make.bench().register("tap", door, lambda words: at_door(SimulatedReader.tap, sides, words))
            self._make.bench().register("pin", door, lambda words: at_door(SimulatedReader.enter, sides, words))

    def _add_in_the_clear(self, settings: InTheClear) -> None:
        log.warning(
            "reader %s speaks in the clear (%s): whoever reaches its wires can copy its cards",
            *(settings.id, settings.driver),
        )
        try:
            if isinstance(settings, WiegandReaderSettings):
                self._add_wiegand(settings)
            else:
                self._add_usb(settings)
        except Exception as error:
            # Whatever a library or a driver runs into: the doors of the other readers still open.
            self._put_out(settings.id, error)

    def _put_out(self, reader: PartId, error: Exception) -> None:
        log.critical("reader %s stays off: %s", reader, error)
        self._hardware.readers[reader] = UnusableReader(reader, str(error))

    def _add_wiegand(self, settings: WiegandReaderSettings) -> None:
        factory = self._make.pins()
        from devices.readers.lgpio_lines import LgpioLines
        from devices.readers.wiegand_reader import WiegandReader

        canary = self._make.canary()
        lines = LgpioLines(settings.id, d0=settings.d0, d1=settings.d1, factory=factory, canary=canary)
        reader = WiegandReader(settings.id, lines, card=settings.bits, keys=settings.keys, clock=self._clock)
        self._watch.add(reader)
        self._hardware.readers[settings.id] = reader
        self._hardware.starters.append(reader.listen)
        self._hardware.closers.insert(0, reader.stop)

    def _add_usb(self, settings: UsbReaderSettings) -> None:
        from devices.readers.usb_reader import UsbReader

        reader = UsbReader(
            settings.id,
            settings.device,
            writes=settings.writes,
            characters=settings.characters,
            bits=settings.bits,
            clock=self._clock,
        )
        self._watch.add(reader)
        self._hardware.readers[settings.id] = reader
        self._hardware.starters.append(reader.listen)
        self._hardware.closers.append(reader.stop)

    def _add_bus(self, port: Path, readers: list[OsdpReaderSettings]) -> None:
        from devices.readers.key_file import read_key
        from devices.readers.osdp import OsdpAddress, OsdpBus

        places: list[OsdpAddress] = []
        for settings in readers:
            try:
                places.append(OsdpAddress(settings.id, settings.address, read_key(settings.key_file)))
            except DeviceError as error:
                self._put_out(settings.id, error)
        if not places:
            return
        bus = OsdpBus(port, readers[0].baud, places, self._clock)
        self._watch.add(bus)
        self._hardware.readers.update({reader.id: reader for reader in bus.readers})
        self._hardware.starters.append(bus.start)
        self._hardware.closers.append(bus.close)

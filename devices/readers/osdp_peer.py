"""The twin of an OSDP reader: a real libosdp peripheral device on a pseudo-terminal.

Not the driver's idea of a reader but the library's, with its own secure channel; for tests, for benchmarks and
for trying out a zone without hardware::

    with OsdpPeer(key=key) as peer:
        bus = OsdpBus(peer.port, 38400, [OsdpAddress("front-in", 1, key)], clock)
        ...
        peer.present(26, bytes.fromhex("12345640"))
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import osdp_sys
from osdp import (
    Capability,
    CardFormat,
    Command,
    Event,
    LogLevel,
    PDCapabilities,
    PDInfo,
    StatusReportType,
)

from .osdp_line import OsdpLine
from .osdp_messages import KEY_BYTES

LIGHT_AND_BUZZER = (Capability.LEDControl, Capability.AudibleControl)


class OsdpPeer:
    """One reader, on a line of its own unless one is given to be shared. Power it with ``start`` and ``stop``;
    ``close`` takes its own line away.

    A ``key`` of None is a reader fresh from its maker: it takes the first key that it is given. ``has`` names what
    it declares that it can do (``osdp.Capability``).
    """

    def __init__(
        self,
        *,
        key: bytes | None,
        address: int = 1,
        line: OsdpLine | None = None,
        has: Sequence[int] = LIGHT_AND_BUZZER,
    ) -> None:
        self.line = line or OsdpLine()
        self.commands: list[dict[str, Any]] = []
        """What the panel told and asked it, in order."""
        self.refuses: set[int] = set()
        """Kinds of command that it answers with a NAK although it declared that it can carry them out."""
        self.key = key
        """The key that it was made with, or was given since."""
        self._owns_line = line is None
        self._address = address
        self._capabilities = [(capability, 1, 1) for capability in (Capability.CommunicationSecurity, *has)]
        self._tap = self.line.tap()
        # Held while the library is inside the device: its calls may not meet.
        self._mutex = threading.RLock()
        self._device: Any = None

    @property
    def port(self) -> Path:
        return self.line.port

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def start(self, *, key: bytes | None = None) -> None:
        """Power on, from now on with ``key`` if one is given."""
        self.key = self.key if key is None else key
        info = PDInfo(self._address, self._tap, scbk=self.key, name="peer")
        osdp_sys.set_loglevel(LogLevel.Emergency)
        with self._mutex:
            self._device = osdp_sys.PeripheralDevice(
                info.get(), capabilities=PDCapabilities(self._capabilities).get()
            )
            self._device.set_command_callback(self._take)
        self.line.join(self._tap, self)

    def stop(self) -> None:
        """Power off: the line stays, nobody answers."""
        self.line.leave(self._tap)
        with self._mutex:
            self._device = None

    def close(self) -> None:
        self.stop()
        if self._owns_line:
            self.line.close()

    def refresh(self) -> None:
        """One turn of the library; the line calls it."""
        with self._mutex:
            if self._device is not None:
                self._device.refresh()

    @property
    def secured(self) -> bool:
        with self._mutex:
            return self._device is not None and bool(self._device.is_sc_active())

    def present(self, bits: int, data: bytes) -> None:
        """Hold a card of so many bits to it, first bit in the highest bit of the first byte."""
        self._send(_card(bits, data))

    def present_if_it_can(self, bits: int, data: bytes) -> None:
        """The same, and nothing when it is off or still full of cards that nobody fetched."""
        self._offer(_card(bits, data))

    def press(self, keys: str) -> None:
        """Press keys: digits, ``*`` and ``#``."""
        self._send({"event": Event.KeyPress, "reader_no": 1, "data": bytes(KEY_BYTES[key] for key in keys)})

    def tamper(self, tampered: bool) -> None:
        """Open its housing, or close it; it says so by itself. (Asked, the library always lets it say closed.)"""
        report = bytes([int(tampered), 0])
        self._send({"event": Event.Status, "type": StatusReportType.Local, "report": report, "nr_entries": 2})

    def _send(self, event: dict[str, Any]) -> None:
        if not self._offer(event):
            raise RuntimeError("the reader is off, or takes no event now")

    def _offer(self, event: dict[str, Any]) -> bool:
        with self._mutex:
            return self._device is not None and bool(self._device.submit_event(event))

    def _take(self, command: dict[str, Any]) -> tuple[int, None]:
        self.commands.append(command)
        if command["command"] == Command.Keyset:
            self.key = bytes(command["data"])
        return (-1 if command["command"] in self.refuses else 0), None


def _card(bits: int, data: bytes) -> dict[str, Any]:
    return {
        "event": Event.CardRead,
        "reader_no": 1,
        "direction": 0,
        "format": CardFormat.Wiegand,
        "length": bits,
        "data": data,
    }

"""The twin of an OSDP reader: a real libosdp peripheral device on a pseudo-terminal.

Not the driver's idea of a reader but the library's, with its own secure channel; for tests, for benchmarks and
for trying out a zone without hardware::

    with OsdpPeer(key=key) as peer:
        bus = OsdpBus(peer.port, 38400, [OsdpAddress("front-in", 1, key)], clock)
        ...
        peer.present(26, bytes.fromhex("12345640"))
"""

from __future__ import annotations

import contextlib
import os
import threading
import tty
from pathlib import Path
from typing import Any, Self

import osdp_sys
from osdp import Capability, CardFormat, Channel, Event, LogLevel, PDCapabilities, PDInfo, StatusReportType

REFRESH_S = 0.002


class _TerminalChannel(Channel):  # type: ignore[misc]
    def __init__(self, descriptor: int) -> None:
        super().__init__()
        self._descriptor = descriptor

    def read(self, max_bytes: int) -> bytes:
        try:
            return os.read(self._descriptor, max_bytes)
        except OSError:
            return b""

    def write(self, buf: bytes) -> int:
        with contextlib.suppress(OSError):
            os.write(self._descriptor, buf)
        return len(buf)

    def flush(self) -> None:
        pass


class OsdpPeer:
    """One reader at ``port``. Power it with ``start`` and ``stop``; ``close`` takes its line away."""

    def __init__(self, *, key: bytes, address: int = 1) -> None:
        self._line, self._other_end = os.openpty()
        for descriptor in (self._line, self._other_end):
            tty.setraw(descriptor)
        os.set_blocking(self._line, False)
        self.port = Path(os.ttyname(self._other_end))
        self.commands: list[dict[str, Any]] = []
        """Every command of the panel, in order."""
        self._key = key
        self._address = address
        self._mutex = threading.Lock()
        self._device: Any = None
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def start(self, *, key: bytes | None = None) -> None:
        """Power on, from now on with ``key`` if one is given."""
        self._key = self._key if key is None else key
        capabilities = PDCapabilities(
            [
                (Capability.CommunicationSecurity, 1, 1),
                (Capability.LEDControl, 1, 1),
                (Capability.AudibleControl, 1, 1),
            ]
        )
        info = PDInfo(self._address, _TerminalChannel(self._line), scbk=self._key, name="peer")
        osdp_sys.set_loglevel(LogLevel.Emergency)
        self._device = osdp_sys.PeripheralDevice(info.get(), capabilities=capabilities.get())
        self._device.set_command_callback(self._take)
        self._stopping.clear()
        self._thread = threading.Thread(target=self._run, args=(self._device,), name="osdp-peer", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Power off: the line stays, nobody answers."""
        if self._thread is not None:
            self._stopping.set()
            self._thread.join()
            self._thread = self._device = None

    def close(self) -> None:
        self.stop()
        os.close(self._line)
        os.close(self._other_end)

    @property
    def secured(self) -> bool:
        with self._mutex:
            return self._device is not None and bool(self._device.is_sc_active())

    def present(self, bits: int, data: bytes) -> None:
        """Hold a card of so many bits to it, first bit in the highest bit of the first byte."""
        self._send(
            {
                "event": Event.CardRead,
                "reader_no": 1,
                "direction": 0,
                "format": CardFormat.Wiegand,
                "length": bits,
                "data": data,
            }
        )

    def tamper(self, tampered: bool) -> None:
        report = bytes([int(tampered), 0])
        self._send({"event": Event.Status, "type": StatusReportType.Local, "report": report, "nr_entries": 2})

    def _send(self, event: dict[str, Any]) -> None:
        with self._mutex:
            if self._device is None or not self._device.submit_event(event):
                raise RuntimeError("the reader is off, or takes no event now")

    def _take(self, command: dict[str, Any]) -> tuple[int, None]:
        self.commands.append(command)
        return 0, None

    def _run(self, device: Any) -> None:
        while not self._stopping.wait(REFRESH_S):
            with self._mutex:
                device.refresh()

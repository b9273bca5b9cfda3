"""Readers on an RS-485 bus, through libosdp in enforced secure mode.

Traps that shaped this (measured with libosdp 3.2.9 unless said otherwise):

* Without ENFORCE_SECURE a reader with a wrong key comes online and its cards are believed. It is always set.
* The challenge of the secure channel comes from libc's ``rand()``: it is seeded from the operating system first.
* The library's Python thread sleeps 20 ms a cycle and holds a lock while it calls back, so a command given in
  a callback hangs for ever. Here one thread owns the panel: callbacks only report, commands wait in a queue of
  ours and are given between two cycles of 5 ms.
* Taking a reader off the bus is only a request, and putting it back is ignored until that was carried out: the
  two never go in one cycle.
* Its ``ControlPanel`` keeps every event in a queue that nobody empties: the extension is used directly.
"""

from __future__ import annotations

import ctypes
import logging
import os
import queue
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import osdp_sys
from osdp import CardFormat, Command, CommandLEDColor, Event, LibFlag, LogLevel, PDInfo, StatusReportType

from config.clock import Clock

from .osdp_channel import SerialChannel
from .osdp_supervision import Supervision
from .reader import (
    CardRead,
    Feedback,
    Reader,
    ReaderChanged,
    ReaderFact,
    ReaderState,
    ReportFact,
    TamperChanged,
    card_number,
)

log = logging.getLogger(__name__)

REFRESH_S = 0.005
FAILED_REFRESH_S = 1.0
"""Pause after the library failed, so that a broken bus does not eat the processor."""
SHOWN_TENTHS = 20
"""How long the light answers, in OSDP's unit of 100 ms."""
_BEEPS = {Feedback.GRANTED: 1, Feedback.DENIED: 3}
_COLOURS = {Feedback.GRANTED: CommandLEDColor.Green, Feedback.DENIED: CommandLEDColor.Red}


@dataclass(frozen=True)
class OsdpAddress:
    """A reader on a bus: its id in the zone, its address on the line, its secure channel key (16 bytes)."""

    reader: str
    address: int
    key: bytes


class OsdpReader(Reader):
    """One reader of a bus; made by the bus."""

    def __init__(self, bus: OsdpBus, index: int, place: OsdpAddress) -> None:
        super().__init__(place.reader)
        self.place = place
        self.supervision = Supervision(0.0)
        self.waking = False
        """Being taken off the bus, to be put back on it."""
        self._bus = bus
        self._index = index
        self._report: ReportFact | None = None
        self._told = ReaderState.UNKNOWN
        self._tampered = False

    @property
    def state(self) -> ReaderState:
        return self._told

    def start(self, report: ReportFact) -> None:
        self._report = report

    def show(self, feedback: Feedback) -> None:
        if self._told is ReaderState.ONLINE:
            for command in feedback_commands(feedback):
                self._bus.submit(self._index, command)

    def close(self) -> None:
        self._report = None

    def tell_state(self, detail: str) -> None:
        """Report the supervision's state. Called on the bus's thread."""
        self._told = self.supervision.state
        self._tell(ReaderChanged(self.id, self._told, detail))

    def take(self, event: dict[str, Any]) -> None:
        """An event of the library. Called on the bus's thread."""
        if event["event"] == Event.CardRead:
            self._tell(card_read(self.id, event))
        elif event["event"] == Event.Status and event["type"] == StatusReportType.Local:
            tampered = bool(event["report"][0])
            if tampered != self._tampered:
                self._tampered = tampered
                self._tell(TamperChanged(self.id, tampered))

    def _tell(self, fact: ReaderFact) -> None:
        report = self._report
        if report is not None:
            report(fact)


class OsdpBus:
    """Every reader on one serial port. ``start`` it once its readers were started, ``close`` it last.

    ``clock`` must run in real time: a line's timing is physics. A port that cannot be opened makes its readers
    offline and is tried again; nothing here raises after the construction.
    """

    def __init__(self, port: Path, baud: int, places: Sequence[OsdpAddress], clock: Clock) -> None:
        self._clock = clock
        self._channel = SerialChannel(port, baud, clock)
        self.readers = [OsdpReader(self, index, place) for index, place in enumerate(places)]
        self._commands: queue.SimpleQueue[tuple[int, dict[str, Any]]] = queue.SimpleQueue()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"osdp-{port.name}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()
        self._channel.close()

    def submit(self, index: int, command: dict[str, Any]) -> None:
        """Give a reader a command at the next cycle; it is dropped if the reader is not there then."""
        self._commands.put((index, command))

    def _run(self) -> None:
        panel = self._make_panel()
        pause_s = REFRESH_S
        while not self._stopping.wait(pause_s):
            try:
                self._cycle(panel)
                pause_s = REFRESH_S
            except Exception:
                log.exception(
                    "the reader bus on %s failed; it goes on in %g s", self._channel.port, FAILED_REFRESH_S
                )
                pause_s = FAILED_REFRESH_S

    def _make_panel(self) -> Any:
        ctypes.CDLL(None).srand(ctypes.c_uint(int.from_bytes(os.urandom(4), "big")))
        # The library writes to standard error and repeats itself every round; what matters is told from here.
        osdp_sys.set_loglevel(LogLevel.Emergency)
        infos = [
            PDInfo(
                reader.place.address,
                self._channel,
                scbk=reader.place.key,
                name=reader.id[:16],
                flags=[LibFlag.EnforceSecure],
            ).get()
            for reader in self.readers
        ]
        panel = osdp_sys.ControlPanel(infos)
        panel.set_event_callback(self._on_event)
        now_s = self._clock.boottime_s()
        for reader in self.readers:
            reader.supervision = Supervision(now_s)
        return panel

    def _on_event(self, index: int, event: dict[str, Any]) -> int:
        try:
            self.readers[index].take(event)
        except Exception:
            log.exception("the reader %s sent something that could not be read: %r", self.readers[index].id, event)
        return 0

    def _cycle(self, panel: Any) -> None:
        self._channel.keep_open()
        panel.refresh()
        secured = panel.sc_status()
        now_s = self._clock.boottime_s()
        for index, reader in enumerate(self.readers):
            heard_s = self._channel.heard_s(reader.place.address)
            if reader.supervision.look(now_s, heard_s=heard_s, secured=bool(secured >> index & 1)):
                panel.disable_pd(index)
                reader.waking = True
            elif reader.waking and not panel.is_pd_enabled(index):
                panel.enable_pd(index)
                reader.waking = False
            if reader.supervision.state is not reader.state:
                reader.tell_state(self._explain(reader))
        while not self._commands.empty():
            index, command = self._commands.get()
            if secured >> index & 1 and not panel.submit_command(index, command):
                log.debug("the reader %s takes no command %s", self.readers[index].id, command["command"])

    def _explain(self, reader: OsdpReader) -> str:
        where = f"address {reader.place.address} on {self._channel.port}"
        match reader.supervision.state:
            case ReaderState.ONLINE:
                return f"{where} answers and its channel is secured"
            case ReaderState.INSECURE:
                return (
                    f"{where} answers but not with the key of its key_file: a strange reader, or one "
                    "that lost its key; go and look, then give reader and file the same key"
                )
            case _:
                return self._channel.problem or f"{where} does not answer; check its power, wiring and address"


def card_read(reader: str, event: dict[str, Any]) -> CardRead:
    """A card from the library's event. Raises ``ValueError`` for one without bits."""
    data: bytes = event["data"]
    if event["format"] == CardFormat.ASCII:
        return CardRead(reader, data.decode("ascii").strip().upper(), len(data) * 8)
    bits = int(event["length"])
    return CardRead(reader, card_number(bits, data), bits)


def feedback_commands(feedback: Feedback) -> list[dict[str, Any]]:
    """Light and buzzer commands (OSDP 2.2 sections 6.10 and 6.11; times in 100 ms)."""
    light = {
        "command": Command.LED,
        "reader": 0,
        "led_number": 0,
        "temporary": True,
        "control_code": 2,
        "on_count": SHOWN_TENTHS,
        "off_count": 0,
        "on_color": _COLOURS[feedback],
        "off_color": CommandLEDColor.Black,
        "timer_count": SHOWN_TENTHS,
    }
    buzzer = {
        "command": Command.Buzzer,
        "reader": 0,
        "control_code": 2,
        "on_count": 1,
        "off_count": 1,
        "rep_count": _BEEPS[feedback],
    }
    return [light, buzzer]

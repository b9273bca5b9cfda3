"""Readers on an RS-485 bus, through libosdp in enforced secure mode.

Traps that shaped this (measured with libosdp 3.2.9 unless said otherwise):

* Without ENFORCE_SECURE a reader with a wrong key comes online and its cards are believed. It is always set, but
  for the minute in which a manager has a reader given its key: then nothing that the reader says is believed.
* The library calls a channel secured also while it is so with the key that the specification prints. Its
  notifications tell the two apart.
* The challenge of the secure channel comes from libc's ``rand()``: it is seeded from the operating system first.
* The library's Python thread sleeps 20 ms a cycle and holds a lock while it calls back, so a command given in
  a callback hangs for ever. Here one thread owns the panel: callbacks only report, commands wait in a queue of
  ours and are given between two cycles of 5 ms.
* It holds four commands for a reader and refuses the next: what it refuses is given again in the next cycle.
* It takes a reader that refuses a command off the bus for 300 s, as if it were gone. So a reader is given only
  what it declared that it can do, is put back at once, and is never given again what it refused twice in a row.
* Taking a reader off the bus is only a request, and putting it back is ignored until that was carried out: the
  two never go in one cycle.
* Its ``ControlPanel`` keeps every event in a queue that nobody empties: the extension is used directly.
* After an error of its own it ends the process; no thread can hold that off. The process is started again.
"""

from __future__ import annotations

import ctypes
import logging
import os
import queue
import threading
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import osdp_sys
from osdp import Event, LibFlag, LogLevel, PDInfo, StatusReportType

from config.clock import Clock

from .keypad import Keypad
from .osdp_channel import SerialChannel
from .osdp_messages import ASK_STATUS, NEEDS, card_read, feedback_commands, keys_pressed
from .osdp_supervision import Supervision
from .reader import (
    Feedback,
    PinEntered,
    ProvisioningEnded,
    Reader,
    ReaderChanged,
    ReaderState,
    TamperChanged,
)

log = logging.getLogger(__name__)

REFRESH_S = 0.005
FAILED_REFRESH_S = 1.0
"""Pause after the library failed, so that a broken bus does not eat the processor."""
PROVISIONING_S = 60.0
"""For so long a reader may be given its key; then its line is enforced again, keyed or not."""
REFUSALS_MAX = 2
"""One may be a reader that was switched off just then."""
COMMANDS_MAX = 16
"""Commands that wait for one reader; what is older than these shows nothing any more."""


@dataclass(frozen=True)
class OsdpAddress:
    """A reader on a bus: its id in the zone, its address on the line, its secure channel key (16 bytes)."""

    reader: str
    address: int
    key: bytes


class OsdpReader(Reader):
    """One reader of a bus; made by the bus, whose thread alone changes it."""

    def __init__(self, bus: OsdpBus, index: int, place: OsdpAddress) -> None:
        super().__init__(place.reader)
        self.place = place
        self.supervision = Supervision(0.0)
        self.waking = False
        """Being taken off the bus, to be put back on it."""
        self.keyed = False
        """Its channel stands, with its own key. The library's word for a channel leaves the key open."""
        self.provisioning_until_s: float | None = None
        self.commands: deque[dict[str, Any]] = deque(maxlen=COMMANDS_MAX)
        self.refusals: Counter[int] = Counter()
        """By kind of command: how often in a row it failed."""
        self._bus = bus
        self._index = index
        self._told = ReaderState.UNKNOWN
        self._tampered = False
        self._keypad = Keypad(place.reader)

    @property
    def state(self) -> ReaderState:
        return self._told

    def show(self, feedback: Feedback) -> None:
        if self._told is ReaderState.ONLINE:
            self._bus.submit(self._index, feedback_commands(feedback))

    def provision(self) -> str | None:
        if self._told is ReaderState.ONLINE:
            return f"{self.id} has its key already; only a reader without one is given one"
        self._bus.provision(self._index)
        return None

    def tell_state(self, state: ReaderState, detail: str) -> None:
        self._told = state
        self.tell(ReaderChanged(self.id, state, detail))

    def tell_provisioned(self, keyed: bool, detail: str) -> None:
        self.tell(ProvisioningEnded(self.id, keyed, detail))

    def take(self, event: dict[str, Any], now_s: float) -> None:
        """An event of the library."""
        kind = event["event"]
        if kind == Event.Notification:
            self._take_notification(event["type"], event["arg0"], event["arg1"])
        elif not self.keyed or self.provisioning_until_s is not None:
            log.warning("reader %s said something before its channel was secured; it is not believed", self.id)
        elif kind == Event.CardRead:
            self.tell(card_read(self.id, event))
        elif kind == Event.KeyPress:
            for key in keys_pressed(event):
                pin = self._keypad.press(key, now_s)
                if pin is not None:
                    self.tell(PinEntered(self.id, pin))
        elif kind == Event.Status and event["type"] == StatusReportType.Local:
            self._take_housing(bool(event["report"][0]))

    def _take_notification(self, kind: int, subject: int, value: int) -> None:
        if kind == osdp_sys.EVENT_NOTIFICATION_SC_STATUS:
            active, with_default_key = subject, value
            self.keyed = bool(active) and not with_default_key
        elif kind == osdp_sys.EVENT_NOTIFICATION_COMMAND:
            command, succeeded = subject, value
            self.refusals[command] = 0 if succeeded else self.refusals[command] + 1
            if self.refusals[command] == REFUSALS_MAX:
                log.warning("reader %s refuses the OSDP command %d; it is not given it any more", self.id, command)

    def _take_housing(self, tampered: bool) -> None:
        if tampered != self._tampered:
            self._tampered = tampered
            self.tell(TamperChanged(self.id, tampered))


class OsdpBus:
    """Every reader on one serial port. ``start`` it once its readers were started, ``close`` it last.

    ``clock`` must run in real time: a line's timing is physics. A port that cannot be opened makes its readers
    offline and is tried again; nothing here raises after the construction.
    """

    def __init__(
        self,
        port: Path,
        baud: int,
        places: Sequence[OsdpAddress],
        clock: Clock,
        *,
        provisioning_s: float = PROVISIONING_S,
    ) -> None:
        self._clock = clock
        self._provisioning_s = provisioning_s
        self._channel = SerialChannel(port, baud, clock)
        self.readers = [OsdpReader(self, index, place) for index, place in enumerate(places)]
        self._commands: queue.SimpleQueue[tuple[int, list[dict[str, Any]]]] = queue.SimpleQueue()
        self._to_provision: queue.SimpleQueue[int] = queue.SimpleQueue()
        self._stopping = threading.Event()
        self._beaten_s = clock.boottime_s()
        self._thread = threading.Thread(target=self._run, name=f"osdp-{port.name}", daemon=True)

    @property
    def name(self) -> str:
        return f"the reader bus on {self._channel.port}"

    def beaten_s(self) -> float:
        """Boot time at which its thread was last seen to turn."""
        return self._beaten_s

    def stalled(self, detail: str) -> None:
        """Its thread turns no more, as its watch says. Once it turns again it tells the readers' states."""
        for reader in self.readers:
            reader.tell_state(ReaderState.OFFLINE, detail)

    def resumed(self) -> None:
        """Its own thread tells how its readers stand."""

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()
        self._channel.close()

    def submit(self, index: int, commands: list[dict[str, Any]]) -> None:
        """Give a reader commands from the next cycle on; they are dropped if it is not there then."""
        self._commands.put((index, commands))

    def provision(self, index: int) -> None:
        """Give a reader its key from the next cycle on, within the time that there is for it."""
        self._to_provision.put(index)

    def _run(self) -> None:
        panel = self._make_panel()
        pause_s = REFRESH_S
        while not self._stopping.wait(pause_s):
            self._beaten_s = self._clock.boottime_s()
            try:
                self._cycle(panel)
                pause_s = REFRESH_S
            except Exception:
                log.exception("%s failed; it goes on in %g s", self.name, FAILED_REFRESH_S)
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
                flags=[LibFlag.EnforceSecure, LibFlag.EnableNotification],
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
            self.readers[index].take(event, self._clock.boottime_s())
        except Exception:
            # Its keys may be a PIN: the event itself is not shown.
            log.exception("%s: an event of kind %s failed", self.readers[index].id, event.get("event"))
        return 0

    def _cycle(self, panel: Any) -> None:
        self._channel.keep_open()
        panel.refresh()
        while not self._to_provision.empty():
            self._begin_provisioning(panel, self._to_provision.get())
        while not self._commands.empty():
            index, commands = self._commands.get()
            self.readers[index].commands.extend(commands)
        channels = panel.sc_status()
        for index, reader in enumerate(self.readers):
            keyed = reader.keyed and bool(channels >> index & 1)
            if reader.provisioning_until_s is not None:
                keyed = self._provision(panel, index, reader, keyed=keyed)
            self._supervise(panel, index, reader, secured=keyed and not reader.waking)

    def _supervise(self, panel: Any, index: int, reader: OsdpReader, *, secured: bool) -> None:
        heard_s = self._channel.heard_s(reader.place.address)
        if reader.supervision.look(self._clock.boottime_s(), heard_s=heard_s, secured=secured):
            self._wake(panel, index, reader)
        elif reader.waking and not panel.is_pd_enabled(index):
            panel.enable_pd(index)
            reader.waking = False
        if reader.supervision.state is not reader.state:
            reader.tell_state(reader.supervision.state, self._explain(reader))
            if reader.state is ReaderState.ONLINE:
                reader.commands.append(ASK_STATUS)
            else:
                # What the library still holds would be shown when the reader is back: to somebody else.
                panel.flush_commands(index)
                reader.refusals.clear()
        if not secured:
            reader.commands.clear()
        while reader.commands:
            command = reader.commands[0]
            if self._understands(panel, index, reader, command["command"]) and not panel.submit_command(
                index, command
            ):
                return
            reader.commands.popleft()

    @staticmethod
    def _understands(panel: Any, index: int, reader: OsdpReader, command: int) -> bool:
        if reader.refusals[command] >= REFUSALS_MAX:
            return False
        if command not in NEEDS:
            return True
        compliance, _ = panel.check_capability(index, NEEDS[command])
        return bool(compliance)

    def _wake(self, panel: Any, index: int, reader: OsdpReader) -> None:
        panel.disable_pd(index)
        reader.waking = True

    def _begin_provisioning(self, panel: Any, index: int) -> None:
        """Only while nothing is enforced does the library try the key of the specification after the reader's own,
        and then give it its own. (INSTALL_MODE is the reader's side of this; to a panel it means nothing.)
        """
        reader = self.readers[index]
        log.warning("%s may be given its key for %g s from now on", reader.id, self._provisioning_s)
        reader.provisioning_until_s = self._clock.boottime_s() + self._provisioning_s
        panel.clear_flag(index, LibFlag.EnforceSecure)
        self._wake(panel, index, reader)

    def _provision(self, panel: Any, index: int, reader: OsdpReader, *, keyed: bool) -> bool:
        """End it when it is done or its time is over. False: what stands was not secured under enforcement yet."""
        assert reader.provisioning_until_s is not None
        if keyed or self._clock.boottime_s() >= reader.provisioning_until_s:
            reader.provisioning_until_s = None
            panel.set_flag(index, LibFlag.EnforceSecure)
            self._wake(panel, index, reader)
            detail = (
                "it has its key"
                if keyed
                else f"{reader.id} took no key within {self._provisioning_s:g} s: it has another one already, "
                "cannot be secured, or does not answer; reset it as its maker says and ask again"
            )
            log.warning("%s: %s; its line is enforced again", reader.id, detail)
            reader.tell_provisioned(keyed, detail)
        return False

    def _explain(self, reader: OsdpReader) -> str:
        where = f"address {reader.place.address} on {self._channel.port}"
        match reader.supervision.state:
            case ReaderState.ONLINE:
                return f"{where} answers and its channel is secured"
            case ReaderState.INSECURE:
                return (
                    f"{where} answers but not with the key of its key_file: a strange reader, one that lost its "
                    "key, or one that cannot be secured; go and look, then give reader and file the same key"
                )
            case _:
                return self._channel.problem or f"{where} does not answer; check its power, wiring and address"

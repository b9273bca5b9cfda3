"""Watching GPIO input lines: edges as they come, and every line read again four times a second.

Traps that shaped this (all measured or read in the libraries' code):

* lgpio calls the callbacks of all pins on one thread without a guard: one exception ends every input of the
  process, in silence. So an edge only puts into a queue, and a thread of ours does the rest.
* The kernel's queue of edges may overflow, and then gpiozero stays at the wrong state. Reading again heals it.
* gpiozero's ``Button`` makes a thread a device; ``DigitalInputDevice`` does not.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable
from typing import Any

from gpiozero import DigitalInputDevice

from config.clock import Clock

from ..errors import PinUnavailable
from .debounce import Debounce

log = logging.getLogger(__name__)

REREAD_S = 0.25
RESTLESS_S_MAX = 2.0
"""A line that moves for longer without ever standing still is broken, not busy."""
LOST_EDGES_REPORTED = 3
"""From so many in a row on, the log says that edges no longer arrive."""


class InputLine:
    """One line. ``asserted`` is its active level, whatever its polarity.

    ``on_settled(asserted)`` and ``on_fault(detail)`` are called on the watch's thread.
    """

    def __init__(
        self,
        name: str,
        *,
        pin: int,
        pull_up: bool,
        active_low: bool,
        debounce_s: float,
        factory: Any,
        on_settled: Callable[[bool], None],
        on_fault: Callable[[str], None],
    ) -> None:
        self.name = name
        self.debounce = Debounce(debounce_s)
        self.on_settled = on_settled
        self.on_fault = on_fault
        self.faulty = False
        self.lost_edges = 0
        # gpiozero takes a line with a pull-up as active low and one with a pull-down as active high.
        self._inverted = pull_up is not active_low
        try:
            self._device = DigitalInputDevice(pin, pull_up=pull_up, pin_factory=factory)
        except Exception as error:
            raise PinUnavailable(pin, name, error) from error

    def read(self) -> bool:
        return bool(self._device.value) is not self._inverted

    def listen(self, on_edge: Callable[[bool], None]) -> None:
        inverted = self._inverted
        self._device.when_activated = lambda: on_edge(not inverted)
        self._device.when_deactivated = lambda: on_edge(inverted)

    def close(self) -> None:
        self._device.close()


class InputWatch:
    """Watches any number of lines on one thread. Add lines before ``start``."""

    name = "the reading of the GPIO inputs"

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lines: list[InputLine] = []
        self._edges: queue.SimpleQueue[tuple[InputLine, bool, float] | None] = queue.SimpleQueue()
        self._beaten_s = clock.boottime_s()
        self._thread = threading.Thread(target=self._run, name="gpio-inputs", daemon=True)

    def beaten_s(self) -> float:
        """Boot time at which its thread was last seen to turn."""
        return self._beaten_s

    def stalled(self, detail: str) -> None:
        """Its thread turns no more, as its watch says: what the lines say now is not known."""
        for line in self._lines:
            self._fault(line, detail)

    def resumed(self) -> None:
        """Each line tells itself once it has stood still."""

    def add(self, line: InputLine) -> None:
        self._lines.append(line)

    def start(self) -> None:
        for line in self._lines:
            line.listen(lambda level, line=line: self._edges.put((line, level, self._clock.boottime_s())))  # type: ignore[misc]
        self._thread.start()

    def stop(self) -> None:
        if self._thread.is_alive():
            self._edges.put(None)
            self._thread.join()
        for line in self._lines:
            line.close()

    def _run(self) -> None:
        reread_at_s = self._clock.boottime_s()
        while True:
            now_s = self._beaten_s = self._clock.boottime_s()
            # Edges that wait come first: a level has only stood if none of them ended it.
            if self._edges.empty():
                if now_s >= reread_at_s:
                    self._reread()
                    reread_at_s = now_s + REREAD_S
                for line in self._lines:
                    self._settle(line, now_s)
            try:
                edge = self._edges.get(timeout=self._pause_s(reread_at_s))
            except queue.Empty:
                continue
            if edge is None:
                return
            line, level, at_s = edge
            line.lost_edges = 0
            self._settle(line, at_s)
            line.debounce.read(level, at_s, edge=True)

    def _pause_s(self, reread_at_s: float) -> float:
        dues = [due_s for line in self._lines if (due_s := line.debounce.due_s()) is not None]
        wait_s = min([reread_at_s, *dues]) - self._clock.boottime_s()
        return self._clock.real_s(max(wait_s, 0.0))

    def _reread(self) -> None:
        for line in self._lines:
            try:
                level = line.read()
            except Exception as error:
                self._fault(line, f"it cannot be read: {error}")
                continue
            before_s = line.debounce.due_s()
            line.debounce.read(level, self._clock.boottime_s())
            if before_s is None and line.debounce.due_s() is not None and line.debounce.settled is not None:
                self._edge_was_lost(line)

    def _edge_was_lost(self, line: InputLine) -> None:
        line.lost_edges += 1
        if line.lost_edges == LOST_EDGES_REPORTED:
            log.error(
                "%s: %d changes were seen only by reading again; its edges no longer arrive, so changes shorter "
                "than %.2f s are missed until this process is started again",
                *(line.name, line.lost_edges, REREAD_S),
            )

    def _settle(self, line: InputLine, now_s: float) -> None:
        if line.debounce.restless_s(now_s) > RESTLESS_S_MAX:
            self._fault(line, f"it has not stood still for {RESTLESS_S_MAX:g} s; look for a loose wire")
        elif line.debounce.settle(now_s):
            line.faulty = False
            self._guarded(line, lambda: line.on_settled(bool(line.debounce.settled)))

    def _fault(self, line: InputLine, detail: str) -> None:
        line.debounce.forget()
        if not line.faulty:
            line.faulty = True
            self._guarded(line, lambda: line.on_fault(detail))

    def _guarded(self, line: InputLine, report: Callable[[], None]) -> None:
        try:
            report()
        except Exception:
            log.exception("%s: whoever listens to it failed; the inputs go on", line.name)

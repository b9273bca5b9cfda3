"""A Wiegand reader, with or without a keypad, on two GPIO lines.

Its line is in the clear: whoever reaches the wires can copy a card and play it back, and a reader that was cut off
looks like one that nobody uses. OSDP is the reader for a door that matters.

Traps that shaped this:

* gpiozero's devices want both edges and swallow repeats of a level: one lost edge loses a bit. The lines are
  claimed with lgpio directly, for falling edges alone (``lgpio_lines``).
* lgpio calls back on one thread for all lines and without a guard. A pulse only enters a queue there.
* The time between two pulses is the kernel's, stamped at the interrupt: how late Python reads it does not matter.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable
from typing import Protocol

from config.clock import Clock

from .keypad import Keypad
from .reader import CardRead, Feedback, PinEntered, Reader, ReaderChanged, ReaderState, card_number
from .refused import Refused
from .wiegand import CardBits, CardFrame, Heard, KeyBits, KeyFrame, WiegandDecoder

log = logging.getLogger(__name__)

SILENCE_S = 0.05
"""A frame is over when no pulse was read for so long: twice the longest pause, as reading may lag a little."""
LOOK_S = 0.5
REFUSED_MAX = 5
"""From so many frames in a row that could not be read, the reader counts as broken until one can."""
PULSES_MAX = 4096

OnPulse = Callable[[int, int], None]
"""Called with 0 or 1 and the kernel's time in nanoseconds. May only enqueue."""


class PulseLines(Protocol):
    """The two lines of a reader."""

    def listen(self, on_pulse: OnPulse) -> None:
        """Report every pulse from now on, on a thread that is not the caller's."""

    def beaten_s(self) -> float:
        """Boot time at which that thread was last known to turn."""

    def close(self) -> None: ...


class WiegandReader(Reader):
    """One reader. ``start`` makes its lines listen; a frame that cannot be read is logged, and never a card."""

    def __init__(
        self, reader: str, lines: PulseLines, *, card: CardBits, keys: KeyBits | None, clock: Clock
    ) -> None:
        super().__init__(reader)
        self._lines = lines
        self._clock = clock
        self._decoder = WiegandDecoder(card, keys)
        self._keypad = Keypad(reader)
        self._pulses: queue.Queue[tuple[int, int] | None] = queue.Queue(PULSES_MAX)
        self._state = ReaderState.UNKNOWN
        self._refused = 0
        self._beaten_s = clock.boottime_s()
        self._thread = threading.Thread(target=self._run, name=f"wiegand-{reader}", daemon=True)

    @property
    def state(self) -> ReaderState:
        return self._state

    @property
    def name(self) -> str:
        return f"the input of reader {self.id}"

    def beaten_s(self) -> float:
        """Boot time at which the slower of its two threads was last known to turn."""
        return min(self._beaten_s, self._lines.beaten_s())

    def stalled(self, detail: str) -> None:
        self._become(ReaderState.OFFLINE, detail)

    def resumed(self) -> None:
        self._become(ReaderState.ONLINE, "its pulses are read again")

    def listen(self) -> None:
        """Begin to read. Call it once the reader was started."""
        self._lines.listen(self._take)
        self._become(
            ReaderState.ONLINE, "its two lines are watched; they are in the clear and cannot be supervised"
        )
        self._thread.start()

    def show(self, feedback: Feedback) -> None:
        """It has no line to be told anything by."""

    def stop(self) -> None:
        if self._thread.is_alive():
            self._pulses.put(None)
            self._thread.join()
        self._lines.close()

    def _take(self, bit: int, at_ns: int) -> None:
        try:
            self._pulses.put_nowait((bit, at_ns))
        except queue.Full:
            log.error("reader %s: pulses come faster than they can be read; some are dropped", self.id)

    def _run(self) -> None:
        wait_s = LOOK_S
        while True:
            self._beaten_s = self._clock.boottime_s()
            try:
                pulse = self._pulses.get(timeout=wait_s)
            except queue.Empty:
                heard, wait_s = self._decoder.silence(), LOOK_S
            else:
                if pulse is None:
                    return
                heard, wait_s = self._decoder.pulse(*pulse), SILENCE_S
            if heard is not None:
                self._follow(heard)

    def _follow(self, heard: Heard) -> None:
        if isinstance(heard, Refused):
            self._refuse(heard.reason)
            return
        self._refused = 0
        self._become(ReaderState.ONLINE, "its frames can be read again")
        match heard:
            case CardFrame(bits, data):
                self.tell(CardRead(self.id, card_number(bits, data), bits))
            case KeyFrame(key):
                pin = self._keypad.press(key, self._clock.boottime_s())
                if pin is not None:
                    self.tell(PinEntered(self.id, pin))

    def _refuse(self, reason: str) -> None:
        self._refused += 1
        if self._refused <= REFUSED_MAX:
            log.warning("reader %s: %s; that is no card", self.id, reason)
        if self._refused == REFUSED_MAX:
            self._become(
                ReaderState.OFFLINE,
                f"its last {REFUSED_MAX} frames could not be read (the last: {reason}); look for a loose wire, a "
                "missing common ground, or a reader that is set to another format",
            )

    def _become(self, state: ReaderState, detail: str) -> None:
        if state is not self._state:
            self._state = state
            self.tell(ReaderChanged(self.id, state, detail))

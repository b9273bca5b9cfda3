"""The simulated twin of a card reader; driven through the bench by ``fourmusts sim``.

tap front-in p0231               a card is presented: an officer's, or any by its number
tap front-door p0231 [in|out]    the same at the door's reader of that side, by default its ``in`` one
pin front-in 1234                1234# on its keypad; a door's name, in and out as with tap
reader front-in offline|insecure|unkeyed|online|tamper|untamper
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Mapping, Sequence

from custody.events import Direction

from ..simulation import Bench, SimulationError
from .keypad import ENTER, Keypad
from .reader import (
    CardRead,
    Feedback,
    PinEntered,
    ProvisioningEnded,
    Reader,
    ReaderChanged,
    ReaderState,
    ReportFact,
    TamperChanged,
)

ANSWER_S_MAX = 2.0
"""How long a tap waits to see the reader's light; real seconds, as it is a person at a terminal who waits."""
SHOWN_MAX = 64

UNKEYED = "unkeyed"
_STATES = {
    "offline": (ReaderState.OFFLINE, "it does not answer (simulated)"),
    "insecure": (ReaderState.INSECURE, "it answers with a wrong key (simulated)"),
    UNKEYED: (ReaderState.INSECURE, "it has no key yet (simulated)"),
    "online": (ReaderState.ONLINE, "it answers and its line is secured (simulated)"),
}


class SimulatedReader(Reader):
    """A reader without a bus. ``cards`` maps an officer's id to the number of the card that he carries.

    Like the real one in enforced secure mode it reads no card while it is offline or insecure.
    """

    def __init__(self, reader: str, *, cards: Mapping[str, str]) -> None:
        super().__init__(reader)
        self._cards = cards
        self._state = ReaderState.UNKNOWN
        self._keyed = True
        self._tapping = threading.Lock()
        self.shown: queue.SimpleQueue[Feedback] = queue.SimpleQueue()
        """Every feedback, in order, up to ``SHOWN_MAX``; a tap empties it."""

    @property
    def state(self) -> ReaderState:
        return self._state

    def start(self, report: ReportFact) -> None:
        super().start(report)
        self.become("online")

    def show(self, feedback: Feedback) -> None:
        if self.shown.qsize() < SHOWN_MAX:
            self.shown.put(feedback)

    def provision(self) -> str | None:
        if self._keyed:
            return f"{self.id} has a key already; only a reader without one is given one"
        self.become("online")
        self.tell(ProvisioningEnded(self.id, True, "it took its key (simulated)"))
        return None

    def present(self, number: str) -> None:
        """Hold a card to it. Raises ``SimulationError`` when it cannot read one now."""
        self._must_be_online()
        digits = number.upper()
        self.tell(CardRead(self.id, digits, len(digits) * 4))

    def key_in(self, keys: str) -> None:
        """Press these keys, without a pause. Raises ``SimulationError`` when it takes none now."""
        self._must_be_online()
        keypad = Keypad(self.id)
        for key in keys:
            pin = keypad.press(key, 0.0)
            if pin is not None:
                self.tell(PinEntered(self.id, pin))

    def become(self, word: str) -> None:
        """``online``, ``offline``, ``insecure`` or ``unkeyed``."""
        state, detail = _STATES[word]
        self._keyed = word != UNKEYED
        if state is self._state:
            return
        self._state = state
        self.tell(ReaderChanged(self.id, state, detail))

    def _must_be_online(self) -> None:
        if self._report is None or self._state is not ReaderState.ONLINE:
            raise SimulationError(f"the reader {self.id} is {self._state} and reads neither cards nor keys")

    def tap(self, words: Sequence[str]) -> str:
        """Present the card that the one word names, and say what the reader's light answered."""
        if len(words) != 1:
            raise SimulationError(f"say whose card: an officer's id or a card's number; found {' '.join(words)!r}")
        number = self._cards.get(words[0], words[0])
        if not number or not set(number.upper()) <= set("0123456789ABCDEF"):
            known = ", ".join(sorted(self._cards)) or "nobody"
            raise SimulationError(
                f"{words[0]!r} is no card number, and no officer with a card (those are: {known})"
            )
        return self._answered("tapped", lambda: self.present(number))

    def enter(self, words: Sequence[str]) -> str:
        """Key in the PIN that the one word is, and say what the reader's light answered."""
        if len(words) != 1 or not words[0].isdecimal():
            # What was keyed in instead may be a PIN with a slip: it is not repeated.
            raise SimulationError("say the PIN: its digits in one word")
        return self._answered("keyed in", lambda: self.key_in(words[0] + ENTER))

    def _answered(self, done: str, act: Callable[[], None]) -> str:
        with self._tapping:
            while not self.shown.empty():
                self.shown.get()
            act()
            try:
                return f"{done}: {self.shown.get(timeout=ANSWER_S_MAX)}"
            except queue.Empty:
                return f"{done}; its light showed nothing for {ANSWER_S_MAX:g} s"

    def stand_on(self, bench: Bench) -> None:
        bench.register("tap", self.id, self.tap)
        bench.register("pin", self.id, self.enter)
        bench.register("reader", self.id, self._follow)

    def _follow(self, words: Sequence[str]) -> str:
        match list(words):
            case [("offline" | "insecure" | "unkeyed" | "online") as word]:
                self.become(word)
                return word
            case [("tamper" | "untamper") as word]:
                self.tell(TamperChanged(self.id, word == "tamper"))
                return "its housing is open" if word == "tamper" else "its housing is closed"
        raise SimulationError(
            f"a reader can be offline, insecure, unkeyed, online, tamper or untamper; not {' '.join(words)!r}"
        )


Act = Callable[[SimulatedReader, Sequence[str]], str]


def at_door(act: Act, readers: Mapping[Direction, SimulatedReader], words: Sequence[str]) -> str:
    """``tap`` or ``enter`` with a door's name: ``in`` or ``out`` chooses the side, by default ``in``."""
    sides = [word for word in words if word in (Direction.IN, Direction.OUT)]
    if len(sides) > 1:
        raise SimulationError("say in or out once")
    side = Direction(sides[0]) if sides else next(iter(sorted(readers)))
    if side not in readers:
        raise SimulationError(f"this door has no simulated reader on the way {side}; say {next(iter(readers))}")
    return act(readers[side], [word for word in words if word not in (Direction.IN, Direction.OUT)])

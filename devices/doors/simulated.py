"""The simulated twins of lock, contact and button; driven through the bench by ``fourmusts sim``.

open front-door                        the leaf is opened          close front-door
contact front-door fault|ok            the contact breaks, is mended
press front-door                       the button is pressed
fire alarm on|off|fault                what the fire system's contact says
lock front-door [jam|dead|blind|free]  the bolt sticks, the relay fails, the bolt's sensor breaks, all work;
                                       without a word: how it stands
turn front-door locked|unlocked        the bolt is moved by a key
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from ..errors import LockFault
from ..simulation import Bench, SimulationError
from .button import Button, ReportPress
from .contact import Contact, ContactState, ReportContact
from .lock import Lock, LockState, ReportMoved
from .simulated_line import SimulatedLine


class SimulatedLock(Lock):
    """A lock with a bolt sensor. ``rests`` is what it falls to when nobody drives it.

    ``line``: its relay's, energised whenever the lock is not as it rests. ``on_command`` is called with every
    state that the relay is driven to, at once (benchmarks and tests).
    """

    def __init__(
        self,
        door: str,
        *,
        rests: LockState,
        line: SimulatedLine | None = None,
        on_command: Callable[[LockState], None] | None = None,
    ) -> None:
        super().__init__(door)
        self._rests = rests
        self._line = line
        self._on_command = on_command
        self._report: ReportMoved | None = None
        self._mutex = threading.Lock()
        self._commanded = self._bolt = LockState.LOCKED
        self._jammed = self._dead = self._blind = self._gone = False
        self._drive_line(LockState.LOCKED)

    @property
    def commanded(self) -> LockState:
        return self._commanded

    @property
    def measured(self) -> LockState:
        return LockState.UNKNOWN if self._dead or self._blind else self._bolt

    @property
    def trouble(self) -> str | None:
        return "the sensor of its bolt is broken (simulated)" if self._blind else None

    def watch(self, report: ReportMoved) -> None:
        self._report = report

    def lock(self) -> None:
        self._drive(LockState.LOCKED)

    def unlock(self) -> None:
        self._drive(LockState.UNLOCKED)

    def _drive(self, wanted: LockState) -> None:
        with self._mutex:
            if self._gone or self._dead:
                self._commanded = LockState.UNKNOWN
                raise LockFault(self.door, "it has been let go" if self._gone else "its relay fails (simulated)")
            self._commanded = wanted
            self._drive_line(wanted)
            if not self._jammed:
                self._bolt = wanted
        if self._on_command is not None:
            self._on_command(wanted)

    def _drive_line(self, wanted: LockState) -> None:
        if self._line is not None:
            self._line.drive(energised=wanted is not self._rests)

    def let_go(self) -> None:
        with self._mutex:
            if self._line is not None and not self._gone:
                self._line.let_go()
            self._gone = True
            self._commanded = LockState.UNKNOWN
            if not self._jammed:
                self._bolt = self._rests

    def stand_on(self, bench: Bench) -> None:
        bench.register("lock", self.door, self._follow)
        bench.register("turn", self.door, self._turn)

    def _follow(self, words: Sequence[str]) -> str:
        match list(words):
            case []:
                return f"commanded {self.commanded}, measured {self.measured}"
            case ["jam"]:
                self._jammed = True
                return "its bolt sticks"
            case ["dead"]:
                self._dead = True
                return "its relay fails"
            case ["blind"]:
                self._blind = True
                self._moved()
                return "the sensor of its bolt is broken"
            case ["free"]:
                with self._mutex:
                    self._jammed = self._dead = self._blind = False
                    if self._commanded is not LockState.UNKNOWN:
                        self._bolt = self._commanded
                self._moved()
                return "it works"
        raise SimulationError(
            f"a lock can jam, be dead, blind or free, or be asked without a word; not {' '.join(words)!r}"
        )

    def _turn(self, words: Sequence[str]) -> str:
        if list(words) not in (["locked"], ["unlocked"]):
            raise SimulationError(f"a bolt is turned locked or unlocked; not {' '.join(words)!r}")
        self._bolt = LockState(words[0])
        self._moved()
        return f"its bolt is {self._bolt}"

    def _moved(self) -> None:
        if self._report is not None:
            self._report()


class SimulatedContact(Contact):
    """A contact that says what it is told; closed at first. It needs no debouncing."""

    def __init__(self, door: str) -> None:
        super().__init__(door)
        self._leaf = self._state = ContactState.CLOSED
        self._report: ReportContact | None = None
        # Held while reporting, so that reports leave in the order of the changes.
        self._mutex = threading.RLock()

    @property
    def state(self) -> ContactState:
        return self._state

    def start(self, report: ReportContact) -> None:
        with self._mutex:
            self._report = report
            report(self._state)

    def close(self) -> None:
        self._report = None

    def set(self, state: ContactState) -> bool:
        """Let it say ``state`` from now on; says whether that is news."""
        with self._mutex:
            if state is self._state:
                return False
            self._state = state
            if self._report is not None:
                self._report(state)
            return True

    def stand_on(self, bench: Bench) -> None:
        bench.register("open", self.door, lambda words: self._move(ContactState.OPEN, words))
        bench.register("close", self.door, lambda words: self._move(ContactState.CLOSED, words))
        bench.register("contact", self.door, self._follow)

    def _move(self, leaf: ContactState, words: Sequence[str]) -> str:
        if words:
            raise SimulationError(f"nothing may follow the door's name, found {' '.join(words)!r}")
        already = self._leaf is leaf
        self._leaf = leaf
        if self._state is ContactState.FAULT:
            return f"{leaf}, but its contact is broken"
        self.set(leaf)
        return f"it was already {leaf}" if already else str(leaf)

    def _follow(self, words: Sequence[str]) -> str:
        match list(words):
            case ["fault"]:
                self.set(ContactState.FAULT)
                return "its contact is broken"
            case ["ok"]:
                self.set(self._leaf)
                return "its contact works"
        raise SimulationError(f"a contact can be fault or ok; not {' '.join(words)!r}")


FIRE_INPUT = "alarm"
"""Its name on the bench, where every device has a kind and a name; a zone has one."""


class SimulatedFireInput(SimulatedContact):
    """The contact of a fire system: closed as long as there is no alarm."""

    def __init__(self) -> None:
        super().__init__(FIRE_INPUT)

    def stand_on(self, bench: Bench) -> None:
        bench.register("fire", self.door, self._follow)

    def _follow(self, words: Sequence[str]) -> str:
        states = {"on": ContactState.OPEN, "off": ContactState.CLOSED, "fault": ContactState.FAULT}
        match list(words):
            case [word] if word in states:
                news = self.set(states[word])
                return f"its contact is {states[word]}" if news else f"its contact was {states[word]} already"
        raise SimulationError(f"the fire alarm can be {', '.join(states)}; not {' '.join(words)!r}")


class SimulatedButton(Button):
    def __init__(self, door: str) -> None:
        super().__init__(door)
        self._report: ReportPress | None = None

    def start(self, report: ReportPress) -> None:
        self._report = report

    def close(self) -> None:
        self._report = None

    def press(self) -> None:
        if self._report is not None:
            self._report()

    def stand_on(self, bench: Bench) -> None:
        bench.register("press", self.door, self._follow)

    def _follow(self, words: Sequence[str]) -> str:
        if words:
            raise SimulationError(f"nothing may follow the door's name, found {' '.join(words)!r}")
        self.press()
        return "pressed"

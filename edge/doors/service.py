"""The shell around the core: one thread, one queue. It writes what the core decides, then moves what it says.

The order that must hold, for every fact: locking first (it never waits), then the ledger (on disk when ``append``
returns), then everything else. When the ledger takes nothing the core decides anew, knowing that: nobody comes in,
whoever is inside may leave, and what happened is kept to be written later.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable

from config.clock import Clock
from config.service_manager import Stamp
from custody.events import Draft, EventError
from devices.doors.lock import LockState
from devices.errors import LockFault
from devices.readers.reader import Feedback
from sync.errors import LedgerError
from sync.ledger import Ledger

from ..pulse import Pulse
from .core import Outcome, State, next_deadline_s, step
from .facts import (
    Action,
    Fact,
    LedgerReported,
    Lock,
    LockReported,
    Now,
    Provision,
    ProvisionEnded,
    ReadLock,
    Show,
    TimePassed,
    Unlock,
    VerifyPin,
)
from .hardware import Hardware
from .layout import Layout
from .missed import Missed
from .pin_check import PinCheck
from .relock import Relocker

log = logging.getLogger(__name__)

LOOK_REAL_S = 0.1
"""A stop is noticed at least this often."""
BEAT_S = 5.0
"""The pulse beats this often on the clock, and every real second."""
RETRY_LEDGER_S = 5.0
QUEUE_MAX = 10_000
"""A device that floods the queue must not fill the memory; what is beyond is dropped and told."""


class DoorService:
    """Owns the core. ``take`` may be called from any thread; all else belongs to the thread of ``serve``.

    ``announce`` is done once the ledger takes lines, at first or later (the zone's own start is written by it).
    """

    def __init__(
        self,
        layout: Layout,
        hardware: Hardware,
        ledger: Ledger,
        clock: Clock,
        *,
        pulse: Pulse | None = None,
        stamp: Stamp | None = None,
        announce: Callable[[], None] | None = None,
    ) -> None:
        self.state = State.at_start(layout)
        self._hardware = hardware
        self._ledger = ledger
        self._clock = clock
        self._pulse = pulse
        self._stamp = stamp or Stamp()
        self._announce = announce
        self._facts: queue.Queue[Fact] = queue.Queue(QUEUE_MAX)
        self._missed = Missed()
        self.relocker = Relocker(hardware.locks, clock)
        self._pins = PinCheck(self.take)
        self._problems: dict[str, str] = {}
        """By door: why its lock did not take its last command."""
        self._beat_at_s = self._retry_at_s = clock.boottime_s()

    def take(self, fact: Fact) -> None:
        """Enqueue; never blocks and never raises, so that a driver's thread may call it."""
        try:
            self._facts.put_nowait(fact)
        except queue.Full:
            log.critical("the doors cannot keep up: %r was dropped", fact)

    def serve(self, stop: threading.Event, serving: Callable[[], None] | None = None) -> None:
        """Follow facts and deadlines until ``stop``; ``serving`` is called once, when they are followed."""
        self.relocker.start()
        self._pins.start()
        try:
            self._try_ledger()
            if serving is not None:
                serving()
            while not stop.is_set():
                self._stamp.beat()
                self.turn(self._next_fact())
        finally:
            self.relocker.stop()
            self._pins.stop()

    def turn(self, fact: Fact | None) -> None:
        """One turn of the loop: the fact, if there is one, and whatever is due by now."""
        if fact is not None:
            self.follow(fact)
        now_s = self._clock.boottime_s()
        deadline_s = next_deadline_s(self.state)
        if deadline_s is not None and now_s >= deadline_s:
            self.follow(TimePassed())
        if now_s >= self._beat_at_s:
            self._beat_at_s = now_s + BEAT_S / max(1.0, self._clock.real_s(BEAT_S))
            if self._pulse is not None:
                self._pulse.beat()
        if now_s >= self._retry_at_s and not self.state.ledger_writable:
            self._try_ledger()

    def _next_fact(self) -> Fact | None:
        dues = [self._beat_at_s, next_deadline_s(self.state)]
        wait_s = min(due_s for due_s in dues if due_s is not None) - self._clock.boottime_s()
        timeout_s = min(self._clock.real_s(max(wait_s, 0.0)), LOOK_REAL_S)
        try:
            return self._facts.get(timeout=timeout_s) if timeout_s > 0 else self._facts.get_nowait()
        except queue.Empty:
            return None

    def follow(self, fact: Fact) -> None:
        """One fact, all the way. A fault of ours is logged and leaves the state as it was."""
        now = Now(self._clock.boottime_s(), self._clock.now_us())
        try:
            outcome = step(self.state, fact, now)
            self._carry_out([action for action in outcome.actions if isinstance(action, Lock)])
            if not self._write(outcome.drafts, now):
                outcome = self._without_ledger(fact, now)
        except Exception:
            log.exception("%r could not be followed", fact)
            return
        self._log_transitions(outcome.state)
        self.state = outcome.state
        self._carry_out([action for action in outcome.actions if not isinstance(action, Lock)])

    def _write(self, drafts: tuple[Draft, ...], now: Now) -> bool:
        """On disk when True. While the ledger is known to take nothing it is not asked, only now and then."""
        if not drafts:
            return True
        if not self.state.ledger_writable:
            self._missed.keep(drafts, now.wall_us)
            return True
        try:
            self._ledger.append(*drafts)
        except LedgerError as error:
            self._alarm(error)
            return False
        except EventError:
            log.exception("a line of the doors breaks its schema; what it was to record is not done")
            return False
        return True

    def _without_ledger(self, fact: Fact, now: Now) -> Outcome:
        knowing = step(self.state, LedgerReported(False), now).state
        outcome = step(knowing, fact, now)
        self._carry_out([action for action in outcome.actions if isinstance(action, Lock)])
        self._missed.keep(outcome.drafts, now.wall_us)
        self._retry_at_s = now.boot_s + RETRY_LEDGER_S
        return outcome

    def _try_ledger(self) -> None:
        """Write what was missed, and the zone's start if that is still owed; then all is as it should be."""
        now = Now(self._clock.boottime_s(), self._clock.now_us())
        self._retry_at_s = now.boot_s + RETRY_LEDGER_S
        missed = len(self._missed)
        try:
            if self._announce is not None:
                self._announce()
                self._announce = None
            self._missed.write(self._ledger)
        except LedgerError as error:
            if self.state.ledger_writable:
                self._alarm(error)
                self.state = step(self.state, LedgerReported(False), now).state
            return
        if not self.state.ledger_writable:
            log.warning("the ledger takes lines again; %d that were missed are written", missed)
            self.state = step(self.state, LedgerReported(True), now).state

    def _alarm(self, error: LedgerError) -> None:
        log.critical(
            "the doors cannot record: %s. Until they can, nobody is let in, whoever is inside may leave, and what "
            "happens is kept in memory",
            error,
        )

    def _carry_out(self, actions: list[Action]) -> None:
        for action in actions:
            match action:
                case Lock(door):
                    self._command(door, LockState.LOCKED)
                case Unlock(door):
                    self._command(door, LockState.UNLOCKED)
                case ReadLock(door):
                    self._read(door)
                case Show(reader, feedback):
                    self._show(reader, feedback)
                case Provision(reader):
                    self._provision(reader)
                case VerifyPin():
                    self._pins.verify(action)

    def _command(self, door: str, wanted: LockState) -> None:
        try:
            if wanted is LockState.LOCKED:
                self.relocker.lock(door)
            else:
                now = self.state.doors[door]
                is_released = now.mode.released is not None
                assert is_released or now.relock_at_s is not None, "a relock is due before its unlocking"
                self.relocker.unlock(door, now.relock_at_s)
            self._problems.pop(door, None)
        except LockFault as error:
            log.error("%s", error)
            self._report_problem(door, str(error))
        except Exception as error:
            # A driver's own fault costs its lock, never the locks that wait behind it.
            log.exception("the lock of %s failed", door)
            self._report_problem(door, f"its driver failed: {error!r}; the log says where")

    def _report_problem(self, door: str, problem: str) -> None:
        self._problems[door] = problem
        self.take(LockReported(door, LockState.UNKNOWN, problem))

    def _read(self, door: str) -> None:
        try:
            measured, trouble = self._hardware.locks[door].measured, self._hardware.locks[door].trouble
        except Exception as error:
            log.exception("the lock of %s cannot be read", door)
            self._report_problem(door, f"it cannot be read: {error!r}; the log says where")
            return
        self.take(LockReported(door, measured, self._problems.get(door) or trouble))

    def _show(self, reader: str, feedback: Feedback) -> None:
        try:
            self._hardware.readers[reader].show(feedback)
        except Exception:
            log.exception("the reader %s could not show %s", reader, feedback)

    def _provision(self, reader: str) -> None:
        try:
            refused = self._hardware.readers[reader].provision()
        except Exception as error:
            log.exception("the reader %s could not be provisioned", reader)
            refused = f"its driver failed: {error!r}; the log says where"
        if refused is not None:
            self.take(ProvisionEnded(reader, False, refused))

    def _log_transitions(self, new: State) -> None:
        for name, door in new.doors.items():
            old = self.state.doors[name]
            if door.phase is not old.phase or door.commanded is not old.commanded:
                log.info(
                    "door %s: %s, %s → %s, %s (contact %s)",
                    *(name, old.phase, old.commanded, door.phase, door.commanded, door.contact),
                )

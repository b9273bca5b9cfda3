"""Following the ledger for the doors: the register's stays, the commands and the roster, as facts for the core."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping

from config.clock import Clock
from config.service_manager import Stamp
from custody.events import Event, PartId
from custody.register import Register, Stay, effective
from sync.ledger import Ledger

from ..directives.in_force import InForce
from .commands import read_command
from .facts import CommandUnusable, Fact, KnownStay, Now, PastKnown, RosterChanged, StaysChanged
from .layout import Layout
from .mode import Mode, followed
from .whereabouts import Whereabouts

log = logging.getLogger(__name__)

WAIT_S = 0.5
"""How long one wait lasts, so that a stop is noticed; new events end it at once. Real seconds."""
CATCH_UP_S_MAX = 60.0
CORRECTED = "record.corrected"


def known_stay(stay: Stay) -> KnownStay:
    """A stay as the doors know it. A permit serves when the unit's head gave it (rules.md M1.5)."""
    by_head = {permit.id: permit for permit in stay.permits.values() if permit.approver_role == "unit_head"}
    ready = any(not permit.used for permit in by_head.values())
    return KnownStay(
        id=stay.id,
        needs_permit=stay.category == "suspect",
        awaited=stay.awaited,
        inside=stay.inside,
        away=stay.away,
        finished=stay.exited_us is not None,
        permitted=ready or (stay.away and stay.left_permit in by_head),
        arrived_us=stay.arrived_us or 0,
        brought_by=frozenset(officer["id"] for officer in stay.brought_by),
    )


class Past:
    """How the doors stood and where officers were, by the lines so far."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._whereabouts = Whereabouts()
        self._modes: Mapping[PartId, Mode] = {}

    def follow(self, event: Event) -> None:
        try:
            self._whereabouts = self._whereabouts.follow(event.type, event.data, self._layout)
            self._modes = followed(self._modes, event.type, event.data)
        except (KeyError, TypeError, ValueError):
            log.exception("event %s (%s) tells nothing of where officers are", event.id, event.type)

    def told(self) -> PastKnown:
        return PastKnown(self._whereabouts, self._modes)


class LedgerWatch:
    """Reads on a thread of its own and tells ``take``. ``start`` returns once it knows all that was written."""

    def __init__(
        self,
        ledger: Ledger,
        layout: Layout,
        clock: Clock,
        take: Callable[[Fact], None],
        in_force: InForce | None = None,
        stamp: Stamp | None = None,
    ) -> None:
        """``in_force``: what to look at when a roster comes; without it the roster stays as it is.

        ``stamp`` is beaten as long as it follows.
        """
        self._ledger = ledger
        self._in_force = in_force
        self._stamp = stamp or Stamp()
        self._layout = layout
        self._clock = clock
        self._take = take
        self._troubles: dict[str, str] = {}
        self._register = Register()
        self._past: Past | None = Past(layout)
        """Until it was told: later the doors know better than the ledger."""
        self._caught_up = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="doors-ledger", daemon=True)

    def start(self) -> None:
        self._thread.start()
        if not self._caught_up.wait(CATCH_UP_S_MAX):
            log.warning(
                "the ledger is still being read after %g s; the doors open on what is known", CATCH_UP_S_MAX
            )

    def stop(self) -> None:
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._stamp.beat()
            try:
                self._follow()
            except Exception:
                # Whatever it was: a thread that ended here would leave the doors with old permits for good.
                log.exception("the ledger cannot be followed; the doors go on with the register as they know it")
                self._stopping.wait(WAIT_S)

    def _follow(self) -> None:
        """From the beginning on, until a stop or an error; the register is folded anew each time."""
        self._register = Register()
        if self._past is not None:
            self._past = Past(self._layout)
        follower = self._ledger.follow()
        corrected: Event | None = None
        """The last line read, once there was a correction: the fold must go that far and no further."""
        try:
            while events := follower.poll():
                self._stamp.beat()
                for event in events:
                    self._apply(event, history=True)
                if corrected is not None or any(event.type == CORRECTED for event in events):
                    corrected = events[-1]
                if self._stopping.is_set():
                    return
            if corrected is not None:
                self._fold_again(corrected)
            self._tell_all()
            if self._past is not None:
                self._take(self._past.told())
                self._past = None
            if self._in_force is not None:
                self._look_at_directives(self._in_force)
            self._caught_up.set()
            while not self._stopping.is_set():
                self._stamp.beat()
                for event in follower.wait(WAIT_S):
                    self._apply(event, history=False)
        finally:
            follower.close()

    def _apply(self, event: Event, *, history: bool) -> None:
        if self._past is not None:
            self._past.follow(event)
        try:
            if event.type == CORRECTED and not history:
                self._fold_again(event)
                self._tell_all()
                return
            self._register.apply(event)
            if self._in_force is not None and self._in_force.follow(event) is not None and not history:
                self._look_at_directives(self._in_force)
            if event.type == "command.received":
                now = Now(self._clock.boottime_s(), self._clock.now_us())
                fact = read_command(event, self._layout, now, self._clock.bootid, history=history)
                if fact is not None:
                    self._take(fact)
            stay = self._register.stays.get(event.data.get("stay", ""))
            if stay is not None and not history:
                self._take(StaysChanged({stay.id: known_stay(stay)}))
        except (KeyError, TypeError, ValueError):
            log.exception("event %s (%s) could not be taken into the register", event.id, event.type)

    def _look_at_directives(self, in_force: InForce) -> None:
        """Tell of the roster if it is another one, and once of each newer one, or policy, that cannot be used."""
        in_force.reload()
        for kind, trouble in in_force.troubles.items():
            if self._troubles.get(kind) != trouble:
                self._take(CommandUnusable(kind, None, trouble))
        self._troubles = dict(in_force.troubles)
        if in_force.roster != self._layout.roster:
            self._layout = self._layout.with_roster(in_force.roster)
            self._take(RosterChanged(in_force.roster))
            log.info("roster version %d counts from now on", in_force.roster.version)

    def _fold_again(self, last: Event) -> None:
        """A correction may change anything that was folded before it. ``last``: the last line taken in so far."""
        lines: list[Event] = []
        for line in self._ledger.events():
            self._stamp.beat()
            lines.append(line)
            if line.id == last.id:
                break
        self._register = Register()
        for event in effective(lines):
            self._stamp.beat()
            try:
                self._register.apply(event)
            except (KeyError, TypeError, ValueError):
                # What a correction made of a line may be anything; it must not cost the lines behind it.
                log.exception("event %s (%s) could not be taken into the register", event.id, event.type)

    def _tell_all(self) -> None:
        stays = {stay.id: known_stay(stay) for stay in self._register.stays.values()}
        self._take(StaysChanged(stays, all_of_them=True))

"""The register service: an act is held against the register as it stands, and written to the ledger.

Planners (one function an act) are pure: they answer with drafts or refuse. This shell keeps the order that
must hold: lock, catch up, plan, append; so that two terminals never give out one number.
"""

from __future__ import annotations

import fcntl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from config.clock import Clock
from config.zone import ZoneSettings
from custody.events import Draft, Event
from sync.ledger import Ledger

from ..directives.in_force import InForce
from . import coming_and_going, papers, requests, steps, watching
from .book import Book
from .persons import Paper, Persons
from .situation import Situation

Planner = Callable[[Situation, Any], list[Draft]]

PLANNERS: Mapping[type[requests.Act], Planner] = {
    requests.Arrive: coming_and_going.arrive,
    requests.Enter: coming_and_going.enter,
    requests.Move: coming_and_going.move,
    requests.StartSearch: steps.start_search,
    requests.FinishSearch: steps.finish_search,
    requests.Collect: steps.collect,
    requests.StartActivity: steps.start_activity,
    requests.ChangeOfficers: steps.change_officers,
    requests.EndActivity: steps.end_activity,
    requests.ApproveLeave: coming_and_going.approve_leave,
    requests.Leave: coming_and_going.leave,
    requests.Return: coming_and_going.return_,
    requests.Exit: coming_and_going.exit_,
    requests.GuardPresentAct: watching.guard_present,
    requests.GuardAbsentAct: watching.guard_absent,
    requests.Handover: watching.handover,
    requests.Check: watching.check,
    requests.Care: watching.care,
    requests.ReceiveProperty: papers.receive_property,
    requests.ReturnProperty: papers.return_property,
    requests.ChangeFlags: papers.change_flags,
    requests.ChangeMeasure: papers.change_measure,
    requests.Correct: papers.correct,
    requests.Void: papers.void,
    requests.DeclarePassage: papers.declare_passage,
    requests.ViewIdentity: papers.view_identity,
}


@dataclass(frozen=True)
class Written:
    """What an act became: the events as they stand in the ledger, and the stay that they are of."""

    events: list[Event]
    stay: str | None


class RegisterService:
    """Writes acts into the ledger. Safe to share between threads; several processes may have one each."""

    def __init__(
        self,
        settings: ZoneSettings,
        ledger: Ledger,
        persons: Persons,
        clock: Clock,
        *,
        in_force: InForce | None = None,
        book: Book | None = None,
    ) -> None:
        """``in_force`` and ``book`` are its own unless given; whoever gives one keeps it up to date."""
        self.settings = settings
        self.persons = persons
        self.in_force = in_force or InForce(settings)
        self.book = book or Book(ledger, guard_valid_s=self.in_force.policy.guards.valid_us / 1e6)
        self._ledger = ledger
        self._clock = clock
        self._turn = threading.Lock()
        self._lock_file = settings.zone.state_dir / "register.lock"

    def write(self, act: requests.Act) -> Written:
        """Hold the act against the register and write it; on disk when this returns.

        Raises ``RegisterError`` (nothing is written then), and what ``ledger.append`` raises.
        """
        with self._turn, _exclusive(self._lock_file):
            self.book.refresh()
            with self.book.lock:
                drafts = PLANNERS[type(act)](self._situation(), act)
            events = self._ledger.append(*drafts)
        self.book.refresh()
        stay = next((event.data["stay"] for event in events if event.data.get("stay")), None)
        return Written(events, stay)

    def identity(self, asked: requests.ViewIdentity) -> dict[str, Any] | None:
        """Who a person is; that it was looked at is written first. None when the record was destroyed."""
        self.write(asked)
        return self.persons.read(asked.stay, Paper.IDENTITY)

    def _situation(self) -> Situation:
        now_us = self._clock.now_us()
        return Situation(
            self.settings,
            self.in_force.roster,
            self.in_force.policy,
            self.book,
            now_us,
            self._clock.utc_offset_s(now_us),
            self.persons.keep,
        )


@contextmanager
def _exclusive(file: Path) -> Iterator[None]:
    with file.open("a") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield

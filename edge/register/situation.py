"""What an act is held against: the register and the zone as they stand at this moment."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from config.roster import OfficerSettings, Roster
from config.zone import DoorSettings, RoomSettings, ZoneSettings
from custody.events import Draft, Event, EventData, Measure, draft, time_us, to_datetime
from custody.events.base import Officer
from custody.policy import Policy
from custody.register import Stay

from .book import Book
from .errors import Forbidden, NotNow, Obstacle, Said, Unknown, WrongTime
from .persons import Paper
from .requests import Act, MeasureAsked, StayAct

FUTURE_S_MAX = 5
"""Clocks of a terminal and its server differ by less."""
LATE_DAYS_MAX = 30

Keep = Callable[[str, Paper, Mapping[str, Any]], str]


@dataclass(frozen=True)
class Situation:
    """Everything that a planner may look at. ``keep`` seals a person's record and returns its commitment."""

    settings: ZoneSettings
    roster: Roster
    policy: Policy
    book: Book
    now_us: int
    utc_offset_s: int
    keep: Keep

    def stay(self, id_: str) -> Stay:
        stay = self.book.stay(id_)
        if stay is None:
            raise Unknown(
                Said("There is no stay %(stay)s in this zone's register.", {"stay": id_}),
                Said("Check the number, or register the arrival first."),
            )
        return stay

    def open(self, id_: str) -> Stay:
        """A stay that has not exited."""
        stay = self.stay(id_)
        if stay.exited_us is not None:
            raise NotNow(
                Said("%(stay)s has already exited.", {"stay": id_}),
                Said("If that entry is wrong, correct or void it; a person who comes again is a new arrival."),
            )
        return stay

    def inside(self, id_: str) -> Stay:
        stay = self.open(id_)
        if not stay.inside:
            first = stay.first_entered_us is None
            mend = Said("Register the entry first.") if first else Said("Register the return first.")
            raise NotNow(Said("%(stay)s is not inside the zone.", {"stay": id_}), mend)
        return stay

    def room(self, id_: str) -> RoomSettings:
        for room in self.settings.rooms:
            if room.id == id_:
                return room
        raise Unknown(
            Said("There is no room %(room)s.", {"room": id_}), Said("Choose one of the rooms in zone.toml.")
        )

    def door(self, id_: str) -> DoorSettings:
        for door in self.settings.doors:
            if door.id == id_:
                return door
        raise Unknown(
            Said("There is no door %(door)s.", {"door": id_}), Said("Choose one of the doors in zone.toml.")
        )

    def known_officer(self, id_: str) -> OfficerSettings:
        for officer in self.roster.officers:
            if officer.id == id_:
                self._check_valid(officer)
                return officer
        raise Unknown(
            Said("There is no officer %(officer)s.", {"officer": id_}),
            Said("Choose one of the officers in zone.toml."),
        )

    def _check_valid(self, officer: OfficerSettings) -> None:
        now = to_datetime(self.now_us)
        started = officer.valid_from is None or officer.valid_from <= now
        ended = officer.valid_until is not None and officer.valid_until <= now
        if not officer.active or not started or ended:
            raise NotNow(
                Said("Officer %(officer)s is not active here now.", {"officer": officer.id}),
                Said("Choose another officer, or have zone.toml changed."),
            )

    def officer(self, id_: str) -> Officer:
        known = self.known_officer(id_)
        return Officer(id=known.id, rank=known.rank, sex=known.sex)

    def officers(self, ids: Sequence[str]) -> list[Officer]:
        """The officers, each once, in the order given."""
        return [self.officer(id_) for id_ in dict.fromkeys(ids)]

    def event(self, id_: str) -> Event:
        event = self.book.event(id_)
        if event is None:
            raise Unknown(
                Said("There is no entry %(event)s in this zone's ledger.", {"event": id_}),
                Said("Choose the entry on the stay's page."),
            )
        return event

    def local_date(self, moment_us: int) -> str:
        return (to_datetime(moment_us) + timedelta(seconds=self.utc_offset_s)).strftime("%Y%m%d")

    def happened_us(self, act: Act) -> int | None:
        """When the act happened, if it was said; None: just now. Raises ``WrongTime``."""
        if act.time is None:
            return None
        happened_us = time_us(act.time)
        if happened_us > self.now_us + FUTURE_S_MAX * 1_000_000:
            raise WrongTime(
                Said("The time of happening lies in the future."),
                Said("Give the time when it happened, or leave the field empty for now."),
            )
        if happened_us < self.now_us - LATE_DAYS_MAX * 86_400 * 1_000_000:
            raise WrongTime(
                Said("The time of happening lies more than %(days)d days back.", {"days": LATE_DAYS_MAX}),
                Said("Check the date."),
            )
        if isinstance(act, StayAct):
            self._not_before_stay(act, happened_us)
        return happened_us

    def _not_before_stay(self, act: StayAct, happened_us: int) -> None:
        arrived_us = self.stay(act.stay).arrived_us
        if arrived_us is not None and happened_us < arrived_us:
            raise WrongTime(
                Said("The time of happening lies before the arrival of %(stay)s.", {"stay": act.stay}),
                Said("Check the time; if the arrival is wrong, correct it first."),
            )

    def measure(self, asked: MeasureAsked) -> Measure:
        """Raises ``WrongTime`` for one that begins in the future: its legal limit would move with it."""
        if asked.since is not None and time_us(asked.since) > self.now_us + FUTURE_S_MAX * 1_000_000:
            raise WrongTime(
                Said("The beginning of the measure lies in the future."),
                Said("Give the time from which it counts, or leave the field empty for now."),
            )
        return Measure(**asked.model_dump())

    def not_before(self, act: StayAct, since_us: int | None) -> None:
        """Raises ``WrongTime`` when the act is said to have happened before what it ends or follows."""
        if act.time is not None and since_us is not None and time_us(act.time) < since_us:
            raise WrongTime(
                Said("The time of happening lies before what it ends, of %(stay)s.", {"stay": act.stay}),
                Said("Check the time; if the earlier entry is wrong, correct it first."),
            )

    def gate(self, act: Act, obstacles: Sequence[Obstacle]) -> dict[str, Any]:
        """What an override adds to the event; nothing when nothing stands in the way.

        Raises ``Forbidden`` when something does and no reason to override was given.
        """
        if not obstacles:
            return {}
        if act.override is None:
            raise Forbidden(obstacles)
        rules = list(dict.fromkeys(obstacle.rule for obstacle in obstacles))
        return {"override": {"reason": act.override, "rules": rules, "by": act.by}}

    def draft(self, act: Act, data: EventData, **extra: Any) -> Draft:
        """The act as an event: who wrote it goes in as ``recorded_by``."""
        made = draft(data, time_us=self.happened_us(act))
        made.data["recorded_by"] = self.known_officer(act.by).id
        made.data.update(extra)
        return made

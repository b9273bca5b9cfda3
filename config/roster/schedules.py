"""When something holds: weekly windows of local time, and the dates on which they do not open."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Self

from pydantic import Field, model_validator

from custody.events import PartId, to_datetime

from ..loading import Settings


class Weekday(StrEnum):
    MONDAY = "mon"
    TUESDAY = "tue"
    WEDNESDAY = "wed"
    THURSDAY = "thu"
    FRIDAY = "fri"
    SATURDAY = "sat"
    SUNDAY = "sun"


WEEK = tuple(Weekday)


class Window(Settings):
    """From ``start``, inclusive, to ``end``, exclusive. An ``end`` that is not later is that of the next day, so
    00:00 to 00:00 is a whole day; ``days`` are those on which it starts."""

    days: list[Weekday] = Field(list(WEEK), min_length=1)
    start: time
    end: time

    @model_validator(mode="after")
    def _local(self) -> Self:
        if self.start.tzinfo is not None or self.end.tzinfo is not None:
            raise ValueError("start and end are the zone's local time; write them without an offset, like 08:00")
        return self

    def spans(self, day: date) -> tuple[datetime, datetime]:
        """Its beginning and end, in local time, when it starts on this day."""
        start, end = datetime.combine(day, self.start), datetime.combine(day, self.end)
        return start, end if end > start else end + timedelta(days=1)


class Schedule(Settings):
    id: PartId
    name: str = Field("", max_length=64)
    windows: list[Window] = Field(alias="window", min_length=1, max_length=64)
    except_dates: list[date] = Field([], max_length=400)
    """Local dates on which no window starts, such as public holidays."""

    def holds(self, wall_us: int, utc_offset_s: int) -> bool:
        """Whether one of its windows is open at this moment (UTC microseconds) of that local time."""
        local = (to_datetime(wall_us) + timedelta(seconds=utc_offset_s)).replace(tzinfo=None)
        # A window is at most a day long: one that is open now started today or yesterday.
        for day in (local.date(), local.date() - timedelta(days=1)):
            if day in self.except_dates:
                continue
            for window in self.windows:
                start, end = window.spans(day)
                if WEEK[day.weekday()] in window.days and start <= local < end:
                    return True
        return False

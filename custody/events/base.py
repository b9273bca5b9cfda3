"""What every event's data shares: the base model and the types that recur.

Unknown fields are kept (``extra="allow"``): a line is forwarded and judged as it was written, and an
older reader must not lose what a newer writer said.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

ZoneId = Annotated[str, Field(pattern=r"^[0-9a-z]{1,23}$")]
"""A zone: also its MQTT client id (23 characters is what every MQTT 3.1.1 broker must take)."""

PartId = Annotated[str, Field(pattern=r"^[0-9a-z-]{1,32}$")]
"""A room, a door, a camera or an officer."""

StayId = Annotated[str, Field(pattern=r"^[0-9a-z]{1,23}-[0-9]{8}-[0-9]{3}$")]
"""One person's stay, ``<zone>-<yyyymmdd>-<nnn>``."""

Seconds = Annotated[float, Field(allow_inf_nan=False)]
Time = AwareDatetime


class EventData(BaseModel):
    """The ``data`` of one event type. ``TYPE`` is the CloudEvents type that it belongs to."""

    model_config = ConfigDict(extra="allow", frozen=True, populate_by_name=True, ser_json_inf_nan="null")
    TYPE: ClassVar[str]


class Part(BaseModel):
    """A piece of an event's data that is no event of its own."""

    model_config = ConfigDict(extra="allow", frozen=True)


class Rank(StrEnum):
    POLICE = "police"
    AUXILIARY = "auxiliary"
    DOCTOR = "doctor"
    OTHER = "other"


class Sex(StrEnum):
    MALE = "m"
    FEMALE = "f"


class PersonSex(StrEnum):
    MALE = "m"
    FEMALE = "f"
    UNKNOWN = "unknown"


class Officer(Part):
    """Who acted. It carries what a judge needs, so that a line can be judged for ever by itself."""

    id: PartId
    rank: Rank
    sex: Sex


__all__ = [
    "EventData",
    "Officer",
    "Part",
    "PartId",
    "PersonSex",
    "Rank",
    "Seconds",
    "Sex",
    "StayId",
    "Time",
    "ZoneId",
]

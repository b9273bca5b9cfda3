"""From the ``data`` of an event to the body that the rules use: one short reader an event type."""

from __future__ import annotations

import math
from collections.abc import Callable
from sys import intern
from typing import Any

from .events import SchemaBroken
from .facts import (
    MISSING,
    PROVEN,
    UNKNOWN,
    Absent,
    ActivityEnded,
    ActivityOfficers,
    ActivityStarted,
    Arrived,
    Audited,
    Body,
    CameraState,
    Checked,
    ClockReading,
    Collected,
    Corrected,
    Described,
    Door,
    Entered,
    Exited,
    FlagsChanged,
    Granted,
    Handover,
    Hold,
    LeaveApproved,
    Left,
    Measure,
    MeasureChanged,
    Moved,
    Officer,
    Officers,
    OfStay,
    Opened,
    Present,
    RecordingLost,
    Room,
    SearchFinished,
    SearchStarted,
    ZoneStarted,
    moment_us,
)
from .intervals import SECOND, Interval

Data = dict[str, Any]

BLIND_FAULTS = frozenset(
    ("no_signal", "not_recording", "frozen", "replayed", "dark", "covered", "defocused", "moved")
)
"""Faults of an impaired camera whose picture shows nothing that could be judged."""

_PICTURE = {"recording": PROVEN, "lost": MISSING, "unknown": UNKNOWN}
_SOUND = {"good": PROVEN, "bad": MISSING, "none": MISSING, "unknown": UNKNOWN}


def read_body(type_: str, data: Data) -> Body | None:
    """The body of an event, ``None`` for a type that no rule looks at. Raises ``SchemaBroken``."""
    reader = READERS.get(type_)
    if reader is None:
        return None
    try:
        return reader(data)
    except KeyError as missing:
        raise SchemaBroken(type_, f"data.{missing.args[0]} is missing") from missing
    except (TypeError, ValueError, AttributeError, OverflowError) as error:
        raise SchemaBroken(type_, f"data cannot be read: {error}") from error


def _text(data: Data, name: str) -> str:
    value = data[name]
    if not isinstance(value, str):
        raise ValueError(f"{name} is {value!r:.80}, expected a text")
    return intern(value)  # the same few rooms, officers and stays come again and again


def _text_or_none(data: Data, name: str) -> str | None:
    return None if data.get(name) is None else _text(data, name)


def _list(data: Data, name: str) -> list[Any]:
    value = data.get(name)
    if value is None:
        return []
    if not isinstance(value, list):
        raise ValueError(f"{name} is {value!r:.80}, expected a list")
    return value


def _officer(value: Data) -> Officer:
    return Officer(_text(value, "id"), _text(value, "rank"), value.get("sex", ""))


def _officers(data: Data, name: str = "officers") -> Officers:
    return tuple([_officer(one) for one in _list(data, name)])


def seconds_us(value: Any) -> int:
    """Microseconds of a number of seconds, to the nearest."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"{value!r} is not a number of seconds")
    return round(value * SECOND)


def _off_us(offset_s: Any, uncertainty_s: Any) -> int:
    """How far a clock is off beyond its uncertainty; 0 when its offset is not known."""
    if offset_s is None:
        return 0
    return max(0, abs(seconds_us(offset_s)) - (0 if uncertainty_s is None else seconds_us(uncertainty_s)))


def _measure(value: Data) -> Measure:
    limit = value.get("limit_hours")
    if limit is not None and (isinstance(limit, bool) or not isinstance(limit, int | float)):
        raise ValueError(f"measure.limit_hours is {limit!r}, expected a number")
    since = _text_or_none(value, "since")
    return Measure(_text(value, "kind"), limit, None if since is None else moment_us(since))


def _flags(data: Data) -> frozenset[str]:
    return frozenset(str(flag) for flag in _list(data, "flags"))


def _described(data: Data) -> Body:
    rooms = {
        room["id"]: Room(
            id=room["id"],
            area=room.get("area", "custody"),
            purpose=room.get("purpose", "other"),
            cameras=tuple(dict.fromkeys(_list(room, "cameras"))),
            every_camera=room.get("coverage") == "all",
            audio=bool(room.get("audio")),
        )
        for room in _list(data, "rooms")
    }
    doors = {
        door["id"]: Door(bool(door.get("contact")), _text_or_none(door, "interlock"))
        for door in _list(data, "doors")
    }
    return Described(rooms, doors)


def _heartbeat(data: Data) -> Body:
    clock = data.get("clock") or {}
    return ClockReading(_off_us(clock.get("offset_s"), clock.get("uncertainty_s")), step=False)


def _arrived(data: Data) -> Body:
    case = data.get("case") or {}
    return Arrived(
        stay=_text(data, "stay"),
        category=data.get("category") or "suspect",
        sex=data.get("sex") or "unknown",
        flags=_flags(data),
        case_kind=case.get("kind") or "criminal",
        measure=_measure(data.get("measure") or {"kind": "none"}),
        exempt=data.get("exempt") is not None,
    )


def _entered(data: Data, *, returned: bool = False) -> Body:
    return Entered(
        _text(data, "stay"), data.get("door") or "", _text(data, "room"), _officers(data, "escorts"), returned
    )


def _search_finished(data: Data) -> Body:
    return SearchFinished(
        stay=_text(data, "stay"),
        search=_text(data, "search"),
        room=_text(data, "room"),
        body_search=data.get("kind") == "body",
        officers=_officers(data),
        complete=data.get("signed") is True
        and data.get("injuries") is not None
        and data.get("belongings") is not None,
    )


def _activity_started(data: Data) -> Body:
    return ActivityStarted(
        stay=_text(data, "stay"),
        activity=_text(data, "activity"),
        kind=_text(data, "kind"),
        room=_text(data, "room"),
        officers=_officers(data),
        exempt=data.get("exempt") is not None,
    )


def _leave_approved(data: Data) -> Body:
    return_by = _text_or_none(data, "return_by")
    return LeaveApproved(
        stay=_text(data, "stay"),
        permit=_text(data, "permit"),
        reason=_text(data, "reason"),
        role=_text(data["approver"], "role"),
        return_by_us=None if return_by is None else moment_us(return_by),
    )


def _exited(data: Data) -> Body:
    return Exited(
        stay=_text(data, "stay"),
        reason=data.get("reason") or "other",
        destination=bool(data.get("destination")),
        settled=data.get("belongings") != "unsettled",
        signed=data.get("signed") is True,
    )


def _present(data: Data) -> Body:
    valid = data.get("valid_for_s")
    return Present(_text(data, "room"), _officer(data["officer"]), None if valid is None else seconds_us(valid))


def _handover(data: Data) -> Body:
    return Handover(
        room=_text(data, "room"),
        outgoing=_text(data["outgoing"], "id"),
        incoming=_officer(data["incoming"]),
        stays=frozenset(str(stay) for stay in _list(data, "stays")),
    )


def _camera_state(data: Data) -> Body:
    state = _text(data, "state")
    if state == "impaired":
        picture = PROVEN if BLIND_FAULTS.isdisjoint(_list(data, "faults")) else MISSING
    else:
        picture = _PICTURE[state]
    return CameraState(
        camera=_text(data, "camera"),
        recording=state == "recording",
        unknown=state == "unknown",
        picture=picture,
        sound=_SOUND[data.get("audio") or "unknown"],
        since_us=moment_us(_text(data, "since")),
    )


def _stretches(data: Data, name: str, start: int, end: int) -> tuple[Interval, ...]:
    """Intervals of an audit; what lies outside of what was audited is no finding of that audit."""
    found = []
    for first, last in _list(data, name):
        low, high = max(moment_us(first), start), min(moment_us(last), end)
        if low < high:
            found.append((low, high))
    return tuple(found)


def _audited(data: Data) -> Body:
    start, end = moment_us(_text(data, "start")), moment_us(_text(data, "end"))
    uncertainty = data.get("uncertainty_s")
    return Audited(
        camera=_text(data, "camera"),
        start=start,
        end=end,
        covered=_stretches(data, "covered", start, end),
        audio=_stretches(data, "audio", start, end),
        off_us=_off_us(data.get("clock_offset_s"), uncertainty),
        uncertainty_us=0 if uncertainty is None else seconds_us(uncertainty),
    )


def _corrected(data: Data) -> Body:
    fields = data.get("data") or {}
    void = data.get("void")
    if not isinstance(fields, dict) or not isinstance(void, bool | None):
        raise ValueError("a correction's data must be an object and its void true or false")
    time = _text_or_none(data, "time")
    if time is not None:
        moment_us(time)
    return Corrected(_text(data, "corrects"), fields, time, void)


def _of_stay(data: Data) -> Body:
    return OfStay(_text(data, "stay"))


READERS: dict[str, Callable[[Data], Body]] = {
    "zone.described": _described,
    "zone.started": lambda data: ZoneStarted(),
    "zone.heartbeat": _heartbeat,
    "clock.stepped": lambda data: ClockReading(abs(seconds_us(data["by_s"])), step=True),
    "door.granted": lambda data: Granted(_text(data, "door"), data.get("purpose") == "bring_in"),
    "door.opened": lambda data: Opened(_text(data, "door")),
    "stay.arrived": _arrived,
    "stay.entered": _entered,
    "stay.returned": lambda data: _entered(data, returned=True),
    "stay.moved": lambda data: Moved(_text(data, "stay"), _text(data, "room"), _officers(data, "escorts")),
    "search.started": lambda data: SearchStarted(
        _text(data, "stay"), _text(data, "search"), _text(data, "room"), _officers(data)
    ),
    "search.finished": _search_finished,
    "collection.finished": lambda data: Collected(
        _text(data, "stay"),
        tuple(str(item) for item in _list(data, "items")),
        bool(data.get("approval")),
        _officers(data),
    ),
    "activity.started": _activity_started,
    "activity.officers": lambda data: ActivityOfficers(
        _text(data, "stay"), _text(data, "activity"), _officers(data)
    ),
    "activity.ended": lambda data: ActivityEnded(_text(data, "stay"), _text(data, "activity")),
    "leave.approved": _leave_approved,
    "stay.left": lambda data: Left(
        _text(data, "stay"), _text_or_none(data, "permit"), _text_or_none(data, "reason")
    ),
    "stay.exited": _exited,
    "measure.changed": lambda data: MeasureChanged(_text(data, "stay"), _measure(data["measure"])),
    "flags.changed": lambda data: FlagsChanged(
        _text(data, "stay"), _flags(data), data.get("level") or "intermittent"
    ),
    "care.recorded": _of_stay,
    "property.received": _of_stay,
    "property.returned": _of_stay,
    "hold.set": lambda data: Hold(_text(data, "stay"), True),
    "hold.released": lambda data: Hold(_text(data, "stay"), False),
    "guard.present": _present,
    "guard.absent": lambda data: Absent(_text(data, "room"), _text(data["officer"], "id")),
    "guard.handover": _handover,
    "check.made": lambda data: Checked(
        _text(data, "stay"), _text(data, "room"), _officer(data["officer"]), _text_or_none(data, "terminal")
    ),
    "camera.state": _camera_state,
    "recording.audited": _audited,
    "recording.lost": lambda data: RecordingLost(
        _text(data, "camera"), moment_us(_text(data, "start")), moment_us(_text(data, "end"))
    ),
    "record.corrected": _corrected,
}

"""The register as it stands now: a fold of events into who is inside, where, under whose eyes.

It serves the door's decision and the panel. What was proven over time is the judge's (``custody.judge``).
Events are applied in the order of the ledger; a correction is applied by folding again, which its caller does
by building a new ``Register`` from ``effective(events)``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from .events import Event, parse_time


@dataclass
class Permit:
    """An approved leave (审批): it serves one departure."""

    id: str
    reason: str
    approver_role: str
    written_us: int
    return_by_us: int | None
    used: bool = False


@dataclass
class Search:
    id: str
    room: str
    kind: str
    officers: list[dict[str, Any]]
    started_us: int


@dataclass
class Activity:
    id: str
    kind: str
    room: str
    officers: list[dict[str, Any]]
    started_us: int


@dataclass
class Stay:
    """One person's stay, as it stands now."""

    id: str
    category: str = "suspect"
    sex: str = "unknown"
    flags: list[str] = field(default_factory=list)
    level: str = "intermittent"
    case_kind: str = "criminal"
    case_id: str = ""
    measure: dict[str, Any] = field(default_factory=lambda: {"kind": "none", "limit_hours": None})
    brought_by: list[dict[str, Any]] = field(default_factory=list)
    exempt: str | None = None
    arrived_us: int | None = None
    first_entered_us: int | None = None
    inside: bool = False
    room: str | None = None
    room_since_us: int | None = None
    searched_this_round: bool = False
    collected: list[str] = field(default_factory=list)
    search: Search | None = None
    activities: dict[str, Activity] = field(default_factory=dict)
    permits: dict[str, Permit] = field(default_factory=dict)
    left_permit: str | None = None
    last_check_us: int | None = None
    exited_us: int | None = None
    written: list[str] = field(default_factory=list)
    """Ids of the events that name this stay, oldest first."""

    @property
    def awaited(self) -> bool:
        """Arrived, not yet brought in."""
        return self.arrived_us is not None and self.first_entered_us is None and self.exited_us is None

    @property
    def away(self) -> bool:
        """Taken out and not yet back."""
        return self.first_entered_us is not None and not self.inside and self.exited_us is None

    def open_permit(self) -> Permit | None:
        """A permit that no departure has used yet; the latest one."""
        unused = [permit for permit in self.permits.values() if not permit.used]
        return unused[-1] if unused else None


@dataclass
class GuardPresence:
    officer: dict[str, Any]
    room: str
    since_us: int
    until_us: int


@dataclass
class CameraNow:
    state: str
    audio: str
    faults: list[str]
    since_us: int


@dataclass
class DoorNow:
    """What the door's events say: ``open`` is None until its contact has spoken."""

    open: bool | None = None
    since_us: int | None = None
    alarm: str | None = None
    last: Event | None = None
    faults: dict[str, str] = field(default_factory=dict)


class Register:
    """Apply events one by one; read the attributes. ``guard_valid_s`` is the policy's default validity."""

    def __init__(self, *, guard_valid_s: float = 3600.0) -> None:
        self._guard_valid_us = int(guard_valid_s * 1e6)
        self.stays: dict[str, Stay] = {}
        self.guards: dict[str, dict[str, GuardPresence]] = {}
        self.cameras: dict[str, CameraNow] = {}
        self.doors: dict[str, DoorNow] = {}
        self.described: dict[str, Any] = {"rooms": [], "doors": []}
        self.heartbeat: Event | None = None
        self.needs_reconfirming: dict[str, GuardPresence] = {}
        """Guards whose presence ended with a restart of the zone: by officer, until they say so again."""

    def apply(self, event: Event) -> None:
        handler = _HANDLERS.get(event.type)
        if handler is not None:
            handler(self, event, event.data)
        stay = event.data.get("stay")
        if isinstance(stay, str) and stay in self.stays:
            self.stays[stay].written.append(event.id)

    def inside(self) -> list[Stay]:
        """Everybody who is inside, by the time of entering the room."""
        return sorted((s for s in self.stays.values() if s.inside), key=lambda s: (s.room_since_us or 0, s.id))

    def awaited(self) -> list[Stay]:
        return [stay for stay in self.stays.values() if stay.awaited]

    def in_room(self, room: str) -> list[Stay]:
        return [stay for stay in self.inside() if stay.room == room]

    def guards_in(self, room: str, now_us: int) -> list[GuardPresence]:
        return [guard for guard in self.guards.get(room, {}).values() if guard.until_us > now_us]

    def _stay(self, data: dict[str, Any]) -> Stay:
        return self.stays.setdefault(data["stay"], Stay(data["stay"]))

    def _enter_room(self, stay: Stay, room: str, moment_us: int) -> None:
        if stay.room != room or not stay.inside:
            stay.room_since_us = moment_us
            stay.search = None if stay.search and stay.search.room != room else stay.search
            stay.activities = {k: a for k, a in stay.activities.items() if a.room == room}
        stay.room = room

    def _officers_elsewhere(self, officers: Iterable[dict[str, Any]], room: str | None) -> None:
        """An officer named in one room is no longer present in another."""
        for officer in officers:
            for other, present in self.guards.items():
                if other != room:
                    present.pop(officer["id"], None)

    def _present(self, officer: dict[str, Any], room: str, event: Event, valid_us: int) -> None:
        self._officers_elsewhere([officer], room)
        self.needs_reconfirming.pop(officer["id"], None)
        kept = self.guards.setdefault(room, {}).get(officer["id"])
        since_us = kept.since_us if kept and kept.until_us >= event.time_us else event.time_us
        self.guards[room][officer["id"]] = GuardPresence(officer, room, since_us, event.time_us + valid_us)

    def on_described(self, event: Event, data: dict[str, Any]) -> None:
        self.described = data

    def on_started(self, event: Event, data: dict[str, Any]) -> None:
        for present in self.guards.values():
            self.needs_reconfirming.update(present)
        self.guards = {}
        self.cameras = {}

    def on_heartbeat(self, event: Event, data: dict[str, Any]) -> None:
        self.heartbeat = event

    def on_arrived(self, event: Event, data: dict[str, Any]) -> None:
        stay = self._stay(data)
        stay.arrived_us = event.time_us
        stay.category, stay.sex, stay.flags = data["category"], data["sex"], list(data["flags"])
        stay.case_kind, stay.case_id = data["case"]["kind"], data["case"]["id"]
        stay.measure, stay.brought_by, stay.exempt = data["measure"], data["brought_by"], data["exempt"]

    def on_entered(self, event: Event, data: dict[str, Any]) -> None:
        stay = self._stay(data)
        if not stay.inside and stay.first_entered_us is not None:
            stay.searched_this_round = False
        self._enter_room(stay, data["room"], event.time_us)
        stay.inside = True
        if stay.first_entered_us is None:
            stay.first_entered_us = event.time_us
        self._officers_elsewhere(data["escorts"], data["room"])

    def on_moved(self, event: Event, data: dict[str, Any]) -> None:
        self._enter_room(self._stay(data), data["room"], event.time_us)
        self._officers_elsewhere(data["escorts"], data["room"])

    def on_search_started(self, event: Event, data: dict[str, Any]) -> None:
        stay = self._stay(data)
        self._enter_room(stay, data["room"], event.time_us)
        stay.search = Search(data["search"], data["room"], data["kind"], data["officers"], event.time_us)
        self._officers_elsewhere(data["officers"], data["room"])

    def on_search_finished(self, event: Event, data: dict[str, Any]) -> None:
        stay = self._stay(data)
        stay.search = None
        stay.searched_this_round = True

    def on_collection(self, event: Event, data: dict[str, Any]) -> None:
        stay = self._stay(data)
        stay.collected = sorted({*stay.collected, *data["items"]})

    def on_activity_started(self, event: Event, data: dict[str, Any]) -> None:
        stay = self._stay(data)
        self._enter_room(stay, data["room"], event.time_us)
        stay.activities[data["activity"]] = Activity(
            data["activity"], data["kind"], data["room"], data["officers"], event.time_us
        )
        self._officers_elsewhere(data["officers"], data["room"])

    def on_activity_officers(self, event: Event, data: dict[str, Any]) -> None:
        activity = self._stay(data).activities.get(data["activity"])
        if activity is not None:
            activity.officers = data["officers"]
            self._officers_elsewhere(data["officers"], activity.room)

    def on_activity_ended(self, event: Event, data: dict[str, Any]) -> None:
        self._stay(data).activities.pop(data["activity"], None)

    def on_leave_approved(self, event: Event, data: dict[str, Any]) -> None:
        return_by = data["return_by"]
        permit = Permit(
            data["permit"],
            data["reason"],
            data["approver"]["role"],
            event.written_us,
            None if return_by is None else parse_time(return_by)[0],
        )
        self._stay(data).permits[permit.id] = permit

    def on_left(self, event: Event, data: dict[str, Any]) -> None:
        stay = self._stay(data)
        stay.left_permit = data["permit"]
        if data["permit"] in stay.permits:
            stay.permits[data["permit"]].used = True
        self._go(stay)
        self._officers_elsewhere(data["escorts"], None)

    def on_exited(self, event: Event, data: dict[str, Any]) -> None:
        stay = self._stay(data)
        stay.exited_us = event.time_us
        self._go(stay)

    def _go(self, stay: Stay) -> None:
        stay.inside = False
        stay.room = stay.room_since_us = stay.search = None
        stay.activities = {}
        stay.searched_this_round = False

    def on_measure_changed(self, event: Event, data: dict[str, Any]) -> None:
        self._stay(data).measure = data["measure"]

    def on_flags_changed(self, event: Event, data: dict[str, Any]) -> None:
        stay = self._stay(data)
        stay.flags, stay.level = list(data["flags"]), data["level"]

    def on_check(self, event: Event, data: dict[str, Any]) -> None:
        self._stay(data).last_check_us = event.time_us

    def on_guard_present(self, event: Event, data: dict[str, Any]) -> None:
        valid_s = data["valid_for_s"]
        valid_us = self._guard_valid_us if valid_s is None else int(valid_s * 1e6)
        self._present(data["officer"], data["room"], event, valid_us)

    def on_guard_absent(self, event: Event, data: dict[str, Any]) -> None:
        self.guards.get(data["room"], {}).pop(data["officer"]["id"], None)
        self.needs_reconfirming.pop(data["officer"]["id"], None)

    def on_handover(self, event: Event, data: dict[str, Any]) -> None:
        self.guards.get(data["room"], {}).pop(data["outgoing"]["id"], None)
        self._present(data["incoming"], data["room"], event, self._guard_valid_us)

    def on_camera(self, event: Event, data: dict[str, Any]) -> None:
        since_us = parse_time(data["since"])[0]
        self.cameras[data["camera"]] = CameraNow(data["state"], data["audio"], list(data["faults"]), since_us)

    def on_door(self, event: Event, data: dict[str, Any]) -> None:
        door = self.doors.setdefault(data["door"], DoorNow())
        door.last = event
        match event.type:
            case "door.opened":
                door.open, door.since_us = True, event.time_us
            case "door.closed":
                door.open, door.since_us, door.alarm = False, event.time_us, None
            case "door.forced" | "door.held":
                door.alarm = event.type.removeprefix("door.")
            case "door.fault":
                if data["state"] == "fault":
                    door.faults[data["part"]] = data["detail"]
                else:
                    door.faults.pop(data["part"], None)


_HANDLERS = {
    "zone.described": Register.on_described,
    "zone.started": Register.on_started,
    "zone.heartbeat": Register.on_heartbeat,
    "stay.arrived": Register.on_arrived,
    "stay.entered": Register.on_entered,
    "stay.returned": Register.on_entered,
    "stay.moved": Register.on_moved,
    "search.started": Register.on_search_started,
    "search.finished": Register.on_search_finished,
    "collection.finished": Register.on_collection,
    "activity.started": Register.on_activity_started,
    "activity.officers": Register.on_activity_officers,
    "activity.ended": Register.on_activity_ended,
    "leave.approved": Register.on_leave_approved,
    "stay.left": Register.on_left,
    "stay.exited": Register.on_exited,
    "measure.changed": Register.on_measure_changed,
    "flags.changed": Register.on_flags_changed,
    "check.made": Register.on_check,
    "guard.present": Register.on_guard_present,
    "guard.absent": Register.on_guard_absent,
    "guard.handover": Register.on_handover,
    "camera.state": Register.on_camera,
    "door.granted": Register.on_door,
    "door.denied": Register.on_door,
    "door.opened": Register.on_door,
    "door.closed": Register.on_door,
    "door.not_taken": Register.on_door,
    "door.forced": Register.on_door,
    "door.held": Register.on_door,
    "door.released": Register.on_door,
    "door.fault": Register.on_door,
}


def effective(events: Sequence[Event]) -> list[Event]:
    """The events as they should read: each ``record.corrected`` applied to the line that it names, void lines
    left out; the last written correction wins, field by field. Order is kept.
    """
    corrections: dict[str, list[Event]] = {}
    voided = {e.data["corrects"] for e in events if e.type == "record.corrected" and e.data.get("void")}
    for event in events:
        if event.type == "record.corrected" and event.id not in voided:
            corrections.setdefault(event.data["corrects"], []).append(event)
    if not corrections:
        return list(events)
    read: list[Event] = []
    for event in events:
        corrected = _corrected(event, corrections.get(event.id, []))
        if corrected is not None:
            read.append(corrected)
    return read


def _corrected(event: Event, corrections: list[Event]) -> Event | None:
    void, data, moment_us = False, dict(event.data), event.time_us
    for correction in sorted(corrections, key=lambda c: (c.written_us, c.sequence)):
        data.update(correction.data.get("data") or {})
        if correction.data.get("time") is not None:
            moment_us = parse_time(correction.data["time"])[0]
        void = bool(correction.data.get("void", False))
    if void:
        return None
    if not corrections:
        return event
    return Event(
        event.id,
        event.zone,
        event.type,
        event.subject,
        moment_us,
        event.utc_offset_s,
        event.written_us,
        event.ledger,
        event.sequence,
        event.bootid,
        event.boottime_s,
        data,
        event.line,
    )

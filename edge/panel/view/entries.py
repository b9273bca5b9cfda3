"""Every line of a stay as one sentence."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from custody.events import Event
from edge.panel.desk import Desk
from edge.panel.i18n import Speaker
from edge.panel.labels import label
from edge.register.papers import CORRECTABLE


@dataclass(frozen=True)
class Entry:
    """One line: when it happened, when it was written, what, by whom. ``void``: it counts no more."""

    id: str
    type: str
    time_us: int
    written_us: int
    text: str
    recorded_by: str | None
    override: str | None
    corrected: bool
    void: bool
    correctable: bool

    @property
    def late_s(self) -> float:
        return (self.written_us - self.time_us) / 1e6


class Narrator:
    """Tells events in one language."""

    def __init__(self, desk: Desk, speaker: Speaker) -> None:
        self._desk = desk
        self._speaker = speaker

    def entries(self, stay: str) -> list[Entry]:
        """The lines of a stay, the latest first; corrected ones read as they should."""
        with self._desk.book.lock:
            written = self._desk.book.written_of_stay(stay)
            read = {event.id: event for event in self._desk.book.of_stay(stay)}
        return [self._entry(line, read.get(line.id)) for line in reversed(written)]

    def _entry(self, line: Event, read: Event | None) -> Entry:
        event = read or line
        by = line.data.get("recorded_by")
        override = line.data.get("override")
        return Entry(
            id=line.id,
            type=line.type,
            time_us=event.time_us,
            written_us=line.written_us,
            text=self.tell(event),
            recorded_by=self._desk.officer_name(by) if by else None,
            override=override["reason"] if isinstance(override, dict) else None,
            corrected=read is not None and (read.data != line.data or read.time_us != line.time_us),
            void=read is None,
            correctable=line.type.startswith(CORRECTABLE),
        )

    def tell(self, event: Event) -> str:
        """The sentence; the bare type for an event that this panel does not know."""
        teller = _TELLERS.get(event.type)
        return teller(self, event.data) if teller else event.type

    def _say(self, message: str, **values: object) -> str:
        return self._speaker.text(message, **values)

    def _label(self, group: str, value: str) -> str:
        return self._say(label(group, value))

    def _labels(self, group: str, values: Sequence[str]) -> str:
        comma = "、" if self._speaker.lang == "zh" else ", "
        return comma.join(self._label(group, value) for value in values) or self._say("none")

    def _officers(self, officers: Sequence[Mapping[str, Any]]) -> str:
        comma = "、" if self._speaker.lang == "zh" else ", "
        return comma.join(self._desk.officer_name(o["id"]) for o in officers) or self._say("nobody")

    def _measure(self, measure: Mapping[str, Any]) -> str:
        kind, hours = self._label("measure", measure["kind"]), measure.get("limit_hours")
        return kind if hours is None else self._say("%(measure)s, %(hours)g h", measure=kind, hours=hours)

    def arrived(self, data: Mapping[str, Any]) -> str:
        return self._say(
            "Arrived: %(category)s, %(case)s, %(measure)s. Brought by %(officers)s.",
            category=self._label("category", data["category"]),
            case=self._label("case_kind", data["case"]["kind"]),
            measure=self._measure(data["measure"]),
            officers=self._officers(data["brought_by"]),
        )

    def entered(self, data: Mapping[str, Any]) -> str:
        return self._say("Entered by %(door)s into %(room)s. Escorts: %(officers)s.", **self._passage(data))

    def returned(self, data: Mapping[str, Any]) -> str:
        return self._say("Returned by %(door)s into %(room)s. Escorts: %(officers)s.", **self._passage(data))

    def _passage(self, data: Mapping[str, Any]) -> dict[str, str]:
        return {
            "door": self._desk.name(data["door"]),
            "room": self._desk.name(data["room"]) if "room" in data else "",
            "officers": self._officers(data["escorts"]),
        }

    def moved(self, data: Mapping[str, Any]) -> str:
        return self._say(
            "Moved to %(room)s. Escorts: %(officers)s.",
            room=self._desk.name(data["room"]),
            officers=self._officers(data["escorts"]),
        )

    def search_started(self, data: Mapping[str, Any]) -> str:
        return self._say(
            "%(kind)s begun in %(room)s by %(officers)s.",
            kind=self._label("search_kind", data["kind"]),
            room=self._desk.name(data["room"]),
            officers=self._officers(data["officers"]),
        )

    def search_finished(self, data: Mapping[str, Any]) -> str:
        injuries, belongings = data["injuries"], data["belongings"]
        return self._say(
            "Search finished. Injuries: %(injuries)s; belongings: %(belongings)s; %(signed)s.",
            injuries=self._label("injuries", injuries) if injuries else self._say("not recorded"),
            belongings=self._label("belongings", belongings) if belongings else self._say("not recorded"),
            signed=self._signed(data["signed"]),
        )

    def _signed(self, signed: bool | None) -> str:
        return self._say("signed") if signed else self._say("not signed")

    def collected(self, data: Mapping[str, Any]) -> str:
        if data["approval"]:
            return self._say(
                "Collected: %(items)s. Approval: %(approval)s.",
                items=self._labels("item", data["items"]),
                approval=data["approval"],
            )
        return self._say("Collected: %(items)s.", items=self._labels("item", data["items"]))

    def activity_started(self, data: Mapping[str, Any]) -> str:
        return self._say(
            "%(kind)s begun in %(room)s with %(officers)s.",
            kind=self._label("activity", data["kind"]),
            room=self._desk.name(data["room"]),
            officers=self._officers(data["officers"]),
        )

    def activity_officers(self, data: Mapping[str, Any]) -> str:
        return self._say("From now on there: %(officers)s.", officers=self._officers(data["officers"]))

    def activity_ended(self, data: Mapping[str, Any]) -> str:
        if data["signed"] is None:
            return self._say("Activity ended.")
        return self._say("Activity ended; record %(signed)s.", signed=self._signed(data["signed"]))

    def leave_approved(self, data: Mapping[str, Any]) -> str:
        return self._say(
            "Leave approved by %(approver)s: %(reason)s. Approval no. %(permit)s.",
            approver=self._desk.officer_name(data["approver"]["id"]),
            reason=self._label("leave_reason", data["reason"]),
            permit=data["permit"],
        )

    def left(self, data: Mapping[str, Any]) -> str:
        return self._say(
            "Taken out by %(door)s: %(reason)s. Approval: %(permit)s. Escorts: %(officers)s.",
            reason=self._label("leave_reason", data["reason"]) if data["reason"] else self._say("no reason given"),
            permit=data["permit"] or self._say("none"),
            **self._passage(data),
        )

    def exited(self, data: Mapping[str, Any]) -> str:
        return self._say(
            "Exited by %(door)s: %(reason)s %(destination)s. Belongings: %(belongings)s; %(signed)s.",
            door=self._desk.name(data["door"]),
            reason=self._label("exit_reason", data["reason"]),
            destination=data["destination"] or "",
            belongings=self._label("outcome", data["belongings"]),
            signed=self._signed(data["signed"]),
        )

    def measure_changed(self, data: Mapping[str, Any]) -> str:
        return self._say(
            "Measure changed to %(measure)s, approved by %(approver)s.",
            measure=self._measure(data["measure"]),
            approver=self._desk.officer_name(data["approver"]["id"]),
        )

    def flags_changed(self, data: Mapping[str, Any]) -> str:
        return self._say(
            "Risk flags: %(flags)s. Observation: %(level)s.",
            flags=self._labels("flag", data["flags"]),
            level=self._label("level", data["level"]),
        )

    def check_made(self, data: Mapping[str, Any]) -> str:
        return self._say(
            "Checked in %(room)s by %(officer)s. %(note)s",
            room=self._desk.name(data["room"]),
            officer=self._desk.officer_name(data["officer"]["id"]),
            note=data.get("note") or "",
        ).strip()

    def care(self, data: Mapping[str, Any]) -> str:
        kind = self._label("care", data["kind"])
        if data["accepted"]:
            return self._say("%(kind)s offered and accepted.", kind=kind)
        return self._say("%(kind)s offered and declined.", kind=kind)

    def property_received(self, data: Mapping[str, Any]) -> str:
        return self._say("Belongings received: %(count)d, locker %(locker)s; list %(signed)s.", **self._list(data))

    def property_returned(self, data: Mapping[str, Any]) -> str:
        return self._say("Belongings returned: %(count)d, locker %(locker)s; list %(signed)s.", **self._list(data))

    def _list(self, data: Mapping[str, Any]) -> dict[str, object]:
        return {"count": data["count"], "locker": data["locker"], "signed": self._signed(data["signed"])}

    def door_granted(self, data: Mapping[str, Any]) -> str:
        return self._say(
            "%(door)s granted to %(officer)s: %(purpose)s.",
            door=self._desk.name(data["door"]),
            officer=self._desk.officer_name(data["officer"]["id"]),
            purpose=self._label("passage", data["purpose"]),
        )

    def viewed(self, data: Mapping[str, Any]) -> str:
        return self._say(
            "Record looked at by %(officer)s: %(purpose)s.",
            officer=self._desk.officer_name(data["by"]["id"]),
            purpose=data["purpose"],
        )


_TELLERS: Mapping[str, Callable[[Narrator, Mapping[str, Any]], str]] = {
    "stay.arrived": Narrator.arrived,
    "stay.entered": Narrator.entered,
    "stay.returned": Narrator.returned,
    "stay.moved": Narrator.moved,
    "search.started": Narrator.search_started,
    "search.finished": Narrator.search_finished,
    "collection.finished": Narrator.collected,
    "activity.started": Narrator.activity_started,
    "activity.officers": Narrator.activity_officers,
    "activity.ended": Narrator.activity_ended,
    "leave.approved": Narrator.leave_approved,
    "stay.left": Narrator.left,
    "stay.exited": Narrator.exited,
    "measure.changed": Narrator.measure_changed,
    "flags.changed": Narrator.flags_changed,
    "check.made": Narrator.check_made,
    "care.recorded": Narrator.care,
    "property.received": Narrator.property_received,
    "property.returned": Narrator.property_returned,
    "door.granted": Narrator.door_granted,
    "record.viewed": Narrator.viewed,
}

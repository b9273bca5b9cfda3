"""Everything that the facts of one zone say, in the shape in which the rules ask for it."""

from __future__ import annotations

from bisect import bisect_left, insort
from dataclasses import dataclass

from custody.facts import (
    ActivityEnded,
    ActivityOfficers,
    ActivityStarted,
    Amended,
    Audited,
    CameraState,
    ClockReading,
    Described,
    Door,
    Entered,
    Fact,
    Granted,
    Handover,
    OfStay,
    Opened,
    RecordingLost,
    Room,
    ZoneStarted,
)
from custody.intervals import FOREVER, SECOND, Intervals, clip, contains, intersect, union
from custody.policy import Policy

from .cameras import Camera, Shown
from .clocks import Clocks
from .guards import GUARDS, Guards, Presence, officers_named
from .stay import StayTimeline, Visit, cut
from .telling import tell
from .track import Stretches, Track

UNDESCRIBED = Described({}, {})


@dataclass(frozen=True, slots=True)
class Place:
    """A part of a visit over which the room is described in one way."""

    start: int
    end: int
    room: Room
    visit: Visit


class ZoneTimeline:
    """The facts of one zone, filed where the rules look for them.

    ``file`` and ``withdraw`` keep it up to date; ``at`` fixes the moment up to which it is judged.
    """

    def __init__(self, zone: str, policy: Policy) -> None:
        self.zone = zone
        self.policy = policy
        self.descriptions = Track()
        self._described: list[tuple[int, Described]] | None = None
        self.starts = Track()
        self.clocks = Clocks(self.starts, policy.rules.m4_3.lowest_us)
        self.grants: dict[str, Track] = {}
        self.opened: dict[str, Track] = {}
        self.door_entries: dict[str, Track] = {}
        self.handovers = Track()
        self.late = Track()
        self.amended = Track()
        self.cameras: dict[str, Camera] = {}
        self.stay_facts: dict[str, Track] = {}
        self.entries: list[tuple[int, str]] = []
        self.visits: dict[str, Stretches] = {}
        self.guards = Guards(
            self.starts,
            valid_us=policy.guards.valid_us,
            reconfirm_us=policy.guards.reconfirm_us,
            room_of_activity=self._room_of_activity,
        )
        self._told: dict[str, StayTimeline] = {}
        self._filed: dict[str, tuple[bool, list[Visit], list[int]]] = {}
        self.latest_time = -FOREVER
        self.horizon = 0
        self.written = 0
        self.end = 0
        self.known: Intervals = []

    # -- filing

    def file(self, fact: Fact) -> None:
        """Take a fact in."""
        self.latest_time = max(self.latest_time, fact.time)
        self._track(fact, added=True)
        if officers_named(fact.body):
            self.guards.add(fact)

    def withdraw(self, fact: Fact) -> None:
        """Take a fact out again: it was corrected."""
        self._track(fact, added=False)
        if officers_named(fact.body):
            self.guards.remove(fact)

    def _track(self, fact: Fact, *, added: bool) -> None:
        body = fact.body
        tracks: list[Track] = []
        match body:
            case Amended(stay=""):
                tracks.append(self.amended)
            case OfStay():
                tracks.append(self.stay_facts.setdefault(body.stay, Track()))
                if isinstance(body, Entered):
                    tracks.append(self.door_entries.setdefault(body.door, Track()))
            case CameraState() | Audited() | RecordingLost():
                self._file_camera(fact, added=added)
            case Described():
                tracks.append(self.descriptions)
                self._described = None
            case ZoneStarted():
                tracks.append(self.starts)
                self.clocks.restarted()
                for camera in self.cameras.values():
                    camera.restarted()
            case ClockReading():
                (self.clocks.file if added else self.clocks.withdraw)(fact)
            case Granted() if body.bring_in:
                tracks.append(self.grants.setdefault(body.door, Track()))
            case Opened():
                tracks.append(self.opened.setdefault(body.door, Track()))
            case Handover():
                tracks.append(self.handovers)
        if fact.type.startswith("guard."):
            tracks.append(self.late)
        for track in tracks:
            if added:
                track.add(fact)
            else:
                track.remove(fact)

    def _file_camera(self, fact: Fact, *, added: bool) -> None:
        body = fact.body
        assert isinstance(body, CameraState | Audited | RecordingLost)
        camera = self.camera(body.camera)
        if isinstance(body, CameraState):
            (camera.add if added else camera.remove)(fact)
            return
        stretches = camera.audits if isinstance(body, Audited) else camera.lost
        if added:
            stretches.add(body.start, body.end, fact.id, fact)
        else:
            stretches.remove(body.start, body.end, fact.id)

    def camera(self, name: str) -> Camera:
        camera = self.cameras.get(name)
        if camera is None:
            camera = self.cameras[name] = Camera(self.starts, self.policy.cameras.reconfirm_us)
        return camera

    def lines_of_zone(self) -> list[Fact]:
        """The facts that are judged line by line and are of no stay."""
        audits = [fact for camera in self.cameras.values() for _, _, _, fact in camera.audits.all()]
        return [*self.late.facts, *self.amended.facts, *self.clocks.steps.facts, *audits]

    # -- the moment of judging

    def at(self, horizon: int, written: int, known: Intervals) -> None:
        """Judge up to ``horizon`` (H); ``written`` is W. The moment W is as known as the one before it."""
        self.horizon = horizon
        self.written = written
        self.end = horizon + 1
        self.known = known
        self._known_at_w = contains(known, written - 1) or contains(known, written)

    def known_within(self, start: int, end: int) -> Intervals:
        """Known time in [start, end), which reaches one microsecond beyond H: H itself is the last moment."""
        found = clip(self.known, start, end)
        if self.horizon == self.written and start <= self.written < end and self._known_at_w:
            return union(found, [(self.written, self.written + 1)])
        return found

    def is_known(self, moment: int) -> bool:
        return self._known_at_w if moment == self.written else contains(self.known, moment)

    # -- rooms and doors

    def _descriptions(self, start: int, end: int) -> list[tuple[int, int, Described]]:
        described = self._described
        if described is None:
            facts = self.descriptions.facts
            described = [(fact.time, fact.body) for fact in facts if isinstance(fact.body, Described)]
            self._described = described
        return cut(start, end, described, described[0][1] if described else UNDESCRIBED)

    def room(self, name: str, moment: int) -> Room:
        return _room(self._descriptions(moment, moment + 1)[0][2], name)

    def door(self, name: str, moment: int) -> Door | None:
        return self._descriptions(moment, moment + 1)[0][2].doors.get(name)

    def interlocked(self, door: str, moment: int) -> list[str]:
        """The door, and those of its interlock group."""
        doors = self._descriptions(moment, moment + 1)[0][2].doors
        group = doors[door].interlock if door in doors else None
        return sorted(
            {door} | {name for name, one in doors.items() if group is not None and one.interlock == group}
        )

    def search_rooms(self, moment: int) -> int:
        rooms = self._descriptions(moment, moment + 1)[0][2].rooms.values()
        return sum(room.purpose == "search" for room in rooms)

    def rooms_within(self, name: str, start: int, end: int) -> list[tuple[int, int, Room]]:
        """[start, end) cut where the room is described otherwise."""
        return [(low, high, _room(described, name)) for low, high, described in self._descriptions(start, end)]

    def places(self, stay: StayTimeline) -> list[Place]:
        """Where the person was, up to the horizon."""
        return [
            Place(start, end, room, visit)
            for visit in stay.visits
            for start, end, room in self.rooms_within(visit.room, visit.start, min(visit.end, self.end))
        ]

    # -- what is proven

    def shown(self, room: Room, start: int, end: int, *, sound: bool) -> Shown:
        """What is proven and missing of a room's picture, or of its sound, in [start, end)."""
        if not room.described:
            return Shown([], [])
        whole = [(start, end)]
        if not room.cameras or (sound and not room.audio):
            return Shown([], whole)
        known = self.known_within(start, end)
        cameras = [self.camera(name).shown(start, end, known, sound=sound) for name in room.cameras]
        if room.every_camera and not sound:
            proven, missing = cameras[0].proven, union(*(one.missing for one in cameras))
            for one in cameras[1:]:
                proven = intersect(proven, one.proven)
        else:
            proven, missing = union(*(one.proven for one in cameras)), cameras[0].missing
            for one in cameras[1:]:
                missing = intersect(missing, one.missing)
        return Shown(proven, missing)

    def presences(self, room: str, start: int, end: int) -> list[Presence]:
        return self.guards.presences(room, start, end)

    def guarding(self, stay: StayTimeline) -> list[tuple[int, int, str, Fact]]:
        """Every stretch inside over which an officer is proven to guard this person: (start, end, rank, why).

        Cut neither to known time nor to the horizon.
        """
        found = []
        for visit in stay.visits:
            end = min(visit.end, self.end)
            for one in self.presences(visit.room, visit.start, end):
                found.append((max(one.start, visit.start), min(one.end, visit.end), one.officer.rank, one.fact))
        for alone in stay.alone:
            for officer in alone.officers:
                if officer.rank not in GUARDS:
                    continue
                found.append((alone.start, alone.end, officer.rank, alone.fact))
        return found

    def _room_of_activity(self, fact: Fact, body: ActivityOfficers) -> str | None:
        track = self.stay_facts.get(body.stay)
        if track is None:
            return None
        index = bisect_left(track.orders, fact.order)
        for earlier in reversed(track.facts[:index]):
            begun = earlier.body
            if isinstance(begun, ActivityStarted) and begun.activity == body.activity:
                return begun.room
            if isinstance(begun, ActivityEnded) and begun.activity == body.activity:
                return None
        return None

    # -- stays

    def stay(self, name: str) -> StayTimeline:
        """The stay's timeline; it must have facts."""
        told = self._told.get(name)
        if told is None:
            told = self._told[name] = tell(name, self.stay_facts[name].facts, self.policy.guards)
        return told

    def tell_again(self, name: str) -> bool:
        """The stay's facts have changed: file anew where the person was and when he came in.

        Returns whether the person has become, or is no longer, somebody whom handovers leave out.
        """
        self._told.pop(name, None)
        was_suspect, visits, entries = self._filed.pop(name, (True, [], []))
        for visit in visits:
            self.visits[visit.room].remove(visit.start, visit.end, name)
        for moment in entries:
            self.entries.remove((moment, name))
        if not len(self.stay_facts.get(name, ())):
            self.stay_facts.pop(name, None)
            return not was_suspect
        stay = self.stay(name)
        for visit in stay.visits:
            self.visits.setdefault(visit.room, Stretches()).add(visit.start, visit.end, name, visit)
        entries = [fact.time for fact, _ in stay.entries] if stay.suspect else []
        for moment in entries:
            insort(self.entries, (moment, name))
        self._filed[name] = (stay.suspect, stay.visits, entries)
        return stay.suspect != was_suspect

    def put_away(self, name: str) -> None:
        """Nothing is expected of this stay any more: keep its facts alone; it can be told again from them."""
        self._told.pop(name, None)

    def entered_within(self, first: int, last: int) -> set[str]:
        """The suspects with an entry or a return from ``first`` to ``last``."""
        low, high = bisect_left(self.entries, (first, "")), bisect_left(self.entries, (last + 1, ""))
        return {name for _, name in self.entries[low:high]}

    def suspects_in(self, room: str, start: int, end: int) -> list[tuple[int, int, StayTimeline]]:
        """The visits of suspects to a room that share a moment with [start, end)."""
        held = self.visits.get(room)
        if held is None:
            return []
        found = [(low, high, self.stay(name)) for low, high, name, _ in held.overlapping(start, end)]
        return [one for one in found if one[2].suspect]


def _room(described: Described, name: str) -> Room:
    return described.rooms.get(name) or Room(name, described=False)


def seconds(micros: int) -> float:
    """A number of seconds for a finding's values."""
    return micros / SECOND

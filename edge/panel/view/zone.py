"""The zone as the monitor shows it: rooms, cameras, doors, parts, link."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from config.zone import DoorSettings, RoomSettings
from custody.register import GuardPresence
from edge.overseer import PARTS
from edge.panel.desk import Desk, Moment
from edge.panel.link_watch import LinkState
from edge.pulse import is_alive
from edge.register.guarding import GUARDING_RANKS

from .people import Person


@dataclass(frozen=True)
class CameraView:
    """``still_version`` changes with the picture; None when there is none."""

    id: str
    name: str
    state: str
    faults: tuple[str, ...]
    audio: str
    since_us: int | None
    still_version: int | None

    @property
    def good(self) -> bool:
        return self.state == "recording"


@dataclass(frozen=True)
class RoomView:
    """``unguarded_since_us`` is set when a suspect in it is not guarded now: the longest of them."""

    settings: RoomSettings
    people: tuple[Person, ...]
    guards: tuple[GuardPresence, ...]
    cameras: tuple[CameraView, ...]
    unguarded_since_us: int | None

    @property
    def alarmed(self) -> bool:
        lost = bool(self.cameras) and all(camera.state == "lost" for camera in self.cameras)
        return bool(self.people) and (self.unguarded_since_us is not None or lost)


@dataclass(frozen=True)
class DoorView:
    settings: DoorSettings
    open: bool | None
    since_us: int | None
    alarm: str | None
    last: Mapping[str, Any] | None
    last_type: str | None
    last_us: int | None
    faults: Mapping[str, str]


@dataclass(frozen=True)
class Health:
    """``heartbeat_us`` is when the zone last said in its ledger that it lives."""

    parts: Mapping[str, bool]
    heartbeat_us: int | None
    clock_synchronised: bool | None
    clock_offset_s: float | None
    disk_free_bytes: int | None
    ledger_size: int
    has_headquarters: bool
    link: LinkState


def rooms(desk: Desk, people: Sequence[Person], now: Moment) -> list[RoomView]:
    """Every room inside the buildings; those outside are shown only while somebody is in them."""
    views: list[RoomView] = []
    with desk.book.lock:
        for room in desk.settings.rooms:
            here = tuple(person for person in people if person.stay.inside and person.stay.room == room.id)
            if room.area.value != "custody" and not here:
                continue
            unguarded = [
                p.guarding.unguarded_since_us
                for p in here
                if p.needs_guard and p.guarding and p.guarding.unguarded_since_us is not None
            ]
            present = desk.book.register.guards_in(room.id, now.us)
            guards = tuple(guard for guard in present if guard.officer["rank"] in GUARDING_RANKS)
            seen = tuple(camera(desk, id_) for id_ in room.cameras)
            views.append(RoomView(room, here, guards, seen, min(unguarded, default=None)))
    return views


def camera(desk: Desk, id_: str) -> CameraView:
    state = desk.camera_now(id_)
    try:
        version: int | None = desk.still(id_).stat().st_mtime_ns // 1_000_000
    except OSError:
        version = None
    if state is None:
        return CameraView(id_, desk.name(id_), "unknown", (), "unknown", None, version)
    return CameraView(id_, desk.name(id_), state.state, tuple(state.faults), state.audio, state.since_us, version)


def doors(desk: Desk) -> list[DoorView]:
    views: list[DoorView] = []
    # Nobody reads the contacts of a dead door process: what they said last is not how the doors stand now.
    seen = is_alive(desk.settings.run_dir, "doors", desk.clock)
    with desk.book.lock:
        for door in desk.settings.doors:
            now = desk.book.register.doors.get(door.id)
            if now is None:
                views.append(DoorView(door, None, None, None, None, None, None, {}))
                continue
            last = now.last
            views.append(
                DoorView(
                    door,
                    now.open if seen else None,
                    now.since_us if seen else None,
                    now.alarm,
                    last.data if last else None,
                    last.type if last else None,
                    last.time_us if last else None,
                    dict(now.faults),
                )
            )
    return views


def health(desk: Desk, now: Moment) -> Health:
    """The parts by their pulses, the rest from the last heartbeat in the ledger."""
    run_dir, clock = desk.settings.run_dir, desk.clock
    with desk.book.lock:
        beat = desk.book.register.heartbeat
        size = desk.book.size
    seen: Mapping[str, Any] = beat.data if beat else {"clock": {}, "disk": {}}
    return Health(
        # Who shows this is alive, whatever its pulse says.
        parts={part: part == "panel" or is_alive(run_dir, part, clock) for part in PARTS},
        heartbeat_us=beat.written_us if beat else None,
        clock_synchronised=seen["clock"].get("synchronised"),
        clock_offset_s=seen["clock"].get("offset_s"),
        disk_free_bytes=seen["disk"].get("free_bytes"),
        ledger_size=size,
        has_headquarters=desk.settings.headquarters is not None,
        link=desk.link.look(now.us),
    )

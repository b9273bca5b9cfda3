"""Speaks for the zone as a whole: what it looks like, that it runs, which of its parts live, its clock's steps.

It runs inside the door process, the one that must never die; it calls no other process but reads their pulses.
"""

from __future__ import annotations

import logging
import shutil
import threading
from importlib.metadata import version

from config.clock import Clock
from config.service_manager import Stamp
from config.zone import ZoneSettings
from custody.events import (
    AudioState,
    CameraState,
    ClockStepped,
    DiskHealth,
    Door,
    Draft,
    RecordingState,
    Room,
    ZoneDescribed,
    ZoneHeartbeat,
    ZoneStarted,
    ZoneStopped,
    draft,
    to_datetime,
)
from sync.ledger import Ledger

from .pulse import PULSE_VALID_S, is_alive, last_beat_s
from .timekeeping import kernel_clock

log = logging.getLogger(__name__)

HEARTBEAT_S = 60.0
CLOCK_STEP_S = 1.0
PARTS = ("doors", "cameras", "link", "panel")


def describe(settings: ZoneSettings) -> ZoneDescribed:
    """The zone's rooms and doors, as the judge needs them."""
    rooms = [
        Room(
            id=room.id,
            name=room.name,
            area=room.area,
            purpose=room.purpose,
            cameras=list(room.cameras),
            coverage=room.coverage,
            audio=room.audio,
        )
        for room in settings.rooms
    ]
    doors = [
        Door(
            id=door.id,
            name=door.name,
            from_=door.from_,
            to=door.to,
            contact=door.contact is not None,
            interlock=door.interlock,
        )
        for door in settings.doors
    ]
    return ZoneDescribed(rooms=rooms, doors=doors)


class Overseer:
    """Start it once the ledger is open; stop it with the reason of an orderly stop."""

    def __init__(self, settings: ZoneSettings, ledger: Ledger, clock: Clock) -> None:
        self._settings = settings
        self._ledger = ledger
        self._clock = clock
        self._stopping = threading.Event()
        self._stamp = Stamp()
        self._thread = threading.Thread(target=self._run, name="overseer", daemon=True)
        self._clean_mark = settings.zone.state_dir / "stopped-cleanly"
        self._vouched_unknown = False
        self._wall_minus_boot_s = self._measure_wall_minus_boot_s()

    def start(self) -> None:
        clean = self._take_clean_mark()
        self._ledger.append(
            draft(describe(self._settings)),
            draft(ZoneStarted(version=version("fourmusts"), parts=list(PARTS), clean=clean)),
        )
        self._thread.start()

    def beaten_s(self) -> float:
        """Boot time at which its thread was last seen to turn; it does once a heartbeat."""
        return self._stamp.beaten_s()

    def stop(self, reason: str) -> None:
        """Write that the zone stopped in good order."""
        self._stopping.set()
        self._thread.join()
        self._ledger.append(draft(ZoneStopped(reason=reason)))
        try:
            self._clean_mark.touch()
        except OSError as error:
            log.error("%s cannot be written: %s; this stop will not count as orderly", self._clean_mark, error)

    def _take_clean_mark(self) -> bool:
        """Whether the last stop was orderly; a mark that cannot be taken away would vouch for every later one."""
        if not self._clean_mark.exists():
            return False
        try:
            self._clean_mark.unlink()
        except OSError as error:
            log.error("%s cannot be removed: %s; the last stop is not called orderly", self._clean_mark, error)
            return False
        return True

    def _run(self) -> None:
        while not self._stopping.wait(self._clock.real_s(HEARTBEAT_S)):
            self._stamp.beat()
            try:
                self.look()
            except Exception:
                # The zone then counts as silent, which is the truth; doors keep their declared policy. Whatever it
                # was, the next minute is tried again: a thread that ended here would silence the zone for good.
                log.exception("the heartbeat could not be written")

    def look(self) -> None:
        """Write what is so now; what could not be written is owed, and told at the next look."""
        told = self._vouched_unknown, self._wall_minus_boot_s
        try:
            self._ledger.append(*self.observe())
        except BaseException:
            self._vouched_unknown, self._wall_minus_boot_s = told
            raise

    def observe(self) -> list[Draft]:
        """What is so now: a step of the clock, cameras that nobody watches any more, the heartbeat."""
        parts = {part: is_alive(self._settings.run_dir, part, self._clock) for part in PARTS}
        drafts = [*self._clock_step(), *self._unwatched_cameras(parts["cameras"])]
        disk = DiskHealth(free_bytes=shutil.disk_usage(self._settings.zone.state_dir).free, retention_days=None)
        return [*drafts, draft(ZoneHeartbeat(parts=parts, clock=kernel_clock(), disk=disk))]

    def _measure_wall_minus_boot_s(self) -> float:
        return self._clock.now_us() / 1e6 - self._clock.boottime_s()

    def _clock_step(self) -> list[Draft]:
        measured_s = self._measure_wall_minus_boot_s()
        step_s, self._wall_minus_boot_s = measured_s - self._wall_minus_boot_s, measured_s
        if abs(step_s) <= CLOCK_STEP_S:
            return []
        log.warning("the wall clock was stepped by %.3f s", step_s)
        return [draft(ClockStepped(by_s=round(step_s, 6)))]

    def _unwatched_cameras(self, watched: bool) -> list[Draft]:
        """A dead camera process's last word must not stand: nothing is known from its last beat on."""
        if watched:
            self._vouched_unknown = False
            return []
        if self._vouched_unknown or not self._settings.cameras:
            return []
        beaten_s = last_beat_s(self._settings.run_dir, "cameras", self._clock)
        silent_s = PULSE_VALID_S if beaten_s is None else self._clock.boottime_s() - beaten_s
        since = to_datetime(self._clock.now_us() - round(silent_s * 1e6))
        self._vouched_unknown = True
        log.warning("the camera process has been silent for %.0f s: its cameras are unknown", silent_s)
        return [
            draft(
                CameraState(
                    camera=camera.id,
                    state=RecordingState.UNKNOWN,
                    audio=AudioState.UNKNOWN if camera.audio else AudioState.NONE,
                    faults=[],
                    since=since,
                )
            )
            for camera in self._settings.cameras
        ]

"""The camera process of a zone: its workers watch and record; it tells the ledger what they see and audits it."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as Late
from functools import partial
from itertools import count
from multiprocessing.connection import wait
from queue import Empty, SimpleQueue

from config.clock import Clock
from config.service_manager import ServiceManager, Stamp
from config.zone import SimulatedCameraSettings, ZoneSettings
from custody.events import AudioState, CameraState, Draft, Event, RecordingState, draft, to_datetime
from devices.cameras.watch import Verdict
from devices.recorders.base import RecorderError
from devices.recorders.local import LocalRecorder
from devices.recorders.store import SegmentStore
from devices.simulation import Bench, SimulationError
from edge.pulse import Pulse, last_beat_s
from sync.errors import LedgerUnwritable
from sync.ledger import Ledger

from .audits import Audited, Job, audit
from .group import Group
from .messages import Cut, Drive, Driven, Seen, WasCut
from .rooms import Rooms

log = logging.getLogger(__name__)

ROUND_REAL_S = 0.03
ROUND_LIMIT_S = 120.0
"""The audit of a long stay reads all that was recorded of it."""
BEAT_S = 5.0
BEAT_REAL_S = 0.5
WRITE_AGAIN_REAL_S = 1.0
AUDIT_AGAIN_S = 10.0
SIM_REPLY_REAL_S = 5.0


def run(settings: ZoneSettings, clock: Clock, stop: threading.Event) -> None:
    """Serve until ``stop`` is set. Raises ``LedgerMissing`` when the zone was never initialised."""
    identity = settings.zone
    ledger = Ledger.open(settings.ledger_dir, zone=identity.id, deployment=identity.deployment, clock=clock)
    manager = ServiceManager()
    try:
        service = CameraService(settings, clock, ledger, manager.part("the cameras' round", ROUND_LIMIT_S))
        try:
            manager.ready(f"{len(settings.cameras)} cameras are watched")
            while not stop.is_set():
                service.step(ROUND_REAL_S)
        finally:
            manager.stopping()
            service.close()
    finally:
        ledger.close()


class CameraService:
    """Everything in one thread but the simulated cameras' bench, whose requests come by a queue."""

    def __init__(self, settings: ZoneSettings, clock: Clock, ledger: Ledger, stamp: Stamp | None = None) -> None:
        """``stamp`` is beaten in every round, and more often in long ones."""
        self._settings = settings
        self._stamp = stamp or Stamp()
        self._clock = clock
        self._ledger = ledger
        self._follower = ledger.follow()
        self._store = SegmentStore(settings.recordings_dir)
        self._recorder = LocalRecorder(self._store)
        self._groups = [Group(settings, cameras, clock) for cameras in _grouped(settings)]
        self._group_of = {camera: group for group in self._groups for camera in group.cameras}
        self._began_s = clock.boottime_s()
        self._stated: dict[str, Verdict] = {}
        self._unwritten: list[Draft] = []
        self._write_at_s = 0.0
        self._ours: set[str] = set()
        self._rooms = Rooms()
        self._audited = Audited()
        self._jobs: dict[Job, bool] = {}
        """What is to be audited, and whether its worker has said that all of it is stored."""
        self._audit_at_s = clock.boottime_s()
        self._pulse = Pulse(settings.run_dir, "cameras", clock)
        self._beaten_s: tuple[float, float] | None = None
        self._bench = Bench(settings.run_dir / "sim-cameras.sock")
        self._driving: SimpleQueue[tuple[str, tuple[str, ...], Future[str]]] = SimpleQueue()
        self._driven: dict[int, Future[str]] = {}
        self._numbers = count(1)
        # A process that was killed left its last words standing: nothing is known since its last beat.
        since_s = last_beat_s(settings.run_dir, "cameras", clock)
        self._beat()
        for camera in settings.cameras:
            self._state(camera.id, self._unknown(camera.id, since_s))
        self._serve_bench()

    def step(self, timeout_real_s: float) -> None:
        """One round: hear the workers, follow the ledger, write what is new, audit what is due."""
        self._beat()
        for group in self._groups:
            if group.start_if_due():
                self._send_cuts(group)
        self._hear(timeout_real_s)
        self._forward_driving()
        self._write()
        self._follow()
        self._audit()

    def close(self) -> None:
        """End the recordings, then say that nothing is known of the cameras any more."""
        self._bench.stop()
        since_s = self._clock.boottime_s()
        for group in self._groups:
            group.ask_to_stop()
        for group in self._groups:
            group.stop()
        for camera in self._settings.cameras:
            self._state(camera.id, self._unknown(camera.id, since_s))
        self._write_at_s = 0.0
        self._write()
        self._follower.close()
        self._store.close()
        self._pulse.end()

    def _beat(self) -> None:
        self._stamp.beat()
        now_s = (self._clock.boottime_s(), time.monotonic())
        last_s = self._beaten_s
        if last_s is None or now_s[0] - last_s[0] >= BEAT_S or now_s[1] - last_s[1] >= BEAT_REAL_S:
            self._pulse.beat()
            self._beaten_s = now_s

    def _hear(self, timeout_real_s: float) -> None:
        connections = [group.connection for group in self._groups if group.connection is not None]
        if connections:
            wait(connections, timeout_real_s)
        else:
            time.sleep(timeout_real_s)
        for group in self._groups:
            try:
                for message in group.received():
                    self._take(message)
            except EOFError:
                group.bury()
                for camera in group.cameras:
                    self._state(camera, self._unknown(camera, group.heard_s))

    def _take(self, message: object) -> None:
        if isinstance(message, Seen):
            self._state(message.camera, message.verdict)
        elif isinstance(message, WasCut):
            for job in self._jobs:
                if job.camera == message.camera and job.end_us <= message.until_us:
                    self._jobs[job] = True
        elif isinstance(message, Driven):
            waiting = self._driven.pop(message.number, None)
            if waiting is not None and message.done:
                waiting.set_result(message.text)
            elif waiting is not None:
                waiting.set_exception(SimulationError(message.text))

    def _unknown(self, camera: str, since_s: float | None) -> Verdict:
        """Nothing is known of it since that boot time; None: since now."""
        heard = next(c.audio for c in self._settings.cameras if c.id == camera)
        audio = AudioState.UNKNOWN if heard else AudioState.NONE
        ago_s = 0.0 if since_s is None else max(0.0, self._clock.boottime_s() - since_s)
        return Verdict(RecordingState.UNKNOWN, audio, (), self._clock.now_us() - round(ago_s * 1e6))

    def _state(self, camera: str, verdict: Verdict) -> None:
        """Say what is now so of a camera."""
        old = self._stated.get(camera)
        if old is None or (old.state, old.audio, old.faults) != (verdict.state, verdict.audio, verdict.faults):
            faults = ", ".join(verdict.faults) or "no fault"
            log.info("camera %s: %s, sound %s, %s", camera, verdict.state.value, verdict.audio.value, faults)
            self._stated[camera] = verdict
            self._restate(camera)

    def _restate(self, camera: str) -> None:
        verdict = self._stated[camera]
        state = CameraState(
            camera=camera,
            state=verdict.state,
            audio=verdict.audio,
            faults=list(verdict.faults),
            since=to_datetime(verdict.since_us),
        )
        # Its time is when it was seen, also when a full disk makes the writing late.
        self._unwritten.append(draft(state, time_us=self._clock.now_us()))

    def _write(self) -> None:
        """Append what is waiting. While the disk does not take it, it is kept, in order."""
        if not self._unwritten or time.monotonic() < self._write_at_s:
            return
        try:
            written = self._ledger.append(*self._unwritten)
        except LedgerUnwritable as error:
            log.error("%s", error)
            self._write_at_s = time.monotonic() + WRITE_AGAIN_REAL_S
            return
        self._unwritten.clear()
        self._ours.update(event.id for event in written if event.type == CameraState.TYPE)

    def _follow(self) -> None:
        while events := self._follower.poll():
            for event in events:
                self._follow_one(event)
            for room_time in self._rooms.take(events):
                for room in self._settings.rooms:
                    if room.id == room_time.room:
                        self._want(room.cameras, room_time.start_us, room_time.end_us)
            self._beat()

    def _follow_one(self, event: Event) -> None:
        self._audited.take(event)
        if event.bootid != self._clock.bootid or event.boottime_s < self._began_s:
            # Written before this process began; by boot time, for the wall clock may have been stepped since.
            return
        if event.type == "zone.started":
            # It ends every state that was written before it.
            for camera in self._stated:
                self._restate(camera)
        elif event.type == CameraState.TYPE and event.data["camera"] in self._stated:
            if event.id in self._ours:
                self._ours.discard(event.id)
            else:
                # Somebody who took us for dead has spoken for us.
                self._restate(event.data["camera"])

    def _want(self, cameras: Sequence[str], start_us: int, end_us: int) -> None:
        for camera in self._settings.cameras:
            if camera.id in cameras and camera.record:
                self._jobs.setdefault(Job(camera.id, start_us, end_us), False)
                self._group_of[camera.id].send(Cut(camera.id, end_us))

    def _send_cuts(self, group: Group) -> None:
        """A new worker has recovered what the last one left; it is asked for everything that is still open."""
        for job, stored in self._jobs.items():
            if job.camera in group.cameras and not stored:
                group.send(Cut(job.camera, job.end_us))

    def _audit(self) -> None:
        if self._unwritten or self._clock.boottime_s() < self._audit_at_s:
            return
        for job in [job for job, stored in self._jobs.items() if stored or self._audited.is_done(job)]:
            if not self._audited.is_done(job):
                try:
                    self._unwritten += audit(job, self._recorder, self._audited.showed_nothing(job.camera))
                except RecorderError as error:
                    # One camera's broken file must not keep the audits of all the others waiting.
                    log.error("%s; the audit is made again later", error)
                    self._audit_at_s = self._clock.boottime_s() + AUDIT_AGAIN_S
                    continue
            del self._jobs[job]
            self._write()
            self._beat()

    def _serve_bench(self) -> None:
        simulated = [c.id for c in self._settings.cameras if isinstance(c, SimulatedCameraSettings)]
        for camera in simulated:
            self._bench.register("camera", camera, partial(self._drive, camera))
        if simulated:
            self._bench.start()

    def _drive(self, camera: str, words: Sequence[str]) -> str:
        """In a thread of the bench: hand the words over and wait for the camera's own answer."""
        answer: Future[str] = Future()
        self._driving.put((camera, tuple(words), answer))
        try:
            return answer.result(SIM_REPLY_REAL_S)
        except Late:
            raise SimulationError(f"the worker of camera {camera} does not answer; the log says why") from None

    def _forward_driving(self) -> None:
        while True:
            try:
                camera, words, answer = self._driving.get_nowait()
            except Empty:
                return
            number = next(self._numbers)
            self._driven[number] = answer
            if not self._group_of[camera].send(Drive(number, camera, words)):
                del self._driven[number]
                answer.set_exception(SimulationError(f"the worker of camera {camera} is being started again"))


def _grouped(settings: ZoneSettings) -> list[list[str]]:
    """Cameras spread evenly over as few workers as the settings allow."""
    ids = [camera.id for camera in settings.cameras]
    workers = -(-len(ids) // settings.recording.cameras_per_worker)
    return [ids[number::workers] for number in range(workers)]

"""A worker: a spawned process that holds a group of cameras, so that what kills it costs that group only.

Spawned, never forked: a forked child of a process with threads and codecs may hang in any of their locks.
"""

from __future__ import annotations

import logging
import signal
import threading
import time
from collections.abc import Sequence
from multiprocessing.connection import Connection

from config.clock import Clock
from config.zone import CameraSettings, RtspCameraSettings, ZoneSettings
from devices.cameras.base import Camera
from devices.cameras.picture import References
from devices.cameras.rtsp import RtspCamera
from devices.cameras.simulated import SimulatedCamera
from devices.cameras.watch import Limits, Moment, Watch
from devices.recorders.local import LocalRecording
from devices.recorders.store import SegmentStore
from devices.simulation import SimulationError

from .channel import Channel
from .messages import Alive, Cut, Drive, Driven, Seen, Stop, WasCut

log = logging.getLogger(__name__)

ROUND_REAL_S = 0.05
ALIVE_REAL_S = 0.25
STOP_REAL_S = 2.0


def work(connection: Connection, settings: ZoneSettings, cameras: Sequence[str], clock: Clock) -> None:
    """The worker's main function: until told to stop, asked by a signal, or left alone."""
    logging.basicConfig(
        level=logging.INFO, format=f"%(levelname)s {settings.zone.id}/cameras %(name)s: %(message)s"
    )
    stop = threading.Event()
    # Ctrl-C reaches the whole group of processes; it is the camera process that decides when its workers go.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    worker = Worker(connection, settings, [c for c in settings.cameras if c.id in cameras], clock)
    try:
        worker.start()
        while not stop.is_set() and worker.round():
            pass
    except (EOFError, ConnectionError):
        log.warning("the camera process is gone; ending the recordings")
    finally:
        worker.stop()


class Worker:
    """The cameras of one group, and the pipe to the camera process."""

    def __init__(
        self, connection: Connection, settings: ZoneSettings, cameras: Sequence[CameraSettings], clock: Clock
    ) -> None:
        self._connection = connection
        self._settings = settings
        self._clock = clock
        self._store = SegmentStore(settings.recordings_dir)
        self._simulated: dict[str, SimulatedCamera] = {}
        self._channels = {camera.id: self._channel(camera) for camera in cameras}
        self._cuts: set[Cut] = set()
        self._alive_at_s = 0.0

    def _channel(self, camera: CameraSettings) -> Channel:
        recording = None
        if camera.record:
            segment_s = self._settings.recording.segment_s
            recording = LocalRecording(
                self._store, camera.id, self._clock, segment_s=segment_s, sound=camera.audio
            )
        started = Moment(self._clock.boottime_s(), self._clock.now_us())
        return Channel(
            self._device(camera),
            self._clock,
            Watch(started, records=camera.record, sound=camera.audio, limits=Limits()),
            recording,
            references=References(self._settings.zone.state_dir / "cameras" / f"{camera.id}.png"),
            still=self._settings.run_dir / "stills" / f"{camera.id}.jpg",
        )

    def _device(self, camera: CameraSettings) -> Camera:
        if isinstance(camera, RtspCameraSettings):
            return RtspCamera(camera.id, camera.url)
        simulated = SimulatedCamera(camera.id, self._clock, sound=camera.audio)
        self._simulated[camera.id] = simulated
        return simulated

    def start(self) -> None:
        for channel in self._channels.values():
            channel.start()

    def stop(self) -> None:
        for channel in self._channels.values():
            channel.ask_to_stop()
        ends_s = time.monotonic() + STOP_REAL_S
        for channel in self._channels.values():
            channel.finish(max(0.0, ends_s - time.monotonic()))
        self._store.close()

    def round(self) -> bool:
        """Take what is said, say what is new; whether to go on. Raises ``EOFError`` when nobody listens."""
        if self._connection.poll(ROUND_REAL_S):
            message = self._connection.recv()
            if isinstance(message, Stop):
                return False
            self._take(message)
        for id_, channel in self._channels.items():
            verdict = channel.tick()
            if verdict is not None:
                self._connection.send(Seen(id_, verdict))
        for cut in [cut for cut in self._cuts if self._channels[cut.camera].settled(cut.until_us)]:
            self._cuts.discard(cut)
            self._connection.send(WasCut(cut.camera, cut.until_us))
        if time.monotonic() >= self._alive_at_s:
            self._alive_at_s = time.monotonic() + ALIVE_REAL_S
            self._connection.send(Alive())
        return True

    def _take(self, message: object) -> None:
        if isinstance(message, Cut):
            self._channels[message.camera].cut(message.until_us)
            self._cuts.add(message)
        elif isinstance(message, Drive):
            self._connection.send(self._drive(message))

    def _drive(self, message: Drive) -> Driven:
        try:
            return Driven(message.number, True, self._simulated[message.camera].command(message.words))
        except SimulationError as error:
            return Driven(message.number, False, str(error))

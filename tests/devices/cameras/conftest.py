"""The same show on a real RTSP server and on the simulated twin, and a watch that follows it."""

import subprocess
import threading
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from config.clock import SystemClock, Timelapse, TimelapseClock
from devices.cameras.base import Track
from devices.cameras.clips import Passage, write_clip
from devices.cameras.errors import StreamLost
from devices.cameras.picture import Eye, References, luma, sample
from devices.cameras.rtsp import RtspCamera
from devices.cameras.scene import Lens
from devices.cameras.simulated import SimulatedCamera
from devices.cameras.timing import StreamClock, wall_us
from devices.cameras.watch import Limits, Moment, Watch

SERVER = Path(__file__).parent.parent / "rtsp" / "server.py"
PROGRAMME = [
    Passage(4),
    Passage(3, Lens.FREEZE),
    Passage(3),
    Passage(3, Lens.BLACK),
    Passage(3),
    Passage(3, Lens.COVER),
    Passage(3),
]
LIMITS = Limits(no_signal_s=2.0, sample_every_s=0.0)
TWIN_SPEED = 2.0


class Server:
    def __init__(self, clip, *options):
        command = ["/usr/bin/python3", str(SERVER), str(clip), *options]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        said = self.process.stdout.readline().split()
        assert said and said[0] == "ready", "the RTSP server did not start; see its error above"
        self.url = said[1]

    def end(self):
        self.process.kill()
        self.process.wait(10)
        self.process.stdout.close()


@pytest.fixture
def serve():
    servers = []

    def start(clip, *options):
        servers.append(Server(clip, *options))
        return servers[-1]

    yield start
    for server in servers:
        server.end()


@dataclass
class Seen:
    """What came of a show: packets, key frames, and each verdict with the stream's time at which it was given."""

    packets: int = 0
    keys: int = 0
    last_s: float = 0.0
    first_us: int = 0
    origin_us: int = 0
    verdicts: list = field(default_factory=list)
    ended: StreamLost | None = None

    def faults(self):
        return [(verdict.state, verdict.faults) for _, verdict in self.verdicts]

    def since_s(self, fault):
        """When the watch says that a fault began, on the stream's clock."""
        found = [verdict for _, verdict in self.verdicts if fault in verdict.faults]
        return (found[0].since_us - self.origin_us) / 1e6


def follow(camera, clock, references, on_picture=lambda at_s: None):
    """Watch a camera until its stream is lost; its recording is taken as done."""
    seen, times = Seen(), StreamClock()
    watch = Watch(Moment(clock.boottime_s(), clock.now_us()), limits=LIMITS)
    stream = camera.open()
    eye = Eye(stream.picture)
    try:
        for packet in stream.packets():
            if packet.track is not Track.PICTURE:
                continue
            now = Moment(clock.boottime_s(), clock.now_us())
            times.observe(packet.at_s, now.boot_s)
            at_us = wall_us(clock, times.boot_s(packet.at_s))
            seen.packets, seen.last_s = seen.packets + 1, packet.at_s
            seen.first_us = seen.first_us or at_us
            watch.picture_packet(now, at_us, key=packet.key, spacing_s=times.usual_s)
            if packet.key:
                seen.keys += 1
                looked = sample(luma(eye.decode(packet.payload)), references.current)
                references.learn(looked)
                watch.key_frame(now, at_us, looked)
                watch.stored(now, seen.first_us, at_us)
            verdict = watch.tick(now)
            if verdict:
                seen.verdicts.append((packet.at_s, verdict))
            on_picture(packet.at_s)
    except StreamLost as lost:
        seen.ended = lost
    seen.origin_us = wall_us(clock, times.boot_s(0.0))
    return seen


def lens_at(at_s):
    for passage in PROGRAMME:
        if at_s < passage.seconds:
            return passage.lens
        at_s -= passage.seconds
    return Lens.DROP


@pytest.fixture(scope="session", params=["rtsp", "simulated"])
def show(request, tmp_path_factory):
    """The whole programme, watched: live, frozen, black and covered passages, then the end."""
    folder = tmp_path_factory.mktemp("show")
    references = References(folder / "reference.png")
    if request.param == "rtsp":
        server = Server(write_clip(folder / "show.mp4", PROGRAMME, key_every_s=0.5))
        try:
            return follow(RtspCamera("cam-1", server.url), SystemClock(), references)
        finally:
            server.end()
    clock = TimelapseClock(Timelapse.ending_now(lasting_s=3600, speed=TWIN_SPEED))
    camera = SimulatedCamera("cam-1", clock, people=0, key_every_s=0.5)
    return follow(camera, clock, references, lambda at_s: camera.command([lens_at(at_s + 0.25 * TWIN_SPEED)]))


@pytest.fixture
def silent_server():
    """Somebody who takes the connection and never says a word."""
    import socket

    with socket.create_server(("127.0.0.1", 0)) as listening:
        held = []
        thread = threading.Thread(target=lambda: held.append(listening.accept()), daemon=True)
        thread.start()
        yield listening.getsockname()[1]
        for connection, _ in held:
            connection.close()

"""What one camera costs: watching and recording 1080p25 H.264, beside ffmpeg's own filters and beside bare remux.

``python -m bench.camera [--quick]`` measures. ``python -m bench.camera --footage FILE`` serves real footage at
its own pace through GStreamer's RTSP server and tells what the watch says: alive for its whole length, frozen when
its last frame is repeated, lost when the server goes.
"""

from __future__ import annotations

import argparse
import logging
import resource
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av

from config.clock import ManualClock, SystemClock
from custody.events import CameraFault, RecordingState
from devices.cameras.base import Packet, Track
from devices.cameras.clips import Passage, write_clip
from devices.cameras.errors import StreamLost
from devices.cameras.picture import References
from devices.cameras.rtsp import RtspCamera
from devices.cameras.scene import Scene
from devices.cameras.watch import Moment, Verdict, Watch
from devices.recorders.local import LocalRecorder, LocalRecording
from devices.recorders.segment import MUXER_OPTIONS
from devices.recorders.store import SegmentStore
from edge.cameras.channel import Channel

from .report import finish, median, say, table

SERVER = Path(__file__).parent.parent / "tests" / "devices" / "rtsp" / "server.py"
FILTERS = "blackdetect,freezedetect"
LATER = "motion_ratio, false_alarms_per_day, detected_share, peer_false_alarms_per_day"


class LoopedFile:
    """A file as a camera's stream, over and over for ``seconds``; each packet moves the clock to its own time."""

    id = "cam-1"

    def __init__(self, file: Path, seconds: float, clock: ManualClock) -> None:
        self._file, self._seconds, self._clock = file, seconds, clock
        self.done = threading.Event()

    def open(self) -> LoopedFile:
        if self.done.is_set():
            raise StreamLost(self.id, "played to its end")
        self._container = av.open(str(self._file))
        self.picture: Any = self._container.streams.video[0]
        self.sound = None
        return self

    def packets(self) -> Iterator[Packet]:
        began_s = self._clock.boottime_s()
        offset_s = at_s = 0.0
        while at_s < self._seconds:
            for payload in self._container.demux(self.picture):
                if not payload.size:
                    continue
                shift = round(offset_s / payload.time_base)
                payload.dts, payload.pts = payload.dts + shift, payload.pts + shift
                at_s = float(payload.dts * payload.time_base)
                self._clock.advance(max(0.0, began_s + at_s - self._clock.boottime_s()))
                yield Packet(Track.PICTURE, payload.is_keyframe, at_s, payload)
            offset_s = at_s + 0.04
            self._container.seek(0)
        self.done.set()
        raise StreamLost(self.id, "played to its end")

    def close(self) -> None:
        self.done.set()


def channel_for(camera: Any, clock: Any, folder: Path) -> tuple[Channel, SegmentStore]:
    """A camera's whole way as the camera process has it: watched, recorded, with its still for people."""
    store = SegmentStore(folder / "recordings")
    watch = Watch(Moment(clock.boottime_s(), clock.now_us()))
    recording = LocalRecording(store, camera.id, clock, segment_s=60.0, sound=False)
    references = References(folder / "reference.png")
    return Channel(camera, clock, watch, recording, references=references, still=folder / "still.jpg"), store


def ours_s(clip: Path, seconds: float) -> float:
    """CPU seconds, of every thread, to watch and record ``seconds`` of the clip."""
    clock = ManualClock()
    with tempfile.TemporaryDirectory() as folder:
        camera = LoopedFile(clip, seconds, clock)
        channel, store = channel_for(camera, clock, Path(folder))
        began_s = time.process_time()
        channel.start()
        while not camera.done.wait(0.2):
            channel.tick()
        channel.ask_to_stop()
        channel.finish(10.0)
        spent_s = time.process_time() - began_s
        stored = store.segments("cam-1", 0, 1 << 62)
        held_s = sum(one.end_us - one.start_us for one in stored) / 1e6
        assert held_s > seconds * 0.98, f"only {held_s:.1f} s of {seconds} s were recorded"
        store.close()
    return spent_s


def remux_s(clip: Path, seconds: float) -> float:
    """CPU seconds of nothing but remuxing to the same kind of file."""
    clock = ManualClock()
    with tempfile.TemporaryDirectory() as folder:
        stream = LoopedFile(clip, seconds, clock).open()
        began_s = time.process_time()
        with av.open(f"{folder}/remux.mp4", "w", options=MUXER_OPTIONS) as out:
            track = out.add_stream_from_template(stream.picture)
            try:
                for packet in stream.packets():
                    packet.payload.stream = track
                    out.mux(packet.payload)
            except StreamLost:
                pass
        return time.process_time() - began_s


def filters_s(clip: Path, loops: int) -> float:
    """CPU seconds of ffmpeg with its two filters over the clip, ``loops`` times."""
    command = ["ffmpeg", "-v", "quiet", "-stream_loop", str(loops - 1), "-i", str(clip), "-an", "-vf", FILTERS]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([*command, "-f", "null", "-"], check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def measure(quick: bool) -> None:
    clip_s, rounds, ours_length_s, loops = (4.0, 3, 100.0, 3) if quick else (20.0, 5, 300.0, 3)
    say(f"making {clip_s:.0f} s of 1080p25 H.264: a room with two people, a key frame every 2 s …")
    with tempfile.TemporaryDirectory() as folder:
        scene = Scene("cam-1", width=1920, height=1080, people=2, noise=2.0)
        how = {"rate": 25, "key_every_s": 2.0, "crf": 20, "preset": "veryfast", "tune": None, "qcomp": 0.6}
        clip = write_clip(Path(folder) / "clip.mp4", [Passage(clip_s)], scene=scene, **how)  # type: ignore[arg-type]
        say(f"{clip.stat().st_size * 8 / clip_s / 1e6:.1f} Mbit/s. Measuring, {rounds} rounds by turns …")
        ours, remux, filters = [], [], []
        for _ in range(rounds):
            filters.append(filters_s(clip, loops) / (clip_s * loops))
            ours.append(ours_s(clip, ours_length_s) / ours_length_s)
            remux.append(remux_s(clip, ours_length_s) / ours_length_s)
    one, bare, peer = median(ours), median(remux), median(filters)
    rows: list[list[str | float]] = [["work on one 1080p25 camera", "% of a core", "÷ ours"]]
    rows += [["watching and recording", one * 100, 1.0], ["bare remux", bare * 100, bare / one]]
    rows += [[f"ffmpeg -vf {FILTERS}", peer * 100, peer / one]]
    table(rows)
    say(f"left out here: {LATER}; they need the generated camera-days, which this bench does not have yet")
    finish("camera", {"cpu_ratio": one / peer, "remux_ratio": one / bare, "cameras_per_core": 1 / one})


class Witness:
    """A served clip, watched and recorded as a camera; what was said of it and when."""

    def __init__(self, clip: Path, folder: Path) -> None:
        command = ["/usr/bin/python3", str(SERVER), str(clip)]
        self.server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.server.stdout is not None
        url = self.server.stdout.readline().split()[1]
        self.clock = SystemClock()
        self.channel, self.store = channel_for(RtspCamera("cam-1", url), self.clock, folder)
        self.said: list[tuple[float, Verdict]] = []
        self.began_s = time.monotonic()
        self.began_us = self.clock.now_us()
        self.channel.start()

    def watch(self, seconds: float, until: CameraFault | None = None) -> float:
        """Watch for so long, or until a fault is named; how long it took."""
        began_s = time.monotonic()
        while (waited_s := time.monotonic() - began_s) < seconds:
            time.sleep(0.1)
            verdict = self.channel.tick()
            if verdict is not None:
                self.said.append((time.monotonic() - self.began_s, verdict))
                faults = ", ".join(verdict.faults) or "no fault"
                say(f"  {self.said[-1][0]:6.1f} s  {verdict.state.value}: {faults}")
                if until in verdict.faults:
                    break
        return waited_s

    def end_server(self) -> None:
        self.server.kill()
        self.server.wait()

    def close(self) -> float:
        """End everything; the seconds that were recorded."""
        self.end_server()
        self.channel.ask_to_stop()
        self.channel.finish(5.0)
        held = LocalRecorder(self.store).holding("cam-1", self.began_us - 10**7, self.clock.now_us())
        self.store.close()
        return sum(end - start for start, end in held.picture) / 1e6


def frozen_clip(footage: Path, file: Path, *, live_s: float, frozen_s: float) -> Path:
    """The footage's last seconds, then its last frame over and over, encoded at constant quality (VBR)."""
    length_s = probe_s(footage)
    live = ["-ss", f"{length_s - live_s:.3f}", "-i", str(footage)]
    freeze = ["-vf", f"tpad=stop_mode=clone:stop_duration={frozen_s}"]
    encode = ["-an", "-c:v", "libx264", "-crf", "23", "-g", "20", "-sc_threshold", "0", str(file)]
    subprocess.run(["ffmpeg", "-v", "error", *live, *freeze, *encode], check=True)
    return file


def probe_s(footage: Path) -> float:
    with av.open(str(footage)) as container:
        return float((container.duration or 0) / av.time_base)


def footage(file: Path) -> None:
    length_s = probe_s(file)
    with tempfile.TemporaryDirectory() as folder:
        say(f"{file.name}: {length_s:.0f} s, served at its own pace …")
        live = Witness(file, Path(folder) / "live")
        live.watch(length_s - 1)
        alarms = [verdict for _, verdict in live.said if verdict.state is not RecordingState.RECORDING]
        recorded_s = live.close()
        say("its last 20 s, then its last frame repeated for 60 s …")
        clip = frozen_clip(file, Path(folder) / "frozen.mp4", live_s=20, frozen_s=60)
        frozen = Witness(clip, Path(folder) / "frozen")
        found_s = frozen.watch(80, CameraFault.FROZEN) - 20
        say("the server is killed …")
        frozen.end_server()
        lost_s = frozen.watch(30, CameraFault.NO_SIGNAL)
        frozen.close()
    named = {fault for _, verdict in frozen.said for fault in verdict.faults}
    rows: list[list[str | float]] = [["real footage", "seconds"]]
    rows += [
        ["alive and recorded, of " + f"{length_s:.0f} s", recorded_s],
        ["states other than recording", len(alarms)],
    ]
    rows += [["frozen: named after", found_s if CameraFault.FROZEN in named else "never"]]
    rows += [["server killed: lost after", lost_s if CameraFault.NO_SIGNAL in named else "never"]]
    table(rows)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.camera", description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer rounds: under 40 s")
    parser.add_argument("--footage", type=Path, help="watch real footage through an RTSP server instead")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.ERROR)
    if arguments.footage:
        footage(arguments.footage)
    else:
        measure(arguments.quick)


if __name__ == "__main__":
    main()

"""The camera process whole: real ledger, spawned workers, generated streams, driven through its socket."""

import copy
import os
import signal
import socket
import subprocess
import sys
import threading
import time

import cv2
import pytest

from config.clock import SystemClock, Timelapse, TimelapseClock
from config.zone import ZoneSettings
from custody.events import Draft, draft, parse_time
from custody.events import ZoneStarted as Started
from devices.recorders.store import SegmentStore
from devices.simulation import SimulationError, drive
from edge.cameras.process import run
from edge.pulse import is_alive
from sync.errors import LedgerMissing
from sync.ledger import Ledger

WITHIN_S = 30.0
SPEED = 30.0
STAY = "nz01-20261123-004"


class Zone:
    """Two rooms, two simulated cameras (cam-2 is heard), and the camera process in a thread."""

    def __init__(self, state_dir, *more_cameras, **recording):
        cameras = [
            {"id": "cam-1", "name": "候问室", "driver": "simulated"},
            {"id": "cam-2", "name": "讯问室", "driver": "simulated", "audio": True},
            *more_cameras,
        ]
        rooms = [
            {"id": "waiting-1", "name": "候问室", "cameras": ["cam-1"]},
            {"id": "interview-1", "name": "讯问室", "cameras": ["cam-2"], "audio": True},
        ]
        written = {"zone": {"id": "nz01", "name": "n", "state_dir": state_dir}, "room": rooms, "camera": cameras}
        self.settings = ZoneSettings.model_validate({**written, "recording": recording})
        self.clock = TimelapseClock(Timelapse.ending_now(lasting_s=86_400, speed=SPEED))
        self.ledger = Ledger.create(
            self.settings.ledger_dir, zone="nz01", deployment="fourmusts", clock=self.clock
        )
        self.thread = None
        self.failed = None

    def start(self):
        self.stop = threading.Event()
        self.failed = None
        self.thread = threading.Thread(target=self._run)
        self.thread.start()
        return self

    def _run(self):
        try:
            run(self.settings, self.clock, self.stop)
        except BaseException as error:
            self.failed = error

    def end(self):
        self.stop.set()
        self.thread.join(WITHIN_S)
        assert not self.thread.is_alive()
        assert self.failed is None

    def sim(self, text):
        return drive(self.settings.run_dir, text.split())

    def events(self, type_):
        return [event for event in self.ledger.events() if event.type == type_]

    def states(self, camera):
        return [event for event in self.events("camera.state") if event.data["camera"] == camera]

    def state(self, camera):
        states = self.states(camera)
        return (states[-1].data["state"], states[-1].data["faults"]) if states else None

    def until(self, condition):
        ends_s = time.monotonic() + WITHIN_S
        while not condition():
            told = [(event.data["camera"], event.data["state"]) for event in self.events("camera.state")]
            assert self.failed is None, self.failed
            assert time.monotonic() < ends_s, f"it did not happen; the ledger has {told}"
            time.sleep(0.02)

    def until_recording(self, *cameras):
        self.until(lambda: all(self.state(camera) == ("recording", []) for camera in cameras))

    def enter(self, room):
        escorts = [{"id": "p0231", "rank": "police", "sex": "m"}]
        data = {"stay": STAY, "door": "front-door", "room": room, "escorts": escorts}
        return self.ledger.append(Draft("stay.entered", data))[0]

    def move(self, room):
        return self.ledger.append(Draft("stay.moved", {"stay": STAY, "room": room, "escorts": []}))[0]

    def audits(self, camera):
        return [event for event in self.events("recording.audited") if event.data["camera"] == camera]

    def wait(self, clock_s):
        ends_us = self.clock.now_us() + clock_s * 1e6
        self.until(lambda: self.clock.now_us() >= ends_us)


@pytest.fixture
def make_zone(tmp_path):
    zones = []

    def make(*cameras, before=lambda zone: None, **recording):
        zones.append(Zone(tmp_path, *cameras, **recording))
        before(zones[-1])
        return zones[-1].start()

    yield make
    for zone in zones:
        zone.stop.set()
        zone.thread.join(WITHIN_S)
        zone.ledger.close()


@pytest.fixture
def zone(make_zone):
    return make_zone()


def seconds(intervals):
    return sum(parse_time(end)[0] - parse_time(start)[0] for start, end in intervals) / 1e6


def span(event):
    return parse_time(event.data["start"])[0], parse_time(event.data["end"])[0]


def test_cameras_are_unknown_until_seen_then_recording_and_unknown_again_when_nobody_looks(zone):
    zone.until_recording("cam-1", "cam-2")
    assert zone.states("cam-1")[0].data["state"] == "unknown"
    assert is_alive(zone.settings.run_dir, "cameras", zone.clock)
    zone.end()
    assert zone.state("cam-1") == ("unknown", [])
    assert zone.states("cam-2")[-1].data["audio"] == "unknown"
    assert SegmentStore(zone.settings.recordings_dir).segments("cam-1", 0, 1 << 62)[-1].ended == "stopped"


def test_a_covered_camera_is_impaired_until_it_is_free_and_the_audit_does_not_count_that_time(zone):
    zone.until_recording("cam-1")
    zone.wait(60)
    entered = zone.enter("waiting-1")
    assert zone.sim("camera cam-1 cover") == "cam-1 cover"
    zone.until(lambda: zone.state("cam-1") == ("impaired", ["covered"]))
    zone.sim("camera cam-1 ok")
    zone.until_recording("cam-1")
    moved = zone.move("interview-1")
    zone.until(lambda: zone.audits("cam-1"))
    (audited,) = zone.audits("cam-1")
    assert span(audited) == (entered.time_us, moved.time_us)
    inside_s = (moved.time_us - entered.time_us) / 1e6
    impaired, freed = [event for event in zone.states("cam-1") if event.data["state"] != "unknown"][1:3]
    bad_s = (parse_time(freed.data["since"])[0] - parse_time(impaired.data["since"])[0]) / 1e6
    assert bad_s > 10
    assert seconds(audited.data["covered"]) == pytest.approx(inside_s - bad_s, abs=8)
    assert audited.data["source"] == "local"
    assert audited.data["audio"] == []


def test_a_heard_room_is_audited_with_its_sound_from_entering_to_leaving_it(zone):
    zone.until_recording("cam-2")
    zone.enter("interview-1")
    zone.wait(90)
    zone.move("waiting-1")
    zone.until(lambda: zone.audits("cam-2"))
    (audited,) = zone.audits("cam-2")
    start_us, end_us = span(audited)
    assert seconds(audited.data["covered"]) == pytest.approx((end_us - start_us) / 1e6, abs=0.01)
    assert seconds(audited.data["audio"]) == pytest.approx((end_us - start_us) / 1e6, abs=1)
    assert zone.states("cam-2")[-1].data["audio"] == "good"
    zone.wait(60)
    assert len(zone.audits("cam-2")) == 1


def test_a_camera_without_network_is_lost_since_its_last_picture_and_comes_back(zone):
    zone.until_recording("cam-1")
    pulled_us = zone.clock.now_us()
    zone.sim("camera cam-1 drop")
    zone.until(lambda: zone.state("cam-1") == ("lost", ["no_signal"]))
    since_us = parse_time(zone.states("cam-1")[-1].data["since"])[0]
    assert abs(since_us - pulled_us) < 20e6
    zone.sim("camera cam-1 ok")
    zone.until_recording("cam-1")


def test_states_are_said_again_when_the_zone_has_started(zone):
    zone.until_recording("cam-1", "cam-2")
    before = len(zone.states("cam-1"))
    zone.ledger.append(draft(Started(version="0", parts=["doors"], clean=True)))
    zone.until(lambda: len(zone.states("cam-1")) > before)
    assert zone.state("cam-1") == ("recording", [])


def test_whoever_speaks_for_the_cameras_is_answered(zone):
    zone.until_recording("cam-1")
    data = {**zone.states("cam-1")[-1].data, "state": "unknown"}
    (wrong,) = zone.ledger.append(Draft("camera.state", data))
    zone.until(lambda: zone.states("cam-1")[-1].sequence > wrong.sequence)
    zone.until_recording("cam-1")


def test_a_killed_worker_leaves_its_cameras_unknown_is_started_again_and_loses_nothing_that_was_synced(make_zone):
    zone = make_zone(cameras_per_worker=1)
    zone.until_recording("cam-1", "cam-2")
    before = len(zone.states("cam-2"))
    zone.enter("waiting-1")
    zone.wait(90)
    (worker,) = [pid for pid, words in children() if "cam-1" in words]
    os.kill(worker, signal.SIGKILL)
    zone.until(lambda: "unknown" in [event.data["state"] for event in zone.states("cam-1")[2:]])
    zone.until_recording("cam-1")
    zone.wait(60)
    zone.move("interview-1")
    zone.until(lambda: zone.audits("cam-1"))
    (audited,) = zone.audits("cam-1")
    start_us, end_us = span(audited)
    lost_s = (end_us - start_us) / 1e6 - seconds(audited.data["covered"])
    assert 0 < lost_s < 60 + 4 * SPEED
    assert len(audited.data["covered"]) == 2
    assert len(zone.states("cam-2")) == before
    ended = [one.ended for one in SegmentStore(zone.settings.recordings_dir).segments("cam-1", 0, 1 << 62)]
    assert "recovered" in ended


def test_when_the_camera_process_itself_is_killed_its_workers_end_their_recordings(tmp_path):
    zone = Zone(tmp_path)
    config = tmp_path / "zone.toml"
    cameras = '[[camera]]\nid = "cam-1"\nname = "c"\ndriver = "simulated"\n'
    room = '[[room]]\nid = "waiting-1"\nname = "r"\ncameras = ["cam-1"]\n'
    config.write_text(f'[zone]\nid = "nz01"\nname = "n"\nstate_dir = "{tmp_path}"\n{room}{cameras}')
    process = subprocess.Popen([sys.executable, "-m", "fourmusts", "cameras", "--config", str(config)])
    try:
        zone.until_recording("cam-1")
    finally:
        process.kill()
        process.wait(10)
    store = SegmentStore(zone.settings.recordings_dir)
    zone.until(lambda: [one.ended for one in store.segments("cam-1", 0, 1 << 62)] == ["stopped"])
    zone.ledger.close()


def children():
    """(pid, what its cameras are) of this test's own workers."""
    import multiprocessing

    return [(child.pid, child.name.split()) for child in multiprocessing.active_children()]


def test_a_room_that_was_left_while_nobody_looked_is_audited_at_the_next_start(zone):
    zone.until_recording("cam-1")
    zone.enter("waiting-1")
    zone.wait(60)
    zone.end()
    zone.move("interview-1")
    assert zone.audits("cam-1") == []
    zone.start()
    zone.until(lambda: zone.audits("cam-1"))
    (audited,) = zone.audits("cam-1")
    start_us, end_us = span(audited)
    assert 50 < seconds(audited.data["covered"]) <= (end_us - start_us) / 1e6


def test_a_url_that_does_not_answer_is_lost_and_leaves_the_rest_running(make_zone):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"rtsp://admin:S3cret@127.0.0.1:{silent.getsockname()[1]}/h264"
        zone = make_zone({"id": "cam-3", "name": "走廊", "driver": "rtsp", "url": url})
        zone.until(lambda: zone.state("cam-3") == ("lost", ["no_signal"]))
        zone.until_recording("cam-1", "cam-2")


def test_the_latest_picture_of_each_camera_lies_there_for_people(zone):
    still = zone.settings.run_dir / "stills" / "cam-1.jpg"
    zone.until(still.exists)
    picture = cv2.imread(str(still))
    assert picture.shape == (180, 320, 3)
    assert picture.std() > 10


def test_an_unknown_order_or_camera_is_refused_with_what_there_is(zone):
    zone.until(lambda: (zone.settings.run_dir / "sim-cameras.sock").exists())
    zone.until_recording("cam-1")
    with pytest.raises(SimulationError, match="a camera knows ok, freeze, black, cover, drop and people"):
        zone.sim("camera cam-1 explode")
    with pytest.raises(SimulationError, match="camera: there is no cam-9 here; there are: cam-1, cam-2"):
        zone.sim("camera cam-9 freeze")


def test_without_a_ledger_it_refuses_to_start_and_names_the_command(tmp_path):
    zone = {"zone": {"id": "nz01", "name": "n", "state_dir": tmp_path}, "room": []}
    with pytest.raises(LedgerMissing, match="fourmusts init"):
        run(ZoneSettings.model_validate(zone), SystemClock(), threading.Event())


def test_a_worker_that_hangs_is_found_out_and_its_cameras_are_unknown_since_its_last_word(make_zone, monkeypatch):
    monkeypatch.setattr("edge.cameras.group.SILENT_REAL_S", 1.0)
    zone = make_zone(cameras_per_worker=1)
    zone.until_recording("cam-1", "cam-2")
    told = len(zone.states("cam-1"))
    (worker,) = [pid for pid, words in children() if "cam-1" in words]
    os.kill(worker, signal.SIGSTOP)
    hung_us = zone.clock.now_us()
    zone.until(lambda: len(zone.states("cam-1")) > told)
    unknown = zone.states("cam-1")[told]
    assert unknown.data["state"] == "unknown"
    assert parse_time(unknown.data["since"])[0] <= hung_us + 0.1 * SPEED * 1e6
    zone.until_recording("cam-1")
    assert zone.state("cam-2") == ("recording", [])


def test_after_a_kill_nothing_is_known_of_the_cameras_since_the_last_sign_of_life(tmp_path):
    zone = Zone(tmp_path)
    config = tmp_path / "zone.toml"
    cameras = '[[camera]]\nid = "cam-1"\nname = "c"\ndriver = "simulated"\n'
    room = '[[room]]\nid = "waiting-1"\nname = "r"\ncameras = ["cam-1"]\n'
    config.write_text(f'[zone]\nid = "nz01"\nname = "n"\nstate_dir = "{tmp_path}"\n{room}{cameras}')
    command = [sys.executable, "-m", "fourmusts", "cameras", "--config", str(config)]
    first = subprocess.Popen(command)
    try:
        zone.until_recording("cam-1")
    finally:
        first.kill()
        first.wait(10)
    killed_us = SystemClock().now_us()
    told = len(zone.states("cam-1"))
    second = subprocess.Popen(command)
    try:
        zone.until(lambda: len(zone.states("cam-1")) > told)
    finally:
        second.terminate()
        second.wait(10)
    again = zone.states("cam-1")[told]
    assert again.data["state"] == "unknown"
    assert parse_time(again.data["since"])[0] <= killed_us
    zone.ledger.close()


def test_a_step_back_of_the_wall_clock_does_not_deafen_it_to_a_start_of_the_zone(make_zone):
    def steppable(zone):
        zone.clock = SteppedClock(zone.clock)

    zone = make_zone(before=steppable)
    clock = zone.clock
    zone.until_recording("cam-1")
    before = len(zone.states("cam-1"))
    clock.step_us = -3_600_000_000
    stepped = Ledger.open(zone.settings.ledger_dir, zone="nz01", deployment="fourmusts", clock=clock)
    stepped.append(draft(Started(version="0", parts=["doors"], clean=True)))
    stepped.close()
    zone.until(lambda: len(zone.states("cam-1")) > before)


class SteppedClock:
    """A zone's clock whose wall time can be stepped; to be handed to a worker it must be picklable."""

    step_us = 0

    def __init__(self, clock):
        self.clock = clock

    def __getattr__(self, name):
        if name == "clock":
            raise AttributeError(name)
        return getattr(self.clock, name)

    def now_us(self):
        return self.clock.now_us() + self.step_us

    def __reduce__(self):
        # A worker's own clock is not stepped: it is the camera process that must not mind.
        return (copy.copy, (self.clock,))


def test_a_picture_for_people_that_cannot_be_kept_does_not_interrupt_the_recording(make_zone):
    def obstruct(zone):
        zone.settings.run_dir.mkdir(parents=True)
        (zone.settings.run_dir / "stills").write_text("in the way")

    zone = make_zone(before=obstruct)
    zone.until_recording("cam-1")
    zone.wait(120)
    zone.end()
    ended = [one.ended for one in SegmentStore(zone.settings.recordings_dir).segments("cam-1", 0, 1 << 62)]
    assert ended and not [why for why in ended if why.startswith("lost")]


def test_one_cameras_unreadable_recording_does_not_keep_the_audits_of_the_others_waiting(make_zone):
    zone = make_zone()
    zone.until_recording("cam-1", "cam-2")
    zone.enter("waiting-1")
    zone.wait(200)
    store = SegmentStore(zone.settings.recordings_dir)
    zone.until(lambda: store.segments("cam-1", 0, 1 << 62))
    path = zone.settings.recordings_dir / store.segments("cam-1", 0, 1 << 62)[-1].file
    path.unlink()
    path.mkdir()
    zone.move("interview-1")
    zone.wait(60)
    zone.move("waiting-1")
    zone.until(lambda: zone.audits("cam-2"))
    assert zone.audits("cam-1") == []

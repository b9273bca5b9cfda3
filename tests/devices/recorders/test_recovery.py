"""After a kill: what was synced is there, what was under way is indexed for as much as can be read."""

import os
import signal
import subprocess
import sys

import pytest

from devices.recorders.base import RecorderError
from devices.recorders.recovery import file_name, read_packets, recover
from devices.recorders.store import SegmentStore

RECORDS_UNTIL_KILLED = """
import sys
from pathlib import Path
from config.clock import SystemClock
from devices.cameras.base import Track
from devices.cameras.simulated import SimulatedCamera
from devices.cameras.timing import StreamClock
from devices.recorders.local import LocalRecording
from devices.recorders.store import SegmentStore

clock = SystemClock()
camera = SimulatedCamera("cam-1", clock, sound=True, key_every_s=0.5)
recording = LocalRecording(SegmentStore(Path(sys.argv[1])), "cam-1", clock, segment_s=60.0, sound=True)
stream = camera.open()
times, sound_times = StreamClock(), StreamClock()
recording.begin(stream, times, sound_times)
for packet in stream.packets():
    (times if packet.track is Track.PICTURE else sound_times).observe(packet.at_s, clock.boottime_s())
    if recording.write(packet):
        print(f"{packet.at_s}", flush=True)
"""


def test_after_a_kill_the_unfinished_segment_is_found_and_holds_what_was_synced(tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-c", RECORDS_UNTIL_KILLED, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    try:
        told_s = [float(process.stdout.readline()) for _ in range(3)]
    finally:
        os.kill(process.pid, signal.SIGKILL)
        process.wait(10)
        process.stdout.close()
    store = SegmentStore(tmp_path)
    assert store.segments("cam-1", 0, 1 << 62) == []
    (found,) = recover(store, "cam-1")
    held_s = sum(end - start for start, end in store.spans(found).picture) / 1e6
    assert found.ended == "recovered"
    assert held_s >= told_s[-1] - 1.05
    assert found.sound_packets > 0
    assert store.segments("cam-1", 0, 1 << 62) == [found]
    assert recover(store, "cam-1") == []


def unfinished(desk, clip, keep):
    """The one file of a recording that was never ended, cut to ``keep`` of its bytes (a number, or a share)."""
    desk.play(clip)
    (file,) = list(desk.store.directory.glob("cam-1/*/*.mp4"))
    size = file.stat().st_size
    os.truncate(file, keep if isinstance(keep, int) else int(size * keep))
    return file


def test_headers_lie_after_a_truncation_and_are_not_believed(make_desk, clip):
    desk = make_desk(segment_s=60.0)
    unfinished(desk, clip, 0.6)
    (found,) = recover(desk.store, "cam-1")
    ((start, end),) = desk.store.spans(found).picture
    assert 5.0 <= (end - start) / 1e6 <= 8.0
    assert found.end_us == end
    assert desk.held_s(0, 12) == [(0.0, desk.s(end))]


def test_a_file_of_28_bytes_holds_nothing_and_the_index_says_so(make_desk, clip):
    desk = make_desk(segment_s=60.0)
    unfinished(desk, clip, 28)
    (found,) = recover(desk.store, "cam-1")
    assert (found.packets, found.ended) == (0, "recovered: no picture can be read")
    assert desk.held_s(0, 12) == []
    assert recover(desk.store, "cam-1") == []


def test_a_new_recording_counts_on_after_what_was_recovered(make_desk, clip):
    unfinished(make_desk(segment_s=60.0), clip, 0.6)
    desk = make_desk()
    desk.clock.advance(100)
    desk.play(clip)
    desk.recording.end("stopped")
    assert [segment.sequence for segment in desk.segments()] == [1, 2, 3, 4]


def test_an_index_that_is_none_is_named_with_the_mend(tmp_path):
    (tmp_path / "index.sqlite3").write_text("this was a shopping list, and not a short one either" * 100)
    with pytest.raises(RecorderError, match=r"index.sqlite3 cannot be used: .*a damaged index may be removed"):
        SegmentStore(tmp_path)


def test_files_that_are_not_ours_are_left_alone(desk, tmp_path):
    strange = desk.store.directory / "cam-1" / "20261123" / "holiday.mp4"
    strange.parent.mkdir(parents=True)
    strange.write_bytes(b"not a film")
    assert recover(desk.store, "cam-1") == []
    assert strange.read_bytes() == b"not a film"


def test_reading_a_file_that_is_not_there_is_no_error_and_holds_nothing(tmp_path):
    picture, sound, key_frames = read_packets(tmp_path / "none.mp4")
    assert (picture.packets, sound.packets, key_frames) == (0, 0, 0)


def test_a_file_that_the_disk_does_not_give_back_keeps_no_camera_from_being_recorded(make_desk, clip):
    desk = make_desk()
    desk.play(clip)
    desk.recording.end("stopped")
    unreadable = desk.store.directory / "cam-1" / "20261123" / file_name(90, desk.began_us, "ab12")
    unreadable.with_suffix(".mp4").mkdir(parents=True)
    again = make_desk()
    again.play(clip)
    again.recording.end("stopped")
    assert again.segments()[-1].sequence > 90

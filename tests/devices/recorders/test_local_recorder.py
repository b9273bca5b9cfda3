"""The local recorder: what it says that it holds is what is in its files, packet by packet."""

import hashlib
import os
import subprocess

import av
import pytest

from devices.recorders.base import RecorderError, RecordingFailed
from devices.recorders.store import SegmentStore


def test_segments_begin_with_key_frames_count_on_and_join_without_a_hole(desk, clip):
    desk.play(clip)
    desk.recording.end("stopped")
    segments = desk.segments()
    assert [segment.sequence for segment in segments] == [1, 2, 3]
    assert [segment.ended for segment in segments] == ["full", "full", "stopped"]
    assert len({segment.run for segment in segments}) == 1
    assert desk.held_s(0, 12) == [(0.0, 12.0)]
    assert [segment.packets for segment in segments] == [40, 40, 40]
    assert [segment.key_frames for segment in segments] == [4, 4, 4]


def test_a_row_promises_a_file_with_that_digest(desk, clip):
    desk.play(clip)
    desk.recording.end("stopped")
    for segment in desk.segments():
        data = (desk.store.directory / segment.file).read_bytes()
        assert len(data) == segment.bytes
        assert hashlib.sha256(data).hexdigest() == segment.sha256


def test_the_manifest_names_the_segments_and_changes_with_them(desk, clip):
    desk.play(clip)
    desk.recording.end("stopped")
    digests = b"".join(bytes.fromhex(segment.sha256) for segment in desk.segments())
    assert desk.holding(0, 12).manifest == hashlib.sha256(digests).hexdigest()
    assert desk.holding(0, 3).manifest == hashlib.sha256(digests[:32]).hexdigest()


def test_every_file_plays_in_other_peoples_programs(desk, sounding_clip):
    desk.play(sounding_clip)
    desk.recording.end("stopped")
    for segment in desk.segments():
        command = ["ffmpeg", "-v", "error", "-i", str(desk.store.directory / segment.file), "-f", "null", "-"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert (done.returncode, done.stderr) == (0, "")


def test_a_hole_in_the_stream_is_a_hole_in_what_is_held(desk, clip):
    desk.play(clip, skip=lambda at_s: 5.0 <= at_s < 7.0)
    desk.recording.end("stopped")
    assert desk.held_s(0, 12) == [(0.0, 5.0), (7.0, 12.0)]


def test_a_hole_at_the_border_of_two_segments_is_not_bridged_by_their_numbers(desk, clip):
    desk.play(clip, skip=lambda at_s: 3.0 <= at_s < 6.0)
    desk.recording.end("stopped")
    assert desk.held_s(0, 12) == [(0.0, 3.0), (6.0, 12.0)]


def test_a_pause_of_a_moment_is_no_hole(desk, clip):
    desk.play(clip, skip=lambda at_s: 5.0 <= at_s < 5.8)
    desk.recording.end("stopped")
    assert desk.held_s(0, 12) == [(0.0, 12.0)]


def test_packets_that_arrive_late_keep_the_time_at_which_they_were_taken(desk, clip):
    desk.play(clip, delay_s=lambda at_s: 3.0 if 4.0 <= at_s < 6.0 else 0.0)
    desk.recording.end("stopped")
    assert desk.held_s(0, 12) == [(0.0, 12.0)]


def test_the_first_packets_of_a_stream_that_were_held_up_do_not_shift_its_start(desk, clip):
    desk.play(clip, delay_s=lambda at_s: max(0.0, 2.0 - at_s))
    desk.recording.end("stopped")
    assert desk.held_s(-1, 12) == [(0.0, 12.0)]


def test_only_what_is_asked_for_is_answered(desk, clip):
    desk.play(clip)
    desk.recording.end("stopped")
    assert desk.held_s(2.5, 9.5) == [(2.5, 9.5)]
    assert desk.held_s(20, 30) == []
    assert desk.recorder.holding("cam-2", desk.us(0), desk.us(12)).picture == ()


def test_a_cut_ends_the_segment_at_the_first_key_frame_after_it(desk, clip):
    desk.play(clip, until_s=9.05, each=lambda at_s: desk.recording.cut(desk.us(5.5)) if 5.4 < at_s < 5.6 else None)
    assert [segment.ended for segment in desk.segments()] == ["full", "cut"]
    assert desk.held_s(0, 12) == [(0.0, 6.0)]
    assert desk.recording.settled(desk.us(5.5))
    assert not desk.recording.settled(desk.us(8))
    desk.recording.end("stopped")
    assert desk.recording.settled(desk.us(8))


def test_what_is_on_disk_is_told_as_it_grows(desk, clip):
    desk.play(clip)
    through_s = [desk.s(through) for _, through in desk.stored]
    assert through_s == sorted(through_s)
    assert through_s[0] <= 3.0 and through_s[-1] >= 9.0


def test_a_step_of_the_wall_clock_ends_the_file_and_moves_nothing_before_it(desk, clip):
    stepped = []

    def step(at_s):
        if at_s >= 5.5 and not stepped:
            stepped.append(desk.clock.step_wall(3600.0))

    desk.play(clip, each=step)
    desk.recording.end("stopped")
    assert "the clock was stepped" in [segment.ended for segment in desk.segments()]
    assert desk.held_s(0, 4000) == [(0.0, 6.0), (3606.0, 3612.0)]


def test_two_runs_do_not_join(desk, clip):
    desk.play(clip, until_s=3.95)
    desk.recording.end("lost: cable")
    desk.clock.advance(2.0)
    desk.play(clip, until_s=3.95)
    desk.recording.end("stopped")
    runs = {segment.run for segment in desk.segments()}
    assert len(runs) == 2
    assert len(desk.held_s(0, 12)) == 2


def test_sound_is_kept_where_it_is_asked_for(make_desk, sounding_clip):
    desk = make_desk(sound=True)
    desk.play(sounding_clip)
    desk.recording.end("stopped")
    (heard,) = desk.holding(0, 12).sound
    assert (desk.s(heard[0]), desk.s(heard[1])) == (0.0, pytest.approx(12.0, abs=0.3))
    with av.open(str(desk.store.directory / desk.segments()[0].file)) as stored:
        assert stored.streams.audio[0].codec_context.name == "aac"


def test_sound_that_nobody_asked_for_is_not_kept(desk, sounding_clip):
    desk.play(sounding_clip)
    desk.recording.end("stopped")
    assert desk.holding(0, 12).sound == ()
    with av.open(str(desk.store.directory / desk.segments()[0].file)) as stored:
        assert not stored.streams.audio


def test_sound_that_stops_is_told_apart_from_the_picture(make_desk, sounding_clip, monkeypatch):
    desk = make_desk(sound=True)
    write = desk.recording.write
    monkeypatch.setattr(
        desk.recording,
        "write",
        lambda packet: None if packet.track == "sound" and packet.at_s > 6 else write(packet),
    )
    desk.play(sounding_clip)
    desk.recording.end("stopped")
    assert desk.held_s(0, 12) == [(0.0, 12.0)]
    assert desk.s(desk.holding(0, 12).sound[-1][1]) == pytest.approx(6.1, abs=0.2)


def test_g711_goes_into_a_file_that_holds_it(make_desk, tmp_path, clip):
    mixed = tmp_path / "g711.mov"
    sine = ["-f", "lavfi", "-i", "sine=frequency=300:sample_rate=8000:duration=12"]
    codecs = ["-map", "0:v", "-map", "1:a", "-c:v", "copy", "-c:a", "pcm_alaw"]
    subprocess.run(["ffmpeg", "-v", "error", "-i", str(clip), *sine, *codecs, str(mixed)], check=True, timeout=60)
    desk = make_desk(sound=True)
    desk.play(mixed)
    desk.recording.end("stopped")
    assert {segment.file[-4:] for segment in desk.segments()} == {".mov"}
    with av.open(str(desk.store.directory / desk.segments()[1].file)) as stored:
        assert stored.streams.audio[0].codec_context.name == "pcm_alaw"
        assert sum(1 for packet in stored.demux(stored.streams.audio[0]) if packet.size) > 10
    assert desk.s(desk.holding(0, 12).sound[-1][1]) == pytest.approx(12.0, abs=0.3)


def test_a_disk_that_refuses_is_named_with_the_mend_and_recording_goes_on_when_it_takes_again(make_desk, clip):
    desk = make_desk()
    blocked = desk.store.directory / "cam-1"
    blocked.write_text("a file where the folder should be")
    with pytest.raises(RecordingFailed, match=r"camera cam-1: cannot record to .*check that the disk is mounted"):
        desk.play(clip)
    blocked.unlink()
    desk.clock.advance(6.0)
    desk.play(clip)
    desk.recording.end("stopped")
    assert sum(end - start for start, end in desk.holding(0, 60).picture) == pytest.approx(12e6, abs=1e5)


def test_numbers_go_on_after_a_restart(make_desk, clip):
    first = make_desk()
    first.play(clip)
    first.recording.end("stopped")
    second = make_desk()
    second.clock.advance(100)
    second.play(clip)
    second.recording.end("stopped")
    assert [segment.sequence for segment in second.segments()] == [1, 2, 3, 4, 5, 6]


def test_a_stored_file_that_is_gone_or_cut_short_proves_only_what_is_left(desk, clip):
    desk.play(clip)
    desk.recording.end("stopped")
    first, second, third = [desk.store.directory / segment.file for segment in desk.segments()]
    first.unlink()
    os.truncate(second, second.stat().st_size * 7 // 10)
    held = desk.held_s(0, 12)
    assert held[0][0] == 4.0
    assert 4.5 <= held[0][1] <= 7.2
    assert held[-1] == (8.0, 12.0)
    assert third.exists()


def test_a_short_segment_that_is_gone_is_not_bridged_by_its_neighbours(make_desk, clip):
    desk = make_desk(segment_s=2.0)
    desk.play(clip)
    desk.recording.end("stopped")
    (desk.store.directory / desk.segments()[2].file).unlink()
    assert desk.held_s(0, 12) == [(0.0, 4.0), (6.0, 12.0)]


def test_the_index_can_be_lost(make_desk, clip):
    desk = make_desk()
    desk.play(clip)
    desk.recording.end("stopped")
    before = desk.held_s(0, 12)
    desk.store.close()
    for file in desk.store.directory.glob("index.sqlite3*"):
        file.unlink()
    again = make_desk()
    assert [segment.ended for segment in again.segments()] == ["recovered"] * 3
    assert again.held_s(0, 12) == before


def test_many_threads_may_index_at_once(tmp_path, desk, clip):
    import threading
    from dataclasses import replace

    desk.play(clip)
    desk.recording.end("stopped")
    segment = desk.segments()[0]
    spans = desk.store.spans(segment)
    store = SegmentStore(tmp_path / "other")
    failed = []

    def fill(camera):
        try:
            for number in range(50):
                store.add(replace(segment, camera=camera, sequence=number + 1), spans)
        except Exception as error:
            failed.append(error)

    threads = [threading.Thread(target=fill, args=(f"cam-{n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert [store.next_sequence(f"cam-{n}") for n in range(4)] == [51] * 4


def test_a_stored_file_that_cannot_be_read_is_an_error_that_names_the_camera(desk, clip):
    desk.play(clip)
    desk.recording.end("stopped")
    path = desk.store.directory / desk.segments()[0].file
    path.unlink()
    path.mkdir()
    with pytest.raises(RecorderError, match=r"camera cam-1: a recording cannot be read: .*check the disk"):
        desk.holding(0, 12)

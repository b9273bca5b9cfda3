"""RTSP cameras that fail: each way is noticed in time, its message names place and mend, never a password."""

import os
import signal
import socket

import pytest

from devices.cameras.clips import Passage, write_clip
from devices.cameras.errors import CameraUnreachable, StreamLost
from devices.cameras.rtsp import RtspCamera, without_password


@pytest.fixture
def server(serve, tmp_path):
    return serve(write_clip(tmp_path / "clip.mp4", [Passage(20)], key_every_s=0.5))


def camera(url):
    return RtspCamera("cam-7", url, open_timeout_s=1.0, read_timeout_s=1.0)


def test_a_camera_that_never_answers_is_named_with_the_mend_and_without_its_password(silent_server):
    with pytest.raises(CameraUnreachable) as caught:
        camera(f"rtsp://admin:S3cret@127.0.0.1:{silent_server}/h264").open()
    text = str(caught.value)
    assert "cam-7" in text
    assert f"rtsp://admin@127.0.0.1:{silent_server}/h264" in text
    assert "no answer in time" in text and "check its power" in text
    assert "S3cret" not in text
    assert caught.value.__cause__ is None


def test_a_port_where_nothing_listens_is_told_apart():
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    with pytest.raises(CameraUnreachable, match="nothing listens there; check host and port"):
        camera(f"rtsp://127.0.0.1:{port}/h264").open()


def test_a_path_that_the_camera_does_not_know_is_told_apart(server):
    with pytest.raises(CameraUnreachable, match="it knows no such path; correct the path"):
        camera(server.url.replace("/live", "/other")).open()


def test_a_killed_server_is_a_lost_stream(server):
    packets = camera(server.url).open().packets()
    next(packets)
    server.process.kill()
    with pytest.raises(StreamLost, match="cam-7"):
        list(packets)


def test_a_server_that_hangs_is_a_lost_stream_within_twice_the_timeout(server):
    packets = camera(server.url).open().packets()
    next(packets)
    os.kill(server.process.pid, signal.SIGSTOP)
    try:
        with pytest.raises(StreamLost, match="no answer in time"):
            list(packets)
    finally:
        os.kill(server.process.pid, signal.SIGCONT)


def test_a_stream_that_was_closed_here_ends_quietly(server):
    stream = camera(server.url).open()
    packets = stream.packets()
    next(packets)
    stream.close()
    assert list(packets) == []


@pytest.mark.parametrize("sound,codec", [("pcma", "pcm_alaw"), ("aac", "aac")])
def test_sound_comes_beside_the_picture(serve, tmp_path, sound, codec):
    served = serve(write_clip(tmp_path / "clip.mp4", [Passage(10)], key_every_s=0.5), "--sound", sound)
    stream = camera(served.url).open()
    assert stream.sound.codec_context.name == codec
    heard = [packet.track for packet, _ in zip(stream.packets(), range(40), strict=False)]
    assert len(set(heard)) == 2


@pytest.mark.parametrize(
    "url,shown",
    [
        ("rtsp://u:p@10.0.0.7/ch1", "rtsp://u@10.0.0.7/ch1"),
        ("rtsp://10.0.0.7:554/ch1?user=u&password=p", "rtsp://10.0.0.7:554/ch1?user=u&password=***"),
        ("rtsp://u:p%40ss@[fe80::7]:554/", "rtsp://u@[fe80::7]:554/"),
    ],
)
def test_a_url_is_shown_without_its_secrets(url, shown):
    assert without_password(url) == shown

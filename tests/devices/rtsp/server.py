#!/usr/bin/python3
"""An RTSP server for tests: serves a clip at its own pace, over TCP or UDP, with a real server's RTCP clock.

Run it with the system's Python, which has GStreamer's bindings (Debian: gir1.2-gst-rtsp-server-1.0)::

    /usr/bin/python3 tests/devices/rtsp/server.py CLIP [--path /live] [--sound pcma|aac]

It prints ``ready rtsp://127.0.0.1:<port><path>`` on a port of its own, and serves until it is ended.
"""

import argparse
import sys

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer  # noqa: E402

SOUND = {
    "pcma": "audiotestsrc is-live=true wave=pink-noise volume=0.1 ! audio/x-raw,rate=8000,channels=1 ! alawenc"
    " ! rtppcmapay name=pay1",
    "aac": "audiotestsrc is-live=true wave=pink-noise volume=0.1 ! audioconvert"
    " ! audio/x-raw,rate=16000,channels=1 ! avenc_aac ! aacparse ! rtpmp4gpay name=pay1",
}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("clip")
    parser.add_argument("--path", default="/live")
    parser.add_argument("--sound", choices=sorted(SOUND))
    arguments = parser.parse_args()
    Gst.init(None)
    picture = (
        f'filesrc location="{arguments.clip}" ! qtdemux ! h264parse config-interval=-1 ! rtph264pay name=pay0'
    )
    sound = SOUND[arguments.sound] if arguments.sound else ""
    factory = GstRtspServer.RTSPMediaFactory()
    factory.set_launch(f"( {picture} {sound} )")
    server = GstRtspServer.RTSPServer()
    server.set_address("127.0.0.1")
    server.set_service("0")
    server.get_mount_points().add_factory(arguments.path, factory)
    server.attach(None)
    print(f"ready rtsp://127.0.0.1:{server.get_bound_port()}{arguments.path}", flush=True)
    GLib.MainLoop().run()


if __name__ == "__main__":
    sys.exit(main())

"""Real footage, when it is there: a mostly still, empty room must never look frozen.

The file is looked for at ``FOURMUSTS_FOOTAGE``. Key frames are compared without a server: that does not depend on
time. ``python -m bench.camera --footage FILE`` plays it through RTSP at its own pace.
"""

import os
from itertools import pairwise
from pathlib import Path

import av
import pytest

from devices.cameras.picture import Eye, Reference, luma, sample, shrink

DEFAULT = Path(__file__).parents[3].parent / "shared" / "data" / "one-by-one-person-detection.mp4"
FOOTAGE = Path(os.environ.get("FOURMUSTS_FOOTAGE", DEFAULT))


@pytest.mark.skipif(not FOOTAGE.exists(), reason="no real footage here; name a file by FOURMUSTS_FOOTAGE")
def test_real_footage_of_a_still_room_is_never_frozen_dark_or_covered():
    with av.open(str(FOOTAGE)) as container:
        video = container.streams.video[0]
        eye = Eye(video)
        frames = [
            luma(eye.decode(packet)).copy()
            for packet in container.demux(video)
            if packet.size and packet.is_keyframe
        ]
    assert len(frames) > 10
    reference = Reference.median([shrink(frame) for frame in frames[:5]])
    seen = [sample(frame, reference) for frame in frames]
    assert all(before.digest != after.digest for before, after in pairwise(seen))
    assert not any(one.dark for one in seen)
    assert not any(one.covered for one in seen)

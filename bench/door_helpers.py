"""What runs beside the door benchmark in processes of its own: cameras being checked, and a card reader.

python -m bench.door_helpers cameras CLIP NUMBER     check NUMBER cameras that show CLIP, in real time, for ever
python -m bench.door_helpers reader KEY              an OSDP reader: prints its port, then for each line read
                                                     presents a card and prints when (CLOCK_BOOTTIME, seconds)
"""

from __future__ import annotations

import random
import sys
import time

from devices.readers.osdp_peer import OsdpPeer

CARD = (32, bytes.fromhex("04A1B2C3"))
FRAMES_PER_S = 25


def check_cameras(clip: str, number: int) -> None:
    import av

    from devices.cameras.picture import Eye, luma, sample

    with av.open(clip) as container:
        stream = container.streams.video[0]
        eye = Eye(stream)
        packets = [(packet.is_keyframe, bytes(packet)) for packet in container.demux(stream) if packet.size]
    print("checking", flush=True)
    began_s, seen = time.monotonic(), 0
    while True:
        for key, payload in packets:
            for _ in range(number):
                if key:
                    sample(luma(eye.decode(av.Packet(payload))), None)
            seen += 1
            time.sleep(max(0.0, began_s + seen / FRAMES_PER_S - time.monotonic()))


def present_cards(key: bytes) -> None:
    with OsdpPeer(key=key) as peer:
        print(peer.port, flush=True)
        for _ in sys.stdin:
            time.sleep(random.uniform(0.0, 0.06))  # a person does not wait for the bus to poll
            presented_s = time.clock_gettime(time.CLOCK_BOOTTIME)
            peer.present(*CARD)
            print(f"{presented_s:.6f}", flush=True)


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["cameras", clip, number]:
            check_cameras(clip, int(number))
        case ["reader", key]:
            present_cards(bytes.fromhex(key))
        case _:
            sys.exit(__doc__)

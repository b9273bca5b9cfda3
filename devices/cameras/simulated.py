"""The simulated twin of a camera: a real H.264 stream of a drawn room, made here and timed by the clock given.

It is driven from outside: ``fourmusts sim camera cam-3 freeze|black|cover|drop|ok`` and ``… people 2``.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from typing import Any

from config.clock import Clock
from devices.simulation import SimulationError

from .base import Packet
from .encoder import SOUND_PACKET_S, Encoder
from .errors import CameraUnreachable, StreamLost
from .scene import Lens, Scene
from .timing import clock_s_in

PICTURES_PER_REAL_S = 4.0
"""However fast the clock runs, at most so many pictures are drawn in a real second (1 % of a core)."""
KEY_EVERY_S = 2.0
SLOWEST_S = 20.0
"""Pictures never lie further apart than this on the clock, or a watcher could see nothing in time."""
BACKLOG = 40
"""A twin that fell behind by more pictures goes on from now, as a camera that lost its network does."""
MOST_PEOPLE = 8


class SimulatedCamera:
    """``sound``: whether its stream carries sound. ``people``: how many walk in the room at first."""

    def __init__(
        self, id: str, clock: Clock, *, sound: bool = False, people: int = 1, key_every_s: float = KEY_EVERY_S
    ) -> None:
        self.id = id
        self._clock = clock
        self._sound = sound
        self.key_every_s = key_every_s
        self.scene = Scene(id, people=people)
        self.lens = Lens.OK

    def open(self) -> SimulatedStream:
        if self.lens is Lens.DROP:
            mend = f"plug it in with: fourmusts sim camera {self.id} ok"
            raise CameraUnreachable(self.id, "the simulated camera", "its network is unplugged", mend)
        return SimulatedStream(self, self._clock, Encoder(self.scene.width, self.scene.height, sound=self._sound))

    def command(self, words: Sequence[str]) -> str:
        """Follow ``freeze|black|cover|drop|ok`` or ``people <n>``. Raises ``SimulationError``."""
        known = [lens.value for lens in Lens]
        match list(words):
            case [lens] if lens in known:
                self.lens = Lens(lens)
                return f"{self.id} {lens}"
            case ["people", number] if number.isdigit() and int(number) <= MOST_PEOPLE:
                self.scene.people = int(number)
                return f"{self.id} shows {number} people"
        found = " ".join(words) or "nothing"
        raise SimulationError(f"a camera knows {', '.join(known)} and people 0..{MOST_PEOPLE}; found: {found}")


class SimulatedStream:
    def __init__(self, camera: SimulatedCamera, clock: Clock, encoder: Encoder) -> None:
        self._camera = camera
        self._clock = clock
        self._encoder = encoder
        self._closed = threading.Event()
        self.picture: Any = encoder.picture
        self.sound: Any | None = encoder.sound

    def packets(self) -> Iterator[Packet]:
        began_s = self._clock.boottime_s()
        at_s = key_s = 0.0
        heard = 0
        try:
            while self._wait_until(began_s + at_s):
                while self.sound is not None and heard * SOUND_PACKET_S < at_s:
                    yield self._encoder.sound_packet(heard)
                    heard += 1
                key = at_s >= key_s
                key_s = at_s + self._camera.key_every_s if key else key_s
                picture = self._camera.scene.picture(at_s, self._camera.lens)
                yield from self._encoder.encode(picture, at_s, key=key)
                spacing_s = self._spacing_s()
                at_s += spacing_s
                behind_s = self._clock.boottime_s() - began_s - at_s
                if behind_s > BACKLOG * spacing_s:
                    at_s += behind_s
                    heard = int(at_s / SOUND_PACKET_S)
        finally:
            self._encoder.close()
        if not self._closed.is_set():
            raise StreamLost(self._camera.id, "the simulated camera was unplugged")

    def close(self) -> None:
        self._closed.set()

    def _spacing_s(self) -> float:
        fastest_s = 1 / PICTURES_PER_REAL_S
        return min(max(fastest_s, clock_s_in(self._clock, fastest_s)), SLOWEST_S)

    def _wait_until(self, boot_s: float) -> bool:
        """Whether the stream goes on; waits in small steps, so that unplugging is felt at once."""
        while not self._closed.is_set() and self._camera.lens is not Lens.DROP:
            left_s = boot_s - self._clock.boottime_s()
            if left_s <= 0:
                return True
            self._closed.wait(min(max(self._clock.real_s(left_s), 0.001), 0.1))
        return False

"""When a reader on an OSDP bus counts as gone or as false, and when to wake the library; pure.

libosdp takes about 8 s to notice a silent reader and then leaves it alone for 300 s (600 s after a failed
handshake, and 300 s after a command that the reader refused). So each reader is watched here: silent for 1 s is
offline, and until its secure channel stands again it is taken off the bus and put back every 2 s, so that it reads
again within about 2 s of its return.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from .reader import ReaderState

SILENCE_S = 1.0
ROUND_S = 2.0
"""A handshake takes 0.3 s at 38400 baud; a round leaves room for 9600 and several readers."""
INSECURE_ROUNDS = 2
"""A reader that has just come back may fail one handshake: two in a row are a wrong key."""


@dataclass
class Supervision:
    """One reader's watch; times in seconds of boot time. Begins as ``UNKNOWN`` at ``since_s``."""

    since_s: float
    state: ReaderState = ReaderState.UNKNOWN
    _refused_rounds: int = field(default=0)
    _fallen: bool = field(default=False)

    def look(self, now_s: float, *, heard_s: float | None, secured: bool) -> bool:
        """Take in what the bus shows. Updates ``state``; True means: put the reader on the bus anew, now."""
        silent = heard_s is None or now_s - heard_s > SILENCE_S
        if secured and not silent:
            self.state, self._refused_rounds, self._fallen = ReaderState.ONLINE, 0, False
            self.since_s = now_s
            return False
        if self.state is ReaderState.ONLINE:
            if not silent:
                # The channel fell while the reader talks: it is put back at once, and has one round for that.
                if now_s - self.since_s < ROUND_S:
                    fell_now, self._fallen = not self._fallen, True
                    return fell_now
                return self._end_round(now_s, answered=True)
            self.state = ReaderState.OFFLINE
            self.since_s = now_s
            return True
        if now_s - self.since_s < ROUND_S:
            return False
        return self._end_round(now_s, answered=heard_s is not None and heard_s > self.since_s)

    def _end_round(self, now_s: float, *, answered: bool) -> bool:
        self._refused_rounds = self._refused_rounds + 1 if answered else 0
        if not answered:
            self.state = ReaderState.OFFLINE
        elif self._refused_rounds >= INSECURE_ROUNDS:
            self.state = ReaderState.INSECURE
        elif self.state is ReaderState.ONLINE:
            self.state = ReaderState.OFFLINE
        self.since_s = now_s
        return True

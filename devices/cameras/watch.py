"""What may be said of a camera, from what came of it: a state machine without I/O.

Facts go in (a packet, a looked-at key frame, what the recorder has on disk, the passing of time), a verdict
comes out. Never seen is a fault. What cannot be told is unknown, and unknown is never green. A fault counts after
three bad samples in a row or 30 seconds of them, and clears likewise; ``since`` says when it truly began.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from custody.events import AudioState, CameraFault, RecordingState

from .picture import Sample


@dataclass(frozen=True, slots=True)
class Limits:
    """Clock seconds throughout."""

    first_picture_s: float = 20.0
    """A camera that has shown nothing for so long after the start is lost, not unknown."""
    no_signal_s: float = 10.0
    not_recording_s: float = 10.0
    sound_gap_s: float = 3.0
    spacings: float = 3.0
    """None of these is less than so many of the stream's own spacings between packets or key frames."""
    sample_every_s: float = 4.0
    """While nothing is in doubt key frames are decoded no more often: half the cost at a key frame every 2 s."""
    bad_samples: int = 3
    bad_for_s: float = 30.0
    asleep_s: float = 5.0
    """If nobody asked for so long, the checker slept: every camera would look dead at once, and none is judged."""


@dataclass(frozen=True, slots=True)
class Moment:
    """Now: boot time for durations, wall time for records."""

    boot_s: float
    wall_us: int


@dataclass(frozen=True, slots=True)
class Verdict:
    state: RecordingState
    audio: AudioState
    faults: tuple[CameraFault, ...]
    since_us: int


@dataclass
class Condition:
    """One thing that may be wrong, with its hysteresis."""

    bad: bool = False
    changed_us: int | None = None
    doubt_us: int | None = None
    """When the run of samples that contradict ``bad`` began; None while nothing is in doubt."""
    count: int = 0

    def sample(self, bad: bool, at_us: int, limits: Limits, *, began_us: int | None = None) -> None:
        if bad is self.bad:
            self.doubt_us, self.count = None, 0
            return
        if self.doubt_us is None:
            self.doubt_us = at_us if began_us is None else began_us
        self.count += 1
        if self.count >= limits.bad_samples or (
            self.count > 1 and at_us - self.doubt_us >= limits.bad_for_s * 1e6
        ):
            self.settle(bad, self.doubt_us)

    def settle(self, bad: bool, changed_us: int) -> None:
        if bad is not self.bad:
            self.bad, self.changed_us = bad, changed_us
        self.doubt_us, self.count = None, 0


PICTURE_FAULTS = frozenset({CameraFault.FROZEN, CameraFault.DARK, CameraFault.COVERED})
_JUDGED = (
    CameraFault.NOT_RECORDING,
    CameraFault.FROZEN,
    CameraFault.DARK,
    CameraFault.COVERED,
    CameraFault.NO_AUDIO,
    CameraFault.STORAGE,
)


@dataclass
class Watch:
    """One camera, since ``started``. ``records``: whether this process records it; ``sound``: whether it must be
    heard. A camera that nobody here records stays unknown: what its recorder holds only an audit can tell.
    """

    started: Moment
    records: bool = True
    sound: bool = False
    limits: Limits = field(default_factory=Limits)

    def __post_init__(self) -> None:
        self._conditions = {fault: Condition() for fault in _JUDGED}
        self._signal = Condition()
        self._seen_samples = 0
        self._first_us: int | None = None
        self._last_picture: Moment | None = None
        self._last_sound: Moment | None = None
        self._flowing: Moment | None = None
        self._stored: Moment | None = None
        self._sampled: Moment | None = None
        self._last_key_s: float | None = None
        self._spacing_s = self._key_spacing_s = 0.0
        self._last_digest: bytes | None = None
        self._same_since_us: int | None = None
        self._asked_s = self.started.boot_s
        self._awake_s = self.started.boot_s
        self._slack_s = 0.0
        audio = AudioState.UNKNOWN if self.sound else AudioState.NONE
        self._verdict = Verdict(RecordingState.UNKNOWN, audio, (), self.started.wall_us)

    @property
    def verdict(self) -> Verdict:
        return self._verdict

    def picture_packet(self, now: Moment, at_us: int, *, key: bool, spacing_s: float | None) -> None:
        """A packet of picture, taken at ``at_us``; ``spacing_s`` is the stream's usual time between two."""
        self._spacing_s = spacing_s or self._spacing_s
        last = self._last_picture
        paused_s = 0.0 if last is None else now.boot_s - last.boot_s
        if self._flowing is None or paused_s > self._limit_s(self.limits.sound_gap_s, self._spacing_s):
            self._flowing = Moment(now.boot_s, at_us)
        self._last_picture = Moment(now.boot_s, at_us)
        if key:
            if self._last_key_s is not None:
                self._key_spacing_s = now.boot_s - self._last_key_s
            self._last_key_s = now.boot_s

    def sound_packet(self, now: Moment, at_us: int) -> None:
        if self.sound:
            self._last_sound = Moment(now.boot_s, at_us)
            self._conditions[CameraFault.NO_AUDIO].settle(False, at_us)

    def wants_sample(self, now: Moment) -> bool:
        """Whether the next key frame is to be decoded: always at first and while anything is in doubt."""
        if self._sampled is None or self._seen_samples <= self.limits.bad_samples or self._doubts():
            return True
        # A little early rather than a whole key frame late: arrival trembles.
        return now.boot_s - self._sampled.boot_s >= self.limits.sample_every_s * 0.9

    def key_frame(self, now: Moment, at_us: int, sample: Sample) -> None:
        """A decoded key frame, taken at ``at_us``."""
        self._sampled = Moment(now.boot_s, at_us)
        self._seen_samples += 1
        if self._first_us is None:
            self._first_us = at_us
        same = sample.digest == self._last_digest
        if not same:
            self._same_since_us = at_us
        if self._last_digest is not None:
            began_us = self._same_since_us if same else at_us
            self._sample(CameraFault.FROZEN, same, at_us, began_us)
        self._last_digest = sample.digest
        self._sample(CameraFault.DARK, sample.dark, at_us)
        if sample.covered is not None:
            self._sample(CameraFault.COVERED, sample.covered, at_us)
        self._signal.sample(False, at_us, self.limits, began_us=self._flowing.wall_us if self._flowing else None)

    def undecodable(self, now: Moment, at_us: int) -> None:
        """A key frame that gave no picture: whoever plays the recording will see as little."""
        self._sampled = Moment(now.boot_s, at_us)
        self._signal.sample(True, at_us, self.limits)

    def stored(self, now: Moment, from_us: int, through_us: int) -> None:
        """The recorder has the picture on disk, without a hole, from ``from_us`` to ``through_us``."""
        self._stored = Moment(now.boot_s, through_us)
        self._conditions[CameraFault.NOT_RECORDING].settle(False, from_us)
        self._conditions[CameraFault.STORAGE].settle(False, from_us)

    def storage_failed(self, at_us: int) -> None:
        """The disk refused what came from ``at_us`` on."""
        for fault in (CameraFault.STORAGE, CameraFault.NOT_RECORDING):
            self._conditions[fault].settle(True, at_us)

    def disconnected(self) -> None:
        """The stream ended. It is lost only when it stays away; what comes next need not look the same."""
        self._flowing = None

    def tick(self, now: Moment, slack_s: float = 0.0) -> Verdict | None:
        """Time has passed; the new verdict if it has changed. ``slack_s``: how late this machine may be with
        things, in clock seconds (a fast clock makes much of a short delay).
        """
        if now.boot_s - self._asked_s > self.limits.asleep_s + slack_s:
            self._awake_s = now.boot_s
        self._asked_s = now.boot_s
        self._slack_s = slack_s
        self._judge_signal(now)
        if not self._signal.bad:
            self._judge_stored(now)
            self._judge_sound(now)
        verdict = self._now()
        if verdict is not None:
            self._verdict = verdict
        return verdict

    def settled(self, through_us: int) -> bool:
        """Whether what will be said of the time before ``through_us`` is said: it was looked at, and no doubt
        reaches back there. Of a lost camera there is nothing more to say.
        """
        if self._signal.bad:
            return True
        doubts = [condition.doubt_us for condition in self._all() if condition.doubt_us is not None]
        looked = self._sampled is not None and self._sampled.wall_us >= through_us
        return looked and (not doubts or min(doubts) >= through_us)

    def _doubts(self) -> bool:
        return any(condition.doubt_us is not None for condition in self._all())

    def _all(self) -> tuple[Condition, ...]:
        return (self._signal, *self._conditions.values())

    def _sample(self, fault: CameraFault, bad: bool, at_us: int, began_us: int | None = None) -> None:
        self._conditions[fault].sample(bad, at_us, self.limits, began_us=began_us)

    def _limit_s(self, least_s: float, spacing_s: float) -> float:
        return max(least_s, self.limits.spacings * spacing_s) + self._slack_s

    def _silent_s(self, now: Moment, last: Moment | None) -> float:
        return now.boot_s - max(self._awake_s, self.started.boot_s if last is None else last.boot_s)

    def _judge_signal(self, now: Moment) -> None:
        least_s = self.limits.first_picture_s if self._last_picture is None else self.limits.no_signal_s
        if self._silent_s(now, self._last_picture) > self._limit_s(least_s, self._spacing_s):
            self._signal.settle(True, (self._last_picture or self.started).wall_us)
            self._flowing = None

    def _judge_stored(self, now: Moment) -> None:
        """Only pictures that came and were not stored count: what never came is the signal's matter."""
        if not self.records or self._last_picture is None or self._flowing is None:
            return
        stored = self._stored if self._stored and self._stored.boot_s >= self._flowing.boot_s else self._flowing
        behind_s = self._last_picture.boot_s - max(stored.boot_s, self._awake_s)
        if behind_s > self._limit_s(self.limits.not_recording_s, self._key_spacing_s):
            self._conditions[CameraFault.NOT_RECORDING].settle(True, stored.wall_us)

    def _judge_sound(self, now: Moment) -> None:
        if self.sound and self._last_picture is not None:
            least_s = self.limits.no_signal_s if self._last_sound is None else self.limits.sound_gap_s
            if self._silent_s(now, self._last_sound) > self._limit_s(least_s, self._spacing_s):
                self._conditions[CameraFault.NO_AUDIO].settle(True, (self._last_sound or self.started).wall_us)

    def _now(self) -> Verdict | None:
        """The verdict as the conditions stand; None when it is the one that stood."""
        old = self._verdict
        faults = self._faults()
        audio = self._audio()
        state = self._state(faults, audio)
        if (state, audio, faults) == (old.state, old.audio, old.faults):
            return None
        return Verdict(state, audio, faults, self._since_us(state, faults, audio))

    def _faults(self) -> tuple[CameraFault, ...]:
        if self._signal.bad:
            return (CameraFault.NO_SIGNAL,)
        return tuple(fault for fault in _JUDGED if self._conditions[fault].bad)

    def _audio(self) -> AudioState:
        if not self.sound:
            return AudioState.NONE
        if self._signal.bad or self._conditions[CameraFault.NO_AUDIO].bad:
            return AudioState.BAD
        return AudioState.UNKNOWN if self._last_sound is None else AudioState.GOOD

    def _state(self, faults: tuple[CameraFault, ...], audio: AudioState) -> RecordingState:
        if self._signal.bad:
            return RecordingState.LOST
        if faults:
            return RecordingState.IMPAIRED
        # One picture may be a frozen one; only a second that differs shows that the first was alive.
        proven = self._seen_samples > 1 and self.records and self._stored is not None
        if self._verdict.state is RecordingState.UNKNOWN:
            proven = proven and not self._doubts() and audio is not AudioState.UNKNOWN
        return RecordingState.RECORDING if proven else RecordingState.UNKNOWN

    def _since_us(self, state: RecordingState, faults: tuple[CameraFault, ...], audio: AudioState) -> int:
        """When what is new in the verdict began."""
        old = self._verdict
        began = _changes(self._condition(fault) for fault in faults if fault not in old.faults)
        if began:
            return min(began)
        ended = _changes(self._condition(fault) for fault in old.faults if fault not in faults)
        if ended:
            return max(ended)
        if (
            state is RecordingState.RECORDING
            and old.state is RecordingState.UNKNOWN
            and self._first_us is not None
        ):
            return self._first_us
        if audio is AudioState.GOOD and self._last_sound is not None:
            return self._last_sound.wall_us
        return old.since_us

    def _condition(self, fault: CameraFault) -> Condition:
        return self._signal if fault is CameraFault.NO_SIGNAL else self._conditions[fault]


def _changes(conditions: Iterable[Condition]) -> list[int]:
    return [condition.changed_us for condition in conditions if condition.changed_us is not None]

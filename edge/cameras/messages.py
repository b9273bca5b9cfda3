"""What the camera process and its workers say to each other, over a pipe."""

from __future__ import annotations

from dataclasses import dataclass

from devices.cameras.watch import Verdict


@dataclass(frozen=True)
class Stop:
    """To a worker: end every recording in good order, then go."""


@dataclass(frozen=True)
class Cut:
    """To a worker: bring everything that the camera took before ``until_us`` into finished segments."""

    camera: str
    until_us: int


@dataclass(frozen=True)
class Drive:
    """To a worker: words for a simulated camera."""

    number: int
    camera: str
    words: tuple[str, ...]


@dataclass(frozen=True)
class Seen:
    """From a worker: what is to be said of a camera has changed."""

    camera: str
    verdict: Verdict


@dataclass(frozen=True)
class WasCut:
    """From a worker: it is stored and looked at, and will not change any more."""

    camera: str
    until_us: int


@dataclass(frozen=True)
class Alive:
    """From a worker, several times a second: it has just asked every camera's watch."""


@dataclass(frozen=True)
class Driven:
    """From a worker: the simulated camera's answer."""

    number: int
    done: bool
    text: str

"""A drawn room for the simulated camera: furniture, people who walk, and a sensor's noise.

Every camera's room is different and always the same, made from its id. The noise matters: it is what tells a live
picture of an empty, quiet room from a frozen one.
"""

from __future__ import annotations

import hashlib
import math
from enum import StrEnum
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]


class Lens(StrEnum):
    """What stands between the room and the stream."""

    OK = "ok"
    FREEZE = "freeze"
    BLACK = "black"
    COVER = "cover"
    DROP = "drop"


class Scene:
    """``picture`` gives the room as a BGR array (height, width, 3) at a moment, through a lens."""

    def __init__(
        self, name: str, *, width: int = 320, height: int = 180, noise: float = 1.5, people: int = 0
    ) -> None:
        self.width, self.height = width, height
        self.people = people
        self._noise = noise
        seed = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big")
        self._random = np.random.default_rng(seed)
        self._room = _draw_room(self._random, width, height, name)
        self._coats = self._random.integers(40, 160, (8, 3)).tolist()
        # A field larger than the picture, read at a random offset: noise that never repeats at no cost.
        self._field = self._random.normal(0.0, noise, (height + 64, width + 64, 1)).astype(np.float32)
        self._frozen: Pixels | None = None

    def picture(self, at_s: float, lens: Lens = Lens.OK) -> Pixels:
        if lens is Lens.FREEZE and self._frozen is not None:
            return self._frozen
        seen = {Lens.BLACK: self._black, Lens.COVER: self._covered}.get(lens, self._lit)(at_s)
        down, right = self._random.integers(0, 64, 2)
        noise = self._field[down : down + self.height, right : right + self.width]
        self._frozen = np.clip(np.rint(seen + noise), 0, 255).astype(np.uint8)
        return self._frozen

    def _lit(self, at_s: float) -> NDArray[np.float32]:
        if not self.people:
            return self._room
        image = self._room.copy()
        for number in range(self.people):
            _draw_person(image, self._where(number, at_s), self._coats[number % len(self._coats)])
        return image

    def _black(self, at_s: float) -> NDArray[np.float32]:
        return np.full_like(self._room, 4.0)

    def _covered(self, at_s: float) -> NDArray[np.float32]:
        """A grey cloth hung over the lens: a faint fall of light and nothing else."""
        slope = np.linspace(92.0, 104.0, self.width, dtype=np.float32)[None, :, None]
        return np.broadcast_to(slope, self._room.shape).copy()

    def _where(self, number: int, at_s: float) -> tuple[float, float]:
        phase = at_s / (23.0 + 7.0 * number) + number * 2.1
        return 0.5 + 0.34 * math.sin(phase), 0.62 + 0.16 * math.sin(0.7 * phase + number)


def _draw_room(random: np.random.Generator, width: int, height: int, name: str) -> NDArray[np.float32]:
    """Drawn at twice the size and scaled down, so that its edges are a lens's and not a raster's."""
    w, h = width * 2, height * 2
    wall, floor = random.integers(130, 190, 3).tolist(), random.integers(70, 120, 3).tolist()
    room: Any = np.empty((h, w, 3), np.uint8)
    horizon = int(h * random.uniform(0.42, 0.55))
    room[:horizon], room[horizon:] = wall, floor
    for line in range(10):
        cv2.line(room, (int(w * (line / 9 * 3 - 1)), h), (int(w * line / 9), horizon), _darker(floor), 2)
    left = int(w * random.uniform(0.05, 0.7))
    cv2.rectangle(room, (left, int(h * 0.12)), (left + w // 7, horizon), random.integers(50, 110, 3).tolist(), -1)
    cv2.rectangle(room, (left, int(h * 0.12)), (left + w // 7, horizon), (35, 35, 35), 3)
    for _ in range(3):
        x, y = int(w * random.uniform(0.05, 0.75)), int(h * random.uniform(0.5, 0.72))
        wide, deep = int(w * random.uniform(0.1, 0.22)), int(h * random.uniform(0.06, 0.12))
        colour = random.integers(60, 210, 3).tolist()
        cv2.rectangle(room, (x, y), (x + wide, y + deep), colour, -1)
        cv2.rectangle(room, (x, y), (x + wide, y + deep), _darker(colour), 2)
        for leg in (x + 6, x + wide - 6):
            cv2.line(room, (leg, y + deep), (leg, y + deep + h // 8), _darker(colour), 5)
    cv2.putText(room, name, (10, 28), cv2.FONT_HERSHEY_SIMPLEX, 0.8, (250, 250, 250), 2, cv2.LINE_AA)
    light = np.linspace(1.08, 0.86, w, dtype=np.float32)[None, :, None]
    small: Any = cv2.resize(room.astype(np.float32) * light, (width, height), interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.float32)


def _draw_person(image: Any, where: tuple[float, float], coat: list[int]) -> None:
    height, width = image.shape[:2]
    x, y, tall = int(where[0] * width), int(where[1] * height), int(height * 0.22)
    cv2.ellipse(image, (x, y), (tall // 3, tall), 0, 0, 360, coat, -1, cv2.LINE_AA)
    cv2.circle(image, (x, y - tall), tall // 3, (150, 170, 200), -1, cv2.LINE_AA)


def _darker(colour: list[int]) -> list[int]:
    return [int(part * 0.6) for part in colour]

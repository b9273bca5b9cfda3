"""Runs by their seeds, and what came of each."""

from __future__ import annotations

import gc
import shutil
import traceback
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from config.clock import ManualClock
from sync.protocol import messages, zone

from .disk import Image
from .machines import new_headquarters
from .promises import all_are_kept
from .world import Broken, World

MEMORY = Path("/dev/shm")
FAST = str(MEMORY) if MEMORY.is_dir() else None
"""Where disks are simulated: in memory if the machine has such a place, else where temporary files go."""
BATCH_LINES = 3
"""So few lines a batch that several are on the way at once and a lost one leaves a gap."""


@dataclass(frozen=True)
class Outcome:
    seed: int
    faults: frozenset[str]
    met: Counter[str]
    broken: str | None
    """The promise that was not kept."""
    trace: list[str]


def run(seed: int, directory: Path, central: Image, *, tracing: bool = False) -> Outcome:
    """``central``: the disk of a new headquarters. What is left of the run in ``directory`` is removed."""
    world = World(seed, directory / str(seed), central, tracing=tracing)
    broken = None
    # A connection that is lost, not closed, would be closed whenever Python comes to it: no step may hang on that.
    gc.disable()
    try:
        world.run(all_are_kept)
    except Broken as promise:
        broken = str(promise)
    except Exception:
        broken = traceback.format_exc()
    finally:
        gc.enable()
        shutil.rmtree(directory / str(seed), ignore_errors=True)
    return Outcome(seed, frozenset(world.faults), world.met, broken, world.trace)


def headquarters_image(directory: Path) -> Image:
    return new_headquarters(directory, ManualClock())


@contextmanager
def small_batches() -> Iterator[None]:
    before = zone.BATCH_LINES_MAX, messages.BATCH_LINES_MAX
    zone.BATCH_LINES_MAX = messages.BATCH_LINES_MAX = BATCH_LINES
    try:
        yield
    finally:
        zone.BATCH_LINES_MAX, messages.BATCH_LINES_MAX = before

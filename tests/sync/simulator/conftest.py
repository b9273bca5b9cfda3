"""The simulation is a package beside its tests: its folder joins the path."""

from __future__ import annotations

import logging
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from simulation.disk import Image
from simulation.runs import FAST, headquarters_image, small_batches


@pytest.fixture(scope="session")
def place() -> Iterator[Path]:
    """Where disks are simulated."""
    with tempfile.TemporaryDirectory(dir=FAST) as directory:
        yield Path(directory)


@pytest.fixture(scope="session")
def central(place: Path) -> Image:
    """The disk of a headquarters that has just been set up."""
    return headquarters_image(place / "new")


@pytest.fixture(scope="session")
def met() -> Counter[str]:
    """Over all seeds: in how many runs each fault struck and each rare state was reached."""
    return Counter()


@pytest.fixture(autouse=True)
def _as_simulated() -> Iterator[None]:
    """Small batches, and no log of the thousands of faults."""
    logging.disable(logging.CRITICAL)
    with small_batches():
        yield
    logging.disable(logging.NOTSET)

"""What the tests of the ledger and of the road to headquarters share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from config.clock import ManualClock
from sync.ledger import Ledger


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def ledger(tmp_path: Path, clock: ManualClock) -> Iterator[Ledger]:
    made = Ledger.create(tmp_path / "ledger", zone="nz01", deployment="test", clock=clock)
    yield made
    made.close()

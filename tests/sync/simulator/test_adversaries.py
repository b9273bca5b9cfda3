"""Forks, rewritten histories, forged and repeated words: each is turned away, kept as evidence and told of."""

from __future__ import annotations

from pathlib import Path

import pytest
from simulation import adversaries
from simulation.disk import Image


@pytest.mark.parametrize("adversary", adversaries.ALL, ids=lambda adversary: adversary.__name__)
def test_nothing_comes_of_it_when(adversary: adversaries.Adversary, tmp_path: Path, central: Image) -> None:
    adversary(tmp_path, central)

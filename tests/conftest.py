"""What all tests share: generated examples are the same in every run, and others in the soak; modules in
shared/ are found by name."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from hypothesis import settings

sys.path.insert(0, str(Path(__file__).parent / "shared"))

settings.register_profile("same every time", derandomize=True, deadline=None, database=None)
settings.register_profile("soak", deadline=None, max_examples=2000)
settings.load_profile("soak" if os.environ.get("FOURMUSTS_SOAK") else "same every time")

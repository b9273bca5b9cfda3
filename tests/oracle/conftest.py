"""The second judge and its stories import each other by name: their folder joins the path."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

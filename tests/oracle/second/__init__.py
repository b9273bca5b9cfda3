"""The parts of the second judge. ``oracle.judge`` is its only door."""

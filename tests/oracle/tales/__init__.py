"""The parts of the story teller. ``stories.story`` is its only door."""

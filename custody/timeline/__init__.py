"""The timeline of a zone: facts in their order, and what they prove over which intervals."""

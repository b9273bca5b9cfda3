"""What can be wrong with a configuration."""

from __future__ import annotations

from pathlib import Path

from custody.errors import FourmustsError


class ConfigurationError(FourmustsError, ValueError):
    """A configuration that cannot be used; says the file, the key, what was found and the mend."""

    def __init__(self, file: Path, problems: list[str]) -> None:
        listed = "\n".join(f"  - {problem}" for problem in problems)
        super().__init__(f"{file}: this configuration cannot be used:\n{listed}")
        self.file = file
        self.problems = problems

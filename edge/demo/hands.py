"""The hands of the demo's people: they act at a zone's panel, its simulated doors and cameras, nowhere else."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from custody.errors import FourmustsError
from devices.simulation import drive


class DemoError(FourmustsError):
    """The demo cannot go on; says what was tried and what came back."""


def get_json(url: str) -> Any:
    """What ``url`` answers. Raises ``OSError`` when nobody does."""
    with urllib.request.urlopen(url, timeout=10) as answer:
        return json.load(answer)


class Hands:
    """Somebody at one zone: presses buttons on its terminal, holds cards to its readers, opens its doors."""

    def __init__(self, *, panel_url: str, run_dir: Path) -> None:
        self._panel_url = panel_url
        self._run_dir = run_dir
        self.stays: dict[str, str] = {}
        """Stay numbers by the letter that the story gives a person."""

    def act(self, name: str, *, person: str | None = None, **fields: Any) -> Any:
        """One act of the register, as the terminal's pages send it."""
        if person is not None:
            fields["stay"] = self.stays[person]
        request = urllib.request.Request(
            f"{self._panel_url}/api/v1/acts/{name}",
            data=json.dumps(fields).encode(),
            headers={"Content-Type": "application/json", "Origin": self._panel_url},
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            raise DemoError(f"{name} was refused: {error.read().decode(errors='replace')}") from error

    def arrive(self, person: str, **fields: Any) -> None:
        self.stays[person] = self.act("arrive", **fields)["stay"]

    def sim(self, *words: str) -> str:
        return drive(self._run_dir, words)

    def pass_door(self, door: str, direction: str, officer: str) -> None:
        """Card, push, let fall shut."""
        self.sim("tap", door, direction, officer)
        self.sim("open", door)
        self.sim("close", door)

"""Every event type of ours, by its name."""

from __future__ import annotations

import inspect

from . import cameras, doors, guards, headquarters, stays, zone
from .base import EventData


def _models() -> dict[str, type[EventData]]:
    found: dict[str, type[EventData]] = {}
    for module in (zone, doors, stays, guards, cameras, headquarters):
        for _, member in inspect.getmembers(module, inspect.isclass):
            if issubclass(member, EventData) and "TYPE" in member.__dict__:
                found[member.TYPE] = member
    return dict(sorted(found.items()))


MODELS: dict[str, type[EventData]] = _models()

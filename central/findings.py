"""What became of the findings: pure comparison of what is on record with what the judge finds now.

A finding is never deleted. What the judge no longer finds (the recorder's audit showed the missing picture, a
correction came in) is closed, with its last words, and raised again should it come back.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from custody.events import parse_time

GROWTH_SHARE = 0.01
"""By so much one that lasts must have grown before it is put on record again."""

FindingDict = Mapping[str, Any]
"""A finding as ``custody.findings.Finding.to_dict`` gives it, in the shape of rules.md."""


class State(StrEnum):
    RAISED = "raised"
    CHANGED = "changed"
    CLOSED = "closed"


@dataclass(frozen=True)
class Known:
    """A finding on record: its state, and its fields as they were last stored."""

    state: State
    fields: FindingDict


@dataclass(frozen=True)
class Change:
    """What is to be stored. ``announced``: it also goes into headquarters' ledger and onto the feed."""

    state: State
    fields: FindingDict
    announced: bool


def compare(known: Mapping[str, Known], found: Iterable[FindingDict]) -> list[Change]:
    """The changes that lead from the record to what is found now, in the order of their start."""
    now = {fields["id"]: fields for fields in found}
    changes: list[Change] = []
    for id_, fields in now.items():
        before = known.get(id_)
        if before is None or before.state is State.CLOSED:
            changes.append(Change(State.RAISED, fields, announced=True))
        elif before.fields != fields:
            announced = _says(before.fields) != _says(fields)
            if announced or _grew(before.fields, fields):
                changes.append(Change(State.CHANGED if announced else before.state, fields, announced))
    for id_, before in known.items():
        if before.state is not State.CLOSED and id_ not in now:
            changes.append(Change(State.CLOSED, before.fields, announced=True))
    return sorted(changes, key=lambda change: (parse_time(change.fields["start"])[0], change.fields["id"]))


def _grew(before: FindingDict, fields: FindingDict) -> bool:
    """Whether one that lasts has become longer by a hundredth, or differs in more than its length and evidence.

    Some last for months (a recording that nobody audits). To write each of them anew with each heartbeat of its
    zone would make a round take longer with every day.
    """
    length, now = float(before["seconds"]), float(fields["seconds"])
    only_longer = {**before, "seconds": 0, "evidence": 0} == {**fields, "seconds": 0, "evidence": 0}
    return not (only_longer and length <= now < length * (1 + GROWTH_SHARE))


def _says(fields: FindingDict) -> object:
    """What counts as a change of what a finding says.

    One that lasts grows with every heartbeat, and its seconds and evidence with it: sixty announcements an hour
    would say nothing. It speaks again when it gets worse, and once more when it ends.
    """
    if fields["end"] is None:
        return (fields["verdict"], fields["severity"])
    return dict(fields)

"""How far a line reaches: which stays, and which time of a zone, must be judged again because of it."""

from __future__ import annotations

from dataclasses import dataclass, field

from .facts import (
    Amended,
    Arrived,
    Audited,
    CameraState,
    Checked,
    ClockReading,
    Collected,
    Described,
    Fact,
    Granted,
    Hold,
    LeaveApproved,
    MeasureChanged,
    OfStay,
    Opened,
    RecordingLost,
)
from .intervals import FOREVER, Interval
from .policy import Policy

OF_ITS_STAY_ALONE = (Amended, Checked, Collected, Hold, LeaveApproved, MeasureChanged)


@dataclass(slots=True)
class Touched:
    """What a batch of lines touches: stays by name, everything from ``since`` on, and what lies in windows."""

    stays: set[str] = field(default_factory=set)
    since: int = FOREVER
    windows: list[Interval] = field(default_factory=list)
    """Stretches of time: only stays that overlap one."""


class Reach:
    """Finds out what a line touches; the rules look no further back from a fact than ``back_us``."""

    def __init__(self, policy: Policy) -> None:
        rules = policy.rules
        self._policy = policy
        self.back_us = 1 + max(
            policy.guards.reconfirm_us,
            policy.cameras.reconfirm_us,
            rules.m2_2.together_us,
            rules.m1_2.window_us,
        )

    def touch(self, fact: Fact, touched: Touched, first_description: bool) -> None:
        body = fact.body
        if isinstance(body, OfStay):
            if body.stay:
                touched.stays.add(body.stay)
            if type(body) is OfStay or isinstance(body, OF_ITS_STAY_ALONE):
                return
            touched.since = min(touched.since, fact.time - self.back_us)
        elif isinstance(body, Audited | RecordingLost):
            touched.windows.append((body.start, body.end))
        elif isinstance(body, ClockReading | Granted):
            return
        elif isinstance(body, Opened):
            touched.windows.append((fact.time - self.back_us, fact.time + self.back_us))
        elif isinstance(body, Described) and first_description:
            touched.since = -FOREVER
        elif isinstance(body, CameraState):
            touched.since = min(touched.since, self._back(fact, min(fact.time, body.since_us)))
        else:
            touched.since = min(touched.since, self._back(fact, fact.time))

    def _back(self, fact: Fact, moment: int) -> int:
        """Presences and states may count from a start of the zone some time before they were written."""
        return min(moment, fact.written) - self.back_us


def changes_others(fact: Fact) -> bool:
    """Whether this says who somebody is, which others in his rooms are judged by, over all of his stay."""
    return isinstance(fact.body, Arrived)

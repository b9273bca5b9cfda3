"""A judge whose stays can be drawn: the lanes of a stay from what the judge holds anyway."""

from __future__ import annotations

from .drafting import lanes_of
from .judge import Judge
from .lanes import StayLanes


class DrawnJudge(Judge):
    """Judges one zone as its events come, and says of each stay what was required and what of it is proven."""

    def lanes(self, stay: str) -> StayLanes | None:
        """The lanes of a stay as judged now; ``None`` when nothing was written of it."""
        findings = self.findings_of(stay)
        made = lanes_of(self.timeline, stay, findings, self.verdicts().get(stay, {}))
        if made is not None and not made.lasts:
            self.timeline.put_away(stay)
        return made

"""Judges whose stays can be drawn: ``lanes`` of a stay from what the judge holds anyway."""

from __future__ import annotations

from .judge import Court, Judge
from .lanes import StayLanes, lanes_of


class DrawnJudge(Judge):
    """Judges one zone as its events come, and says of each stay what was required and what of it is proven."""

    def lanes(self, stay: str) -> StayLanes | None:
        """The lanes of a stay as judged now; ``None`` when nothing was written of it."""
        findings = self.findings_of(stay)
        made = lanes_of(self._timeline, stay, findings, self.verdicts().get(stay, {}))
        if made is not None and not made.lasts:
            self._timeline.put_away(stay)
        return made


class DrawnCourt(Court):
    """Drawn judges of many zones."""

    def judge_of(self, zone: str) -> DrawnJudge:
        one = self.judges.get(zone)
        if not isinstance(one, DrawnJudge):
            one = self.judges[zone] = DrawnJudge(zone, self._policy, until_us=self._until_us)
        return one

    def lanes(self, zone: str, stay: str) -> StayLanes | None:
        """The lanes of a stay of a zone; ``None`` when nothing was written of it."""
        return self.judge_of(zone).lanes(stay)

"""What stands in for a reader that cannot be set up (its key file is refused): the rest of the zone runs."""

from __future__ import annotations

from .reader import Feedback, Reader, ReaderChanged, ReaderState, ReportFact


class UnusableReader(Reader):
    """Reports once that it is offline, and why."""

    def __init__(self, reader: str, problem: str) -> None:
        super().__init__(reader)
        self._problem = problem

    @property
    def state(self) -> ReaderState:
        return ReaderState.OFFLINE

    def start(self, report: ReportFact) -> None:
        super().start(report)
        self.tell(ReaderChanged(self.id, ReaderState.OFFLINE, self._problem))

    def show(self, feedback: Feedback) -> None:
        pass

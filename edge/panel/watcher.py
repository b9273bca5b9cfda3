"""Watches the ledger for the panel: the register first, at once; the judge after it, a little later."""

from __future__ import annotations

import logging
import queue
import threading
import time

from custody.events import Event

from .desk import Desk, Judged
from .live import Live
from .shared_judge import SharedJudge

log = logging.getLogger(__name__)

WAIT_S = 0.1
JUDGE_S_MIN = 0.5
"""Least real time between two judgements: findings are for people, who need not see them within milliseconds."""
RETRY_S = 1.0


class Watcher:
    """Two threads, so that a long judgement never delays the register's pictures."""

    def __init__(self, desk: Desk, live: Live, judge: SharedJudge) -> None:
        self._desk = desk
        self._live = live
        self._judge = judge
        self._stop = threading.Event()
        self._policy_changed = threading.Event()
        self._to_judge: queue.SimpleQueue[list[Event]] = queue.SimpleQueue()
        self._threads = [
            threading.Thread(target=self._watch, name="panel-watcher", daemon=True),
            threading.Thread(target=self._judge_on, name="panel-judge", daemon=True),
        ]
        desk.book.listen(self._heard)

    def start(self) -> None:
        """Take in what is there, then watch."""
        self._desk.book.refresh()
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _heard(self, events: list[Event]) -> None:
        if self._desk.follow(events):
            self._policy_changed.set()
        self._to_judge.put(events)
        self._live.notify()

    def _watch(self) -> None:
        follower = self._desk.ledger.follow(from_start=False)
        try:
            # Between the first refresh and this follower's start something may have been written.
            self._desk.book.refresh()
            while not self._stop.is_set():
                try:
                    if follower.wait(WAIT_S):
                        self._desk.book.refresh()
                except Exception:
                    # Whatever it was: a thread that ended here would leave old pictures on the screens as if new.
                    log.exception("the ledger cannot be read; trying again in %.0f s", RETRY_S)
                    self._stop.wait(RETRY_S)
        finally:
            follower.close()

    def _judge_on(self) -> None:
        while not self._stop.is_set():
            try:
                events = self._to_judge.get(timeout=WAIT_S)
            except queue.Empty:
                continue
            while not self._to_judge.empty():
                events = events + self._to_judge.get()
            began_s = time.monotonic()
            self._desk.judged = self._judged(events)
            self._live.notify()
            self._stop.wait(max(0.0, JUDGE_S_MIN - (time.monotonic() - began_s)))

    def _judged(self, events: list[Event]) -> Judged:
        try:
            if self._policy_changed.is_set():
                self._policy_changed.clear()
                self._judge.begin_anew(self._desk.ledger.events())
            # Also after that: lines that were read twice count once.
            self._judge.take(events)
            findings = tuple(finding.to_dict() for finding in self._judge.findings())
            # What it could not take is missing from all that it says later.
            return Judged(findings, self._judge.verdicts(), failed=self._desk.judged.failed)
        except Exception:
            # The terminal must go on without its judge; the monitor says that nothing is judged any more.
            log.exception("the judge failed; what it said last is shown as outdated")
            last = self._desk.judged
            return Judged(last.findings, last.verdicts, failed=True)

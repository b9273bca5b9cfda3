"""Judging what the batches touched: after the commit, beside the acknowledgement, one zone at a time.

The zone's judge and register live in memory and are folded again from the stored lines after a start. What they
find is compared with what is on record; the difference, the lines that announce it and the mark of what is judged
are one transaction. So a crash anywhere leaves either all of a round or nothing of it, and the next start goes on.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from itertools import chain
from typing import Any

import orjson
from prometheus_client import Histogram

from custody.drawn import DrawnJudge
from custody.events import CheckpointAccepted, Draft, Event, draft, to_datetime
from custody.lanes import StayLanes
from custody.policy import Policy
from custody.register import Register, Stay, effective

from .errors import PartEnded
from .findings import Known, compare
from .store.records import Records, Round, Unjudged, stay_digest
from .turns import Turns, is_urgent

RETRY_S = 5.0
"""Real seconds until a zone whose judging failed is tried again."""

logger = logging.getLogger(__name__)


class ZoneJudging:
    """One zone as it is judged so far."""

    def __init__(self, zone: str, policy: Policy, records: Records) -> None:
        self.zone = zone
        self._records = records
        self._judge = DrawnJudge(zone, policy)
        self._known = records.findings(zone)
        self._stays = records.stays(zone)
        self._verdicts: dict[str, Mapping[int, str]] = {}
        self._known_us = 0
        self._corrections: dict[str, Event] = {}
        for events in records.judged(zone):
            self._judge.take(events)
            self._note_corrections(events)
        self._fold_again(())

    def round(self, unjudged: Unjudged) -> Round:
        """Take these events too and say what changes by them. Stores nothing."""
        new = self._new(unjudged.events)
        self._judge.take(unjudged.events)
        now = self._zone_now(unjudged.events)
        touched = self._apply(new)
        changes = compare(self._known, [finding.to_dict() for finding in self._judge.findings()])
        return Round(
            zone=self.zone,
            marks=unjudged.marks,
            changes=changes,
            stays=self._stay_rows(touched),
            now=now,
            drafts=[
                _accepted(self.zone, log, size, checkpoint)
                for log, (size, checkpoint) in unjudged.checkpoints.items()
            ],
        )

    def lanes(self, stay: str) -> StayLanes | None:
        """A stay as lanes; ``None`` when nothing of it is judged."""
        return self._judge.lanes(stay)

    def stored(self, done: Round) -> None:
        """This round is on disk: it is what the next one is compared with."""
        for change in done.changes:
            self._known[change.fields["id"]] = Known(change.state, change.fields)
        for row in done.stays:
            self._stays[row["stay"]] = stay_digest(row)

    def _new(self, events: Iterable[Event]) -> list[Event]:
        """Those not taken yet, each once: of lines moved here from a closed ledger the judge takes both, the
        register one. A good heartbeat may be among them again; it tells the register nothing."""
        first: dict[str, Event] = {}
        for event in events:
            first.setdefault(event.id, event)
        return [event for event in first.values() if not self._judge.holds(event.id)]

    def _apply(self, events: Iterable[Event]) -> set[str]:
        """Fold into the register; the stays that may look different now."""
        touched: set[str] = set()
        corrected = self._note_corrections(events)
        for event in events:
            self._register.apply(event)
            stay = event.data.get("stay")
            if isinstance(stay, str):
                touched.add(stay)
        if corrected:
            self._fold_again(events)
            touched.update(self._register.stays)
        return touched

    def _fold_again(self, newest: Iterable[Event]) -> None:
        """A correction changes what happened before it, so the register is made anew from all lines.

        They are read some at a time: a year of a zone does not fit into memory. The corrections do.
        """
        applied: set[str] = set()
        self._register = Register()
        self._known_us = 0
        for events in chain(self._records.judged(self.zone), (newest,)):
            here = {event.id: event for event in events if event.id not in applied}
            applied.update(event.id for event in here.values() if event.type != "zone.heartbeat")
            elsewhere = [event for id_, event in self._corrections.items() if id_ not in here]
            for event in effective([*elsewhere, *here.values()]):
                if event.id in here:
                    self._register.apply(event)
            self._known_us = max([self._known_us, *(event.written_us for event in here.values())])

    def _note_corrections(self, events: Iterable[Event]) -> bool:
        found = {event.id: event for event in events if event.type == "record.corrected"}
        self._corrections.update(found)
        return bool(found)

    def _zone_now(self, events: Iterable[Event]) -> dict[str, Any]:
        """Columns of the table ``zones`` that these events set; a retired ledger that comes late sets none."""
        now: dict[str, Any] = {}
        for event in sorted(events, key=lambda event: event.written_us):
            if event.written_us < self._known_us:
                continue
            self._known_us = now["known_us"] = event.written_us
            if event.type == "zone.described":
                now["described"] = orjson.dumps(event.data).decode()
            elif event.type == "zone.heartbeat":
                now["heartbeat"] = orjson.dumps({**event.data, "time": to_datetime(event.time_us)}).decode()
        return now

    def _stay_rows(self, touched: set[str]) -> list[dict[str, Any]]:
        verdicts = self._judge.verdicts()
        changed = {stay for stay, found in verdicts.items() if self._verdicts.get(stay) != found}
        self._verdicts = dict(verdicts)
        rows = []
        for id_ in sorted(touched | changed):
            stay = self._register.stays.get(id_)
            if stay is not None and stay.written:
                row = _stay_row(self.zone, stay, verdicts.get(id_, {}))
                if self._stays.get(id_) != stay_digest(row):
                    rows.append(row)
        return rows


def _accepted(zone: str, log: str, size: int, checkpoint: str) -> Draft:
    """What headquarters binds itself to in its own ledger: this zone, this size, this root."""
    return draft(CheckpointAccepted(zone=zone, log=log, size=size, checkpoint=checkpoint))


def _stay_row(zone: str, stay: Stay, verdicts: Mapping[int, str]) -> dict[str, Any]:
    more = {
        "category": stay.category,
        "flags": stay.flags,
        "level": stay.level,
        "case": stay.case_kind,
        "measure": stay.measure,
        "entered_us": stay.first_entered_us,
        "room_since_us": stay.room_since_us,
    }
    begun = (stay.arrived_us, stay.first_entered_us, stay.exited_us, 0)
    return {
        "zone": zone,
        "stay": stay.id,
        "inside": stay.inside,
        "room": stay.room,
        "arrived_us": stay.arrived_us,
        "exited_us": stay.exited_us,
        "begun_us": next(moment_us for moment_us in begun if moment_us is not None),
        **{f"must_{must}": verdicts.get(must, "pending") for must in range(5)},
        "json": orjson.dumps(more).decode(),
    }


class Judging:
    """Judges in a thread of its own. ``touched`` may be called from any thread and never waits."""

    def __init__(
        self,
        records: Records,
        policy: Policy,
        on_judged: Callable[[str, Round], None],
        seconds: Histogram | None = None,
    ) -> None:
        self._records = records
        self._policy = policy
        self._on_judged = on_judged
        self._seconds = seconds
        self._zones: dict[str, ZoneJudging] = {}
        self._busy: dict[str, threading.Lock] = {}
        """Held while a zone's judge is at work, for pages ask it too."""
        self._turns = Turns()
        self._thread = threading.Thread(target=self._run, name="judging", daemon=True)

    def start(self) -> None:
        """Begin with what a crash left committed but not judged."""
        for zone in self._records.zones_behind():
            self._turns.put(zone, urgent=True)
        self._thread.start()

    def touched(self, zone: str, lines: Sequence[bytes]) -> None:
        """These lines of the zone were committed."""
        self._turns.put(zone, urgent=is_urgent(lines))

    def stop(self) -> None:
        self._turns.close()
        if self._thread.is_alive():
            self._thread.join(timeout=30.0)

    def check(self) -> None:
        """Raises ``PartEnded`` when the thread has ended by itself."""
        if not self._thread.is_alive():
            raise PartEnded("judging")

    def judge_due(self, zone: str) -> bool:
        """One round for this zone; whether there is more. Raises when it cannot be judged or stored."""
        with self._busy.setdefault(zone, threading.Lock()):
            return self._judge_due(zone)

    def lanes(self, zone: str, stay: str) -> StayLanes | None:
        """A stay as lanes, as judged so far; ``None`` when nothing of it is judged.

        May be called from any thread. Waits for a round of this zone, and folds the zone if that was not done yet.
        """
        with self._busy.setdefault(zone, threading.Lock()):
            judging = self._zones.get(zone)
            if judging is None:
                judging = self._zones[zone] = ZoneJudging(zone, self._policy, self._records)
            return judging.lanes(stay)

    def _judge_due(self, zone: str) -> bool:
        unjudged = self._records.unjudged(zone)
        if not unjudged.marks:
            return False
        started_s = time.perf_counter()
        judging = self._zones.get(zone) or ZoneJudging(zone, self._policy, self._records)
        # Until the round is on disk the fold in memory is ahead of it; if storing fails it is made again.
        self._zones.pop(zone, None)
        done = judging.round(unjudged)
        self._records.store(done)
        judging.stored(done)
        self._zones[zone] = judging
        if self._seconds is not None:
            self._seconds.observe(time.perf_counter() - started_s)
        self._on_judged(zone, done)
        return unjudged.more

    def _run(self) -> None:
        while (zone := self._turns.next()) is not None:
            try:
                if self.judge_due(zone):
                    self._turns.put(zone, urgent=False)
            except Exception:
                # One zone that cannot be judged must not stop the others, nor be forgotten.
                logger.exception(
                    "zone %s could not be judged, its lines are safe; next try in %.0f s", zone, RETRY_S
                )
                again = threading.Timer(RETRY_S, partial(self._turns.put, zone, urgent=False))
                again.daemon = True
                again.start()

"""The register held current with the ledger, and what was written of each stay."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence

from custody.events import Event
from custody.register import GuardPresence, Register, Stay, effective
from sync.ledger import Ledger

log = logging.getLogger(__name__)

_OF_HISTORY = ("headquarters.rollback", "headquarters.fork", "ledger.opened")
_OF_THE_ZONE = ("guard.", "camera.", "recording.", "zone.described", "zone.started", "zone.stopped")


class Book:
    """Follows a ledger. ``refresh`` from any thread; read under ``lock`` what must be of one moment."""

    def __init__(self, ledger: Ledger, *, guard_valid_s: float) -> None:
        self.lock = threading.RLock()
        self._ledger = ledger
        self._guard_valid_s = guard_valid_s
        self._follower = ledger.follow()
        self._listeners: list[Callable[[list[Event]], None]] = []
        self._of_history: list[Event] = []
        self._forget()

    def listen(self, listener: Callable[[list[Event]], None]) -> None:
        """Call ``listener`` with what is new, from whichever thread finds it; it must return at once."""
        self._listeners.append(listener)

    def close(self) -> None:
        with self.lock:
            self._follower.close()

    def measure_with(self, guard_valid_s: float) -> None:
        """A guard's presence lasts so long from now on, and did."""
        with self.lock:
            self._guard_valid_s = guard_valid_s
            self._fold_again([])

    def _forget(self) -> None:
        self.register = Register(guard_valid_s=self._guard_valid_s)
        self.size = 0
        """How many lines the register has taken in."""
        self._by_id: dict[str, Event] = {}
        self._of_stay: dict[str, list[Event]] = {}
        self._written_of_stay: dict[str, list[Event]] = {}
        self._of_zone: list[Event] = []
        self._presences: dict[str, list[GuardPresence]] = {}

    def refresh(self) -> None:
        """Take in what is new in the ledger; cheap when there is nothing."""
        with self.lock:
            fresh: list[Event] = []
            while more := self._follower.poll():
                fresh += more
            if not fresh:
                return
            self._of_history += [event for event in fresh if event.type in _OF_HISTORY]
            if any(event.type == "record.corrected" for event in fresh):
                self._fold_again(fresh)
            else:
                for event in fresh:
                    self._take(event, event)
            for listener in self._listeners:
                listener(fresh)

    def _fold_again(self, fresh: Sequence[Event]) -> None:
        """A correction changes what was; the register is what the lines so far and ``fresh`` say together.

        From memory: a year's ledger takes minutes to read, and every terminal would wait.
        """
        size, heartbeat = self.size, self.register.heartbeat
        kept = list(self._by_id.values())
        lines = [*kept, *fresh]
        self._forget()
        self.register.heartbeat, self.size = heartbeat, size - len(kept)
        read = {event.id: event for event in effective(lines)}
        for line in lines:
            self._take(line, read.get(line.id))

    def _take(self, line: Event, read: Event | None) -> None:
        """``line`` as it was written, ``read`` as it should read (None when void)."""
        self.size += 1
        if line.type in ("zone.heartbeat", "ledger.opened"):
            self.register.apply(line)
            return
        self._by_id[line.id] = line
        stay = line.data.get("stay")
        if isinstance(stay, str):
            self._written_of_stay.setdefault(stay, []).append(line)
            if read is not None:
                self._of_stay.setdefault(stay, []).append(read)
        elif line.type.startswith(_OF_THE_ZONE) and read is not None:
            self._of_zone.append(read)
        if read is not None:
            before = [guard for present in self.register.guards.values() for guard in present.values()]
            try:
                self.register.apply(read)
            except (KeyError, TypeError, ValueError):
                # What a correction made of a line may be anything; it must not cost the lines behind it.
                log.exception("event %s (%s) could not be taken into the register", read.id, read.type)
            self._note_guards_gone(before, read)

    def _note_guards_gone(self, before: Sequence[GuardPresence], event: Event) -> None:
        for guard in before:
            still = self.register.guards.get(guard.room, {}).get(guard.officer["id"])
            if still is None or still.since_us != guard.since_us:
                until_us = min(event.time_us, guard.until_us)
                ended = GuardPresence(guard.officer, guard.room, guard.since_us, until_us)
                self._presences.setdefault(guard.room, []).append(ended)

    def event(self, id_: str) -> Event | None:
        """A line as it was written, by its id."""
        return self._by_id.get(id_)

    def of_stay(self, stay: str) -> list[Event]:
        """What was written of a stay, as it should read, in the order of the ledger."""
        return list(self._of_stay.get(stay, []))

    def written_of_stay(self, stay: str) -> list[Event]:
        """The lines of a stay as they were written, void ones too."""
        return list(self._written_of_stay.get(stay, []))

    def stay_ids(self) -> list[str]:
        """Every number that a line names, void ones too: no number is given out twice."""
        return list(self._written_of_stay)

    def of_zone(self) -> list[Event]:
        """What was written of guards, cameras, recordings and the zone itself, likewise."""
        return list(self._of_zone)

    def of_history(self) -> list[Event]:
        """What says that a ledger, this zone's or headquarters', is not what it was."""
        return list(self._of_history)

    def presences(self, room: str) -> list[GuardPresence]:
        """Every presence of a guard in a room, the ended ones first; ``until_us`` may lie ahead."""
        return [*self._presences.get(room, []), *self.register.guards.get(room, {}).values()]

    def guard_ended_us(self, room: str, now_us: int) -> int | None:
        """When the last guard's presence in the room ended; None when none ever stood there."""
        ended = [presence.until_us for presence in self.presences(room) if presence.until_us <= now_us]
        return max(ended, default=None)

    def stay(self, id_: str) -> Stay | None:
        return self.register.stays.get(id_)

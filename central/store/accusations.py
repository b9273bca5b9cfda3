"""Lines of a zone that say: a history is not what it was. They are kept as evidence and shown with their zone."""

from __future__ import annotations

from custody.events import Event, HeadquartersFork, HeadquartersRollback, LedgerOpened, LedgerReason

FORKS = ("wrong_root", "wrong_overlap")
"""Kinds of evidence that say: this zone signed two different histories."""
ROLLBACK = "ledger_rollback"
"""This zone's disk was restored from an old image; it said so itself."""
OURS = ("headquarters_rollback", "headquarters_fork", "own_rollback")
"""This zone was shown a past of headquarters that it does not have any more."""


ACCUSERS = frozenset((LedgerOpened.TYPE, HeadquartersRollback.TYPE, HeadquartersFork.TYPE))
"""Types of the lines that may say so."""


def accusation(event: Event) -> tuple[str, str] | None:
    """(kind of evidence, what the line says), for a line that accuses its zone or headquarters; else ``None``."""
    said = event.data
    if event.type == LedgerOpened.TYPE and said["reason"] == LedgerReason.ROLLBACK and said["follows"]:
        cited = said["follows"]
        return ROLLBACK, (
            f"ledger {event.ledger} follows {cited['ledger']} from line {cited['size']} on: the zone's disk was "
            "restored from an old image; lines that only the lost disk had are gone"
        )
    if event.type == HeadquartersRollback.TYPE:
        what = "knows less of it than it signed before: its database was restored from an old state"
        return "headquarters_rollback", f"ledger {said['ledger']}: headquarters {what}"
    if event.type == HeadquartersFork.TYPE:
        what = "shows another history than the one that it signed before: it was rewritten"
        return "headquarters_fork", f"ledger {said['ledger']}: headquarters {what}"
    return None

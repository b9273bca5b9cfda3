"""A second judge, written apart from the first, to be compared with it finding by finding.

It is slow and plain on purpose: it collects every moment at which any fact of a zone begins or ends, walks
from one to the next, and asks at each what the rules ask of a moment. Between two such moments
nothing changes, so the walk is exact to the microsecond. It shares nothing with the product but the
reading of a line (``custody.events``); the numbers stand in ``second/numbers.py``.

Where the rules can be read in two ways, this judge reads them as an inspector of custody would:

Reading the events
 1. ``until`` first drops what was written later, then the smallest of two lines with one id is taken.
 2. "The one written last" of several newest ledgers: the one whose last line was written last.
 3. "With nothing missing" over a rotation: the last line present of the ledger before has the sequence
    that ``follows.size`` names. Not: the whole ledger before has no gap anywhere.
 4. Known time runs forward: nothing becomes known by a line that was written before the one ahead of it.
 5. A ``guard.present`` written within 300 s after a restart counts from the restart *and* from its own time.
    What ends a presence ends it in between too: who was absent or named elsewhere at 09:01 and present at
    09:04 does not guard from 09:01 to 09:04, restart or not. ``valid_for_s`` runs from its own time. One that
    is dated before the restart counts on from it, unless the officer had gone before the restart.
 6. Presences stood at a restart whether the time before was known or not.
 7. ``since`` of a state ``recording``: "the state before" is the camera's previous event (its ``time``) or a
    ``zone.started`` in between, which ended what was before. With no state and no restart before: from ``since``.
 8. A camera's state that counts from a restart also takes the place of an ``unknown`` said in between.
 9. A description holds from its own moment on ("before" includes the moment itself).
10. A correction's ``time`` null names no time; a later correction with ``void: false`` restores a voided line.
11. M1.9: a line without a stay, a correction too, gives a finding with stay null. A voided correction gives none.
12. "W is past x" is W > x, never W = x.

What is proven
13. ``stay.left``'s escorts are named at a door, not in a room: it ends no presence.
14. Officers named with a witness are named all the same: it ends their presence elsewhere.
15. A move away and back at the same second is no time elsewhere: the time in the room is unbroken.
16. "As long as the stay is in that room": until it leaves the room for the first time; coming back does not
    revive the proof.
17. A stay's own events are those whose data name it, save door, record and command events.
18. An entered or returned while inside is no entry: no M1.2, no count in M2.2, escorts 300 s. As an answer to
    M1.3 it still counts: the register has a line.
19. "Stretches shorter than 10 s": all that lies between the two missing runs, proven and unknown together.
20. The state at the moment H itself says whether a run lasts: a guard who comes in the last event ends the gap.

Must 1 and 2
21. M1.4: a voided line gives none. Time and written are those of the line as it stands, the stay is as corrected.
22. M1.5: a departure uses up the permit that it names, valid or not, and the approval that served it. A
    medical departure is also served by its permit in the ordinary way, whatever the permit's reason.
23. M1.5/M1.6: "returned" is being back: ``stay.returned``, or ``stay.entered`` where that was said instead.
    Every ``stay.left`` is judged.
24. M1.6: the last approval by time of the permit, whether or not the approval was valid.
25. M1.3: opened within 30 s after the grant; the interlock group as described at the first grant.
26. M2.1: "the next search.finished" is any of the stay; M2.2: n counts persons, not entries, and its
    seconds are what counted (so what is compared with the limit).
27. M2.5: who only returned, so far as the register says, has entered; at exit, start = end. M2.6: "before"
    means in an earlier collection.

Must 3 and 4
28. M3.5: the limit of the level at the moment; a level changed while waiting reaches a limit already past at
    the change. Once broken by more than 60 s it lasts to the next check, whatever the level does.
29. M3.6: a run is of one room; M3.3: the high risk must be among those who count.
30. M3.4: "within 600 s" is before or after; the second half is judged at once.
31. M3.8, M4.6: of the time up to the exit; the time inside is that in all rooms, toilets too.
32. M4.2: sound of a described room without cameras is missing; a picture there too, known time or not.
33. M4.3: a heartbeat with an offset and no uncertainty has uncertainty 0.
34. M4.4: a room without cameras, or not described, is never audited.
35. M4.5: one finding for each lost recording and each unbroken time in one room.

Clocks
36. "A later measure without ``since`` does not restart it": the count goes on from where the measure before
    counted from, its ``since`` included.
37. "The measure then" is the one in force at the very moment of the finding's end, a change then included.
38. A null limit is never a T3. Flags at the event decide whether a tier of 4 hours exists.
39. "Two measures compared" (later limit): by the moments when they are reached, with the flags of that moment.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from second.clocks import judge_clocks
from second.findings import Finding, Findings
from second.must1 import judge_must1
from second.must2 import judge_must2
from second.must3 import judge_must3
from second.must4 import judge_must4
from second.reading import read
from second.world import World


def judge(lines: Iterable[bytes], until_us: int | None = None) -> list[Finding]:
    """All findings of all zones, sorted by start, rule, zone, stay (null first).

    Each is a dict with stay, rule, verdict, severity, start, end (None while it lasts at H), seconds,
    zone and must. Lines that are no events are passed over. ``until_us``: UTC microseconds.
    """
    rows: list[Finding] = []
    for reading in read(lines, until_us):
        world = World(reading)
        out = Findings(reading.zone, reading.h)
        judge_must1(world, out)
        judge_must2(world, out)
        judge_must3(world, out, judge_must4(world, out))
        judge_clocks(world, out)
        rows += out.rows
    return sorted(rows, key=_place)


def _place(row: Finding) -> tuple[Any, ...]:
    return (
        row["start"], row["rule"], row["zone"], row["stay"] is not None, row["stay"] or "",
        row["end"] is None, row["end"] or "", row["verdict"], row["severity"], row["seconds"],
    )  # fmt: skip

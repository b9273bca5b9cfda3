"""Commands meant for the doors, read from the ledger: who asks for what is an event like any other.

``command.received`` with ``actor`` an officer's id and ``args``::

    passage  {"door": id, "purpose": "bring_in|take_out|rounds|pass", "stay": id or null}
             what that officer's next tap at that door is for; valid for 120 s
    open     {"door": id}
             open it once, now; an officer with the role zone_manager may, and whom [[headquarters.may]] names when
             headquarters gives it; too late after 10 s
    lockdown  {"door": id or "*"}
             nobody but a zone manager passes that door, or any, until lockdown.end with the same argument
    release  {"door": id or "*"}
             it is unlocked for everybody, until secure with the same argument
             all four: who may open may do that, and as long
    provision  {"reader": id}
             give that reader, which has no key yet, the one of its key file; an officer with the role zone_manager
             may, from within the zone; too late after 10 s

What cannot be understood is answered with ``command.refused``; commands for other parts are none of ours.
"""

from __future__ import annotations

from config.zone import EVERY_DOOR, HeadquartersCommand
from custody.events import Event, PassagePurpose
from sync.commands import ORIGIN

from .facts import (
    CommandUnusable,
    Fact,
    ModeChange,
    ModeRequested,
    Now,
    OpenRequested,
    PassageDeclared,
    ProvisionRequested,
)
from .layout import Layout

PASSAGE_VALID_S = 120.0
OPEN_VALID_S = 10.0
"""Nobody stands at the door any more when a command is this old."""
MODES = {change.value: change for change in ModeChange}
NAMES = {"passage": "door", "open": "door", "provision": "reader", **dict.fromkeys(MODES, "door")}
"""The doors' commands, and what each must name."""


def read_command(event: Event, layout: Layout, now: Now, bootid: str, *, history: bool) -> Fact | None:
    """What a ``command.received`` means for the doors, or None.

    ``history``: it was read while catching up after a start; then a passage still counts for as long as it is
    valid, but nothing is opened and nothing refused: it may have been answered already.
    """
    command, actor = event.data.get("command"), event.data.get("actor")
    if command not in NAMES or not isinstance(actor, str):
        return None
    noun, id_ = NAMES[command], event.data.get("id")
    age_s = now.boot_s - event.boottime_s if event.bootid == bootid else None
    args = event.data.get("args")
    part = args.get(noun) if isinstance(args, dict) else None
    if not isinstance(args, dict) or not isinstance(part, str):
        missing = f"args.{noun} is missing: name the {noun}"
        return None if history else CommandUnusable(command, actor, missing, id_)
    if command != "passage":
        if history:
            return None
        if age_s is None or age_s > OPEN_VALID_S:
            return CommandUnusable(command, actor, f"too late: older than {OPEN_VALID_S:g} s; ask again", id_)
        if command == "open":
            return OpenRequested(part, actor, _by_right(event, actor, part, layout), id_)
        if command in MODES:
            door = None if part == EVERY_DOOR else part
            return ModeRequested(MODES[command], door, actor, _by_right(event, actor, door, layout), id_)
        if event.data.get("origin") == ORIGIN:
            return CommandUnusable(command, actor, "a key is given only by somebody who stands in the zone", id_)
        return ProvisionRequested(part, actor)
    if age_s is None or age_s > PASSAGE_VALID_S:
        return None
    declared = _passage(args, part, actor, layout, until_s=event.boottime_s + PASSAGE_VALID_S)
    if isinstance(declared, CommandUnusable) and history:
        return None
    return declared


def _by_right(event: Event, actor: str, door: str | None, layout: Layout) -> bool:
    """Whether it is headquarters that says so, and the settings permit it to this actor there; ``None`` is at
    every door."""
    headquarters = layout.headquarters
    if headquarters is None or event.data.get("origin") != ORIGIN:
        return False
    command = HeadquartersCommand(event.data["command"])
    return all(headquarters.permits(actor, command, each) for each in (layout.doors if door is None else [door]))


def _passage(
    args: dict[str, object], door: str, actor: str, layout: Layout, *, until_s: float
) -> PassageDeclared | CommandUnusable:
    def refused(reason: str) -> CommandUnusable:
        return CommandUnusable("passage", actor, reason)

    if door not in layout.doors:
        return refused(f"there is no door {door!r} in this zone; there are: {', '.join(layout.doors)}")
    if actor not in layout.officers:
        return refused(f"{actor!r} is no officer of this zone; add an [[officer]]")
    try:
        purpose = PassagePurpose(str(args.get("purpose")))
    except ValueError:
        return refused(f"args.purpose is {args.get('purpose')!r}; it can be {', '.join(PassagePurpose)}")
    stay = args.get("stay")
    if stay is not None and not isinstance(stay, str):
        return refused(f"args.stay is {stay!r}; name the stay's id")
    if stay is None and purpose in (PassagePurpose.BRING_IN, PassagePurpose.TAKE_OUT):
        return refused(f"args.stay is missing: {purpose.value} is of a person; name the stay")
    return PassageDeclared(door, actor, purpose, stay, until_s)

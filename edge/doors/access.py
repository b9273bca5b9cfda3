"""The access decision, pure: may this card pass here now, and what for?

The first reason to refuse is the one that is recorded, in the order of this file: what is wrong with the reader,
with the card, with its holder, with the passage, and last with the other doors.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from config.roster import OfficerSettings, Role
from custody.events import Denial, Direction, PartId, PassagePurpose, StayId, time_us
from devices.readers.reader import ReaderState

from .facts import KnownStay, PassageDeclared
from .layout import Layout


@dataclass(frozen=True)
class Request:
    """A card at a reader, with everything that the decision may depend on."""

    door: PartId
    direction: Direction
    card: str
    reader_state: ReaderState
    declared: PassageDeclared | None
    """What its holder said at the door terminal, if that is still valid."""
    interlock_free: bool
    """No other door of the group is, or may be, open or unlocked."""
    ledger_writable: bool
    wall_us: int


@dataclass(frozen=True)
class Granted:
    officer: OfficerSettings
    purpose: PassagePurpose
    stay: StayId | None


@dataclass(frozen=True)
class Denied:
    officer: OfficerSettings | None
    reason: Denial
    detail: str | None = None
    """Where the vocabulary of events.md has no word of its own; kept beside ``reason``."""


def decide(request: Request, layout: Layout, stays: Mapping[StayId, KnownStay]) -> Granted | Denied:
    """Whether the card opens, and for which purpose its holder then passes."""
    if request.reader_state is ReaderState.INSECURE:
        return Denied(None, Denial.READER_INSECURE)
    officer = layout.holders.get(request.card.upper())
    if officer is None:
        return Denied(None, Denial.UNKNOWN_CARD)
    reason = holder_refused(officer, request.wall_us)
    if reason is None and not may_pass(officer, layout, request.door):
        reason = Denial.NOT_PERMITTED
    if reason is not None:
        return Denied(officer, reason)
    passage = _passage(request, officer, layout, stays)
    if isinstance(passage, Denial):
        return Denied(officer, passage)
    if not request.interlock_free:
        return Denied(officer, Denial.INTERLOCK)
    if not request.ledger_writable and request.direction is Direction.IN:
        # Nobody comes in unrecorded; whoever is inside may leave, and that is recorded as missed.
        return Denied(officer, Denial.NOT_PERMITTED, "ledger_unwritable")
    purpose, stay = passage
    return Granted(officer, purpose, stay)


def holder_refused(officer: OfficerSettings, wall_us: int) -> Denial | None:
    """Whether the officer's own standing forbids it: switched off, not yet valid, no longer valid."""
    if not officer.active:
        return Denial.NOT_ACTIVE
    if officer.valid_from is not None and wall_us < time_us(officer.valid_from):
        return Denial.NOT_ACTIVE
    if officer.valid_until is not None and wall_us >= time_us(officer.valid_until):
        return Denial.EXPIRED
    return None


def may_pass(officer: OfficerSettings, layout: Layout, door: PartId) -> bool:
    """Whether one of the officer's roles is admitted at the door; a door without ``roles`` admits every role."""
    admitted = layout.doors[door].roles or list(Role)
    return any(role in admitted for role in officer.roles)


def remote_opening_refused(
    actor: str, door: PartId, layout: Layout, wall_us: int, *, interlock_free: bool, by_right: bool = False
) -> str | None:
    """Why a door is not opened from afar, in words; None when it may be. ``by_right``: see ``OpenRequested``."""
    if door not in layout.doors:
        return f"there is no door {door!r} in this zone; there are: {', '.join(layout.doors)}"
    refused = None if by_right else _manager_refused(actor, layout, wall_us, act="opening from afar")
    if refused is not None:
        return refused
    if not interlock_free:
        return "interlock: another door of its group is not known to be closed and locked"
    return None


def provisioning_refused(actor: str, reader: PartId, layout: Layout, wall_us: int) -> str | None:
    """Why a reader is not given a key, in words; None when it may be."""
    if reader not in layout.readers:
        return f"there is no reader {reader!r} in this zone; there are: {', '.join(layout.readers)}"
    return _manager_refused(actor, layout, wall_us, act="giving a reader its key")


def _manager_refused(actor: str, layout: Layout, wall_us: int, *, act: str) -> str | None:
    officer = layout.officers.get(actor)
    if officer is None:
        return f"{actor!r} is no officer of this zone; add an [[officer]]"
    standing = holder_refused(officer, wall_us)
    if standing is not None:
        return f"officer {actor} is refused: {standing.value}"
    if Role.ZONE_MANAGER not in officer.roles:
        return f"officer {actor} has not the role {Role.ZONE_MANAGER.value}, which {act} needs"
    return None


def _passage(
    request: Request, officer: OfficerSettings, layout: Layout, stays: Mapping[StayId, KnownStay]
) -> tuple[PassagePurpose, StayId | None] | Denial:
    declared = request.declared
    if declared is None:
        return _undeclared(request, officer, layout, stays)
    stay = None if declared.stay is None else stays.get(declared.stay)
    match declared.purpose:
        case PassagePurpose.BRING_IN:
            # Also one that is inside already: the register may be a moment ahead of the door.
            expected = stay is not None and not stay.finished
            if request.direction is not Direction.IN or not expected:
                return Denial.NOT_PERMITTED
        case PassagePurpose.TAKE_OUT:
            if request.direction is not Direction.OUT or stay is None:
                return Denial.NOT_PERMITTED
            if not may_be_taken_out(stay):
                return Denial.NO_PERMIT
    return declared.purpose, declared.stay


def _undeclared(
    request: Request, officer: OfficerSettings, layout: Layout, stays: Mapping[StayId, KnownStay]
) -> tuple[PassagePurpose, StayId | None]:
    """Who arrived with a person and now comes in brings that person in, the one who waits longest first."""
    if request.direction is Direction.IN and request.door in layout.into_custody:
        brought = [stay for stay in stays.values() if stay.awaited and officer.id in stay.brought_by]
        if brought:
            return PassagePurpose.BRING_IN, min(brought, key=lambda stay: (stay.arrived_us, stay.id)).id
    return PassagePurpose.PASS, None


def may_be_taken_out(stay: KnownStay) -> bool:
    """A suspect in custody goes out under a permit of the unit's head that no departure has used
    (使用管理规定 art. 4(1); rules.md M1.5), or after the exit was recorded; whoever is no suspect may go.
    """
    return stay.finished or stay.permitted or not stay.needs_permit

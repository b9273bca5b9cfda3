"""The access decision, pure: may this card pass here now, and what for?

The first reason to refuse is the one that is recorded, in the order of this file: what is wrong with the reader,
with the card, with its holder, with the passage, and last with the other doors.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from config.roster import Level, OfficerSettings, Passback, Role, TwoPerson
from custody.events import Area, Denial, Direction, PartId, PassagePurpose, Rank, StayId, time_us
from devices.readers.reader import ReaderState

from .facts import KnownStay, ModeRequested, PassageDeclared
from .layout import Layout
from .whereabouts import Place

ESCORTS = (Role.GUARD, Role.CASE_OFFICER, Role.ZONE_MANAGER)


@dataclass(frozen=True)
class Request:
    """A card at a reader, with everything that the decision may depend on."""

    door: PartId
    direction: Direction
    card: str
    reader_state: ReaderState
    declared: PassageDeclared | None
    """What its holder said at the door terminal, if that is still valid."""
    place: Place | None
    """Where its holder is, if that is already where he would pass into."""
    is_locked_out: bool
    """After wrong PINs."""
    is_locked_down: bool
    interlock_free: bool
    """No other door of the group is, or may be, open or unlocked."""
    ledger_writable: bool
    wall_us: int


class Remark(StrEnum):
    """What is said of somebody who passes into an area where he is already, as far as is known."""

    DOUBT = "doubt"
    """Somebody may have passed unseen since."""
    VIOLATED = "violated"


@dataclass(frozen=True)
class Granted:
    officer: OfficerSettings
    purpose: PassagePurpose
    stay: StayId | None
    passback: Remark | None = None


@dataclass(frozen=True)
class Denied:
    officer: OfficerSettings | None
    reason: Denial
    detail: str | None = None
    """Where the reasons have no word of their own; kept beside the reason."""
    more: Mapping[str, Any] = field(default_factory=dict)
    """Fields of the line beyond these."""


def decide(request: Request, layout: Layout, stays: Mapping[StayId, KnownStay]) -> Granted | Denied:
    """Whether the card opens as far as it and its holder are concerned, and for which purpose he then passes."""
    if request.reader_state is ReaderState.INSECURE:
        return Denied(None, Denial.READER_INSECURE)
    officer = layout.holders.get(request.card.upper())
    if officer is None:
        return Denied(None, Denial.UNKNOWN_CARD)
    refused = _standing_refused(request, officer) or _place_refused(request, officer, layout)
    if refused is not None:
        return refused
    passage = _passage(request, officer, layout, stays)
    if isinstance(passage, Denied):
        return passage
    purpose, stay = passage
    if request.is_locked_down and (stay is not None or Role.ZONE_MANAGER not in officer.roles):
        return Denied(officer, Denial.NOT_PERMITTED, "lockdown")
    remark = _passback(request, layout)
    # Nobody is kept inside by an error of book-keeping.
    is_hard = layout.passback_at(request.door) is Passback.HARD and request.direction is Direction.IN
    if remark is Remark.VIOLATED and is_hard:
        return Denied(officer, Denial.PASSBACK)
    if not request.interlock_free:
        return Denied(officer, Denial.INTERLOCK)
    if not request.ledger_writable and request.direction is Direction.IN:
        # Nobody comes in unrecorded; whoever is inside may leave, and that is recorded as missed.
        return Denied(officer, Denial.NOT_PERMITTED, "ledger_unwritable")
    return Granted(officer, purpose, stay, remark)


def _standing_refused(request: Request, officer: OfficerSettings) -> Denied | None:
    reason = holder_refused(officer, request.wall_us)
    if reason is not None:
        return Denied(officer, reason)
    return Denied(officer, Denial.WRONG_PIN, "locked_out") if request.is_locked_out else None


def _place_refused(request: Request, officer: OfficerSettings, layout: Layout) -> Denied | None:
    """Whether he may pass this door at all, and now."""
    if not any(role in layout.roles_at(request.door) for role in officer.roles):
        return Denied(officer, Denial.NOT_PERMITTED)
    if officer.doors is not None and request.door not in officer.doors:
        return Denied(officer, Denial.NOT_PERMITTED, "door")
    area = layout.area_behind(request.door, request.direction)
    if officer.areas is not None and area not in (*officer.areas, Area.OUTSIDE):
        return Denied(officer, Denial.NOT_PERMITTED, "area")
    # Whoever stayed on beyond his hours may still leave.
    if request.direction is Direction.IN and not layout.holds(officer.schedule, request.wall_us):
        return Denied(officer, Denial.NOT_THIS_TIME)
    if layout.level_at(request.door, request.wall_us) is Level.CARD_AND_PIN and officer.pin_hash is None:
        return Denied(officer, Denial.NOT_PERMITTED, "no_pin_set")
    return None


def _passback(request: Request, layout: Layout) -> Remark | None:
    if request.place is None or layout.passback_at(request.door) is Passback.OFF:
        return None
    return Remark.VIOLATED if request.place.certain else Remark.DOUBT


def holder_refused(officer: OfficerSettings, wall_us: int) -> Denial | None:
    """Whether the officer's own standing forbids it: switched off, not yet valid, no longer valid."""
    if not officer.active:
        return Denial.NOT_ACTIVE
    if officer.valid_from is not None and wall_us < time_us(officer.valid_from):
        return Denial.NOT_ACTIVE
    if officer.valid_until is not None and wall_us >= time_us(officer.valid_until):
        return Denial.EXPIRED
    return None


def may_be_second(officer: OfficerSettings, rule: TwoPerson) -> bool:
    """Whether he may be the second of two, once the door admits him."""
    return not rule.roles or any(role in rule.roles for role in officer.roles)


def may_escort(officer: OfficerSettings) -> bool:
    """Whether a suspect may be moved with him alone in charge: a police officer or an auxiliary who works here.
    Doctors, visitors and inspectors come and go without suspects."""
    works_here = any(role in ESCORTS for role in officer.roles)
    return works_here and officer.rank in (Rank.POLICE, Rank.AUXILIARY)


def remote_opening_refused(
    actor: str,
    door: PartId,
    layout: Layout,
    wall_us: int,
    *,
    interlock_free: bool,
    is_locked_down: bool,
    by_right: bool = False,
) -> str | None:
    """Why a door is not opened from afar, in words; None when it may be. ``by_right``: see ``OpenRequested``."""
    if door not in layout.doors:
        return f"there is no door {door!r} in this zone; there are: {', '.join(layout.doors)}"
    refused = None if by_right else _manager_refused(actor, layout, wall_us, act="opening from afar")
    if refused is not None:
        return refused
    if is_locked_down:
        return f"{door} is locked down; end that first (lockdown.end)"
    if not interlock_free:
        return "interlock: another door of its group is not known to be closed and locked"
    return None


def mode_refused(asked: ModeRequested, layout: Layout, wall_us: int) -> str | None:
    """Why doors do not stand otherwise at his word, in words; None when they do."""
    if asked.door is not None and asked.door not in layout.doors:
        return f"there is no door {asked.door!r} in this zone; there are: {', '.join(layout.doors)}"
    return None if asked.by_right else _manager_refused(asked.actor, layout, wall_us, act=asked.change.value)


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
) -> tuple[PassagePurpose, StayId | None] | Denied:
    purpose, stay_id = (
        _undeclared(request, officer, layout, stays)
        if request.declared is None
        else (request.declared.purpose, request.declared.stay)
    )
    if purpose in (PassagePurpose.PASS, PassagePurpose.ROUNDS):
        return purpose, stay_id
    stay = None if stay_id is None else stays.get(stay_id)
    direction = Direction.IN if purpose is PassagePurpose.BRING_IN else Direction.OUT
    # One that is inside already is also brought in: the register may be a moment ahead of the door.
    is_over = purpose is PassagePurpose.BRING_IN and stay is not None and stay.finished
    if request.direction is not direction or stay is None or is_over:
        return Denied(officer, Denial.NOT_PERMITTED)
    if purpose is PassagePurpose.TAKE_OUT and not may_be_taken_out(stay):
        return Denied(officer, Denial.NO_PERMIT)
    if stay.needs_permit and not may_escort(officer):
        return Denied(officer, Denial.NOT_PERMITTED, "escort")
    return purpose, stay_id


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

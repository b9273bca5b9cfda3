"""What a person at the terminal asks the register to write: one model an act.

The panel's pages, its JSON API and the demo all use these; officers are named by their ids, and the register
puts their rank and sex into the event.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from custody.events import (
    ActivityExemption,
    ActivityKind,
    Belongings,
    BelongingsOutcome,
    CareKind,
    CaseKind,
    Category,
    CollectionItem,
    Exemption,
    ExitReason,
    Flag,
    Injuries,
    LeaveReason,
    Level,
    MeasureKind,
    PartId,
    PassagePurpose,
    PersonSex,
    SearchKind,
    StayId,
)

Line = Annotated[str, Field(max_length=200)]
Text = Annotated[str, Field(max_length=4000)]
Reason = Annotated[str, Field(min_length=2, max_length=500)]
Officers = Annotated[list[PartId], Field(max_length=12)]


class Asked(BaseModel):
    """A part of a request; what it does not know it refuses, so that nothing typed is silently dropped."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


class Act(Asked):
    """``by`` is the officer who writes. ``time`` is when it happened, if not just now. ``override`` is the reason
    for going on although the musts forbid it; it goes into the event and the act stays judged.
    """

    NAME: ClassVar[str]
    by: PartId
    time: AwareDatetime | None = None
    override: Reason | None = None


class StayAct(Act):
    """An act upon one stay."""

    stay: StayId


class PersonIdentity(Asked):
    """Who the person is (登记表 的 人员信息). Sealed at the zone; the ledger gets a commitment."""

    name: Line = ""
    alias: Line = ""
    birth_date: Line = ""
    ethnicity: Line = ""
    nationality: Line = ""
    id_kind: Line = ""
    id_number: Line = ""
    address: Text = ""
    phone: Line = ""
    guardian: Line = ""
    case_reason: Line = ""
    arrival_manner: Line = ""
    captured_at: Line = ""
    host_unit: Line = ""


class CaseAsked(Asked):
    id: Line = ""
    kind: CaseKind


class MeasureAsked(Asked):
    kind: MeasureKind
    limit_hours: Annotated[float, Field(gt=0, le=48, allow_inf_nan=False)] | None = None
    document: Line | None = None
    since: AwareDatetime | None = None


class Arrive(Act):
    """到案: the person is with the police. The stay is born here and gets its number."""

    NAME = "arrive"
    identity: PersonIdentity = PersonIdentity()
    category: Category = Category.SUSPECT
    sex: PersonSex
    flags: list[Flag] = []
    case: CaseAsked
    measure: MeasureAsked
    brought_by: Officers = []
    via: PartId
    exempt: Exemption | None = None


class Enter(StayAct):
    """入区."""

    NAME = "enter"
    door: PartId
    room: PartId
    escorts: Officers = []


class Move(StayAct):
    NAME = "move"
    room: PartId
    escorts: Officers = []


class StartSearch(StayAct):
    """人身检查 begins."""

    NAME = "start-search"
    room: PartId
    kind: SearchKind = SearchKind.SAFETY
    officers: Officers


class Health(Asked):
    """What was seen and said at the search (人身检查记录). Sealed at the zone."""

    self_reported: Text = ""
    injuries: Text = ""
    injury_cause: Text = ""
    drink: bool = False
    illness: Text = ""
    medicine: Text = ""
    features: Text = ""


class Item(Asked):
    name: Line
    feature: Line = ""
    quantity: Annotated[int, Field(ge=1, le=100_000)] = 1
    unit: Line = ""


class PropertyAsked(Asked):
    """随身财物清单, signed by the person."""

    items: Annotated[list[Item], Field(max_length=200)]
    locker: Line
    signed: bool


class FinishSearch(StayAct):
    NAME = "finish-search"
    injuries: Injuries | None = None
    belongings: Belongings | None = None
    signed: bool = False
    flags: list[Flag] | None = None
    health: Health | None = None
    property: PropertyAsked | None = None


class Collect(StayAct):
    """信息采集. Anything but ``basic`` and ``phone`` needs an approval (治安管理处罚法 art. 102)."""

    NAME = "collect"
    items: Annotated[list[CollectionItem], Field(min_length=1)]
    approval: Line | None = None
    officers: Officers


class StartActivity(StayAct):
    NAME = "start-activity"
    kind: ActivityKind
    room: PartId
    officers: Officers = []
    exempt: ActivityExemption | None = None


class ChangeOfficers(StayAct):
    NAME = "change-officers"
    activity: str
    officers: Officers


class EndActivity(StayAct):
    NAME = "end-activity"
    activity: str
    signed: bool | None = None


class ApproveLeave(StayAct):
    """带出审批: approved by the head of the case-handling unit (使用管理规定 art. 4)."""

    NAME = "approve-leave"
    reason: LeaveReason
    approver: PartId
    return_by: AwareDatetime | None = None


class Leave(StayAct):
    NAME = "leave"
    door: PartId
    permit: str | None = None
    reason: LeaveReason | None = None
    escorts: Officers = []


class Return(StayAct):
    NAME = "return"
    door: PartId
    room: PartId
    escorts: Officers = []


class Exit(StayAct):
    """出区: for good."""

    NAME = "exit"
    door: PartId
    reason: ExitReason
    destination: Line | None = None
    belongings: BelongingsOutcome
    signed: bool = False


class GuardPresentAct(Act):
    NAME = "guard-present"
    room: PartId
    officer: PartId
    valid_for_s: Annotated[float, Field(gt=0, le=86_400)] | None = None


class GuardAbsentAct(Act):
    NAME = "guard-absent"
    room: PartId
    officer: PartId


class Handover(Act):
    """交接班: ``stays`` is the list that both confirm; left out, it is who is in the room now."""

    NAME = "handover"
    room: PartId
    outgoing: PartId
    incoming: PartId
    stays: list[StayId] | None = None


class Check(StayAct):
    """巡查: ``terminal`` is the room whose terminal it is made at, if any."""

    NAME = "check"
    officer: PartId
    terminal: PartId | None = None
    note: Text | None = None


class Care(StayAct):
    """饮食、休息、就医: law demands that they are recorded (治安管理处罚法 art. 97)."""

    NAME = "care"
    kind: CareKind
    accepted: bool = True


class ReceiveProperty(StayAct):
    NAME = "receive-property"
    property: PropertyAsked


class ReturnProperty(StayAct):
    NAME = "return-property"
    property: PropertyAsked


class ChangeFlags(StayAct):
    NAME = "change-flags"
    flags: list[Flag]
    level: Level


class ChangeMeasure(StayAct):
    NAME = "change-measure"
    measure: MeasureAsked
    approver: PartId


class Correct(Act):
    """The line ``event`` should read otherwise: ``data`` has the fields that change. The old line stays."""

    NAME = "correct"
    event: str
    reason: Reason
    data: dict[str, Any] = {}
    corrected_time: AwareDatetime | None = None


class Void(Act):
    """The line ``event`` should never have been written. It stays, and counts no more."""

    NAME = "void"
    event: str
    reason: Reason


class DeclarePassage(Act):
    """Said at the terminal before a card: what the next passage of ``by`` at this door is for, and of whom."""

    NAME = "declare-passage"
    door: PartId
    purpose: PassagePurpose
    stay: StayId | None = None


class ViewIdentity(StayAct):
    """Look at who a person is. That somebody looked, and why, is itself an event."""

    NAME = "view-identity"
    purpose: Reason


ACTS: tuple[type[Act], ...] = (
    Arrive,
    Enter,
    Move,
    StartSearch,
    FinishSearch,
    Collect,
    StartActivity,
    ChangeOfficers,
    EndActivity,
    ApproveLeave,
    Leave,
    Return,
    Exit,
    GuardPresentAct,
    GuardAbsentAct,
    Handover,
    Check,
    Care,
    ReceiveProperty,
    ReturnProperty,
    ChangeFlags,
    ChangeMeasure,
    Correct,
    Void,
    DeclarePassage,
    ViewIdentity,
)

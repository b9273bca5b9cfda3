"""Events of a stay: from arrival to exit, everything the register holds about one person."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, ClassVar

from pydantic import Field

from .base import EventData, Officer, Part, PartId, PersonSex, Seconds, StayId, Time


class Category(StrEnum):
    SUSPECT = "suspect"
    WITNESS = "witness"
    VICTIM = "victim"
    OTHER = "other"


class Flag(StrEnum):
    MINOR = "minor"
    DRUNK = "drunk"
    ILL = "ill"
    INJURED = "injured"
    PREGNANT = "pregnant"
    NURSING = "nursing"
    ELDERLY = "elderly"
    HIGH_RISK = "high_risk"


class Level(StrEnum):
    """How closely a person must be observed."""

    GENERAL = "general"
    INTERMITTENT = "intermittent"
    CONSTANT = "constant"


class CaseKind(StrEnum):
    CRIMINAL = "criminal"
    ADMINISTRATIVE = "administrative"


class MeasureKind(StrEnum):
    ADMINISTRATIVE_SUMMONS = "administrative_summons"
    CRIMINAL_SUMMONS = "criminal_summons"
    COMPELLED_APPEARANCE = "compelled_appearance"
    CONTINUED_QUESTIONING = "continued_questioning"
    DETENTION = "detention"
    NONE = "none"


class Exemption(StrEnum):
    """Why a person need not be brought straight in (使用管理规定 art. 4(2): may be done in the reception area)."""

    MEDIATION = "mediation"
    HEARING = "hearing"
    SUMMARY_PROCEDURE = "summary_procedure"


class Case(Part):
    id: str
    kind: CaseKind


class Measure(Part):
    kind: MeasureKind
    limit_hours: Seconds | None = None
    document: str | None = None
    since: Time | None = None


class StayArrived(EventData):
    TYPE: ClassVar[str] = "stay.arrived"
    stay: StayId
    person: str
    category: Category
    sex: PersonSex
    flags: list[Flag]
    case: Case
    measure: Measure
    brought_by: list[Officer]
    via: str
    exempt: Exemption | None


class StayEntered(EventData):
    TYPE: ClassVar[str] = "stay.entered"
    stay: StayId
    door: PartId
    room: PartId
    escorts: list[Officer]


class StayReturned(EventData):
    TYPE: ClassVar[str] = "stay.returned"
    stay: StayId
    door: PartId
    room: PartId
    escorts: list[Officer]


class StayMoved(EventData):
    TYPE: ClassVar[str] = "stay.moved"
    stay: StayId
    room: PartId
    escorts: list[Officer]


class SearchKind(StrEnum):
    SAFETY = "safety"
    BODY = "body"


class SearchStarted(EventData):
    TYPE: ClassVar[str] = "search.started"
    stay: StayId
    search: str
    room: PartId
    kind: SearchKind
    officers: list[Officer]


class Injuries(StrEnum):
    NONE = "none"
    DESCRIBED = "described"


class Belongings(StrEnum):
    LISTED = "listed"
    NONE = "none"


class SearchFinished(EventData):
    TYPE: ClassVar[str] = "search.finished"
    stay: StayId
    search: str
    room: PartId
    kind: SearchKind
    officers: list[Officer]
    injuries: Injuries | None
    belongings: Belongings | None
    signed: bool


class CollectionItem(StrEnum):
    BASIC = "basic"
    PORTRAIT = "portrait"
    FINGERPRINT = "fingerprint"
    VOICEPRINT = "voiceprint"
    IRIS = "iris"
    GAIT = "gait"
    BLOOD = "blood"
    URINE = "urine"
    DNA = "dna"
    PHONE = "phone"


class CollectionFinished(EventData):
    TYPE: ClassVar[str] = "collection.finished"
    stay: StayId
    items: list[CollectionItem]
    approval: str | None
    officers: list[Officer]


class ActivityKind(StrEnum):
    INTERVIEW = "interview"
    IDENTIFICATION = "identification"
    MEETING = "meeting"
    MEDICAL = "medical"
    MEAL = "meal"
    REST = "rest"
    PHONE = "phone"
    SOBERING = "sobering"
    OTHER = "other"


class ActivityExemption(StrEnum):
    """Why an interview may be held elsewhere (刑事程序规定 art. 198)."""

    ILL = "ill"
    PREGNANT = "pregnant"
    EMERGENCY = "emergency"


class ActivityStarted(EventData):
    TYPE: ClassVar[str] = "activity.started"
    stay: StayId
    activity: str
    kind: ActivityKind
    room: PartId
    officers: list[Officer]
    exempt: ActivityExemption | None


class ActivityOfficers(EventData):
    TYPE: ClassVar[str] = "activity.officers"
    stay: StayId
    activity: str
    officers: list[Officer]


class ActivityEnded(EventData):
    TYPE: ClassVar[str] = "activity.ended"
    stay: StayId
    activity: str
    signed: bool | None


class LeaveReason(StrEnum):
    RETRIEVE_EVIDENCE = "retrieve_evidence"
    SCENE_IDENTIFICATION = "scene_identification"
    BODY_IDENTIFICATION = "body_identification"
    MEDICAL = "medical"
    TRANSFER = "transfer"
    OTHER = "other"


class ApproverRole(StrEnum):
    UNIT_HEAD = "unit_head"
    DUTY_CHIEF = "duty_chief"
    OTHER = "other"


class Approver(Part):
    id: PartId
    role: ApproverRole


class LeaveApproved(EventData):
    TYPE: ClassVar[str] = "leave.approved"
    stay: StayId
    permit: str
    reason: LeaveReason
    approver: Approver
    return_by: Time | None


class StayLeft(EventData):
    TYPE: ClassVar[str] = "stay.left"
    stay: StayId
    door: PartId
    permit: str | None
    reason: LeaveReason | None
    escorts: list[Officer]


class ExitReason(StrEnum):
    RELEASED = "released"
    TRANSFERRED = "transferred"
    DETAINED = "detained"
    MEDICAL = "medical"
    OTHER = "other"


class BelongingsOutcome(StrEnum):
    RETURNED = "returned"
    TRANSFERRED = "transferred"
    NONE = "none"
    UNSETTLED = "unsettled"


class StayExited(EventData):
    TYPE: ClassVar[str] = "stay.exited"
    stay: StayId
    door: PartId
    reason: ExitReason
    destination: str | None
    belongings: BelongingsOutcome
    signed: bool


class MeasureChanged(EventData):
    TYPE: ClassVar[str] = "measure.changed"
    stay: StayId
    measure: Measure
    approver: Approver


class FlagsChanged(EventData):
    TYPE: ClassVar[str] = "flags.changed"
    stay: StayId
    flags: list[Flag]
    level: Level


class CareKind(StrEnum):
    MEAL = "meal"
    WATER = "water"
    REST = "rest"
    MEDICAL = "medical"
    TOILET = "toilet"
    PHONE = "phone"


class CareRecorded(EventData):
    TYPE: ClassVar[str] = "care.recorded"
    stay: StayId
    kind: CareKind
    accepted: bool


class PropertyReceived(EventData):
    TYPE: ClassVar[str] = "property.received"
    stay: StayId
    count: int
    locker: str
    list: str
    signed: bool


class PropertyReturned(EventData):
    TYPE: ClassVar[str] = "property.returned"
    stay: StayId
    count: int
    locker: str
    list: str
    signed: bool


class RecordCorrected(EventData):
    """``data`` holds the fields as they should read; the old line stays and is evidence too."""

    TYPE: ClassVar[str] = "record.corrected"
    corrects: str
    reason: str
    by: Officer
    data: dict[str, Any] = Field(default_factory=dict)
    time: Time | None = None
    void: bool = False


class HoldSet(EventData):
    TYPE: ClassVar[str] = "hold.set"
    stay: StayId
    by: Officer
    reason: str


class HoldReleased(EventData):
    TYPE: ClassVar[str] = "hold.released"
    stay: StayId
    by: Officer
    reason: str


class Viewed(StrEnum):
    IDENTITY = "identity"
    FOOTAGE = "footage"
    EXPORT = "export"


class RecordViewed(EventData):
    TYPE: ClassVar[str] = "record.viewed"
    stay: StayId | None
    by: Officer
    purpose: str
    what: Viewed

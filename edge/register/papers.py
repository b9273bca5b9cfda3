"""Measures, flags, belongings, corrections, declared passages and views of who a person is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from custody.events import (
    Approver,
    CommandReceived,
    Draft,
    Event,
    FlagsChanged,
    MeasureChanged,
    PassagePurpose,
    PropertyReceived,
    PropertyReturned,
    RecordCorrected,
    RecordViewed,
    SchemaBroken,
    Viewed,
    check_data,
    time_us,
)
from custody.events.stays import ApproverRole, Flag, Level

from . import requests
from .errors import NotNow, Said, WrongTime
from .persons import Paper
from .situation import Situation

CORRECTABLE = (
    "stay.",
    "search.",
    "collection.",
    "activity.",
    "guard.",
    "check.",
    "leave.",
    "measure.",
    "flags.",
    "property.",
    "care.",
)
PASSAGE_COMMAND = "passage"
CONSTANT_FLAGS = (Flag.DRUNK, Flag.ILL, Flag.INJURED, Flag.HIGH_RISK)


def level_of(flags: Sequence[Flag], level: str) -> Level:
    """Somebody drunk, ill, injured or at high risk is observed constantly; nobody's level is lowered by a flag."""
    if any(flag in CONSTANT_FLAGS for flag in flags):
        return Level.CONSTANT
    return Level(level)


def flagged(now: Situation, asked: requests.StayAct, flags: Sequence[Flag], level: Level) -> Draft:
    return now.draft(asked, FlagsChanged(stay=asked.stay, flags=list(dict.fromkeys(flags)), level=level))


def change_flags(now: Situation, asked: requests.ChangeFlags) -> list[Draft]:
    now.open(asked.stay)
    return [flagged(now, asked, asked.flags, asked.level)]


def change_measure(now: Situation, asked: requests.ChangeMeasure) -> list[Draft]:
    now.open(asked.stay)
    approver = now.known_officer(asked.approver)
    role = approver.approves_as or ApproverRole.OTHER
    data = MeasureChanged(
        stay=asked.stay,
        measure=now.measure(asked.measure),
        approver=Approver(id=approver.id, role=role),
    )
    return [now.draft(asked, data)]


def _list(now: Situation, stay: str, listed: requests.PropertyAsked) -> dict[str, Any]:
    """The ledger's fields of a list of belongings; the list itself is sealed at the zone."""
    return {
        "stay": stay,
        "count": sum(item.quantity for item in listed.items),
        "locker": listed.locker,
        "list": now.keep(stay, Paper.PROPERTY, listed.model_dump(mode="json")),
        "signed": listed.signed,
    }


def received(now: Situation, asked: requests.StayAct, listed: requests.PropertyAsked) -> Draft:
    return now.draft(asked, PropertyReceived(**_list(now, asked.stay, listed)))


def receive_property(now: Situation, asked: requests.ReceiveProperty) -> list[Draft]:
    now.open(asked.stay)
    return [received(now, asked, asked.property)]


def return_property(now: Situation, asked: requests.ReturnProperty) -> list[Draft]:
    now.open(asked.stay)
    return [now.draft(asked, PropertyReturned(**_list(now, asked.stay, asked.property)))]


def _correction(now: Situation, event: Event, correction: RecordCorrected, act: requests.Act) -> Draft:
    return Draft(
        RecordCorrected.TYPE,
        {**correction.model_dump(mode="json", by_alias=True), "recorded_by": now.known_officer(act.by).id},
        event.subject,
    )


def _of_a_device(event: Event) -> NotNow:
    return NotNow(
        Said("An entry of type %(type)s is written by a device; it cannot be corrected.", {"type": event.type}),
        Said("Write what happened as an entry of its own."),
    )


def correct(now: Situation, asked: requests.Correct) -> list[Draft]:
    """更正: the fields as they should read. They are held against the schema of the line that they correct."""
    event = now.event(asked.event)
    if not event.type.startswith(CORRECTABLE):
        raise _of_a_device(event)
    if not asked.data and asked.corrected_time is None:
        raise NotNow(Said("The correction changes nothing."), Said("Give a field or the time as it should read."))
    try:
        check_data(event.type, {**event.data, **asked.data})
    except SchemaBroken as error:
        raise NotNow(
            Said("The entry would not be valid any more: %(detail)s.", {"detail": error}),
            Said("Give the field as the original has it, changed."),
        ) from error
    if asked.corrected_time is not None and time_us(asked.corrected_time) > now.now_us:
        raise WrongTime(Said("The time of happening lies in the future."), Said("Check the time."))
    correction = RecordCorrected(
        corrects=event.id,
        reason=asked.reason,
        by=now.officer(asked.by),
        data=asked.data,
        time=asked.corrected_time,
    )
    return [_correction(now, event, correction, asked)]


def void(now: Situation, asked: requests.Void) -> list[Draft]:
    """作废: the line stays and counts no more. A correction can be voided too."""
    event = now.event(asked.event)
    if not event.type.startswith(CORRECTABLE) and event.type != RecordCorrected.TYPE:
        raise _of_a_device(event)
    correction = RecordCorrected(corrects=event.id, reason=asked.reason, by=now.officer(asked.by), void=True)
    return [_correction(now, event, correction, asked)]


def declare_passage(now: Situation, asked: requests.DeclarePassage) -> list[Draft]:
    """What the officer's next card at this door is for; the door process sees it in the ledger and decides."""
    if asked.stay is not None:
        now.open(asked.stay)
    elif asked.purpose in (PassagePurpose.BRING_IN, PassagePurpose.TAKE_OUT):
        raise NotNow(
            Said("Bringing in and taking out are of a person."),
            Said("Choose the person; register an arrival first."),
        )
    data = CommandReceived(
        command=PASSAGE_COMMAND,
        actor=now.known_officer(asked.by).id,
        args={
            "door": now.door(asked.door).id,
            "purpose": asked.purpose.value,
            "stay": asked.stay,
        },
    )
    return [now.draft(asked, data)]


def view_identity(now: Situation, asked: requests.ViewIdentity) -> list[Draft]:
    """Written before the record is shown: nobody looks unseen."""
    now.stay(asked.stay)
    data = RecordViewed(stay=asked.stay, by=now.officer(asked.by), purpose=asked.purpose, what=Viewed.IDENTITY)
    return [now.draft(asked, data)]

"""What the values of the register are called on the screen: message ids by group and value."""

from __future__ import annotations

from collections.abc import Mapping


def _m(message: str) -> str:
    """Marks a message id for extraction."""
    return message


LABELS: Mapping[str, Mapping[str, str]] = {
    "category": {
        "suspect": _m("Suspect"),
        "witness": _m("Witness"),
        "victim": _m("Victim"),
        "other": _m("Other person"),
    },
    "sex": {"m": _m("Male"), "f": _m("Female"), "unknown": _m("Sex unknown")},
    "flag": {
        "minor": _m("Minor"),
        "drunk": _m("Drunk"),
        "ill": _m("Ill"),
        "injured": _m("Injured"),
        "pregnant": _m("Pregnant"),
        "nursing": _m("Nursing"),
        "elderly": _m("Elderly"),
        "high_risk": _m("High risk"),
    },
    "level": {
        "general": _m("General"),
        "intermittent": _m("Intermittent"),
        "constant": _m("Constant observation"),
    },
    "case_kind": {"criminal": _m("Criminal case"), "administrative": _m("Administrative case")},
    "measure": {
        "administrative_summons": _m("Administrative summons"),
        "criminal_summons": _m("Criminal summons"),
        "compelled_appearance": _m("Compelled appearance"),
        "continued_questioning": _m("Continued questioning"),
        "detention": _m("Criminal detention"),
        "none": _m("No measure"),
    },
    "exempt": {
        "mediation": _m("Mediation"),
        "hearing": _m("Hearing"),
        "summary_procedure": _m("Summary procedure"),
    },
    "search_kind": {"safety": _m("Safety check"), "body": _m("Body search")},
    "injuries": {"none": _m("No injuries"), "described": _m("Injuries described")},
    "belongings": {"listed": _m("Listed"), "none": _m("No belongings")},
    "item": {
        "basic": _m("Basic identity"),
        "portrait": _m("Portrait"),
        "fingerprint": _m("Fingerprints"),
        "voiceprint": _m("Voiceprint"),
        "iris": _m("Iris"),
        "gait": _m("Gait"),
        "blood": _m("Blood"),
        "urine": _m("Urine"),
        "dna": _m("DNA"),
        "phone": _m("Phone"),
    },
    "activity": {
        "interview": _m("Interview"),
        "identification": _m("Identification"),
        "meeting": _m("Meeting"),
        "medical": _m("Medical"),
        "meal": _m("Meal"),
        "rest": _m("Rest"),
        "phone": _m("Phone call"),
        "sobering": _m("Sobering up"),
        "other": _m("Other activity"),
    },
    "activity_exempt": {
        "ill": _m("Seriously ill or injured"),
        "pregnant": _m("Pregnant"),
        "emergency": _m("Emergency on the spot"),
    },
    "leave_reason": {
        "retrieve_evidence": _m("Retrieving evidence"),
        "scene_identification": _m("Identifying a scene"),
        "body_identification": _m("Identifying a body"),
        "medical": _m("Medical treatment"),
        "transfer": _m("Transfer"),
        "other": _m("Other reason"),
    },
    "exit_reason": {
        "released": _m("Released"),
        "transferred": _m("Transferred"),
        "detained": _m("To a place of detention"),
        "medical": _m("To hospital"),
        "other": _m("Other reason"),
    },
    "outcome": {
        "returned": _m("Returned"),
        "transferred": _m("Handed on with the person"),
        "none": _m("No belongings"),
        "unsettled": _m("Not settled"),
    },
    "care": {
        "meal": _m("Meal"),
        "water": _m("Water"),
        "rest": _m("Rest"),
        "medical": _m("Medical"),
        "toilet": _m("Toilet"),
        "phone": _m("Phone call"),
    },
    "rank": {
        "police": _m("Police officer"),
        "auxiliary": _m("Auxiliary"),
        "doctor": _m("Doctor"),
        "other": _m("Staff"),
    },
    "room_purpose": {
        "waiting": _m("Waiting room"),
        "interview": _m("Interview room"),
        "search": _m("Search room"),
        "collection": _m("Collection room"),
        "corridor": _m("Corridor"),
        "toilet": _m("Toilet"),
        "sobering": _m("Sobering room"),
        "other": _m("Room"),
    },
    "area": {
        "custody": _m("Custody zone"),
        "reception": _m("Reception area"),
        "office": _m("Office area"),
        "living": _m("Living area"),
        "outside": _m("Outside"),
    },
    "camera_state": {
        "recording": _m("Recording"),
        "impaired": _m("Impaired"),
        "lost": _m("Lost"),
        "unknown": _m("Not known"),
    },
    "camera_fault": {
        "no_signal": _m("no signal"),
        "not_recording": _m("not recording"),
        "frozen": _m("picture frozen"),
        "replayed": _m("picture replayed"),
        "dark": _m("too dark"),
        "covered": _m("covered"),
        "defocused": _m("out of focus"),
        "moved": _m("camera moved"),
        "no_audio": _m("no sound"),
        "clock": _m("clock wrong"),
        "storage": _m("storage"),
    },
    "denial": {
        "unknown_card": _m("unknown card"),
        "not_active": _m("officer not active"),
        "expired": _m("authorisation expired"),
        "wrong_pin": _m("wrong PIN"),
        "not_permitted": _m("not permitted at this door"),
        "not_this_time": _m("not at this time"),
        "needs_second_officer": _m("a second officer is needed"),
        "passback": _m("card already inside"),
        "interlock": _m("another door is open"),
        "no_permit": _m("no approval for taking out"),
        "reader_insecure": _m("reader not secure"),
    },
    "passage": {
        "pass": _m("Passing through"),
        "bring_in": _m("Bringing in"),
        "take_out": _m("Taking out"),
        "rounds": _m("Rounds"),
    },
    "part": {
        "doors": _m("Doors"),
        "cameras": _m("Cameras"),
        "link": _m("Link"),
        "panel": _m("Panel"),
    },
}


def label(group: str, value: str) -> str:
    """The message id of a value; the value itself when a newer writer made it."""
    return LABELS[group].get(value, value)

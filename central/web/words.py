"""English words for the codes of the contract; the catalogue has the Chinese. Others are shown as they are."""

from __future__ import annotations

from collections.abc import Callable

from .texts import Texts

CATEGORY = {"suspect": "suspect", "witness": "witness", "victim": "victim", "other": "other person"}
PURPOSE = {
    "waiting": "waiting room",
    "interview": "interview room",
    "search": "search room",
    "collection": "collection room",
    "corridor": "corridor",
    "toilet": "toilet",
    "sobering": "sobering room",
    "other": "room",
}
FLAG = {
    "minor": "minor",
    "drunk": "drunk",
    "ill": "ill",
    "injured": "injured",
    "pregnant": "pregnant",
    "nursing": "nursing",
    "elderly": "elderly",
    "high_risk": "high risk",
}
MEASURE = {
    "administrative_summons": "administrative summons",
    "criminal_summons": "criminal summons",
    "compelled_appearance": "compelled appearance",
    "continued_questioning": "continued questioning",
    "detention": "detention",
    "none": "no measure",
}
STATE = {"raised": "raised", "changed": "changed", "closed": "closed"}
EVIDENCE = {
    "wrong_root": "wrong root: the ledger was rewritten",
    "wrong_overlap": "lines that are not what they were: the ledger was rewritten",
    "ledger_rollback": "disk restored from an old image",
    "headquarters_rollback": "headquarters was restored from an old state",
    "headquarters_fork": "headquarters' own ledger was rewritten",
    "own_rollback": "the zone holds a later state of headquarters than this one",
    "wrong_proof": "proof that does not hold",
    "wrong_origin": "checkpoint of another ledger",
    "wrong_signature": "wrong signature",
    "broken_line": "line that breaks the schema",
    "malformed": "malformed message",
    "oversize": "message too large",
    "retained": "message that the broker kept",
    "unknown_zone": "zone that is not enrolled",
}

Word = Callable[[str, Texts], str]


def _word(codes: dict[str, str]) -> Word:
    return lambda code, texts: texts(codes[code]) if code in codes else code


HELPERS: dict[str, Word] = {
    "category_word": _word(CATEGORY),
    "purpose_word": _word(PURPOSE),
    "flag_word": _word(FLAG),
    "measure_word": _word(MEASURE),
    "state_word": _word(STATE),
    "evidence_word": _word(EVIDENCE),
}
ALL = [text for codes in (CATEGORY, PURPOSE, FLAG, MEASURE, STATE, EVIDENCE) for text in codes.values()]

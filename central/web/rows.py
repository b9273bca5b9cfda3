"""Rows of the database as pages and interface show them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import orjson

from config.wording import LANGUAGES, Language, sentence, title
from custody.events import to_datetime

from ..store.queries import Row
from .models import EventOut, EvidenceOut, FindingOut, StayOut

Names = Callable[[str], str]
MUST_NAMES = ("0", "1", "2", "3", "4")


def moment(moment_us: int | None) -> Any:
    return None if moment_us is None else to_datetime(moment_us)


def stay_view(row: Row, zone_name: str, names: Names, silent: bool) -> dict[str, Any]:
    """For a page: the row, what its JSON holds, names instead of ids.

    What is pending in a zone that fell silent is not known: it must not look kept.
    """
    room = row["room"]
    return {
        **row,
        **orjson.loads(row["json"]),
        "zone_name": zone_name,
        "room_name": "" if room is None else names(room),
        "verdicts": {must: _shown(row[f"must_{must}"], silent) for must in range(5)},
    }


def _shown(verdict: str, silent: bool) -> str:
    return "unknown" if silent and verdict == "pending" else verdict


def stay_out(row: Row) -> StayOut:
    more = orjson.loads(row["json"])
    return StayOut(
        zone=row["zone"],
        stay=row["stay"],
        category=more["category"],
        inside=row["inside"],
        room=row["room"],
        arrived=moment(row["arrived_us"]),
        entered=moment(more["entered_us"]),
        exited=moment(row["exited_us"]),
        flags=more["flags"],
        measure=more["measure"],
        verdicts={must: row[f"must_{must}"] for must in MUST_NAMES},
    )


def finding_view(row: Row, zone_name: str, names: Names, lang: Language, utc_offset_s: int) -> dict[str, Any]:
    fields = orjson.loads(row["json"])
    return {
        **row,
        "title": title(row["rule"], lang),
        "sentence": sentence(fields, lang, names=names, utc_offset_s=utc_offset_s),
        "zone_name": zone_name,
        "values": fields["values"],
        "evidence": fields["evidence"],
    }


def finding_fields(row: Row, names: Names, utc_offset_s: int) -> dict[str, Any]:
    """The fields of a ``FindingOut``."""
    fields: Mapping[str, Any] = orjson.loads(row["json"])
    said = {lang: sentence(fields, lang, names=names, utc_offset_s=utc_offset_s) for lang in LANGUAGES}
    came = {"state": row["state"], "raised": moment(row["raised_us"]), "changed": moment(row["changed_us"])}
    return {**fields, **came, "sentence": said}


def finding_out(row: Row, names: Names, utc_offset_s: int) -> FindingOut:
    return FindingOut.model_validate(finding_fields(row, names, utc_offset_s))


def event_out(row: Row) -> EventOut:
    line = bytes(row["line"])
    return EventOut(
        zone=row["zone"],
        ledger=row["log"],
        sequence=row["seq"],
        judged=row["seq"] <= row["judged"],
        line=line.decode(),
        event=orjson.loads(line),
    )


def evidence_out(row: Row) -> EvidenceOut:
    return EvidenceOut(
        zone=row["zone"],
        ledger=row["log"],
        kind=row["kind"],
        detail=row["detail"],
        first=to_datetime(row["first_us"]),
        last=to_datetime(row["last_us"]),
        times=row["times"],
        sha256=bytes(row["digest"]).hex(),
    )

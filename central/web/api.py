"""The interface ``/api/v1``: what other systems read. Described by ``/api/v1/openapi.json``."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated

import orjson
from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import StreamingResponse
from starlette.exceptions import HTTPException

from config.wording import rules
from custody.events import time_us

from ..store.queries import FindingFilter, StayFilter
from . import rows
from .models import (
    EventOut,
    EvidenceOut,
    FindingFull,
    FindingPage,
    FindingState,
    MustOut,
    Problem,
    ProofOut,
    Severity,
    StayOut,
    StayPage,
    StepOut,
    Verdict,
    ZoneOut,
)
from .office import Office
from .problems import NotThere
from .views import ZoneView

PROBLEMS = {code: {"model": Problem, "description": "problem details"} for code in (404, 422)}
router = APIRouter(prefix="/api/v1", responses=PROBLEMS)  # type: ignore[arg-type]

_MOMENT = re.compile(r"-?[0-9]{1,18}")

Limit = Annotated[int, Query(ge=1, le=500)]
After = Annotated[str | None, Query(description="`next` of the page before", max_length=200)]


def office(request: Request) -> Office:
    found = request.app.state.office
    assert isinstance(found, Office)
    return found


TheOffice = Annotated[Office, Depends(office)]


@router.get("/zones", tags=["zones"])
def zones(office: TheOffice) -> list[ZoneOut]:
    """Every enrolled zone: what is known of it, who is inside, what is open."""
    return [_zone_out(zone) for zone in office.views.overview().zones]


@router.get("/zones/{zone}", tags=["zones"])
def zone(zone: str, office: TheOffice) -> ZoneOut:
    found = office.views.zone(zone)
    if found is None:
        raise NotThere("zone", zone)
    return _zone_out(found)


@router.get("/stays", tags=["stays"])
def stays(
    office: TheOffice,
    zone: str | None = None,
    inside: bool | None = None,
    since: datetime | None = None,
    limit: Limit = 100,
    after: After = None,
) -> StayPage:
    """Stays, the latest first. `since`: begun since then, or still inside."""
    wanted = StayFilter(zone=zone, inside=inside, since_us=_us(since))
    page = office.queries.stays(wanted, limit=limit, after=cursor(after))
    return StayPage(items=[rows.stay_out(row) for row in page.rows], next=write_cursor(page.next))


@router.get("/stays/{stay}", tags=["stays"])
def stay(stay: str, office: TheOffice) -> StayOut:
    found = office.queries.stay(stay)
    if found is None:
        raise NotThere("stay", stay)
    return rows.stay_out(found)


@router.get("/stays/{stay}/events", tags=["stays"])
def stay_events(stay: str, office: TheOffice, limit: Limit = 500) -> list[EventOut]:
    """The events that name this stay, by the time when they happened."""
    if office.queries.stay(stay) is None:
        raise NotThere("stay", stay)
    return [rows.event_out(row) for row in office.queries.events_of_stay(stay, limit=limit)]


@router.get("/findings", tags=["findings"])
def findings(
    office: TheOffice,
    zone: str | None = None,
    stay: str | None = None,
    must: Annotated[int | None, Query(ge=0, le=4)] = None,
    rule: Annotated[str | None, Query(description=f"one of {', '.join(rules())}")] = None,
    verdict: Verdict | None = None,
    severity: Severity | None = None,
    state: FindingState | None = None,
    since: datetime | None = None,
    before: datetime | None = None,
    limit: Limit = 100,
    after: After = None,
) -> FindingPage:
    """Findings, the latest first. `since`: begun since then, or still lasting."""
    wanted = FindingFilter(
        zone=zone,
        stay=stay,
        must=must,
        rule=rule,
        verdict=verdict,
        severity=severity,
        state=state,
        since_us=_us(since),
        before_us=_us(before),
    )
    page = office.queries.findings(wanted, limit=limit, after=cursor(after))
    names = office.names_by_zone(row["zone"] for row in page.rows)
    items = [rows.finding_out(row, names[row["zone"]], office.utc_offset_s) for row in page.rows]
    return FindingPage(items=items, next=write_cursor(page.next))


@router.get("/findings/{finding}", tags=["findings"])
def finding(finding: str, office: TheOffice) -> FindingFull:
    """One finding with its history: every step is a line of headquarters' own ledger."""
    row = office.queries.finding(finding)
    if row is None:
        raise NotThere("finding", finding)
    history = [
        StepOut(
            state=step["state"],
            at=rows.moment(step["at_us"]),
            event=step["event"],
            finding=orjson.loads(step["json"]),
        )
        for step in office.queries.finding_history(finding)
    ]
    fields = rows.finding_fields(row, office.views.names(row["zone"]), office.utc_offset_s)
    return FindingFull.model_validate({**fields, "history": history})


@router.get("/events/{event}", tags=["events"])
def event(event: str, office: TheOffice) -> EventOut:
    """An event by its id, with its place in its ledger."""
    row = office.queries.event(event)
    if row is None:
        raise NotThere("event", event)
    return rows.event_out(row)


@router.get("/events/{event}/proof", tags=["events"])
def proof(event: str, office: TheOffice) -> ProofOut:
    """That the event stands in its ledger, against the checkpoint that the ledger's owner signed last."""
    found = office.proofs.inclusion(event)
    if found is None:
        raise NotThere("event", event)
    return ProofOut(
        zone=found.zone,
        ledger=found.log,
        sequence=found.sequence,
        size=found.size,
        leaf=found.leaf.hex(),
        path=[step.hex() for step in found.path],
        root=found.root.hex(),
        checkpoint=found.checkpoint,
    )


@router.get("/evidence", tags=["evidence"])
def evidence(office: TheOffice, zone: str | None = None, limit: Limit = 100) -> list[EvidenceOut]:
    """Messages and lines that were not taken as they came, the latest first."""
    return [rows.evidence_out(row) for row in office.queries.evidence(zone, limit=limit)]


@router.get("/live", tags=["live"], response_class=StreamingResponse)
async def live(office: TheOffice) -> StreamingResponse:
    """Server-sent events: `changed` with the zones that have news, `tick` when there is none."""
    office.hub.admit()
    headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
    return StreamingResponse(office.hub.stream(), media_type="text/event-stream", headers=headers)


def _zone_out(zone: ZoneView) -> ZoneOut:
    return ZoneOut(
        id=zone.id,
        name=zone.name,
        presence=zone.presence.value,
        heard=rows.moment(zone.heard_us),
        known=rows.moment(zone.known_us),
        inside=zone.inside,
        musts=[MustOut.model_validate(cell) for cell in zone.musts],
        lines=zone.lines,
        behind=zone.behind,
        kept_as_evidence=zone.kept,
        heartbeat=None if zone.heartbeat is None else dict(zone.heartbeat),
        described=None if zone.described is None else dict(zone.described),
    )


def cursor(text: str | None) -> tuple[int, str] | None:
    """Where a page begins, from the ``next`` of the page before."""
    if text is None:
        return None
    moment_us, found, id_ = text.partition(".")
    # As write_cursor writes it; a longer number would be no number of the database.
    if not found or not _MOMENT.fullmatch(moment_us):
        return _bad_cursor(text)
    return int(moment_us), id_


def _bad_cursor(text: str) -> tuple[int, str]:
    raise HTTPException(422, f"after={text[:60]!r} is not the `next` of a page; leave it out to begin anew")


def write_cursor(place: tuple[int, str] | None) -> str | None:
    return None if place is None else f"{place[0]}.{place[1]}"


def _us(moment: datetime | None) -> int | None:
    if moment is None:
        return None
    if moment.tzinfo is None:
        raise HTTPException(
            422, f"the time {moment.isoformat()} has no UTC offset; write it like 2026-11-23T09:00:00Z"
        )
    return time_us(moment)

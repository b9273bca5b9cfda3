"""The pages, drawn on the server; a page kept open is kept true by ``static/live.js``."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlencode

import orjson
from fastapi import APIRouter, Query, Request, Response
from fastapi.templating import Jinja2Templates
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from config.wording import SEVERITIES, duration, must_title, rules, sentence, title, verdict
from sync.merkle import CompactRange

from ..store.heads import split_edge
from ..store.queries import FindingFilter, Row, StayFilter
from ..store.schema import OWN_ZONE
from . import rows, telling
from .api import TheOffice, cursor, write_cursor
from .models import FindingState, Severity, Verdict
from .office import Office
from .problems import NotThere
from .texts import Texts, choose
from .views import MUSTS
from .words import HELPERS

TEMPLATES = Path(__file__).parent.parent / "templates"
LANG_COOKIE = "lang"
OVERVIEW_FINDINGS = 12
OVERVIEW_PEOPLE = 40

router = APIRouter(include_in_schema=False)
Text = Annotated[str, Query(max_length=64)]


@lru_cache(maxsize=1)
def templates() -> Jinja2Templates:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=select_autoescape(("html", "svg")),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(
        HELPERS,
        must_title=must_title,
        rule_title=title,
        verdict_word=verdict,
        severity_word=lambda name, lang: SEVERITIES[name][lang],
        duration=duration,
        musts=MUSTS,
    )
    return Jinja2Templates(env=environment)


def texts_of(request: Request, office: Office) -> Texts:
    """Chinese, unless the address or the cookie asks for another language."""
    lang = choose(request.query_params.get("lang"), request.cookies.get(LANG_COOKIE))
    return Texts(lang, office.utc_offset_s)


def show(request: Request, office: Office, name: str, here: str, status: int = 200, **values: Any) -> Response:
    texts = texts_of(request, office)
    other = "en" if texts.lang == "zh" else "zh"
    query = {**request.query_params, "lang": other}
    page = templates().TemplateResponse(
        request,
        name,
        {
            "_": texts,
            "bureau": office.settings.bureau.name,
            "here": here,
            "now_us": office.clock.now_us(),
            "other_lang_url": f"{request.url.path}?{urlencode(query)}",
            **values,
        },
        status_code=status,
    )
    page.headers["cache-control"] = "no-store"
    if request.query_params.get("lang") == texts.lang:
        page.set_cookie(LANG_COOKIE, texts.lang, max_age=365 * 86_400, httponly=True, samesite="lax")
    return page


def problem(request: Request, office: Office, status: int, detail: str) -> Response:
    return show(request, office, "problem.html", "", status=status, detail=detail)


@router.get("/")
def overview(request: Request, office: TheOffice) -> Response:
    found = office.views.overview()
    latest = office.queries.findings(FindingFilter(state="open"), limit=OVERVIEW_FINDINGS)
    inside = office.queries.stays(StayFilter(inside=True), limit=OVERVIEW_PEOPLE)
    return show(
        request,
        office,
        "overview.html",
        "/",
        overview=found,
        latest=_findings(request, office, latest.rows),
        inside=_stays(office, inside.rows),
    )


@router.get("/zones/{zone}")
def zone(zone: str, request: Request, office: TheOffice) -> Response:
    found = office.views.zone(zone)
    if found is None:
        raise NotThere("zone", zone)
    stays = _stays(office, office.queries.stays(StayFilter(zone=zone), limit=25).rows)
    findings = office.queries.findings(FindingFilter(zone=zone, state="open"), limit=25).rows
    rooms = [
        {**room, "stays": [stay for stay in stays if stay["inside"] and stay["room"] == room["id"]]}
        for room in (found.described or {}).get("rooms", [])
    ]
    logs = [{**log, "root": _root(log)} for log in office.queries.logs(zone)]
    return show(
        request,
        office,
        "zone.html",
        "",
        zone=found,
        stays=stays,
        findings=_findings(request, office, findings),
        rooms=rooms,
        logs=logs,
    )


@router.get("/stays")
def stays(
    request: Request, office: TheOffice, zone: Text = "", inside: Text = "", after: str | None = None
) -> Response:
    wanted = StayFilter(zone=zone or None, inside=True if inside == "true" else None)
    page = office.queries.stays(wanted, limit=50, after=cursor(after))
    return show(
        request,
        office,
        "stays.html",
        "/stays",
        stays=_stays(office, page.rows),
        wanted=wanted,
        zones=office.settings.zones,
        next_url=_next_url(request, page.next),
    )


@router.get("/stays/{stay}")
def stay(stay: str, request: Request, office: TheOffice) -> Response:
    row = office.queries.stay(stay)
    if row is None:
        raise NotThere("stay", stay)
    texts = texts_of(request, office)
    findings = _findings(request, office, office.queries.findings(FindingFilter(stay=stay), limit=200).rows)
    events = office.queries.events_of_stay(stay)
    names = office.views.names(row["zone"])
    shown = _stays(office, [row])[0]
    return show(
        request,
        office,
        "stay.html",
        "",
        stay=shown,
        findings=findings,
        events=[{**event, "said": telling.said(event["line"], names, texts)} for event in events],
        drawing=telling.drawing(office, shown, texts),
    )


@router.get("/findings")
def findings(
    request: Request,
    office: TheOffice,
    zone: Text = "",
    must: Annotated[str, Query(pattern="^[0-4]?$")] = "",
    rule: Text = "",
    verdict: Verdict | None = None,
    severity: Severity | None = None,
    state: FindingState | None = None,
    after: str | None = None,
) -> Response:
    wanted = FindingFilter(
        zone=zone or None,
        must=int(must) if must else None,
        rule=rule or None,
        verdict=verdict,
        severity=severity,
        state=state,
    )
    page = office.queries.findings(wanted, limit=50, after=cursor(after))
    return show(
        request,
        office,
        "findings.html",
        "/findings",
        findings=_findings(request, office, page.rows),
        wanted=wanted,
        zones=office.settings.zones,
        rules=rules(),
        next_url=_next_url(request, page.next),
    )


@router.get("/findings/{finding}")
def finding(finding: str, request: Request, office: TheOffice) -> Response:
    row = office.queries.finding(finding)
    if row is None:
        raise NotThere("finding", finding)
    texts = texts_of(request, office)
    found = _findings(request, office, [row])[0]
    lines = office.queries.events(found["evidence"])
    names = office.views.names(row["zone"])
    told = telling.explanation(office, row, lines, texts)
    history = [
        {
            **step,
            "sentence": sentence(
                orjson.loads(step["json"]), texts.lang, names=names, utc_offset_s=texts.utc_offset_s
            ),
        }
        for step in office.queries.finding_history(finding)
    ]
    return show(
        request,
        office,
        "finding.html",
        "",
        finding=found,
        told=told,
        evidence=[
            {**lines[one.id], "text": lines[one.id]["line"].decode(), "said": one.text}
            for one in told.evidence
            if one.id in lines
        ],
        history=history,
    )


@router.get("/events/{event}")
def event(event: str, request: Request, office: TheOffice) -> Response:
    row = office.queries.event(event)
    found = office.proofs.inclusion(event)
    if row is None or found is None:
        raise NotThere("event", event)
    proof = {
        "leaf": found.leaf.hex(),
        "path": [step.hex() for step in found.path],
        "checkpoint": found.checkpoint,
    }
    own = row["zone"] == OWN_ZONE
    return show(
        request,
        office,
        "event.html",
        "",
        event=row,
        zone_name="" if own else office.views.zone_name(row["zone"]),
        text=bytes(row["line"]).decode(),
        proof=proof,
    )


@router.get("/evidence")
def evidence(request: Request, office: TheOffice, zone: Text = "") -> Response:
    kept = [
        {**row, "zone_name": office.views.zone_name(row["zone"])} for row in office.queries.evidence(zone or None)
    ]
    return show(request, office, "evidence.html", "/evidence", kept=kept)


def _stays(office: Office, found: Iterable[Row]) -> list[dict[str, Any]]:
    known = list(found)
    names = office.names_by_zone(row["zone"] for row in known)
    unknown = office.views.unknown_zones()
    return [
        rows.stay_view(row, office.views.zone_name(row["zone"]), names[row["zone"]], row["zone"] in unknown)
        for row in known
    ]


def _findings(request: Request, office: Office, found: Iterable[Row]) -> list[dict[str, Any]]:
    known = list(found)
    names = office.names_by_zone(row["zone"] for row in known)
    texts = texts_of(request, office)
    return [
        rows.finding_view(
            row, office.views.zone_name(row["zone"]), names[row["zone"]], texts.lang, texts.utc_offset_s
        )
        for row in known
    ]


def _root(log: Row) -> str:
    return CompactRange(log["size"], split_edge(log["edge"])).root().hex()


def _next_url(request: Request, place: tuple[int, str] | None) -> str | None:
    after = write_cursor(place)
    return None if after is None else f"{request.url.path}?{urlencode({**request.query_params, 'after': after})}"

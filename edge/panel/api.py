"""The JSON API: every act of the pages, and what they show. OpenAPI: ``/api/v1/openapi.json``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool

from config.roster import OfficerSettings
from custody.events import Event, format_time, to_datetime
from custody.register import CameraNow
from edge.register import requests
from edge.register.errors import Said, Unknown

from .desk import Desk
from .live import Live
from .view.people import Person, person

PROBLEMS: dict[int | str, dict[str, Any]] = {
    404: {"description": "Something named does not exist (problem+json)."},
    409: {"description": "The register stands otherwise, or the musts forbid it (problem+json)."},
    422: {"description": "Fields are missing or wrong (problem+json)."},
    503: {"description": "The ledger cannot be written; nothing was recorded (problem+json)."},
}


class EventOut(BaseModel):
    """A line of the ledger."""

    id: str
    type: str
    sequence: int
    time: str = Field(description="When it happened.")
    recordedtime: str = Field(description="When it was written.")
    data: dict[str, Any]

    @classmethod
    def of(cls, event: Event) -> EventOut:
        return cls(
            id=event.id,
            type=event.type,
            sequence=event.sequence,
            time=format_time(event.time_us, event.utc_offset_s),
            recordedtime=format_time(event.written_us, event.utc_offset_s),
            data=event.data,
        )


class WrittenOut(BaseModel):
    """What an act became."""

    stay: str | None
    events: list[EventOut]


class IdentityOut(BaseModel):
    """Who a person is; null when the record was destroyed."""

    stay: str
    identity: dict[str, Any] | None


class StayOut(BaseModel):
    """A stay as it stands now. No name: who a person is takes ``view-identity`` and a purpose."""

    stay: str
    category: str
    sex: str
    flags: list[str]
    level: str
    inside: bool
    room: str | None
    since: str | None
    searched: bool
    collected: list[str]
    activities: dict[str, str]
    guarded_by: list[str]
    unguarded_since: str | None
    deadline: str | None
    verdicts: dict[str, str]
    next: str
    exited: bool

    @classmethod
    def of(cls, person: Person, offset_s: int) -> StayOut:
        stay, guarding = person.stay, person.guarding

        def at(moment_us: int | None) -> str | None:
            return None if moment_us is None else format_time(moment_us, offset_s)

        return cls(
            stay=stay.id,
            category=stay.category,
            sex=stay.sex,
            flags=stay.flags,
            level=stay.level,
            inside=stay.inside,
            room=stay.room,
            since=at(person.since_us),
            searched=stay.searched_this_round,
            collected=stay.collected,
            activities={id_: activity.kind for id_, activity in stay.activities.items()},
            guarded_by=[officer["id"] for officer in guarding.officers] if guarding else [],
            unguarded_since=at(guarding.unguarded_since_us) if guarding else None,
            deadline=at(person.legal.deadline_us) if person.legal else None,
            verdicts={str(must): word for must, word in person.verdicts.items()},
            next=person.next.value,
            exited=stay.exited_us is not None,
        )


class CameraOut(BaseModel):
    """A camera's verdict; ``unknown`` until it has one."""

    camera: str
    state: str
    audio: str
    faults: list[str]

    @classmethod
    def of(cls, camera: str, now: CameraNow | None) -> CameraOut:
        if now is None:
            return cls(camera=camera, state="unknown", audio="unknown", faults=[])
        return cls(camera=camera, state=now.state, audio=now.audio, faults=now.faults)


class NowOut(BaseModel):
    """The zone at this moment."""

    zone: str
    name: str
    now: str
    speed: float = Field(description="Seconds of the zone's clock in a real second.")
    ledger_size: int
    parts: dict[str, bool]
    inside: int


def routes(desk: Desk, live: Live) -> APIRouter:
    api = APIRouter(prefix="/api/v1")
    for model in requests.ACTS:
        if model is not requests.ViewIdentity:
            _add_act(api, desk, model)

    @api.post("/acts/view-identity", tags=["acts"], responses=PROBLEMS, summary="Look at who a person is")
    def view_identity(act: requests.ViewIdentity) -> IdentityOut:
        return IdentityOut(stay=act.stay, identity=desk.service.identity(act))

    @api.get("/now", tags=["zone"])
    async def now() -> NowOut:
        board = await run_in_threadpool(live.board)
        return NowOut(
            zone=desk.settings.zone.id,
            name=desk.settings.zone.name,
            now=format_time(board.now.us, board.now.utc_offset_s),
            speed=desk.speed(),
            ledger_size=board.health.ledger_size,
            parts=dict(board.health.parts),
            inside=len(board.inside),
        )

    @api.get("/stays", tags=["stays"], summary="Everybody who has arrived and not exited")
    def stays() -> list[StayOut]:
        board = live.board()
        return [StayOut.of(person, board.now.utc_offset_s) for person in board.people]

    @api.get("/stays/{stay}", tags=["stays"], responses={404: PROBLEMS[404]})
    def one_stay(stay: str) -> StayOut:
        return StayOut.of(_person(desk, stay), desk.now().utc_offset_s)

    @api.get("/stays/{stay}/events", tags=["stays"], responses={404: PROBLEMS[404]})
    def events_of_stay(stay: str) -> list[EventOut]:
        _person(desk, stay)
        with desk.book.lock:
            return [EventOut.of(event) for event in desk.book.written_of_stay(stay)]

    @api.get("/findings", tags=["findings"], summary="What the judge found here, as rules.md shapes it")
    def findings(stay: str | None = None) -> list[dict[str, Any]]:
        found = desk.judged.findings
        return [dict(finding) for finding in found if stay is None or finding["stay"] == stay]

    @api.get("/cameras", tags=["zone"], summary="What each camera was last seen to do")
    def cameras() -> list[CameraOut]:
        with desk.book.lock:
            return [CameraOut.of(camera.id, desk.camera_now(camera.id)) for camera in desk.settings.cameras]

    @api.get("/zone", tags=["zone"], summary="Rooms, doors, cameras and officers, as configured")
    def zone() -> dict[str, Any]:
        settings = desk.settings
        return {
            "rooms": [room.model_dump(mode="json") for room in settings.rooms],
            "doors": [{"id": d.id, "name": d.name, "from": d.from_, "to": d.to} for d in settings.doors],
            "cameras": [{"id": camera.id, "name": camera.name} for camera in settings.cameras],
            "officers": [
                {"id": o.id, "name": o.name, "rank": o.rank.value, "sex": o.sex.value}
                for o in desk.officers.values()
                if _is_active(desk, o)
            ],
        }

    return api


def _is_active(desk: Desk, known: OfficerSettings) -> bool:
    now = to_datetime(desk.now().us)
    return (
        known.active
        and (known.valid_from is None or known.valid_from <= now)
        and (known.valid_until is None or now < known.valid_until)
    )


def _person(desk: Desk, stay: str) -> Person:
    with desk.book.lock:
        found = desk.book.stay(stay)
        if found is None:
            raise Unknown(
                Said("There is no stay %(stay)s in this zone's register.", {"stay": stay}),
                Said("Check the number, or register the arrival first."),
            )
        return person(desk, found, desk.now())


def _add_act(api: APIRouter, desk: Desk, model: type[requests.Act]) -> None:
    """``POST /api/v1/acts/<name>`` with the act's own model as its body."""

    def endpoint(act: requests.Act) -> WrittenOut:
        written = desk.service.write(act)
        return WrittenOut(stay=written.stay, events=[EventOut.of(event) for event in written.events])

    annotations: Mapping[str, Any] = {"act": model, "return": WrittenOut}
    endpoint.__annotations__ = dict(annotations)
    endpoint.__name__ = model.NAME.replace("-", "_")
    add: Callable[..., None] = api.add_api_route
    add(
        f"/acts/{model.NAME}",
        endpoint,
        methods=["POST"],
        tags=["acts"],
        status_code=201,
        responses=PROBLEMS,
        summary=(model.__doc__ or model.NAME).strip().splitlines()[0],
    )

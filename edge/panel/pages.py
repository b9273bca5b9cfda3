"""The HTML pages, the event stream and the cameras' stills."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, RedirectResponse, Response, StreamingResponse

from config.wording import LANGUAGES
from custody.events import PassagePurpose

from .desk import Desk
from .i18n import choose
from .language import COOKIE, speaker_of
from .live import STREAMS_MAX, Live, stream
from .rendering import FRAGMENTS, Renderer
from .view.steps import Next

OFFICER_COOKIE = "officer"
COOKIE_S = 365 * 24 * 3600
ACT_FORMS = (
    *(next_.value for next_ in Next if next_ is not Next.NOTHING),
    "move",
    "check",
    "care",
    "approve-leave",
    "leave",
    "change-flags",
    "change-measure",
    "change-officers",
    "receive-property",
    "return-property",
)
"""Forms upon one stay; each is a template of ``terminal/acts/``."""


class Pages:
    """Handlers share a desk, the live state and a renderer."""

    def __init__(self, desk: Desk, live: Live, renderer: Renderer) -> None:
        self._desk = desk
        self._live = live
        self._renderer = renderer

    def render(self, request: Request, template: str, kind: str, **more: Any) -> HTMLResponse:
        speaker = speaker_of(request)
        board = self._live.board()
        stay = more.pop("stay", None)
        if stay is not None:
            if self._desk.book.stay(stay) is None:
                raise HTTPException(404)
            more.update(self._renderer.of_stay(stay, speaker, board))
        acting = self._desk.officers.get(request.cookies.get(OFFICER_COOKIE, ""))
        context: Mapping[str, Any] = {
            "board": board,
            "kind": kind,
            "stay_id": stay,
            "path": request.url.path,
            "acting": acting if acting and acting.active else None,
            "speed": self._desk.speed(),
            "streams": f"/events?page={kind}" + (f"&stay={stay}" if stay else ""),
            **more,
        }
        return HTMLResponse(self._renderer.page(template, speaker, **context))


def routes(desk: Desk, live: Live, renderer: Renderer) -> APIRouter:
    pages = Pages(desk, live, renderer)
    router = APIRouter(include_in_schema=False)

    @router.get("/")
    def home(request: Request) -> HTMLResponse:
        return pages.render(request, "terminal/home.html", "home")

    @router.get("/monitor")
    def monitor(request: Request) -> HTMLResponse:
        return pages.render(request, "monitor.html", "monitor")

    @router.get("/terminal/arrive")
    def arrive(request: Request) -> HTMLResponse:
        return pages.render(request, "terminal/arrive.html", "form")

    @router.get("/terminal/guards")
    def guards(request: Request, room: str | None = None) -> HTMLResponse:
        return pages.render(request, "terminal/guards.html", "guards", room=room)

    @router.get("/terminal/passage")
    def passage(request: Request) -> HTMLResponse:
        return pages.render(request, "terminal/passage.html", "form", purposes=list(PassagePurpose))

    @router.get("/terminal/stays/{stay}")
    def guided(request: Request, stay: str, act: str | None = None, activity: str | None = None) -> HTMLResponse:
        if act is not None and act not in ACT_FORMS:
            raise HTTPException(404)
        return pages.render(
            request, "terminal/stay.html", "terminal", stay=stay, asked_act=act, asked_activity=activity
        )

    @router.get("/stays/{stay}")
    def record(request: Request, stay: str) -> HTMLResponse:
        return pages.render(request, "stay.html", "stay", stay=stay)

    @router.get("/lang/{lang}")
    def switch_language(lang: str, to: str = "/") -> Response:
        chosen = choose(lang)
        # Only a path of ours: "//elsewhere" would leave the panel.
        safe = to if to.startswith("/") and not to.startswith(("//", "/\\")) else "/"
        response = RedirectResponse(safe, 303)
        response.set_cookie(COOKIE, chosen or LANGUAGES[0], max_age=COOKIE_S, samesite="strict", httponly=True)
        return response

    @router.get("/stills/{camera}.jpg")
    def still(camera: str) -> Response:
        if camera not in {c.id for c in desk.settings.cameras}:
            raise HTTPException(404)
        try:
            # Read as a whole: the camera process puts a new picture in its place at any moment.
            picture = desk.still(camera).read_bytes()
        except OSError as missing:
            raise HTTPException(404) from missing
        return Response(picture, media_type="image/jpeg")

    @router.get("/events")
    async def events(request: Request, page: str, stay: str | None = None) -> Response:
        if page not in FRAGMENTS or (page in ("terminal", "stay") and (not stay or not desk.book.stay(stay))):
            raise HTTPException(404)
        if live.streams >= STREAMS_MAX:
            raise HTTPException(503, f"{STREAMS_MAX} pages are open already; close one")
        body = stream(desk, live, renderer, speaker_of(request), page, stay)
        return StreamingResponse(body, media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})

    return router


def missing_page(desk: Desk, live: Live, renderer: Renderer, request: Request, error: HTTPException) -> Response:
    """An error that a person meets on a page, as a page."""
    page = Pages(desk, live, renderer).render(request, "missing.html", "form")
    page.status_code = error.status_code
    return page

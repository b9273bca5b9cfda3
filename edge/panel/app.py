"""The panel as one ASGI application."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from importlib.metadata import version
from pathlib import Path

from fastapi import FastAPI, Request
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.staticfiles import StaticFiles

from . import api, pages, problems
from .desk import Desk, Judging
from .live import Live
from .rendering import Renderer
from .security import Guarded
from .shared_judge import SharedJudge
from .watcher import Watcher

STATIC = Path(__file__).parent / "static"
LOCAL_HOSTS = ("127.0.0.1", "localhost", "::1")


def create_app(desk: Desk, new_judge: Callable[[], Judging]) -> FastAPI:
    """The pages, the API and the event stream over one desk.

    ``new_judge`` makes one with the desk's policy, at first and whenever headquarters has sent another.
    The watcher's threads live as long as the application. ``app.state.live`` ends the open streams.
    """
    shared = SharedJudge(new_judge)
    live, renderer = Live(desk), Renderer(desk, shared.lanes)
    watcher = Watcher(desk, live, shared)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        live.start()
        watcher.start()
        yield
        watcher.stop()

    app = FastAPI(
        title=f"Fourmusts zone panel: {desk.settings.zone.id}",
        version=version("fourmusts"),
        lifespan=lifespan,
        openapi_url="/api/v1/openapi.json",
        docs_url=None,  # its page would be fetched from elsewhere
        redoc_url=None,
    )
    app.state.live = live
    problems.install(app)
    in_json = app.exception_handlers[HTTPException]

    @app.exception_handler(HTTPException)
    async def missing(request: Request, error: HTTPException) -> Response:
        if request.url.path.startswith(("/api/", "/events", "/static/", "/stills/")):
            answer = await in_json(request, error)  # type: ignore[misc]
            assert isinstance(answer, Response)
            return answer
        return pages.missing_page(desk, live, renderer, request, error)

    app.include_router(api.routes(desk, live))
    app.include_router(pages.routes(desk, live, renderer))
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    app.add_middleware(Guarded, hosts=LOCAL_HOSTS)
    return app

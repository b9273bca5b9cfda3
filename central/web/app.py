"""Headquarters' web application: pages, interface, metrics. It only reads, save that commands can be given."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.staticfiles import StaticFiles
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from . import api, commands, pages, problems
from .metrics import Metrics
from .office import Office

STATIC = Path(__file__).parent.parent / "static"
# Everything from here, nothing inline, nothing from elsewhere: a page of headquarters works on a cut-off network,
# and text from a zone can never become a script.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
HEADERS = {
    "content-security-policy": CONTENT_SECURITY_POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
}
LOOPBACK_NAMES = ["localhost", "127.0.0.1", "[::1]", "::1"]
"""A page of another site whose name was pointed at this machine is refused (DNS rebinding)."""


class SecureHeaders:
    """Adds ``HEADERS`` to every answer. Plain ASGI, so that a stream of events stays a stream."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        await self._app(scope, receive, with_headers if scope["type"] == "http" else send)


def make_app(office: Office, metrics: Metrics) -> FastAPI:
    app = FastAPI(
        title="Fourmusts headquarters",
        description="Zones, stays, findings and their evidence. Times are UTC; errors are problem details.",
        version=_version(),
        openapi_url="/api/v1/openapi.json",
        docs_url=None,  # its pages come from a CDN
        redoc_url=None,
    )
    app.state.office = office
    metrics.watch(office)
    problems.install(app)
    app.include_router(api.router)
    app.include_router(commands.router)
    app.include_router(pages.router)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=LOOPBACK_NAMES)
    app.add_middleware(SecureHeaders)

    @app.get("/metrics", include_in_schema=False)
    def read_metrics() -> Response:
        return Response(generate_latest(metrics.registry), media_type=CONTENT_TYPE_LATEST)

    @app.get("/healthz", include_in_schema=False)
    def alive() -> dict[str, bool]:
        return {"ok": True}

    @app.exception_handler(HTTPException)
    async def http_error(request: Request, error: HTTPException) -> Response:
        """A person gets a page, a program problem details."""
        if _wants_page(request):
            return pages.problem(request, office, error.status_code, str(error.detail))
        return problems.problem(error.status_code, str(error.detail))

    @app.exception_handler(RequestValidationError)
    async def wrong_request(request: Request, error: RequestValidationError) -> Response:
        if _wants_page(request):
            return pages.problem(request, office, 422, problems.wrong_words(error))
        return problems.wrong_request(error)

    return app


def _wants_page(request: Request) -> bool:
    wants_page = "text/html" in request.headers.get("accept", "")
    return wants_page and not request.url.path.startswith(("/api/", "/static/"))


def _version() -> str:
    try:
        return version("fourmusts")
    except PackageNotFoundError:
        return "0"

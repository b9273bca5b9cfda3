"""What may reach the panel at all: same-origin JSON on loopback, and nothing from elsewhere in a page."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from urllib.parse import SplitResult, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from custody.errors import FourmustsError

from .problems import problem_response

SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
BODY_BYTES_MAX = 512 * 1024
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "font-src 'self'; manifest-src 'self'; form-action 'none'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class PanelExposed(FourmustsError):
    """The panel was told to listen where others could reach it without signing in."""

    def __init__(self, host: str) -> None:
        super().__init__(
            f"[panel] host = {host!r} would let everybody on the network write the register: it has no TLS and no "
            'sign-in. Set host = "127.0.0.1" in zone.toml and open the pages on the terminal itself'
        )


def require_loopback(host: str) -> None:
    """Raises ``PanelExposed`` for any address that is not this machine alone."""
    if host == "localhost":
        return
    try:
        loopback = ipaddress.ip_address(host).is_loopback
    except ValueError:
        loopback = False
    if not loopback:
        raise PanelExposed(host)


class Guarded:
    """ASGI middleware: refuses foreign hosts, foreign origins and bodies that no page of ours sends."""

    def __init__(self, app: ASGIApp, *, hosts: Iterable[str]) -> None:
        self._app = app
        self._hosts = frozenset(hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        refusal = self._refusal(scope)
        if refusal is not None:
            status, title, mend = refusal
            response = problem_response(status, "refused", title, mend)
            await response(scope, receive, send_guarded)
            return
        await self._app(scope, receive, send_guarded)

    def _refusal(self, scope: Scope) -> tuple[int, str, str] | None:
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        # A name that an attacker points at 127.0.0.1 is not ours (DNS rebinding).
        if _split(f"//{host}").hostname not in self._hosts:
            return 403, "This host name is not the panel's.", "Open the panel by the address in zone.toml."
        if scope["method"] in SAFE_METHODS:
            return None
        if headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
            return 403, "Another site may not write here.", "Send the request from the panel's own pages."
        origin = headers.get("origin")
        if origin is not None and _split(origin).netloc != host:
            return 403, "Another site may not write here.", "Send the request from the panel's own pages."
        if headers.get("content-type", "").split(";")[0].strip().lower() != "application/json":
            return 415, "Only JSON is taken.", "Send Content-Type: application/json."
        length = headers.get("content-length", "")
        if not length.isdigit():
            return 411, "The length of the body is missing.", "Send Content-Length."
        if int(length) > BODY_BYTES_MAX:
            return 413, f"The body is larger than {BODY_BYTES_MAX} bytes.", "Send less at once."
        return None


def _split(url: str) -> SplitResult:
    """Nothing that a stranger writes into a header is an error of ours: what is no address has no host."""
    try:
        return urlsplit(url)
    except ValueError:
        return urlsplit("")

"""Which language a request is answered in: its query, the switch's cookie, its header, else Chinese."""

from __future__ import annotations

from starlette.requests import Request

from .i18n import DEFAULT_LANGUAGE, Speaker, choose

COOKIE = "lang"


def speaker_of(request: Request) -> Speaker:
    """Pages are Chinese unless the switch says otherwise; the API also heeds ``Accept-Language``."""
    asked = choose(request.query_params.get("lang")) or choose(request.cookies.get(COOKIE))
    if asked is None and request.url.path.startswith("/api/"):
        asked = choose(request.headers.get("accept-language"))
    return Speaker(asked or DEFAULT_LANGUAGE)

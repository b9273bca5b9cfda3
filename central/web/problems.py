"""Errors as problem details (RFC 9457): what is wrong, and what to do."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import orjson
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from .live import TooManyFollowers

MEDIA_TYPE = "application/problem+json"


class NotThere(HTTPException):
    """Nothing has this name."""

    def __init__(self, noun: str, name: str) -> None:
        super().__init__(
            404, f"there is no {noun} {name!r} at headquarters; it may not have arrived from its zone yet"
        )


def problem(status: int, detail: str, **more: Any) -> Response:
    fields = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": detail}
    return Response(orjson.dumps({**fields, **more}), status, media_type=MEDIA_TYPE)


def wrong_request(error: RequestValidationError) -> Response:
    return problem(422, wrong_words(error), errors=_wrong(error))


def wrong_words(error: RequestValidationError) -> str:
    said = "; ".join(f"{one['where']}: {one['what']}" for one in _wrong(error))
    return f"the request cannot be understood: {said}"


def _wrong(error: RequestValidationError) -> list[dict[str, str]]:
    return [{"where": ".".join(map(str, one["loc"])), "what": one["msg"]} for one in error.errors()]


def install(app: FastAPI) -> None:
    """What is the same for people and programs."""

    @app.exception_handler(TooManyFollowers)
    async def too_many(request: Request, error: TooManyFollowers) -> Response:
        return problem(503, str(error))

    @app.exception_handler(Exception)
    async def unexpected(request: Request, error: Exception) -> Response:
        return problem(500, "headquarters failed to answer this; its log says why")

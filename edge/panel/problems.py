"""Errors as the API says them: problem+json (RFC 9457), in the reader's language."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Mapping
from typing import Any

import orjson
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from config.wording import title
from custody.events import SchemaBroken
from edge.register.errors import Forbidden, PersonRecordBroken, RegisterError
from sync.errors import LedgerError

from .i18n import Speaker
from .language import speaker_of

log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"


def problem_response(status: int, code: str, title_: str, mend: str, **more: Any) -> Response:
    """``type`` names the kind of problem, ``title`` what is wrong, ``detail`` what to do."""
    body: Mapping[str, Any] = {
        "type": f"urn:fourmusts:problem:{code}",
        "title": title_,
        "status": status,
        "detail": mend,
        **more,
    }
    return Response(orjson.dumps(body), status, media_type=MEDIA_TYPE)


def install(app: FastAPI) -> None:
    """Answer every error of the API with a problem."""

    @app.exception_handler(RegisterError)
    async def refused(request: Request, error: RegisterError) -> Response:
        speaker = speaker_of(request)
        more = _obstacles(error, speaker) if isinstance(error, Forbidden) else {}
        what = " ".join(o["detail"] for o in more["obstacles"]) if more else speaker.say(error.what)
        return problem_response(error.status, error.code, what, speaker.say(error.mend), **more)

    @app.exception_handler(RequestValidationError)
    async def malformed(request: Request, error: RequestValidationError) -> Response:
        speaker = speaker_of(request)
        # What was sent is not repeated: it may be a name or a number that nothing should log.
        wrong = [
            {"field": ".".join(str(part) for part in one["loc"][1:]), "message": one["msg"]}
            for one in error.errors()
        ]
        return problem_response(
            422,
            "malformed",
            speaker.text("Some fields are missing or wrong."),
            speaker.text("Correct the marked fields and send again."),
            fields=wrong,
        )

    @app.exception_handler(LedgerError)
    @app.exception_handler(OSError)
    @app.exception_handler(sqlite3.Error)
    async def unwritable(request: Request, error: Exception) -> Response:
        # Whichever file it was (ledger, lock, persons): the ledger's line comes last, so nothing was recorded.
        log.error("%s %s: %r", request.method, request.url.path, error)
        speaker = speaker_of(request)
        return problem_response(
            503,
            "ledger_unwritable",
            speaker.text("The ledger cannot be written: nothing of this was recorded."),
            speaker.text("Keep a record on paper and call the technician: %(error)s", error=error),
        )

    @app.exception_handler(SchemaBroken)
    async def broken(request: Request, error: SchemaBroken) -> Response:
        return problem_response(422, "schema", str(error), speaker_of(request).text("Check the fields."))

    @app.exception_handler(PersonRecordBroken)
    async def sealed(request: Request, error: PersonRecordBroken) -> Response:
        return problem_response(500, "person_record", str(error), speaker_of(request).text("Call the technician."))

    @app.exception_handler(HTTPException)
    async def http(request: Request, error: HTTPException) -> Response:
        speaker = speaker_of(request)
        missing = error.status_code == 404
        what = speaker.text("There is nothing at this address.") if missing else str(error.detail)
        return problem_response(
            error.status_code, "http", what, speaker.text("See /api/v1/openapi.json for the addresses that exist.")
        )


def _obstacles(error: Forbidden, speaker: Speaker) -> dict[str, Any]:
    return {
        "override_possible": True,
        "obstacles": [
            {"rule": o.rule, "title": title(o.rule, speaker.lang), "detail": speaker.say(o.said)}
            for o in error.obstacles
        ],
    }

"""Commands to zones, over the interface: what was given and what became of it, and giving one."""

from __future__ import annotations

from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Depends, Header
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException

from config.policy import policy_bytes
from config.roster import RosterTables
from config.zone import MODE_COMMANDS, HeadquartersCommand
from custody.errors import FourmustsError

from ..commanding import DOCUMENT_VALID_S, OPEN_VALID_S, CommandUnfit
from ..operators import TOKEN_FILE, is_operator
from ..store.queries import Row
from . import rows
from .api import Limit, TheOffice
from .models import CommandOut, Problem
from .problems import NotThere

PROBLEMS = {code: {"model": Problem, "description": "problem details"} for code in (401, 404, 409, 422)}
router = APIRouter(prefix="/api/v1", responses=PROBLEMS, tags=["commands"])  # type: ignore[arg-type]


class CommandIn(BaseModel):
    """A command to one zone. `open` needs `door`, and so do `lockdown`, `lockdown.end`, `release` and `secure`,
    for which `*` is every door; `roster.set` needs `roster`; `policy.set` sends headquarters' own policy."""

    model_config = ConfigDict(extra="forbid")

    zone: str
    name: HeadquartersCommand
    actor: str = Field(pattern=r"^[0-9a-z-]{1,32}$", description="who gives it; the zone decides what he may")
    door: str | None = None
    roster: RosterTables | None = Field(None, description="the tables of a roster, as in zone.toml")
    valid_s: float | None = Field(
        None, description=f"by default {OPEN_VALID_S:g} for a door, {DOCUMENT_VALID_S:g} for a document"
    )


def _operator(office: TheOffice, authorization: Annotated[str | None, Header()] = None) -> None:
    try:
        allowed = is_operator(office.settings.keys_dir, authorization)
    except FourmustsError as error:
        raise HTTPException(401, f"{error}; fourmusts central init makes it") from error
    if not allowed:
        raise HTTPException(401, f"give the token in keys/{TOKEN_FILE} as Authorization: Bearer TOKEN")


@router.get("/commands")
def commands(office: TheOffice, zone: str | None = None, limit: Limit = 100) -> list[CommandOut]:
    """Commands to zones, the latest first, and what the zones' ledgers say of them."""
    return [command_out(row) for row in office.commands.commands(zone, limit=limit)]


@router.get("/commands/{command}")
def command(command: str, office: TheOffice) -> CommandOut:
    row = office.commands.command(command)
    if row is None:
        raise NotThere("command", command)
    return command_out(row)


@router.post("/commands", status_code=202, dependencies=[Depends(_operator)])
def give(asked: CommandIn, office: TheOffice) -> list[CommandOut]:
    """Give a command; it is sent until the zone's ledger has it or it has expired. A document is several commands
    when it is large."""
    more: dict[str, Any] = {} if asked.valid_s is None else {"valid_s": asked.valid_s}
    try:
        match asked.name:
            case HeadquartersCommand.OPEN if asked.door is not None:
                ids = office.commander.open(asked.zone, asked.door, asked.actor, **more)
            case HeadquartersCommand.ROSTER_SET if asked.roster is not None:
                ids = office.commander.send_roster(asked.zone, asked.roster, asked.actor, **more)
            case HeadquartersCommand.POLICY_SET:
                file = office.settings.policy
                ids = office.commander.send_policy(
                    asked.zone, lambda version: policy_bytes(version, file), asked.actor, **more
                )
            case name if name in MODE_COMMANDS and asked.door is not None:
                ids = office.commander.set_mode(asked.zone, name, asked.door, asked.actor, **more)
            case _:
                lacking = "roster" if asked.name is HeadquartersCommand.ROSTER_SET else "door"
                raise HTTPException(422, f"{asked.name.value} needs `{lacking}`")
    except CommandUnfit as unfit:
        raise HTTPException(409, str(unfit)) from unfit
    office.given()
    given = [office.commands.command(id_) for id_ in ids]
    return [command_out(row) for row in given if row is not None]


def command_out(row: Row) -> CommandOut:
    return CommandOut(
        id=row["id"],
        zone=row["zone"],
        name=row["name"],
        args=orjson.loads(row["args"]),
        actor=row["actor"],
        issued=rows.moment(row["issued_us"]),
        not_after=rows.moment(row["not_after_us"]),
        state=row["state"],
        reason=row["reason"],
        answer=row["answer"],
    )

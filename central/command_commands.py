"""``fourmusts central command``: give a zone a command, and see what became of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
import orjson
from pwdlib import PasswordHash

from config.central import CentralSettings, load_central
from config.loading import load
from config.options import central_option
from config.policy import policy_bytes
from config.roster import RosterTables
from config.running import clock_of
from config.zone import EVERY_DOOR, HeadquartersCommand
from custody.events import format_utc
from sync.keys import HEADQUARTERS_KEY, load_signing_key

from .commanding import OPEN_VALID_S, Commander
from .process import own_signature
from .store.commands import CommandState, CommandTable
from .store.database import Database
from .store.own import OwnLedger
from .store.queries import Row

WAIT_S = 30.0
LOOK_S = 0.2
UNSETTLED = (CommandState.WAITING, CommandState.RECEIVED)

actor_option = click.option("--as", "actor", required=True, help="Who gives it; the zone decides what he may.")
wait_option = click.option(
    "--wait", "wait_s", default=WAIT_S, show_default=True, help="Seconds to wait for the zone's answer; 0: none."
)


@click.group()
def command() -> None:
    """Give a zone a command. It is sent by `fourmusts central run`, until the zone has it or it has expired."""


@command.command("open")
@central_option
@click.argument("zone")
@click.argument("door")
@actor_option
@click.option("--valid", "valid_s", default=OPEN_VALID_S, show_default=True, help="Seconds.")
@wait_option
def open_(config_file: Path, zone: str, door: str, actor: str, valid_s: float, wait_s: float) -> None:
    """Open a door once."""
    _give(config_file, wait_s, lambda to, _: to.open(zone, door, actor, valid_s=valid_s))


def _mode_command(change: HeadquartersCommand, help_: str) -> click.Command:
    @click.command(change.value, help=help_)
    @central_option
    @click.argument("zone")
    @click.argument("door", default=EVERY_DOOR)
    @actor_option
    @wait_option
    def mode_command(config_file: Path, zone: str, door: str, actor: str, wait_s: float) -> None:
        _give(config_file, wait_s, lambda to, _: to.set_mode(zone, change, door, actor))

    return mode_command


for _change, _help in (
    (HeadquartersCommand.LOCKDOWN, "Lock a zone's doors down, or one DOOR: only zone managers pass."),
    (HeadquartersCommand.LOCKDOWN_END, "End the lockdown of a zone's doors, or of one DOOR."),
    (HeadquartersCommand.RELEASE, "Unlock a zone's doors for everybody, or one DOOR, until they are secured."),
    (HeadquartersCommand.SECURE, "Lock a zone's doors again, or one DOOR, after a release or a fire."),
):
    command.add_command(_mode_command(_change, _help))


@command.command()
@central_option
@click.argument("zone")
@click.argument("file", type=click.Path(path_type=Path))
@actor_option
@wait_option
def roster(config_file: Path, zone: str, file: Path, actor: str, wait_s: float) -> None:
    """Send FILE as the zone's roster: [[officer]], [[schedule]], [[access]] and [lockout], as in zone.toml."""
    tables = load(RosterTables, file)
    _give(config_file, wait_s, lambda to, _: to.send_roster(zone, tables, actor))


@command.command()
@central_option
@click.argument("zone")
@actor_option
@wait_option
def policy(config_file: Path, zone: str, actor: str, wait_s: float) -> None:
    """Send headquarters' own policy (`policy` in central.toml, or the default), so that the zone judges alike."""
    _give(
        config_file,
        wait_s,
        lambda to, settings: to.send_policy(zone, lambda version: policy_bytes(version, settings.policy), actor),
    )


@command.command("list")
@central_option
@click.option("--zone")
@click.option("--limit", default=20, show_default=True)
def list_(config_file: Path, zone: str | None, limit: int) -> None:
    """What was given, the latest first, and what the zones' ledgers say became of it."""
    with _opened(load_central(config_file)) as (table, _):
        for row in table.commands(zone, limit=limit):
            click.echo(_line(row))


@click.command()
@click.password_option("--pin", prompt="PIN", help="Asked for when it is not given.")
def pin(pin: str) -> None:
    """Print the hash of a PIN, for `pin_hash` in a roster."""
    if not (pin.isdigit() and 4 <= len(pin) <= 12):
        raise click.UsageError("a PIN has 4 to 12 digits")
    click.echo(PasswordHash.recommended().hash(pin))


def _give(config_file: Path, wait_s: float, give: Callable[[Commander, CentralSettings], list[str]]) -> None:
    settings = load_central(config_file)
    with _opened(settings) as (table, commander):
        ids = give(commander, settings)
        settled = _settled(table, ids, wait_s)
        for row in settled:
            click.echo(_line(row))
    if any(row["state"] == CommandState.REFUSED for row in settled):
        raise SystemExit(1)


def _settled(table: CommandTable, ids: Sequence[str], wait_s: float) -> list[Row]:
    """What is known of these, as soon as each has an outcome or the time is over."""
    ends_s = time.monotonic() + wait_s
    while True:
        found = [row for row in map(table.command, ids) if row is not None]
        if not any(_is_awaited(row) for row in found) or time.monotonic() >= ends_s:
            return found
        time.sleep(LOOK_S)


def _is_awaited(row: Row) -> bool:
    """Of a document nothing more is said than that it was received; a door is opened, or refused after all."""
    awaited: Sequence[str] = UNSETTLED if row["version"] is None else UNSETTLED[:1]
    return row["state"] in awaited


@contextmanager
def _opened(settings: CentralSettings) -> Iterator[tuple[CommandTable, Commander]]:
    clock = clock_of(settings.bureau.utc_offset_hours, None)
    signer = load_signing_key(settings.keys_dir / HEADQUARTERS_KEY)
    database = Database.open(settings.database_url)
    try:
        table = CommandTable(database, OwnLedger(database, clock, own_signature(signer, clock)))
        yield table, Commander(table, signer, {zone.id for zone in settings.zones}, clock)
    finally:
        database.close()


def _line(row: Row) -> str:
    args: dict[str, Any] = orjson.loads(row["args"])
    about = args.get("door") or f"version {args.get('version')}, part {args.get('part')} of {args.get('parts')}"
    reason = f": {row['reason']}" if row["reason"] else ""
    given = f"{format_utc(row['issued_us'])} {row['zone']} {row['name']} ({about}) by {row['actor']}"
    return f"{given}: {row['state']}{reason}"

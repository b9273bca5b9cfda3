"""``fourmusts provision``: have a reader given its key by the zone's running doors."""

from __future__ import annotations

import time
from pathlib import Path

import click

from config.options import zone_option
from config.readers import OsdpReaderSettings
from config.running import clock_of
from config.zone import ZoneSettings, load_zone
from custody.events import CommandReceived, CommandRefused, DoorFault, DoorPart, Event, FaultState, draft
from sync.follower import Follower
from sync.ledger import Ledger

ANSWER_S_MAX = 75.0
"""A reader has 60 s to take its key; then it is said that it did not."""


@click.command()
@zone_option
@click.argument("reader")
@click.option("--by", "actor", required=True, help="The officer who gives the command; a zone_manager.")
@click.option("--reason", help="Why, for the record.")
def provision(config_file: Path, reader: str, actor: str, reason: str | None) -> None:
    """Give a READER that has no key yet the one of its key file, over its line. The doors must be running.

    For a minute the reader may then take its key, and nothing that it says is believed. Do it where nobody else is
    on the line: the key is sent under the key that the OSDP specification prints, and who listens learns it. The
    command and its outcome are on record.
    """
    settings = load_zone(config_file)
    door = _door_of(settings, reader)
    identity = settings.zone
    clock = clock_of(identity.utc_offset_hours, None)
    ledger = Ledger.open(settings.ledger_dir, zone=identity.id, deployment=identity.deployment, clock=clock)
    follower = ledger.follow(from_start=False)
    try:
        args = {"reader": reader}
        ledger.append(draft(CommandReceived(command="provision", actor=actor, reason=reason, args=args)))
        click.echo(f"asked; {reader} has a minute to take its key ...")
        click.echo(_answer(follower, reader, door, actor))
    finally:
        follower.close()
        ledger.close()


def _door_of(settings: ZoneSettings, reader: str) -> str:
    found = {r.id: r for r in settings.readers if isinstance(r, OsdpReaderSettings)}
    if reader not in found:
        raise click.ClickException(
            f"there is no OSDP reader {reader!r} in this zone; there are: {', '.join(found) or 'none'}"
        )
    return found[reader].door


def _answer(follower: Follower, reader: str, door: str, actor: str) -> str:
    """What the doors wrote of it. Raises ``ClickException`` when it was refused, or nobody answers."""
    until_s = time.monotonic() + ANSWER_S_MAX
    while (left_s := until_s - time.monotonic()) > 0:
        for event in follower.wait(left_s):
            if _is_refusal(event, actor):
                raise click.ClickException(str(event.data["reason"]))
            if _is_back(event, reader, door):
                return f"done: {event.data['detail']}"
    raise click.ClickException(
        f"nobody answered for {ANSWER_S_MAX:g} s; are the doors running (fourmusts doors, or systemctl status)?"
    )


def _is_refusal(event: Event, actor: str) -> bool:
    named = (event.data.get("command"), event.data.get("actor"))
    return event.type == CommandRefused.TYPE and named == ("provision", actor)


def _is_back(event: Event, reader: str, door: str) -> bool:
    """A door has one fault of its readers; it is restored, or tells which of them is back beside a worse one."""
    data = event.data
    if event.type != DoorFault.TYPE or (data.get("door"), data.get("part")) != (door, DoorPart.READER):
        return False
    restored = data.get("state") == FaultState.RESTORED
    return str(data.get("detail")).startswith(f"{reader}: " if restored else f"{reader} is back")

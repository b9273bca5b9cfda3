"""The commands of a zone: ``init``, ``edge`` and its four processes."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

import click

from config.clock import Clock
from config.options import zone_option
from config.running import clock_of, set_up_logging, stop_on_signal
from config.zone import ZoneSettings, load_zone
from sync.keys import make_zone_key
from sync.ledger import Ledger
from sync.pruning import prune as prune_ledger

from .register.persons import KEY_FILE, create_key
from .sole import only_one
from .supervisor import Supervisor

# Started and ended in this order: the doors' last word still finds the link.
START_ORDER = ("panel", "cameras", "doors", "link")

timelapse_option = click.option("--timelapse", help="Play time at speed: start:anchor:speed:until (demo only).")


def _part_command(part: str, help_: str) -> click.Command:
    @click.command(part, help=help_)
    @zone_option
    @timelapse_option
    def command(config_file: Path, timelapse: str | None) -> None:
        settings = load_zone(config_file)
        set_up_logging(f"{settings.zone.id}/{part}")
        stop = stop_on_signal()
        run: Callable[[ZoneSettings, Clock, threading.Event], Any] = import_module(f"edge.{part}.process").run
        with only_one(settings.run_dir, part):
            run(settings, clock_of(settings.zone.utc_offset_hours, timelapse), stop)

    return command


doors = _part_command("doors", "Run the door process: readers, locks, the access decision.")
cameras = _part_command("cameras", "Run the camera process: watching, recording, auditing.")
link = _part_command("link", "Run the link: the ledger's road to headquarters.")
panel = _part_command("panel", "Run the panel: door terminal, register, monitoring.")


@click.command()
@zone_option
@timelapse_option
def edge(config_file: Path, timelapse: str | None) -> None:
    """Run all four processes of a zone under one supervisor."""
    settings = load_zone(config_file)
    set_up_logging(f"{settings.zone.id}/edge")
    arguments = ["--config", str(config_file), *(["--timelapse", timelapse] if timelapse else [])]
    commands = {part: [sys.executable, "-m", "fourmusts", part, *arguments] for part in START_ORDER}
    Supervisor(commands).run(stop_on_signal())


@click.command()
@zone_option
@timelapse_option
def init(config_file: Path, timelapse: str | None) -> None:
    """Make what a zone needs before its first start: its ledger and its keys. What is there is never replaced."""
    settings = load_zone(config_file)
    identity = settings.zone
    key = make_zone_key(settings.keys_dir, identity.deployment, identity.id)
    with suppress(FileExistsError):
        create_key(settings.keys_dir / KEY_FILE)
    ledger = Ledger.create(
        settings.ledger_dir,
        zone=identity.id,
        deployment=identity.deployment,
        clock=clock_of(identity.utc_offset_hours, timelapse),
    )
    ledger.ballast.hold()
    ledger.close()
    click.echo(f"The zone {identity.id} has its ledger and its keys in {identity.state_dir}.")
    click.echo("Headquarters enrols it with these lines in central.toml:\n")
    click.echo(f'[[zone]]\nid = "{identity.id}"\nname = "{identity.name}"\nverifier_key = "{key.verifier}"')


@click.command()
@zone_option
@click.option("--dry-run", is_flag=True, help="Only count what would be given up.")
def prune(config_file: Path, dry_run: bool) -> None:
    """Give up old lines of a zone's ledger now; the link does it every day. Others may write meanwhile."""
    settings = load_zone(config_file)
    identity = settings.zone
    ledger = Ledger.open(
        settings.ledger_dir,
        zone=identity.id,
        deployment=identity.deployment,
        clock=clock_of(identity.utc_offset_hours, None),
    )
    try:
        pruned = prune_ledger(ledger, settings.ledger.retention_days, dry=dry_run)
    finally:
        ledger.close()
    days = f"older than {settings.ledger.retention_days:g} days"
    click.echo(f"{pruned.lines} lines {days} {'can be' if dry_run else 'were'} given up.")
    if pruned.waiting:
        click.echo(f"{pruned.waiting} lines {days} wait for headquarters' cosignature; they stay.")

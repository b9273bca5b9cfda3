"""The commands of a zone: ``init``, ``edge`` and its four processes."""

from __future__ import annotations

import logging
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from types import FrameType
from typing import Any

import click

from config.clock import Clock, SystemClock, Timelapse, TimelapseClock
from config.errors import ConfigurationError
from config.zone import ZoneSettings, load_zone
from sync.errors import SyncError
from sync.keys import make_zone_key
from sync.ledger import Ledger

from .register.persons import KEY_FILE, create_key
from .supervisor import Supervisor

DEFAULT_CONFIG = Path("/etc/fourmusts/zone.toml")

config_option = click.option(
    "--config",
    "config_file",
    type=click.Path(path_type=Path),
    default=DEFAULT_CONFIG,
    show_default=True,
    envvar="FOURMUSTS_CONFIG",
    help="The zone's settings.",
)
# Started and ended in this order: the doors' last word still finds the link.
START_ORDER = ("panel", "cameras", "doors", "link")

timelapse_option = click.option("--timelapse", help="Play time at speed: start:anchor:speed:until (demo only).")


def zone_settings(config_file: Path) -> ZoneSettings:
    """The settings, or an error on the terminal that names the file and the mend."""
    try:
        return load_zone(config_file)
    except ConfigurationError as error:
        raise click.ClickException(str(error)) from error


def zone_clock(settings: ZoneSettings, timelapse: str | None) -> Clock:
    offset_s = int(settings.zone.utc_offset_hours * 3600)
    if timelapse is None:
        return SystemClock(fixed_utc_offset_s=offset_s)
    return TimelapseClock(Timelapse.decode(timelapse), fixed_utc_offset_s=offset_s)


def set_up_logging(part: str) -> None:
    """Lines for journald, which adds the time itself: level, part, module, message."""
    logging.basicConfig(level=logging.INFO, format=f"%(levelname)s {part} %(name)s: %(message)s", force=True)


def stop_on_signal() -> threading.Event:
    """An event that SIGTERM and SIGINT set. Python's own SIGTERM would skip every clean-up."""
    stop = threading.Event()

    def ask_to_stop(signum: int, frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, ask_to_stop)
    signal.signal(signal.SIGINT, ask_to_stop)
    return stop


def _part_command(part: str, help_: str) -> click.Command:
    @click.command(part, help=help_)
    @config_option
    @timelapse_option
    def command(config_file: Path, timelapse: str | None) -> None:
        settings = zone_settings(config_file)
        set_up_logging(f"{settings.zone.id}/{part}")
        stop = stop_on_signal()
        run: Callable[[ZoneSettings, Clock, threading.Event], Any] = import_module(f"edge.{part}.process").run
        try:
            run(settings, zone_clock(settings, timelapse), stop)
        except SyncError as error:
            raise click.ClickException(str(error)) from error

    return command


doors = _part_command("doors", "Run the door process: readers, locks, the access decision.")
cameras = _part_command("cameras", "Run the camera process: watching, recording, auditing.")
link = _part_command("link", "Run the link: the ledger's road to headquarters.")
panel = _part_command("panel", "Run the panel: door terminal, register, monitoring.")


@click.command()
@config_option
@timelapse_option
def edge(config_file: Path, timelapse: str | None) -> None:
    """Run all four processes of a zone under one supervisor."""
    settings = zone_settings(config_file)
    set_up_logging(f"{settings.zone.id}/edge")
    arguments = ["--config", str(config_file), *(["--timelapse", timelapse] if timelapse else [])]
    commands = {part: [sys.executable, "-m", "fourmusts", part, *arguments] for part in START_ORDER}
    Supervisor(commands).run(stop_on_signal())


@click.command()
@config_option
@timelapse_option
def init(config_file: Path, timelapse: str | None) -> None:
    """Make what a zone needs before its first start: its ledger and its keys. What is there is never replaced."""
    settings = zone_settings(config_file)
    identity = settings.zone
    try:
        key = make_zone_key(settings.keys_dir, identity.deployment, identity.id)
        with suppress(FileExistsError):
            create_key(settings.keys_dir / KEY_FILE)
        Ledger.create(
            settings.ledger_dir,
            zone=identity.id,
            deployment=identity.deployment,
            clock=zone_clock(settings, timelapse),
        ).close()
    except (SyncError, OSError) as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"The zone {identity.id} has its ledger and its keys in {identity.state_dir}.")
    click.echo("Headquarters enrols it with these lines in central.toml:\n")
    click.echo(f'[[zone]]\nid = "{identity.id}"\nname = "{identity.name}"\nverifier_key = "{key.verifier}"')

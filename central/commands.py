"""``fourmusts central``: set up headquarters once, and run it."""

from __future__ import annotations

from pathlib import Path

import click

from config.central import load_central
from config.options import central_option
from config.running import clock_of, set_up_logging, stop_on_signal
from sync.check import Level
from sync.history_command import level_option, output_option, report, write_proof

from .command_commands import command, pin
from .operators import make_token


@click.group()
def central() -> None:
    """Run headquarters: ingest, findings, pages and interface."""


central.add_command(command)
central.add_command(pin)


@central.command()
@central_option
def init(config_file: Path) -> None:
    """Make headquarters' key and database, once; harmless where they are. Prints what zones need."""
    from .process import init as make
    from .process import own_log

    settings = load_central(config_file)
    key = make(settings, clock_of(settings.bureau.utc_offset_hours, None))
    make_token(settings.keys_dir)
    click.echo(f"headquarters is set up in {settings.bureau.state_dir}. For [headquarters] in every zone.toml:")
    click.echo(f'verifier_key = "{key}"')
    click.echo(f"A witness needs that key too, and the origin {key.name}/{own_log(settings)}")


@central.command()
@central_option
@click.option("--timelapse", help="Play time at speed: start:anchor:speed:until (demo only).")
def run(config_file: Path, timelapse: str | None) -> None:
    """Run headquarters until SIGTERM or SIGINT."""
    from .process import run as serve

    settings = load_central(config_file)
    set_up_logging("hq")
    serve(settings, clock_of(settings.bureau.utc_offset_hours, timelapse), stop_on_signal())


@central.command()
@click.argument("event_id")
@central_option
@output_option
def proof(event_id: str, config_file: Path, output: Path | None) -> None:
    """Write the proof that the event EVENT_ID stands in a zone's ledger, or in headquarters' own.

    The file is a C2SP tlog-proof; 'fourmusts verify FILE' checks it on any machine with the public keys alone.
    """
    from .history import prove

    write_proof(prove(load_central(config_file), event_id), event_id, output)


@central.command()
@central_option
@level_option
def verify(config_file: Path, level: str) -> None:
    """Check every ledger in headquarters' database, its own included, and what was made of them."""
    from .history import broken

    found, what = broken(load_central(config_file), Level[level.upper()])
    report(found, what, Level[level.upper()])

"""``fourmusts central``: set up headquarters once, and run it."""

from __future__ import annotations

from pathlib import Path

import click

from config.central import load_central
from config.running import clock_of, set_up_logging, stop_on_signal

DEFAULT_CONFIG = Path("/etc/fourmusts/central.toml")

config_option = click.option(
    "--config",
    "config_file",
    type=click.Path(path_type=Path),
    default=DEFAULT_CONFIG,
    show_default=True,
    envvar="FOURMUSTS_CENTRAL_CONFIG",
    help="Headquarters' settings.",
)


@click.group()
def central() -> None:
    """Run headquarters: ingest, findings, pages and interface."""


@central.command()
@config_option
def init(config_file: Path) -> None:
    """Make headquarters' key and database, once; harmless where they are. Prints what zones need."""
    from .process import init as make

    settings = load_central(config_file)
    key = make(settings, clock_of(settings.bureau.utc_offset_hours, None))
    click.echo(f"headquarters is set up in {settings.bureau.state_dir}. For [headquarters] in every zone.toml:")
    click.echo(f'verifier_key = "{key}"')


@central.command()
@config_option
@click.option("--timelapse", help="Play time at speed: start:anchor:speed:until (demo only).")
def run(config_file: Path, timelapse: str | None) -> None:
    """Run headquarters until SIGTERM or SIGINT."""
    from .process import run as serve

    settings = load_central(config_file)
    set_up_logging("hq")
    serve(settings, clock_of(settings.bureau.utc_offset_hours, timelapse), stop_on_signal())

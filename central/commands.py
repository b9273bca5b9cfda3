"""``fourmusts central``: set up headquarters once, and run it."""

from __future__ import annotations

import logging
import signal
import threading
from pathlib import Path
from types import FrameType

import click

from config.central import CentralSettings, load_central
from config.clock import Clock, SystemClock, Timelapse, TimelapseClock
from config.errors import ConfigurationError
from sync.errors import SyncError

from .errors import CentralError
from .store.errors import StoreError

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


class CentralGroup(click.Group):
    """Says errors of ours in one line; a person made them and can mend them."""

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except (ConfigurationError, CentralError, StoreError, SyncError) as error:
            raise click.ClickException(str(error)) from error


@click.group(cls=CentralGroup)
def central() -> None:
    """Run headquarters: ingest, findings, pages and interface."""


@central.command()
@config_option
def init(config_file: Path) -> None:
    """Make headquarters' key and database, once; harmless where they are. Prints what zones need."""
    from .process import init as make

    settings = load_central(config_file)
    key = make(settings, _clock(settings, None))
    click.echo(f"headquarters is set up in {settings.bureau.state_dir}. For [headquarters] in every zone.toml:")
    click.echo(f'verifier_key = "{key}"')


@central.command()
@config_option
@click.option("--timelapse", help="Play time at speed: start:anchor:speed:until (demo only).")
def run(config_file: Path, timelapse: str | None) -> None:
    """Run headquarters until SIGTERM or SIGINT."""
    from .process import run as serve

    settings = load_central(config_file)
    logging.basicConfig(level=logging.INFO, format="%(levelname)s hq %(name)s: %(message)s", force=True)
    serve(settings, _clock(settings, timelapse), stop_on_signal())


def _clock(settings: CentralSettings, timelapse: str | None) -> Clock:
    offset_s = int(settings.bureau.utc_offset_hours * 3600)
    if timelapse is None:
        return SystemClock(fixed_utc_offset_s=offset_s)
    return TimelapseClock(Timelapse.decode(timelapse), fixed_utc_offset_s=offset_s)


def stop_on_signal() -> threading.Event:
    """An event that SIGTERM and SIGINT set. Python's own SIGTERM would skip every clean-up."""
    stop = threading.Event()

    def ask_to_stop(signum: int, frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, ask_to_stop)
    signal.signal(signal.SIGINT, ask_to_stop)
    return stop

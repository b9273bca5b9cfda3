"""The option by which every command of headquarters is told its settings."""

from __future__ import annotations

from pathlib import Path

import click

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

"""The option ``--config`` that the commands of a zone and of headquarters share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any] | click.Command)

ZONE_FILE = Path("/etc/fourmusts/zone.toml")
CENTRAL_FILE = Path("/etc/fourmusts/central.toml")


def _option(default: Path, variable: str, help_: str) -> Callable[[Command], Command]:
    return click.option(
        "--config",
        "config_file",
        type=click.Path(path_type=Path),
        default=default,
        show_default=True,
        envvar=variable,
        help=help_,
    )


zone_option = _option(ZONE_FILE, "FOURMUSTS_CONFIG", "The zone's settings.")
central_option = _option(CENTRAL_FILE, "FOURMUSTS_CENTRAL_CONFIG", "Headquarters' settings.")

"""``fourmusts sim``: be the hands, the card and the weather of a running zone's simulated hardware."""

from __future__ import annotations

import os
from pathlib import Path

import click

from config.errors import ConfigurationError
from config.zone import load_zone

from .simulation import SimulationError, drive

CONFIG_VARIABLE = "FOURMUSTS_CONFIG"
CONFIG_PLACES = (Path("zone.toml"), Path("demo-data/nz01/zone.toml"))
"""Looked at in this order, from the folder where the command is given; the second is the demo's zone."""


@click.command(context_settings={"ignore_unknown_options": True})
@click.option("--config", "config_file", type=click.Path(path_type=Path), help="The zone's settings.")
@click.option("--run-dir", type=click.Path(path_type=Path), help="The zone's run folder, instead of its settings.")
@click.argument("words", nargs=-1, required=True)
def sim(config_file: Path | None, run_dir: Path | None, words: tuple[str, ...]) -> None:
    """Drive the simulated hardware of a running zone.

    \b
    tap front-door p0231            an officer's card, at the way in of a door
    tap front-door p0231 out        the same at the way out
    tap front-in 04A1B2C3           a card by its number, at a reader
    open front-door                 the leaf is opened; close front-door
    press front-door                the request-to-exit button
    contact front-door fault        the contact breaks; ok mends it
    lock front-door jam             the bolt sticks; dead: the relay fails; blind: its sensor; free mends them
    turn front-door unlocked        the bolt is moved by a key; or locked
    pin front-door 1234             a PIN on its keypad; add "out" for the way out
    fire alarm on                   the fire system's contact; off, fault
    reader front-in offline         or insecure, unkeyed, online, tamper, untamper
    camera cam-3 freeze             or black, cover, drop, ok

    Without --config or --run-dir the settings are those named by FOURMUSTS_CONFIG, else ./zone.toml, else the
    demo's zone under ./demo-data.
    """
    folder = run_dir if run_dir is not None else _run_dir(config_file)
    try:
        click.echo(drive(folder, words))
    except SimulationError as error:
        raise click.ClickException(str(error)) from error


def _run_dir(config_file: Path | None) -> Path:
    if config_file is None:
        config_file = _find_config()
        click.echo(f"(zone: {config_file})", err=True)
    try:
        return load_zone(config_file).run_dir
    except ConfigurationError as error:
        raise click.ClickException(str(error)) from error


def _find_config() -> Path:
    named = os.environ.get(CONFIG_VARIABLE)
    if named:
        return Path(named)
    for place in CONFIG_PLACES:
        if place.exists():
            return place
    places = " nor ".join(f"./{place}" for place in CONFIG_PLACES)
    raise click.ClickException(
        f"which zone? There is neither {places}; name its settings with --config or {CONFIG_VARIABLE}"
    )

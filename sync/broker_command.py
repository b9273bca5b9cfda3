"""``fourmusts broker``: write the configuration of the broker between the zones and headquarters."""

from __future__ import annotations

from pathlib import Path

import click

from config.central import load_central

from . import mosquitto, nats
from .errors import KeyMissing
from .keys import BROKER_CERTIFICATE

directory_argument = click.argument("directory", type=click.Path(file_okay=False, path_type=Path))
port_option = click.option("--port", default=8883, show_default=True, help="Where zones and headquarters connect.")
bind_option = click.option("--bind", default="0.0.0.0", show_default=True, help="Address to listen on.")


@click.group()
def broker() -> None:
    """Write the configuration of the broker between the zones and headquarters.

    DIRECTORY is what 'fourmusts keys broker' made. Every broker of MQTT 3.1.1 will do, as none is trusted with
    anything; for these two there is a configuration with mutual TLS and each zone's own topics.
    """


@broker.command("mosquitto")
@directory_argument
@port_option
@bind_option
def for_mosquitto(directory: Path, port: int, bind: str) -> None:
    """Write mosquitto.conf and its ACL; they hold for every zone that there will be."""
    keys_dir = _with_keys(directory)
    written = mosquitto.render(directory, keys_dir=keys_dir, port=port, bind=bind)
    click.echo(f"start it with: mosquitto -c {written}")


@broker.command("nats")
@directory_argument
@click.option("--zone", "zones", multiple=True, help="A zone that may connect; repeatable.")
@click.option(
    "--central",
    "central_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Headquarters' central.toml: every zone that is enrolled in it.",
)
@port_option
@bind_option
@click.option("--client-port", default=4222, show_default=True, help="Of NATS' own protocol, on loopback.")
def for_nats(
    directory: Path, zones: tuple[str, ...], central_file: Path | None, port: int, bind: str, client_port: int
) -> None:
    """Write nats-server.conf. Do it again when a zone is enrolled: NATS has no pattern for users."""
    enrolled = [zone.id for zone in load_central(central_file).zones] if central_file is not None else []
    named = list(dict.fromkeys([*enrolled, *zones]))
    if not named:
        raise click.UsageError("name the zones: --central central.toml, or --zone ID for each")
    keys_dir = _with_keys(directory)
    written = nats.render(
        directory.absolute(), keys_dir=keys_dir, zones=named, port=port, bind=bind, client_port=client_port
    )
    click.echo(f"{len(named)} zones may connect; start it with: nats-server -c {written}")
    click.echo("or, if it runs already: nats-server --signal reload")


def _with_keys(directory: Path) -> Path:
    certificate = directory / BROKER_CERTIFICATE
    if not certificate.is_file():
        raise KeyMissing(certificate, f"make it with: fourmusts keys broker {directory} --host NAME")
    return directory.absolute()

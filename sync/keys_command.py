"""``fourmusts keys``: make and show keys and certificates."""

from __future__ import annotations

from pathlib import Path

import click

from . import keys as making
from .keys_rotation import prepare
from .mosquitto import render
from .revocation import CRL

DIRECTORY = click.Path(file_okay=False, path_type=Path)
authority_option = click.option(
    "--authority", type=DIRECTORY, required=True, help="Directory that 'keys authority' made."
)
deployment_option = click.option(
    "--deployment", default="fourmusts", show_default=True, help="As in zone.toml and central.toml."
)


@click.group()
def keys() -> None:
    """Make and show keys and certificates.

    \b
    In this order, for a new deployment:
      fourmusts keys authority AUTHORITY
      fourmusts keys broker BROKER --authority AUTHORITY --host broker.example
      fourmusts keys headquarters HQ --authority AUTHORITY
    and for each zone
      fourmusts keys certificate ZONE nz01 --authority AUTHORITY
      fourmusts keys zone ZONE nz01        (on the zone's own board)

    \b
    Later:
      fourmusts keys rotate /var/lib/fourmusts/keys      (a new signing key, vouched for by the old one)
      fourmusts keys revoke nz01 --authority AUTHORITY --broker BROKER

    Private keys are made readable for you alone and are refused when others can read them. Nothing is ever
    overwritten.
    """


@keys.command("authority")
@click.argument("directory", type=DIRECTORY)
@deployment_option
def authority(directory: Path, deployment: str) -> None:
    """Make the authority that signs every certificate. Keep DIRECTORY on no server."""
    making.make_authority(directory, deployment)
    click.echo(f"made the authority of {deployment} in {directory}; ca.crt is for everyone, ca.key for nobody")


@keys.command("broker")
@click.argument("directory", type=DIRECTORY)
@authority_option
@click.option("--host", "hosts", multiple=True, required=True, help="Name or address to reach it by; repeatable.")
@click.option("--port", default=8883, show_default=True)
def broker(directory: Path, authority: Path, hosts: tuple[str, ...], port: int) -> None:
    """Make the broker's certificate, and a mosquitto.conf with its ACL beside it."""
    making.make_broker(authority, directory, hosts)
    configuration = render(directory, keys_dir=directory.absolute(), port=port)
    click.echo(
        f"made the broker's certificate for {', '.join(hosts)}; start it with: mosquitto -c {configuration}"
    )


@keys.command("headquarters")
@click.argument("directory", type=DIRECTORY)
@authority_option
@deployment_option
def headquarters(directory: Path, authority: Path, deployment: str) -> None:
    """Make headquarters' certificate for the broker and the key with which it cosigns."""
    key = making.make_headquarters(authority, directory, deployment)
    click.echo("made headquarters' keys. For [headquarters] in every zone.toml:")
    click.echo(f'verifier_key = "{key.verifier}"')
    click.echo(
        f"move {directory / making.HEADQUARTERS_KEY} to state_dir/keys before 'fourmusts central init', which "
        "makes another key where there is none"
    )


@keys.command("certificate")
@click.argument("directory", type=DIRECTORY)
@click.argument("zone")
@authority_option
def certificate(directory: Path, zone: str, authority: Path) -> None:
    """Make the certificate with which ZONE shows itself to the broker."""
    making.make_zone_certificate(authority, directory, zone)
    click.echo(f"made the certificate of zone {zone} in {directory}; move tls.key to the zone and keep no copy")


@keys.command("reader")
@click.argument("directory", type=DIRECTORY)
@authority_option
def reader(directory: Path, authority: Path) -> None:
    """Make the certificate with which another system reads the feed (v1/feed/#), and nothing else."""
    making.make_reader(authority, directory)
    click.echo(f"made the certificate of the feed's reader in {directory}")


@keys.command("zone")
@click.argument("directory", type=DIRECTORY)
@click.argument("zone")
@deployment_option
def zone_key(directory: Path, zone: str, deployment: str) -> None:
    """Make the key with which ZONE signs its ledger; on its own board, which it never leaves.

    If there is one already, only its enrolment is shown again.
    """
    key = making.make_zone_key(directory, deployment, zone)
    click.echo("for headquarters' central.toml:")
    click.echo(f'[[zone]]\nid = "{zone}"\nname = "…"\nverifier_key = "{key.verifier}"')


@keys.command("show")
@click.argument("directory", type=click.Path(exists=True, file_okay=False, path_type=Path))
def show(directory: Path) -> None:
    """Show what lies in DIRECTORY: certificates with their names and ends, verifier keys, no secrets."""
    for name, what in making.describe(directory):
        click.echo(f"{name}: {what}")


@keys.command("rotate")
@click.argument("directory", type=click.Path(exists=True, file_okay=False, path_type=Path))
def rotate(directory: Path) -> None:
    """Make a new signing key for the zone, or the headquarters, whose keys lie in DIRECTORY.

    It is taken up at the next start of the link, or of headquarters: the old key vouches for it, in the ledger,
    and the other end follows by itself. What the old key signed before stays valid.
    """
    present, new = prepare(directory)
    of_zone = (directory / making.ZONE_KEY).exists()
    click.echo(f"made the key that follows {present.verifier}:")
    click.echo(f'verifier_key = "{new.verifier}"')
    click.echo(f"it signs from the next start on: systemctl restart fourmusts-{'link' if of_zone else 'central'}")
    where = "headquarters' central.toml" if of_zone else "every zone.toml"
    click.echo(f"the other end follows by itself; put this line into {where} when it is convenient")


@keys.command("revoke")
@click.argument("name")
@authority_option
@click.option("--broker", type=DIRECTORY, help="Directory of the broker's certificate; gets the new list.")
def revoke(name: str, authority: Path, broker: Path | None) -> None:
    """Revoke every certificate of NAME, a zone's id, hq or feed: the broker refuses it from its next start on."""
    count = making.revoke(authority, name)
    click.echo(f"revoked {count} certificate(s) of {name}: {authority / CRL}")
    if broker is not None:
        making.copy_list(authority, broker)
        click.echo(f"copied to {broker}; restart the broker (nats-server reads no such list: change its users)")
    else:
        click.echo("copy it to the broker's directory as ca.crl and restart the broker, or give --broker")
    if name not in making.RESERVED_NAMES:
        click.echo(f'if its signing key is lost too: "revoked = true" in the [[zone]] {name} of central.toml')

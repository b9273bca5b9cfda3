"""The configuration of nats-server's MQTT gateway, from the template in config/broker/ that is also its manual."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import resources
from pathlib import Path

from .keys import check_zone_name

CONFIGURATION = "nats-server.conf"
_ZONE = """\
    {{ user: "CN={zone}"
      permissions: {{
        publish: [ "v1.{zone}.up", "v1.{zone}.state" ]
        subscribe: [ "v1.{zone}.down", "v1.hq.state", "v1.hq.tree", "$MQTT.sub.>" ] }} }}"""


def render(
    directory: Path,
    *,
    keys_dir: Path,
    zones: Sequence[str],
    port: int = 8883,
    bind: str = "0.0.0.0",
    client_port: int = 4222,
) -> Path:
    """Write ``nats-server.conf`` into ``directory``, with a user for each zone; for ``nats-server -c``.

    ``keys_dir`` holds what ``fourmusts keys broker`` made. ``client_port`` is that of NATS' own protocol, on
    loopback. Raises ``KeyRefused`` for what cannot be a zone's id.
    """
    for zone in zones:
        check_zone_name(zone)
    values = {
        "port": str(port),
        "bind": bind,
        "client_port": str(client_port),
        "keys_dir": str(keys_dir),
        "store_dir": str(directory / "nats"),
        "zones": "\n".join(_ZONE.format(zone=zone) for zone in zones),
    }
    text = (resources.files("config") / "broker" / CONFIGURATION).read_text()
    for name, value in values.items():
        text = text.replace(f"{{{name}}}", value)
    directory.mkdir(parents=True, exist_ok=True)
    configuration = directory / CONFIGURATION
    configuration.write_text(text)
    return configuration

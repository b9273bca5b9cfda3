"""The configuration of a Mosquitto broker, from the templates in config/broker/ that are also its manual."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

CONFIGURATION = "mosquitto.conf"
ACCESS = "fourmusts.acl"


def render(directory: Path, *, keys_dir: Path, port: int = 8883, bind: str = "0.0.0.0") -> Path:
    """Write ``mosquitto.conf`` and its ACL into ``directory``; returns the former, for ``mosquitto -c``.

    ``keys_dir`` holds what ``fourmusts keys broker`` made; the user that Mosquitto runs as must be able to read
    it.
    """
    templates = resources.files("config") / "broker"
    directory.mkdir(parents=True, exist_ok=True)
    access = directory.absolute() / ACCESS
    access.write_text((templates / ACCESS).read_text())
    values = {"port": str(port), "bind": bind, "keys_dir": str(keys_dir), "acl_file": str(access)}
    text = (templates / CONFIGURATION).read_text()
    for name, value in values.items():
        text = text.replace(f"{{{name}}}", value)
    configuration = directory / CONFIGURATION
    configuration.write_text(text)
    return configuration

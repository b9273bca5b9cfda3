"""The parts of this suite import each other by name: their folder joins the path."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from sync import keys

sys.path.insert(0, str(Path(__file__).parent))

ZONES = ("nz01", "nz02", "nz03", "nz04", "nz05")


@pytest.fixture(scope="session")
def everyones_keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Certificates and keys as ``fourmusts keys`` makes them, of the zones and of ``nz99``, which has gone bad."""
    directory = tmp_path_factory.mktemp("keys")
    authority = directory / "authority"
    keys.make_authority(authority, "test")
    keys.make_broker(authority, directory / "broker", ["127.0.0.1"])
    keys.make_headquarters(authority, directory / "hq", "test")
    for zone in (*ZONES, "nz99"):
        keys.make_zone_certificate(authority, directory / zone, zone)
        keys.make_zone_key(directory / zone, "test", zone)
    return directory

"""The settings of headquarters, as ``central.toml`` holds them; that file is also their manual."""

from __future__ import annotations

from pathlib import Path
from typing import Self

from pydantic import Field, model_validator

from custody.events import ZoneId

from .loading import Settings, load


class Bureau(Settings):
    name: str
    deployment: str = "fourmusts"
    utc_offset_hours: float = 8.0
    state_dir: Path = Path("/var/lib/fourmusts-central")
    database: str | None = None
    """An SQLAlchemy URL; by default an SQLite file in ``state_dir``."""


class Broker(Settings):
    host: str = "127.0.0.1"
    port: int = 8883
    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None


class Web(Settings):
    host: str = "127.0.0.1"
    port: int = Field(8500, ge=0, le=65535)

    @model_validator(mode="after")
    def _only_this_machine(self) -> Self:
        if self.host not in ("127.0.0.1", "::1", "localhost"):
            raise ValueError(
                f"host = {self.host!r} would show people in custody to the network, and there is no sign-in yet; "
                'use "127.0.0.1" and reach the pages from elsewhere through an ssh tunnel'
            )
        return self


class EnrolledZone(Settings):
    id: ZoneId
    name: str
    verifier_key: str
    """The zone's public key as a C2SP verifier key, pinned when the zone was enrolled."""
    revoked: bool = False
    """Nothing that this zone signs is taken any more; what was taken before stays."""


class WitnessSettings(Settings):
    """A third party that cosigns headquarters' own ledger (c2sp.org/tlog-witness)."""

    name: str
    url: str
    """Its submission prefix: ``/add-checkpoint`` is put behind it."""
    key: str
    """Its public key as a C2SP verifier key of type 0x04."""


class CentralSettings(Settings):
    """Everything about headquarters."""

    bureau: Bureau
    broker: Broker = Broker()
    web: Web = Web()
    policy: Path | None = None
    zones: list[EnrolledZone] = Field(alias="zone", default=[])
    witnesses: list[WitnessSettings] = Field(alias="witness", default=[])

    @model_validator(mode="after")
    def _zones_unique(self) -> Self:
        ids = [zone.id for zone in self.zones]
        if "hq" in ids:
            raise ValueError("no zone can be called 'hq', that is headquarters' own name; give it another id")
        for id_ in ids:
            if ids.count(id_) > 1:
                raise ValueError(f"zone {id_!r} is enrolled twice; remove one")
        return self

    @property
    def keys_dir(self) -> Path:
        return self.bureau.state_dir / "keys"

    @property
    def database_url(self) -> str:
        return self.bureau.database or f"sqlite:///{self.bureau.state_dir / 'central.sqlite3'}"


def load_central(file: Path) -> CentralSettings:
    """The settings in a ``central.toml``; relative paths are meant from its folder.

    Raises ``ConfigurationError``.
    """
    settings = load(CentralSettings, file)
    broker = settings.broker
    absolute = {
        name: path and file.parent / path
        for name, path in (("ca", broker.ca), ("certificate", broker.certificate), ("key", broker.key))
    }
    return settings.model_copy(
        update={
            "bureau": settings.bureau.model_copy(update={"state_dir": file.parent / settings.bureau.state_dir}),
            "broker": broker.model_copy(update=absolute),
            "policy": settings.policy and file.parent / settings.policy,
        }
    )

"""The settings of one zone, as ``zone.toml`` holds them; that file is also their manual."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from custody.events import Area, Coverage, PartId, Purpose, ZoneId

from .loading import Settings, load
from .pins import check_pins
from .readers import OsdpReaderSettings, ReaderSettings, check_places
from .roster import Role, Roster, RosterTables


class Identity(Settings):
    id: ZoneId
    name: str
    deployment: str = "fourmusts"
    """First part of every checkpoint's origin: ``<deployment>/<zone>/<ledger>``."""
    utc_offset_hours: float = 8.0
    state_dir: Path = Path("/var/lib/fourmusts")
    """Ledgers, keys, recordings and the register of persons; the only place that is written to."""


class HeadquartersCommand(StrEnum):
    """What headquarters can ask of a zone."""

    OPEN = "open"
    LOCKDOWN = "lockdown"
    LOCKDOWN_END = "lockdown.end"
    RELEASE = "release"
    SECURE = "secure"
    ROSTER_SET = "roster.set"
    POLICY_SET = "policy.set"


EVERYBODY = "*"
EVERY_DOOR = "*"
"""In place of a door's id, in the commands of ``MODE_COMMANDS``."""
MODE_COMMANDS = frozenset(
    {
        HeadquartersCommand.LOCKDOWN,
        HeadquartersCommand.LOCKDOWN_END,
        HeadquartersCommand.RELEASE,
        HeadquartersCommand.SECURE,
    }
)


class HeadquartersRight(Settings):
    """What somebody at headquarters may ask of this zone."""

    actor: str = Field(pattern=r"^(\*|[0-9a-z-]{1,32})$")
    """Who gives the command, as headquarters signs it; ``*`` is anybody there."""
    commands: list[HeadquartersCommand] = Field(min_length=1)
    doors: list[PartId] | None = None
    """At which doors, by default at all."""


class Headquarters(Settings):
    host: str = "127.0.0.1"
    port: int = 8883
    ca: Path | None = None
    """Authority that signed the broker's certificate. Without it the link runs without TLS (demo only)."""
    certificate: Path | None = None
    key: Path | None = None
    verifier_key: str
    """Headquarters' public key as a C2SP verifier key: ``<name>+<hash>+<key>``."""
    may: list[HeadquartersRight] = [
        HeadquartersRight(
            actor=EVERYBODY, commands=[HeadquartersCommand.ROSTER_SET, HeadquartersCommand.POLICY_SET]
        )
    ]

    def permits(self, actor: str, command: HeadquartersCommand, door: PartId | None) -> bool:
        """Whether this actor may give this command; ``door`` is the one that it is about, if it is about one."""
        return any(
            right.actor in (actor, EVERYBODY)
            and command in right.commands
            and (right.doors is None or door is None or door in right.doors)
            for right in self.may
        )


class LedgerSettings(Settings):
    retention_days: float = Field(180.0, ge=30.0)
    """How long a line stays here after it was written, at least; and never less than until it is cosigned."""


class Panel(Settings):
    host: str = "127.0.0.1"
    port: int = 8400


class RoomSettings(Settings):
    id: PartId
    name: str
    area: Area = Area.CUSTODY
    purpose: Purpose = Purpose.OTHER
    cameras: list[PartId] = []
    coverage: Coverage = Coverage.ANY
    audio: bool = False


class InputSettings(Settings):
    """A contact or a button on a pin."""

    driver: Literal["gpio", "simulated"]
    pin: int | None = None
    pull_up: bool = True
    active_low: bool = True
    """Whether the line is low while the door is closed (contact), the button pressed, the bolt in (monitor)."""
    debounce_s: float = Field(0.05, ge=0, le=1)

    @model_validator(mode="after")
    def _pin_named(self) -> Self:
        if self.driver == "gpio" and self.pin is None:
            raise ValueError("a gpio input needs a pin; add pin = <BCM number>")
        return self


class LockHardware(StrEnum):
    """What current does to the lock itself: a magnet holds while powered, a strike opens while powered."""

    POWER_TO_LOCK = "power_to_lock"
    POWER_TO_UNLOCK = "power_to_unlock"


class Relay(StrEnum):
    """Whether the lock is powered while the relay is energised, or while it is at rest."""

    NORMALLY_OPEN = "normally_open"
    NORMALLY_CLOSED = "normally_closed"


class Secured(StrEnum):
    LOCKED = "locked"
    UNLOCKED = "unlocked"


class LockSettings(Settings):
    """A lock, and what it must do when the controller or the power is lost; contradictions are refused."""

    driver: Literal["gpio", "simulated"]
    pin: int | None = None
    active_high: bool = True
    hardware: LockHardware
    relay: Relay = Relay.NORMALLY_OPEN
    on_controller_loss: Secured
    on_power_loss: Secured
    unlock_s: float = Field(5.0, gt=0, le=60)
    monitor: InputSettings | None = None
    """A switch that the bolt itself moves: what the lock is, besides what it was told to be."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.driver == "gpio" and self.pin is None:
            raise ValueError("a gpio lock needs a pin; add pin = <BCM number>")
        if self.monitor is not None and self.monitor.driver != self.driver:
            raise ValueError(
                f"a {self.driver} lock cannot be measured by a {self.monitor.driver} monitor; set the same driver"
            )
        without_current = Secured.UNLOCKED if self.hardware is LockHardware.POWER_TO_LOCK else Secured.LOCKED
        with_current = Secured.LOCKED if without_current is Secured.UNLOCKED else Secured.UNLOCKED
        at_rest = with_current if self.relay is Relay.NORMALLY_CLOSED else without_current
        for key, declared, circumstance, given, mend in (
            (
                "on_power_loss",
                self.on_power_loss,
                "without current",
                without_current,
                "fit the other kind of lock",
            ),
            (
                "on_controller_loss",
                self.on_controller_loss,
                f"with its {self.relay.value} relay at rest",
                at_rest,
                "wire the relay the other way round",
            ),
        ):
            if declared is not given:
                raise ValueError(
                    f"{key} = {declared.value!r} cannot be: {circumstance} a {self.hardware.value} lock "
                    f"is {given.value}; declare {given.value!r}, or {mend}"
                )
        return self

    @property
    def energised_when_unlocked(self) -> bool:
        """Whether the relay must be energised to unlock (else it must be energised to lock)."""
        unlocks_with_current = self.hardware is LockHardware.POWER_TO_UNLOCK
        return unlocks_with_current == (self.relay is Relay.NORMALLY_OPEN)


class DoorSettings(Settings):
    id: PartId
    name: str
    from_: PartId = Field(alias="from")
    """The room on the outer side: who passes to ``to`` goes ``in``."""
    to: PartId
    interlock: PartId | None = None
    held_s: float = Field(30.0, gt=0)
    """How long it may stand open before ``door.held``."""
    prealarm_s: float = Field(10.0, ge=0)
    """So long before that its readers ask to close it, at half of ``held_s`` at the earliest. 0: they do not."""
    not_taken_s: float | None = None
    """How long after a grant it counts as not taken; by default as long as the lock stays unlocked."""
    lock: LockSettings
    contact: InputSettings | None = None
    button: InputSettings | None = None
    """Request to exit. In a custody zone exit is controlled too: it only counts with ``button_opens``."""
    button_opens: bool = False
    roles: list[Role] = []
    """Who may pass; by default every officer who has a role at all."""

    @model_validator(mode="after")
    def _interlock_can_be_known(self) -> Self:
        if self.interlock is not None and self.contact is None:
            raise ValueError(
                f"door {self.id!r} is in the interlock {self.interlock!r} without a contact, so nobody "
                "could know that it is closed; add a contact, or take it out of the interlock"
            )
        if self.button_opens and self.button is None:
            raise ValueError(f"door {self.id!r} has button_opens without a button; add [door.button]")
        return self


class RtspCameraSettings(Settings):
    id: PartId
    name: str
    driver: Literal["rtsp"]
    url: str
    record: bool = True
    audio: bool = False


class SimulatedCameraSettings(Settings):
    id: PartId
    name: str
    driver: Literal["simulated"]
    record: bool = True
    audio: bool = False


CameraSettings = Annotated[RtspCameraSettings | SimulatedCameraSettings, Field(discriminator="driver")]


class RecordingSettings(Settings):
    segment_s: float = Field(60.0, gt=0, le=600)
    retention_days: float = Field(90.0, gt=0)
    cameras_per_worker: int = Field(8, ge=1, le=32)
    """A worker process that dies takes so many cameras with it until it is up again."""


class ZoneSettings(RosterTables):
    """Everything about one zone."""

    zone: Identity
    headquarters: Headquarters | None = None
    ledger: LedgerSettings = LedgerSettings()
    panel: Panel = Panel()
    recording: RecordingSettings = RecordingSettings()
    rooms: list[RoomSettings] = Field(alias="room")
    doors: list[DoorSettings] = Field(alias="door", default=[])
    readers: list[ReaderSettings] = Field(alias="reader", default=[])
    cameras: list[CameraSettings] = Field(alias="camera", default=[])
    fire: InputSettings | None = None
    """The fire system's contact, closed as long as there is no alarm. It is watched only: what releases the doors
    is the fire system itself, which cuts the power of those that ``on_power_loss`` unlocks."""

    @model_validator(mode="after")
    def _names_agree(self) -> Self:
        rooms = _unique("room", [room.id for room in self.rooms])
        doors = _unique("door", [door.id for door in self.doors])
        cameras = _unique("camera", [camera.id for camera in self.cameras])
        _unique("reader", [reader.id for reader in self.readers])
        named = {"[[officer]] or [[access]]": self.doors_named(), "[[headquarters.may]]": self._doors_remote()}
        for table, strange in ((table, sorted(found - doors)) for table, found in named.items()):
            if strange:
                raise ValueError(f"{table} names the door {strange[0]!r}, which is not declared")
        for door in self.doors:
            for side in (door.from_, door.to):
                if side not in rooms:
                    raise ValueError(
                        f"door {door.id!r} names the room {side!r}, which is not declared; add a [[room]]"
                    )
        for reader in self.readers:
            if reader.door not in doors:
                raise ValueError(f"reader {reader.id!r} names the door {reader.door!r}, which is not declared")
        check_places(self.readers)
        if self.fire is not None and not self.doors_released_by_fire:
            raise ValueError(
                "[fire] is declared, and no lock has on_power_loss = 'unlocked': a fire would release no door"
            )
        check_pins(self)
        for room in self.rooms:
            for camera in room.cameras:
                if camera not in cameras:
                    raise ValueError(f"room {room.id!r} names the camera {camera!r}, which is not declared")
        return self

    def _doors_remote(self) -> set[PartId]:
        rights = [] if self.headquarters is None else self.headquarters.may
        return {door for right in rights for door in right.doors or ()}

    @property
    def doors_released_by_fire(self) -> list[PartId]:
        """Those whose power the fire system cuts, and which are unlocked without."""
        return [door.id for door in self.doors if door.lock.on_power_loss is Secured.UNLOCKED]

    @property
    def roster(self) -> Roster:
        """The roster in ``zone.toml``, which counts until headquarters has sent one."""
        return Roster(officers=self.officers, schedules=self.schedules, access=self.access, lockout=self.lockout)

    @property
    def ledger_dir(self) -> Path:
        return self.zone.state_dir / "ledger"

    @property
    def run_dir(self) -> Path:
        """Pulses of the processes and the sockets of the simulated hardware."""
        return self.zone.state_dir / "run"

    def relay_file(self, door: PartId) -> Path:
        """Where the relay of a simulated lock can be seen from outside."""
        return self.run_dir / f"{door}.relay"

    @property
    def recordings_dir(self) -> Path:
        return self.zone.state_dir / "recordings"

    @property
    def keys_dir(self) -> Path:
        return self.zone.state_dir / "keys"


def _unique(noun: str, ids: list[str]) -> set[str]:
    seen: set[str] = set()
    for id_ in ids:
        if id_ in seen:
            raise ValueError(f"{noun} {id_!r} is declared twice; rename or remove one")
        seen.add(id_)
    return seen


def load_zone(file: Path) -> ZoneSettings:
    """The settings in a ``zone.toml``; relative paths in it are meant from its own folder.

    Raises ``ConfigurationError``.
    """
    settings = load(ZoneSettings, file)
    identity = settings.zone.model_copy(update={"state_dir": file.parent / settings.zone.state_dir})
    changes: dict[str, object] = {"zone": identity}
    if (hq := settings.headquarters) is not None:
        paths = {name: getattr(hq, name) for name in ("ca", "certificate", "key")}
        absolute = {name: path and file.parent / path for name, path in paths.items()}
        changes["headquarters"] = hq.model_copy(update=absolute)
    changes["readers"] = [
        reader.model_copy(update={"key_file": file.parent / reader.key_file})
        if isinstance(reader, OsdpReaderSettings)
        else reader
        for reader in settings.readers
    ]
    return settings.model_copy(update=changes)

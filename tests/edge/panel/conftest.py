"""A zone on disk with its ledger and its key, a clock moved by hand, and the register service over them."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from config.clock import ManualClock
from config.zone import ZoneSettings, load_zone
from custody.drawn import DrawnJudge
from custody.events import Draft, Event
from edge.panel.app import create_app
from edge.panel.desk import Desk
from edge.panel.server import PanelServer
from edge.register.persons import KEY_FILE, Persons, create_key
from edge.register.requests import ACTS
from edge.register.service import RegisterService, Written
from sync.ledger import Ledger

ZONE_FILE = Path(__file__).parent / "zone.toml"


@pytest.fixture
def settings(tmp_path: Path) -> ZoneSettings:
    settings = load_zone(Path(shutil.copy(ZONE_FILE, tmp_path / "zone.toml")))
    create_key(settings.keys_dir / KEY_FILE)
    return settings


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(1_795_395_600_000_000)  # 2026-11-23 09:00 at +08:00


@pytest.fixture
def ledger(settings: ZoneSettings, clock: ManualClock) -> Iterator[Ledger]:
    zone = settings.zone
    ledger = Ledger.create(settings.ledger_dir, zone=zone.id, deployment=zone.deployment, clock=clock)
    yield ledger
    ledger.close()


@pytest.fixture
def persons(settings: ZoneSettings) -> Iterator[Persons]:
    persons = Persons.open(settings.zone.state_dir, settings.keys_dir)
    yield persons
    persons.close()


@pytest.fixture
def service(
    settings: ZoneSettings, ledger: Ledger, persons: Persons, clock: ManualClock
) -> Iterator[RegisterService]:
    service = RegisterService(settings, ledger, persons, clock)
    yield service
    service.book.close()


@pytest.fixture
def write(service: RegisterService) -> Callable[..., Written]:
    """``write("enter", stay=…, door=…)``: one act by p0231, as the panel would ask for it."""
    models = {model.NAME: model for model in ACTS}

    def write(act: str, **fields: Any) -> Written:
        return service.write(models[act].model_validate({"by": "p0231", **fields}))

    return write


@pytest.fixture
def arrive(write: Callable[..., Written]) -> Callable[..., str]:
    """Register an arrival, and answer with the stay's number."""

    def arrive(**fields: Any) -> str:
        plain = {
            "sex": "m",
            "case": {"id": "A2026-117", "kind": "criminal"},
            "measure": {"kind": "criminal_summons", "limit_hours": 12},
            "brought_by": ["p0231", "p0145"],
            "via": "front-door",
            "identity": {"name": "张三丰", "id_number": "610721199001011234"},
        }
        stay = write("arrive", **{**plain, **fields}).stay
        assert stay is not None
        return stay

    return arrive


@pytest.fixture
def enter(arrive: Callable[..., str], write: Callable[..., Written]) -> Callable[..., str]:
    """Register an arrival and the entry; answer with the stay's number."""

    def enter(**fields: Any) -> str:
        stay = arrive(**fields)
        write("enter", stay=stay, door="front-door", room="corridor", escorts=["p0231", "p0145"])
        return stay

    return enter


@pytest.fixture
def search(write: Callable[..., Written], clock: ManualClock) -> Callable[[str], None]:
    """Search a person properly."""

    def search(stay: str) -> None:
        write("start-search", stay=stay, room="search", officers=["p0231", "p0145"])
        clock.advance(180)
        write("finish-search", stay=stay, injuries="none", belongings="none", signed=True)

    return search


@pytest.fixture
def types(ledger: Ledger) -> Callable[[], list[str]]:
    """The types of all lines in the ledger but its first."""
    return lambda: [event.type for event in ledger.events()][1:]


@pytest.fixture
def append(ledger: Ledger) -> Callable[..., list[Event]]:
    """What a device writes: ``append("door.opened", door="front-door")``."""

    def append(type_: str, **data: Any) -> list[Event]:
        return ledger.append(Draft(type_, data))

    return append


@pytest.fixture
def desk(settings: ZoneSettings, ledger: Ledger, persons: Persons, clock: ManualClock) -> Iterator[Desk]:
    desk = Desk(settings, ledger, persons, clock)
    yield desk
    desk.book.close()


@pytest.fixture
def server(desk: Desk) -> Iterator[PanelServer]:
    """The panel, really served, on a port of its own."""
    app = create_app(desk, lambda: DrawnJudge(desk.settings.zone.id, desk.policy))
    server = PanelServer(app, "127.0.0.1", 0)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def client(server: PanelServer) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, trust_env=False) as client:
        yield client


@pytest.fixture
def until() -> Callable[[Callable[[], Any]], Any]:
    """Ask until the answer is true, at most ten seconds; answer it."""

    def until(ask: Callable[[], Any]) -> Any:
        ends_s = time.monotonic() + 60
        while not (answer := ask()):
            assert time.monotonic() < ends_s, "it never became true"
            time.sleep(0.01)
        return answer

    return until

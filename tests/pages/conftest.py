"""A served panel over a real ledger, and Debian's Chromium in front of it."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright

from config.clock import SystemClock
from config.zone import ZoneSettings, load_zone
from custody.drawn import DrawnJudge
from custody.events import Draft
from edge.panel.app import create_app
from edge.panel.desk import Desk
from edge.panel.server import PanelServer
from edge.pulse import Pulse
from edge.register.persons import KEY_FILE, Persons, create_key
from sync.ledger import Ledger

ZONE_FILE = Path(__file__).parents[1] / "edge" / "panel" / "zone.toml"
SCREENSHOTS = Path(__file__).parents[2] / "artefacts" / "pages"
TERMINAL, MONITOR = (1280, 800), (1920, 1080)
# Without these Chromium speaks to the network at its start, which a cut-off machine refuses many times over.
CHROMIUM_ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@dataclass
class Zone:
    """A zone with its panel. ``append`` writes what a device would."""

    settings: ZoneSettings
    ledger: Ledger
    server: PanelServer

    @property
    def url(self) -> str:
        return self.server.url

    def append(self, type_: str, **data: Any) -> None:
        """What a device says is shown as long as the process that heard it lives."""
        for part in ("doors", "cameras"):
            Pulse(self.settings.run_dir, part, SystemClock()).beat()
        self.ledger.append(Draft(type_, data))

    def types(self) -> list[str]:
        return [event.type for event in self.ledger.events()][1:]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=list(CHROMIUM_ARGUMENTS))
        yield browser
        browser.close()


@pytest.fixture
def zone(tmp_path: Path) -> Iterator[Zone]:
    settings = load_zone(Path(shutil.copy(ZONE_FILE, tmp_path / "zone.toml")))
    create_key(settings.keys_dir / KEY_FILE)
    clock, identity = SystemClock(fixed_utc_offset_s=28_800), settings.zone
    ledger = Ledger.create(settings.ledger_dir, zone=identity.id, deployment=identity.deployment, clock=clock)
    persons = Persons.open(identity.state_dir, settings.keys_dir)
    desk = Desk(settings, ledger, persons, clock)
    server = PanelServer(create_app(desk, lambda: DrawnJudge(identity.id, desk.policy)), "127.0.0.1", 0)
    server.start()
    yield Zone(settings, ledger, server)
    if server.alive:
        server.stop()
    desk.book.close()
    persons.close()
    ledger.close()


@pytest.fixture
def open_page(browser: Browser, zone: Zone) -> Iterator[Callable[..., Page]]:
    """``open_page("/monitor", size=MONITOR, lang="en")``; what its console complains of fails the test."""
    contexts, complaints = [], []

    def complain(message: ConsoleMessage) -> None:
        # Chromium says of every refused act that its status was not 2xx, and of a panel that was stopped that it
        # is away; the page itself says so too.
        expected = re.search(r"status of (409|422)|ERR_CONNECTION_REFUSED", message.text)
        if message.type in ("error", "warning") and not expected:
            complaints.append(message.text)

    def open_page(
        path: str, *, size: tuple[int, int] = TERMINAL, lang: str = "zh", officer: str | None = "p0231"
    ) -> Page:
        context = browser.new_context(viewport={"width": size[0], "height": size[1]})
        contexts.append(context)
        context.set_default_timeout(10_000)
        cookies = {"lang": lang, **({"officer": officer} if officer else {})}
        context.add_cookies([{"name": name, "value": value, "url": zone.url} for name, value in cookies.items()])
        page = context.new_page()
        page.on("console", complain)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(zone.url + path)
        page.wait_for_selector("body[data-live]")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert complaints == []


@pytest.fixture
def keep() -> Callable[[Page, str], None]:
    """``keep(page, "home-zh")`` keeps a screenshot to be looked at, in a folder that git ignores."""
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)

    def keep(page: Page, name: str) -> None:
        page.screenshot(path=SCREENSHOTS / f"{name}.png")

    return keep

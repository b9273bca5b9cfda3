"""The monitor of the guard room follows the ledger without being asked."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from playwright.sync_api import Page, expect

OpenPage = Callable[..., Page]
Keep = Callable[[Page, str], None]
MONITOR = (1920, 1080)


def now() -> str:
    return datetime.now(UTC).isoformat()


def test_a_camera_that_is_lost_and_a_forced_door_appear_by_themselves(
    zone: Any, open_page: OpenPage, keep: Keep
) -> None:
    page = open_page("/monitor", size=MONITOR, lang="en")
    room = page.locator("article.room", has=page.get_by_role("heading", name="候问室一"))
    zone.append("camera.state", camera="cam-waiting-1", state="recording", audio="none", faults=[], since=now())
    expect(room).to_contain_text("Recording")
    zone.append(
        "camera.state", camera="cam-waiting-1", state="lost", audio="none", faults=["covered"], since=now()
    )
    expect(room).to_contain_text("Lost · covered")
    zone.append("door.opened", door="front-door")
    expect(page.locator(".door")).to_contain_text("Open")
    zone.append("door.forced", door="front-door")
    expect(page.locator(".call.is-level-1")).to_contain_text("The door was forced.")
    keep(page, "alarms-en")
    zone.append("door.closed", door="front-door")
    expect(page.locator(".call.is-level-1")).to_have_count(0)


def test_a_person_whom_nobody_guards_is_the_first_thing_to_do(zone: Any, open_page: OpenPage, keep: Keep) -> None:
    stay = "nz01-20261123-001"
    case = {"id": "", "kind": "criminal"}
    zone.append(
        "stay.arrived",
        stay=stay,
        person="sha256:0",
        category="suspect",
        sex="m",
        flags=["drunk"],
        case=case,
        measure={"kind": "none"},
        brought_by=[],
        via="front-door",
        exempt=None,
    )
    zone.append("stay.entered", stay=stay, door="front-door", room="waiting-2", escorts=[])
    page = open_page("/monitor", size=MONITOR)
    room = page.locator("article.room", has=page.get_by_role("heading", name="候问室二"))
    expect(room.locator(".guardline")).to_contain_text("无人看管")
    expect(page.locator(".call").first).to_contain_text("此人无人看管")
    expect(room).to_contain_text("醉酒")
    since = room.locator(".guardline [data-since]")
    first = since.inner_text()
    expect(since).not_to_have_text(first)  # it counts on by the zone's clock
    keep(page, "unguarded-zh")
    officer = {"id": "a0112", "rank": "auxiliary", "sex": "f"}
    zone.append("guard.present", room="waiting-2", officer=officer, proof="card", valid_for_s=None)
    expect(room.locator(".guardline")).to_contain_text("辅警王")


def test_a_page_that_is_cut_off_says_so(zone: Any, open_page: OpenPage) -> None:
    page = open_page("/monitor", size=MONITOR)
    expect(page.locator("[data-offline]")).to_be_hidden()
    zone.server.stop()
    expect(page.locator("[data-offline]")).to_be_visible()


def test_a_card_that_is_refused_is_shown_with_its_reason(zone: Any, open_page: OpenPage) -> None:
    page = open_page("/monitor", size=MONITOR)
    zone.append(
        "door.denied",
        door="front-door",
        reader="front-in",
        direction="in",
        officer=None,
        reason="unknown_card",
    )
    expect(page.locator(".door-last")).to_contain_text("拒绝: 未知卡")

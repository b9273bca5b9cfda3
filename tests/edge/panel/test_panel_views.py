"""What the screens show: the next step, what needs somebody now, a stay's lanes, the live stream."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from config.clock import ManualClock
from config.zone import Headquarters, ZoneSettings
from custody.events import format_utc
from edge.panel.desk import Desk, mask
from edge.panel.shared_judge import SharedJudge
from edge.panel.view.attention import NOTE, SOON, URGENT
from edge.panel.view.board import Board, board
from edge.pulse import Pulse
from edge.register.persons import Persons
from edge.register.requests import ACTS
from edge.register.service import Written
from sync.ledger import Ledger

Write = Callable[..., Written]
Number = Callable[..., str]


@pytest.fixture
def write(desk: Desk) -> Write:
    """Acts written through the panel's own desk."""
    models = {model.NAME: model for model in ACTS}

    def write(act: str, **fields: Any) -> Written:
        return desk.service.write(models[act].model_validate({"by": "p0231", **fields}))

    return write


@pytest.fixture
def seen(desk: Desk) -> Callable[[], Board]:
    def seen() -> Board:
        desk.book.refresh()
        return board(desk)

    return seen


@pytest.fixture(autouse=True)
def living_parts(settings: ZoneSettings, clock: ManualClock) -> Iterator[None]:
    for part in ("doors", "cameras", "link"):
        Pulse(settings.run_dir, part, clock).beat()
    yield


def calls(board: Board) -> list[tuple[int, str, str | None]]:
    return [(call.level, str(call.said), call.who) for call in board.attention]


def test_the_next_step_follows_the_musts(
    arrive: Number, write: Write, seen: Callable[[], Board], clock: ManualClock
) -> None:
    stay, said = arrive(), []

    def note() -> None:
        said.append(seen().people[0].next.value)

    note()
    write("enter", stay=stay, door="front-door", room="corridor", escorts=["p0231"])
    note()
    write("start-search", stay=stay, room="search", officers=["p0231", "p0145"])
    note()
    write("finish-search", stay=stay, injuries="none", belongings="none", signed=True)
    note()
    write("collect", stay=stay, items=["basic"], officers=["p0231"])
    note()
    write("move", stay=stay, room="waiting-1", escorts=["p0231"])
    note()
    write("guard-present", room="waiting-1", officer="a0112")
    note()
    started = write(
        "start-activity", stay=stay, kind="interview", room="interview-1", officers=["p0231", "p0145"]
    ).events[0]
    note()
    write("end-activity", stay=stay, activity=started.data["activity"], signed=True)
    write("move", stay=stay, room="waiting-1", escorts=["p0231"])
    note()
    assert said == [
        "enter",
        "start-search",
        "finish-search",
        "collect",
        "move",
        "guard-present",
        "start-activity",
        "end-activity",
        "exit",
    ]


def test_a_witness_is_not_sent_through_search_and_collection(
    arrive: Number, write: Write, seen: Callable[[], Board]
) -> None:
    stay = arrive(category="witness", measure={"kind": "none"})
    write("enter", stay=stay, door="front-door", room="interview-1", escorts=["p0231"])
    person = seen().people[0]
    assert person.next.value == "start-activity"
    assert [step.state for step in person.steps] == [
        "done",
        "not_needed",
        "not_needed",
        "not_needed",
        "current",
        "later",
    ]


def test_the_most_urgent_comes_first(
    arrive: Number, write: Write, seen: Callable[[], Board], clock: ManualClock
) -> None:
    waiting = arrive()
    unguarded = arrive()
    write("enter", stay=unguarded, door="front-door", room="waiting-1", escorts=[])
    clock.advance(25)
    assert calls(seen()) == [
        (URGENT, "Nobody guards this person.", "002"),
        (NOTE, "Arrived and not yet in the zone.", "001"),
        (NOTE, "Not searched yet.", "002"),
    ]
    clock.advance(1000)
    late = {(level, said, who) for level, said, who in calls(seen())}
    assert (SOON, "Arrived and not yet in the zone.", waiting[-3:]) in late
    assert (SOON, "Not searched yet.", "002") in late


def test_a_check_is_called_before_it_is_due_and_again_when_it_is_over(
    arrive: Number, write: Write, seen: Callable[[], Board], clock: ManualClock
) -> None:
    stay = arrive(measure={"kind": "criminal_summons", "limit_hours": 24})
    write("enter", stay=stay, door="front-door", room="waiting-1", escorts=[])
    write("guard-present", room="waiting-1", officer="a0112", valid_for_s=86_400)

    def check() -> list[tuple[int, str, str | None]]:
        return [call for call in calls(seen()) if "check" in call[1]]

    clock.advance(1400)
    assert check() == []
    clock.advance(100)
    assert check() == [(SOON, "A check is due.", "001")]
    clock.advance(400)
    assert check() == [(URGENT, "The check is overdue.", "001")]
    write("check", stay=stay, officer="a0112")
    assert check() == []


def test_the_legal_limit_is_called_three_times(
    arrive: Number, seen: Callable[[], Board], clock: ManualClock
) -> None:
    arrive(measure={"kind": "criminal_summons", "limit_hours": 12})

    def limit() -> list[int]:
        return [level for level, said, _ in calls(seen()) if "legal limit" in said]

    clock.advance(8 * 3600)
    assert limit() == []
    clock.advance(1.1 * 3600)
    assert limit() == [NOTE]
    clock.advance(2.5 * 3600)
    assert limit() == [SOON]
    clock.advance(0.5 * 3600)
    assert limit() == [URGENT]


def test_a_part_that_died_is_called(seen: Callable[[], Board], clock: ManualClock) -> None:
    assert calls(seen()) == []
    clock.advance(31)
    assert [(said, where) for said, where in [(str(c.said), c.where) for c in seen().attention]] == [
        ("A part of the system does not answer.", ("doors", "cameras"))
    ]


def test_an_empty_room_may_have_a_lost_camera_an_occupied_one_may_not(
    arrive: Number, write: Write, seen: Callable[[], Board], append: Callable[..., Any], clock: ManualClock
) -> None:
    since = format_utc(clock.now_us())
    append("camera.state", camera="cam-waiting-1", state="lost", audio="none", faults=["no_signal"], since=since)
    assert calls(seen()) == []
    write("enter", stay=arrive(), door="front-door", room="waiting-1", escorts=["p0231"])
    urgent = [(str(c.said), c.where) for c in seen().attention if c.level == URGENT]
    assert urgent == [("The camera of an occupied room does not record properly.", ("候问室一",))]


def test_the_record_draws_the_lanes_of_the_judge(
    arrive: Number,
    write: Write,
    client: httpx.Client,
    append: Callable[..., Any],
    clock: ManualClock,
    until: Callable[[Callable[[], Any]], Any],
) -> None:
    stay = arrive()
    since = format_utc(clock.now_us())
    append("camera.state", camera="cam-waiting-1", state="recording", audio="none", faults=[], since=since)
    clock.advance(60)
    write("enter", stay=stay, door="front-door", room="waiting-1", escorts=[])
    write("guard-present", room="waiting-1", officer="a0112")
    clock.advance(60)
    write("guard-absent", room="waiting-1", officer="a0112")
    clock.advance(100)
    write("start-search", stay=stay, room="search", officers=["p0231", "p0145"])

    def lanes() -> str | None:
        page = client.get(f"/stays/{stay}", params={"lang": "zh"}).text
        return page if 'class="lanes"' in page and "M3.1 无人看管" in page else None

    page = until(lanes)
    assert "无人看管 1 分 40 秒</text>" in page
    assert ">候问室一</text>" in page and "已证实 " in page
    english = client.get(f"/stays/{stay}", headers={"cookie": "lang=en"}).text
    assert "Not guarded 1 min 40 s</text>" in english


def test_a_judge_that_breaks_takes_only_the_drawing_away(caplog: pytest.LogCaptureFixture) -> None:
    class Broken:
        def take(self, events: Any) -> None: ...

        def findings(self) -> list[Any]:
            return []

        def verdicts(self) -> dict[str, Any]:
            return {}

        def lanes(self, stay: str) -> Any:
            raise ArithmeticError("broken")

    assert SharedJudge(Broken).lanes("nz01-20261123-001") is None
    assert "nz01-20261123-001 could not be worked out" in caplog.text


def test_a_name_is_masked_but_its_first_character() -> None:
    assert [mask(name) for name in ("张三丰", "李", "", "Alexander", " 欧阳锋 ")] == [
        "张**",
        "李",
        "",
        "A***",
        "欧**",
    ]


def test_a_stream_sends_everything_once_and_then_what_changed(
    client: httpx.Client, until: Callable[[Callable[[], Any]], Any]
) -> None:
    with client.stream("GET", "/events?page=home&lang=en", timeout=60) as stream:
        lines = stream.iter_lines()

        def fragment() -> dict[str, str]:
            line = next(line for line in lines if line.startswith("data:") and '"html"' in line)
            return dict(json.loads(line.removeprefix("data:")))

        assert {fragment()["name"] for _ in range(3)} == {"bar", "people", "attention"}
        client.post(
            "/api/v1/acts/arrive",
            json={
                "by": "p0231",
                "sex": "f",
                "case": {"kind": "criminal"},
                "measure": {"kind": "none"},
                "via": "front-door",
            },
        )
        changed = [fragment(), fragment()]
        assert {part["name"] for part in changed} == {"people", "attention"}
        assert all("Arrived" in part["html"] for part in changed)


def test_a_stream_of_nothing_that_exists_is_refused(client: httpx.Client) -> None:
    for wrong in ("page=nothing", "page=stay", "page=stay&stay=nz01-20261123-999"):
        assert client.get(f"/events?{wrong}").status_code == 404


def test_the_link_is_down_when_headquarters_confirms_nothing_for_long(
    settings: ZoneSettings, ledger: Ledger, persons: Persons, clock: ManualClock, append: Callable[..., Any]
) -> None:
    headquarters = Headquarters(verifier_key="test/hq+00000000+AA==")
    desk = Desk(settings.model_copy(update={"headquarters": headquarters}), ledger, persons, clock)
    newest = ledger.spans()[-1][0]

    def confirmed(size: int) -> None:
        newest.keep_cosigned(size, "a note", clock.now_us())

    def link() -> tuple[int, int | None]:
        seen = board(desk).health.link
        return seen.waiting, seen.stuck_since_us

    confirmed(newest.size())
    assert link() == (0, None)
    append("door.opened", door="front-door")
    clock.advance(60)
    assert link() == (1, None)
    clock.advance(60)
    waiting, since_us = link()
    assert (waiting, since_us) == (1, clock.now_us() - 120_000_000)
    assert (NOTE, "Headquarters does not confirm what is written here.", None) in calls(board(desk))
    confirmed(newest.size())
    assert link() == (0, None)
    desk.book.close()

"""What is not known is never shown as good, and what cannot be is never written."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from typing import Any

import httpx
import pytest

from config.clock import ManualClock
from config.zone import ZoneSettings
from custody.events import Event, LedgerReason, format_utc
from edge.panel.app import create_app
from edge.panel.desk import Desk
from edge.panel.server import PanelServer
from edge.panel.view.board import board
from edge.pulse import PULSE_VALID_S, Pulse
from edge.register.book import Book
from edge.register.errors import Forbidden, WrongTime
from edge.register.service import Written
from sync.ledger import Ledger

Write = Callable[..., Written]
Number = Callable[..., str]
Append = Callable[..., list[Event]]
INTERVIEW: dict[str, Any] = {"kind": "interview", "room": "interview-1", "officers": ["p0231", "p0145"]}


def camera_is(append: Append, clock: ManualClock, camera: str, state: str, audio: str, *faults: str) -> None:
    since = format_utc(clock.now_us())
    append("camera.state", camera=camera, state=state, audio=audio, faults=list(faults), since=since)


def test_a_camera_that_nobody_watches_any_more_is_not_shown_as_recording(
    desk: Desk, settings: ZoneSettings, append: Append, clock: ManualClock, client: httpx.Client
) -> None:
    pulse = Pulse(settings.run_dir, "cameras", clock)
    pulse.beat()
    died_us = clock.now_us()
    camera_is(append, clock, "cam-waiting-1", "recording", "none")
    desk.book.refresh()

    def shown() -> tuple[str, int | None]:
        (camera,) = [c for room in board(desk).rooms for c in room.cameras if c.id == "cam-waiting-1"]
        return camera.state, camera.since_us

    assert shown()[0] == "recording"
    clock.advance(PULSE_VALID_S + 1)
    assert shown() == ("unknown", died_us)
    told = {camera["camera"]: camera["state"] for camera in client.get("/api/v1/cameras").json()}
    assert told["cam-waiting-1"] == "unknown"
    pulse.beat()
    assert shown()[0] == "recording"


def test_a_door_whose_process_is_dead_is_not_shown_as_shut(
    desk: Desk, settings: ZoneSettings, append: Append, clock: ManualClock
) -> None:
    Pulse(settings.run_dir, "doors", clock).beat()
    append("door.closed", door="front-door")
    desk.book.refresh()

    def shown() -> bool | None:
        return next(door.open for door in board(desk).doors if door.settings.id == "front-door")

    assert shown() is False
    clock.advance(PULSE_VALID_S + 1)
    assert shown() is None


class ForgetfulJudge:
    """Breaks on the first lines that it is given, and takes the later ones."""

    def __init__(self) -> None:
        self.taken = 0

    def take(self, events: Sequence[Event]) -> None:
        self.taken += 1
        if self.taken == 1:
            raise KeyError("a line that it cannot take")

    def findings(self) -> list[Any]:
        return []

    def verdicts(self) -> dict[str, dict[int, str]]:
        return {}


def test_a_judge_that_has_missed_a_line_does_not_recover_in_silence(
    desk: Desk, append: Append, until: Callable[[Callable[[], Any]], Any]
) -> None:
    judge = ForgetfulJudge()
    server = PanelServer(create_app(desk, lambda: judge), "127.0.0.1", 0)
    server.start()
    try:
        until(lambda: desk.judged.failed)
        append("door.closed", door="front-door")
        until(lambda: judge.taken >= 2)
        append("door.opened", door="front-door")
        until(lambda: judge.taken >= 3)
        assert desk.judged.failed
    finally:
        server.stop()


@pytest.mark.parametrize(("name", "value"), [("Host", "[::1"), ("Origin", "http://[")])
def test_a_header_that_is_no_address_is_refused_as_any_stranger_is(
    client: httpx.Client, name: str, value: str
) -> None:
    answer = client.post("/api/v1/acts/arrive", json={}, headers={name: value})
    assert answer.status_code == 403
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_disk_that_takes_no_persons_record_is_said_as_what_it_is(
    client: httpx.Client, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> str:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(desk.persons, "keep", full)
    asked = {
        "by": "p0231",
        "sex": "m",
        "case": {"kind": "criminal"},
        "measure": {"kind": "none"},
        "via": "front-door",
    }
    answer = client.post("/api/v1/acts/arrive", json=asked, headers={"Accept-Language": "en"})
    assert answer.status_code == 503
    assert "nothing of this was recorded" in answer.json()["title"]
    assert "disk is full" in answer.json()["detail"]


@pytest.fixture
def ready(enter: Number, search: Callable[[str], None], write: Write) -> str:
    stay = enter()
    search(stay)
    write("collect", stay=stay, items=["basic"], officers=["p0231"])
    return stay


@pytest.mark.parametrize("fault", ["covered", "frozen", "not_recording"])
def test_an_interview_waits_for_a_picture_that_shows_something(
    ready: str, write: Write, append: Append, clock: ManualClock, settings: ZoneSettings, fault: str
) -> None:
    for room in settings.rooms:
        if room.id == "interview-1":
            for camera in room.cameras:
                camera_is(append, clock, camera, "impaired", "good", fault)
    with pytest.raises(Forbidden) as refused:
        write("start-activity", stay=ready, **INTERVIEW)
    assert [obstacle.rule for obstacle in refused.value.obstacles] == ["M4.2"]


def test_an_interview_waits_for_the_sound(
    ready: str, write: Write, append: Append, clock: ManualClock, settings: ZoneSettings
) -> None:
    (room,) = [room for room in settings.rooms if room.id == "interview-1"]
    for camera in room.cameras:
        camera_is(append, clock, camera, "impaired", "bad", "no_audio")
    with pytest.raises(Forbidden) as refused:
        write("start-activity", stay=ready, **INTERVIEW)
    assert [obstacle.rule for obstacle in refused.value.obstacles] == ["M4.2"]


def test_a_measure_cannot_begin_in_the_future(arrive: Number, write: Write, clock: ManualClock) -> None:
    later = format_utc(clock.now_us() + 3_600_000_000)
    measure = {"kind": "detention", "limit_hours": 24, "since": later}
    with pytest.raises(WrongTime):
        arrive(measure=measure)
    with pytest.raises(WrongTime):
        write("change-measure", stay=arrive(), approver="p0231", measure=measure)


def test_nothing_ends_before_it_began(
    ready: str, enter: Number, write: Write, clock: ManualClock, types: Callable[[], list[str]]
) -> None:
    stay = enter()
    before_entry = format_utc(clock.now_us() - 1)
    clock.advance(60)
    exit_ = {"door": "front-door", "reason": "released", "belongings": "none", "signed": True, "override": "late"}
    write("start-search", stay=stay, room="search", officers=["p0231", "p0145"])
    with pytest.raises(WrongTime):
        write("finish-search", stay=stay, signed=True, time=before_entry)
    write("finish-search", stay=stay, signed=True)
    activity = write("start-activity", stay=ready, **INTERVIEW).events[0].data["activity"]
    with pytest.raises(WrongTime):
        write("end-activity", stay=ready, activity=activity, time=before_entry)
    for act in ("exit", "leave"):
        fields = exit_ if act == "exit" else {"door": "front-door", "reason": "medical"}
        with pytest.raises(WrongTime):
            write(act, stay=stay, time=before_entry, **fields)
    assert not {"stay.exited", "stay.left", "activity.ended"} & set(types())


class CountingLedger:
    """The real ledger; counts how often all of it is read."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self.read_whole = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._ledger, name)

    def events(self) -> Any:
        self.read_whole += 1
        return self._ledger.events()


def test_a_correction_does_not_read_the_whole_ledger_again(
    ledger: Ledger, arrive: Number, write: Write, append: Append, types: Callable[[], list[str]]
) -> None:
    counting: Any = CountingLedger(ledger)
    book = Book(counting, guard_valid_s=3600.0)
    stay = arrive()
    append("zone.stopped", reason="test")
    book.refresh()
    line = book.written_of_stay(stay)[0]
    write("correct", event=line.id, reason="typed wrongly", data={"sex": "f"})
    book.refresh()
    kept = book.stay(stay)
    assert kept is not None and kept.sex == "f"
    assert book.size == len(types()) + 1
    assert counting.read_whole == 0
    book.close()


@pytest.mark.parametrize(
    ("type_", "data", "says"),
    [
        ("headquarters.rollback", {"cosigned": "", "status": ""}, "Headquarters knows less"),
        ("headquarters.fork", {"cosigned": "", "shown": ""}, "own ledger was rewritten"),
    ],
)
def test_that_headquarters_past_changed_is_shown_for_a_day(
    desk: Desk, append: Append, clock: ManualClock, type_: str, data: dict[str, str], says: str
) -> None:
    append(type_, ledger="5d0c4e1b9a7f2836", **data)
    desk.book.refresh()

    def shown() -> list[str]:
        return [one.said.pattern for one in board(desk).attention if says in one.said.pattern]

    assert len(shown()) == 1
    clock.advance(25 * 3600)
    assert shown() == []


def test_that_the_disk_was_restored_is_shown_and_a_first_ledger_is_not(desk: Desk, ledger: Ledger) -> None:
    def shown() -> list[str]:
        return [one.said.pattern for one in board(desk).attention if "restored" in one.said.pattern]

    desk.book.refresh()
    assert shown() == []
    ledger.succeed(ledger.spans()[-1][0], 1, LedgerReason.ROLLBACK)
    desk.book.refresh()
    assert len(shown()) == 1

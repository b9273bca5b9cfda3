"""The step gate: what the musts forbid cannot be started, unless somebody says why."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from config.clock import ManualClock
from custody.events import format_utc, to_datetime
from edge.register.errors import Forbidden
from edge.register.service import Written

Write = Callable[..., Written]
Number = Callable[..., str]
INTERVIEW: dict[str, Any] = {"kind": "interview", "room": "interview-1", "officers": ["p0231", "p0145"]}


def rules(refused: pytest.ExceptionInfo[Forbidden]) -> list[str]:
    return [obstacle.rule for obstacle in refused.value.obstacles]


@pytest.fixture
def ready(enter: Number, search: Callable[[str], None], write: Write) -> Callable[..., str]:
    """A stay for which an interview may begin: searched, identified."""

    def ready(**fields: Any) -> str:
        stay = enter(**fields)
        search(stay)
        write("collect", stay=stay, items=["basic"], officers=["p0231"])
        return stay

    return ready


def test_an_interview_waits_for_the_search_and_the_collection(
    enter: Number, write: Write, types: Callable[[], list[str]]
) -> None:
    stay = enter()
    with pytest.raises(Forbidden) as refused:
        write("start-activity", stay=stay, **INTERVIEW)
    assert rules(refused) == ["M2.1", "M2.5"]
    assert "activity.started" not in types()


def test_an_override_is_written_with_its_reason_and_what_it_overrode(enter: Number, write: Write) -> None:
    event = write("start-activity", stay=enter(), override="现场紧急，人质下落不明", **INTERVIEW).events[0]
    assert event.data["override"] == {
        "reason": "现场紧急，人质下落不明",
        "rules": ["M2.1", "M2.5"],
        "by": "p0231",
    }


def test_a_reason_that_nothing_needed_is_not_written(ready: Number, write: Write) -> None:
    event = write("start-activity", stay=ready(), override="to be safe", **INTERVIEW).events[0]
    assert "override" not in event.data


def test_every_return_needs_a_new_search(ready: Number, write: Write, clock: ManualClock) -> None:
    stay = ready()
    write("approve-leave", stay=stay, reason="scene_identification", approver="p0007")
    write("leave", stay=stay, door="front-door", escorts=["p0231", "p0145"])
    clock.advance(1800)
    write("return", stay=stay, door="front-door", room="corridor", escorts=["p0231", "p0145"])
    with pytest.raises(Forbidden) as refused:
        write("start-activity", stay=stay, **INTERVIEW)
    assert rules(refused) == ["M2.1"]


@pytest.mark.parametrize(
    ("officers", "case_kind", "expected"),
    [
        (["p0231"], "criminal", ["M3.7"]),
        (["p0231", "a0112"], "criminal", ["M3.7"]),
        (["p0231", "p0231"], "criminal", ["M3.7"]),
        (["p0231"], "administrative", []),  # 治安管理处罚法 art. 108: one, if it is recorded throughout
        (["a0112"], "administrative", ["M3.7"]),
    ],
)
def test_an_interview_needs_its_police_officers(
    ready: Number, write: Write, officers: list[str], case_kind: str, expected: list[str]
) -> None:
    stay = ready(case={"kind": case_kind})
    asked = {**INTERVIEW, "officers": officers}
    if not expected:
        assert write("start-activity", stay=stay, **asked).events
        return
    with pytest.raises(Forbidden) as refused:
        write("start-activity", stay=stay, **asked)
    assert rules(refused) == expected


def test_no_officer_may_go_from_an_interview_that_needs_both(ready: Number, write: Write) -> None:
    stay = ready()
    activity = write("start-activity", stay=stay, **INTERVIEW).events[0].data["activity"]
    with pytest.raises(Forbidden) as refused:
        write("change-officers", stay=stay, activity=activity, officers=["p0231"])
    assert rules(refused) == ["M3.7"]
    assert write("change-officers", stay=stay, activity=activity, officers=["p0231", "p0118"]).events


def test_an_interview_outside_the_zone_needs_a_lawful_ground(ready: Number, write: Write) -> None:
    stay = ready()
    asked = {**INTERVIEW, "room": "reception"}
    with pytest.raises(Forbidden) as refused:
        write("start-activity", stay=stay, **asked)
    assert rules(refused) == ["M1.7", "M4.2"]
    assert write("start-activity", stay=stay, exempt="ill", **asked).events


def test_an_interview_waits_while_no_camera_of_the_room_records(
    ready: Number, write: Write, append: Callable[..., Any], clock: ManualClock
) -> None:
    stay = ready()
    since = format_utc(clock.now_us())
    append("camera.state", camera="cam-interview-1", state="lost", audio="none", faults=["no_signal"], since=since)
    with pytest.raises(Forbidden) as refused:
        write("start-activity", stay=stay, **INTERVIEW)
    assert rules(refused) == ["M4.2"]


def test_a_witness_may_be_interviewed_without_a_search(enter: Number, write: Write) -> None:
    stay = enter(category="witness", measure={"kind": "none"})
    assert write("start-activity", stay=stay, **INTERVIEW).events


def test_a_woman_is_searched_by_women(enter: Number, write: Write) -> None:
    stay = enter(sex="f")
    with pytest.raises(Forbidden) as refused:
        write("start-search", stay=stay, room="search", officers=["p0231", "p0118"])
    assert rules(refused) == ["M2.4"]
    assert write("start-search", stay=stay, room="search", officers=["p0119", "p0118"]).events


def test_a_body_search_needs_two_police_officers_or_doctors(enter: Number, write: Write) -> None:
    stay = enter()
    with pytest.raises(Forbidden) as refused:
        write("start-search", stay=stay, room="search", kind="body", officers=["p0231", "a0112"])
    assert rules(refused) == ["M2.3"]


def test_biometrics_need_an_approval_and_are_never_taken_twice(enter: Number, write: Write) -> None:
    stay = enter()
    with pytest.raises(Forbidden) as refused:
        write("collect", stay=stay, items=["basic", "iris"], officers=["p0231"])
    assert rules(refused) == ["M2.6"]
    write("collect", stay=stay, items=["basic", "iris"], approval="采审〔2026〕12号", officers=["p0231"])
    with pytest.raises(Forbidden, match="Already taken in this stay: iris"):
        write("collect", stay=stay, items=["iris"], approval="采审〔2026〕13号", officers=["p0231"])


def test_nobody_is_taken_out_without_an_approval(enter: Number, write: Write) -> None:
    stay = enter()
    with pytest.raises(Forbidden) as refused:
        write("leave", stay=stay, door="front-door", reason="retrieve_evidence")
    assert rules(refused) == ["M1.5"]


def test_only_the_head_of_the_unit_approves(enter: Number, write: Write) -> None:
    stay = enter()
    with pytest.raises(Forbidden, match="not the head of the unit"):
        write("approve-leave", stay=stay, reason="transfer", approver="p0145")
    with pytest.raises(Forbidden, match="does not name this reason"):
        write("approve-leave", stay=stay, reason="other", approver="p0007")


def test_an_approval_serves_one_departure(enter: Number, write: Write) -> None:
    stay = enter()
    permit = write("approve-leave", stay=stay, reason="transfer", approver="p0007").events[0].data["permit"]
    left = write("leave", stay=stay, door="front-door").events[0]
    assert (left.data["permit"], left.data["reason"]) == (permit, "transfer")
    write("return", stay=stay, door="front-door", room="corridor")
    with pytest.raises(Forbidden, match="has been used"):
        write("leave", stay=stay, door="front-door", permit=permit)


def test_a_medical_emergency_does_not_wait_for_paper(enter: Number, write: Write) -> None:
    assert write("leave", stay=enter(), door="front-door", reason="medical").events


def test_an_exit_is_signed_settled_and_says_where_to(enter: Number, write: Write) -> None:
    stay = enter()
    with pytest.raises(Forbidden) as refused:
        write("exit", stay=stay, door="front-door", reason="detained", belongings="unsettled")
    assert rules(refused) == ["M1.8", "M1.8", "M1.8", "M2.5"]


def test_men_and_women_and_minors_are_kept_apart(ready: Number, write: Write) -> None:
    man, minor = ready(), ready(flags=["minor"])
    write("move", stay=man, room="waiting-1", escorts=["p0231"])
    with pytest.raises(Forbidden) as refused:
        write("move", stay=minor, room="waiting-1", escorts=["p0231"])
    assert rules(refused) == ["M3.6"]
    assert write("move", stay=minor, room="waiting-2", escorts=["p0231"]).events


def test_a_time_given_with_an_override_is_still_when_it_happened(
    enter: Number, write: Write, clock: ManualClock
) -> None:
    stay = enter()
    clock.advance(60)
    happened = to_datetime(clock.now_us() - 30_000_000)
    event = write("start-activity", stay=stay, time=happened, override="emergency", **INTERVIEW).events[0]
    assert event.time_us == clock.now_us() - 30_000_000

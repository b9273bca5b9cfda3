"""A short day in a custody zone: three people at the centre, one at the station; four musts are broken.

Minutes are the zone's own; the clock runs fast while the story is played.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .hands import Hands

LENGTH_MINUTES = 96


@dataclass(frozen=True)
class Scene:
    """At ``minute`` somebody in ``zone`` does something, told in one sentence."""

    minute: float
    zone: str
    told: str
    play: Callable[[Hands], Any]


def _case(number: str, kind: str = "criminal") -> dict[str, str]:
    return {"id": number, "kind": kind}


def _bring_in(person: str, officers: list[str], *, back: bool = False) -> Callable[[Hands], None]:
    def play(hands: Hands) -> None:
        hands.pass_door("front-door", "in", officers[0])
        act = "return" if back else "enter"
        hands.act(act, person=person, by=officers[0], door="front-door", room="corridor", escorts=officers)

    return play


def _arrive(person: str, officers: list[str], **fields: Any) -> Callable[[Hands], None]:
    asked: dict[str, Any] = {
        "identity": {"name": _NAMES[person], "case_reason": "涉嫌盗窃"},
        "sex": "m",
        "case": _case("A3306"),
        "measure": _SUMMONS,
        **fields,
    }
    return lambda hands: hands.arrive(person, by=officers[0], brought_by=officers, via="front-door", **asked)


def _start_search(person: str, officers: list[str]) -> Callable[[Hands], Any]:
    return lambda hands: hands.act("start-search", person=person, by=officers[0], room="search", officers=officers)


def _finish_search(person: str, by: str) -> Callable[[Hands], Any]:
    return lambda hands: hands.act(
        "finish-search", person=person, by=by, injuries="none", belongings="none", signed=True
    )


def _collect(person: str, officers: list[str]) -> Callable[[Hands], Any]:
    return lambda hands: hands.act("collect", person=person, by=officers[0], items=["basic"], officers=officers)


def _move(person: str, room: str, officers: list[str]) -> Callable[[Hands], Any]:
    return lambda hands: hands.act("move", person=person, by=officers[0], room=room, escorts=officers)


def _check(person: str, officer: str, room: str) -> Callable[[Hands], Any]:
    return lambda hands: hands.act("check", person=person, by=officer, officer=officer, terminal=room)


def _guard(act: str, room: str, officer: str) -> Callable[[Hands], Any]:
    return lambda hands: hands.act(act, by=officer, room=room, officer=officer)


def _interview(person: str, officers: list[str], **fields: Any) -> Callable[[Hands], None]:
    def play(hands: Hands) -> None:
        answer = hands.act(
            "start-activity",
            person=person,
            by=officers[0],
            kind="interview",
            room="interview-1",
            officers=officers,
            **fields,
        )
        hands.stays[f"interview of {person}"] = answer["events"][0]["data"]["activity"]

    return play


def _end_interview(person: str, by: str) -> Callable[[Hands], Any]:
    return lambda hands: hands.act(
        "end-activity", person=person, by=by, activity=hands.stays[f"interview of {person}"], signed=True
    )


def _exit(person: str, officer: str, **fields: Any) -> Callable[[Hands], None]:
    def play(hands: Hands) -> None:
        hands.pass_door("front-door", "out", officer)
        hands.act(
            "exit", person=person, by=officer, door="front-door", belongings="returned", signed=True, **fields
        )

    return play


def _take_out_without_permit(person: str, officer: str) -> Callable[[Hands], None]:
    def play(hands: Hands) -> None:
        hands.pass_door("front-door", "out", officer)
        hands.act(
            "leave",
            person=person,
            by=officer,
            door="front-door",
            escorts=[officer],
            override="外出指认，来不及报批",
        )

    return play


_NAMES = {"A": "演示人员甲", "B": "演示人员乙", "C": "演示人员丙", "D": "演示人员丁"}
_SUMMONS = {"kind": "criminal_summons", "limit_hours": 12}
_ZHAO, _QIAN, _SUN, _LI = "p0231", "p0145", "p0118", "p0119"
_ZHOU, _WU = "p0310", "p0311"
_FENG, _CHEN = "p0401", "p0402"

CENTRE: tuple[tuple[float, str, Callable[[Hands], Any]], ...] = (
    (
        0.0,
        "Zhou takes up guard in waiting room 1, Wu in waiting room 2.",
        _guard("guard-present", "waiting-1", _ZHOU),
    ),
    (0.1, "", _guard("guard-present", "waiting-2", _WU)),
    (1.0, "A is brought in by Zhao and Qian: straight through the zone's door.", _arrive("A", [_ZHAO, _QIAN])),
    (2.0, "", _bring_in("A", [_ZHAO, _QIAN])),
    (3.0, "A is searched first, by two officers.", _start_search("A", [_ZHAO, _QIAN])),
    (7.0, "", _finish_search("A", _ZHAO)),
    (7.2, "", _move("A", "collection", [_ZHAO, _QIAN])),
    (9.0, "", _collect("A", [_ZHAO, _QIAN])),
    (9.5, "A waits under Zhou's eyes.", _move("A", "waiting-1", [_ZHAO])),
    (
        12.0,
        "Somebody holds a card to the door that nobody knows.",
        lambda hands: hands.sim("tap", "front-door", "FFFFFFFF"),
    ),
    (13.0, "B, a woman, is brought in and searched by two women.", _arrive("B", [_SUN, _LI], sex="f")),
    (14.0, "", _bring_in("B", [_SUN, _LI])),
    (15.0, "", _start_search("B", [_SUN, _LI])),
    (19.0, "", _finish_search("B", _SUN)),
    (19.2, "", _move("B", "collection", [_SUN, _LI])),
    (21.0, "", _collect("B", [_SUN, _LI])),
    (21.5, "", _move("B", "waiting-2", [_SUN])),
    (24.0, "C is brought in ...", _arrive("C", [_ZHAO, _QIAN])),
    (25.0, "", _bring_in("C", [_ZHAO, _QIAN])),
    (
        26.0,
        "... and questioned at once, before any search. (must 2 broken)",
        _interview("C", [_ZHAO, _QIAN], override="情况紧急，先行讯问"),
    ),
    (28.0, "Zhou and Wu look in on A and B.", _check("A", _ZHOU, "waiting-1")),
    (28.1, "", _check("B", _WU, "waiting-2")),
    (34.0, "", _end_interview("C", _ZHAO)),
    (35.0, "C is searched after all.", _start_search("C", [_ZHAO, _QIAN])),
    (38.0, "", _finish_search("C", _ZHAO)),
    (38.2, "", _move("C", "collection", [_ZHAO, _QIAN])),
    (40.0, "", _collect("C", [_ZHAO, _QIAN])),
    (41.0, "", _move("C", "waiting-1", [_ZHAO])),
    (45.0, "", _check("B", _WU, "waiting-2")),
    (46.0, "A is interviewed by two officers, on camera, with sound.", _interview("A", [_ZHAO, _QIAN])),
    (
        48.0,
        "Wu leaves waiting room 2; B is alone there. (must 3 broken)",
        _guard("guard-absent", "waiting-2", _WU),
    ),
    (54.0, "Wu comes back.", _guard("guard-present", "waiting-2", _WU)),
    (55.0, "", _guard("guard-present", "waiting-1", _ZHOU)),
    (
        57.0,
        "Somebody hangs a coat over the camera of waiting room 1. (must 4 broken)",
        lambda hands: hands.sim("camera", "cam-waiting-1", "cover"),
    ),
    (62.0, "The coat is taken away.", lambda hands: hands.sim("camera", "cam-waiting-1", "ok")),
    (63.0, "", _check("C", _ZHOU, "waiting-1")),
    (66.0, "A signs the transcript and waits.", _end_interview("A", _ZHAO)),
    (66.2, "", _move("A", "waiting-1", [_ZHAO])),
    (
        68.0,
        "Sun takes B out of the zone without a permit. (must 1 broken)",
        _take_out_without_permit("B", _SUN),
    ),
    (77.0, "B comes back and is searched again.", _bring_in("B", [_SUN, _LI], back=True)),
    (78.0, "", _start_search("B", [_SUN, _LI])),
    (81.0, "", _finish_search("B", _SUN)),
    (81.5, "", _move("B", "waiting-2", [_SUN])),
    (82.0, "C is handed over to the detention house.", _exit("C", _QIAN, reason="detained", destination="看守所")),
    (85.0, "A is released.", _exit("A", _ZHAO, reason="released")),
    (90.0, "Wu goes on guarding B.", _guard("guard-present", "waiting-2", _WU)),
    (95.0, "", _check("B", _WU, "waiting-2")),
)

STATION: tuple[tuple[float, str, Callable[[Hands], Any]], ...] = (
    (5.0, "At the station D is brought in, searched, and guarded by the book.", _arrive("D", [_FENG, _CHEN])),
    (6.0, "", _bring_in("D", [_FENG, _CHEN])),
    (7.0, "", _start_search("D", [_FENG, _CHEN])),
    (11.0, "", _finish_search("D", _FENG)),
    (12.0, "", _collect("D", [_FENG, _CHEN])),
    (12.2, "", _move("D", "waiting-1", [_CHEN])),
    (12.3, "", _guard("guard-present", "waiting-1", _CHEN)),
    (36.0, "", _check("D", _CHEN, "waiting-1")),
    (44.0, "D is released.", _exit("D", _FENG, reason="released")),
)


def scenes() -> list[Scene]:
    """The whole day in its order."""
    told = [Scene(minute, "nz01", text, play) for minute, text, play in CENTRE]
    told += [Scene(minute, "nz02", text, play) for minute, text, play in STATION]
    return sorted(told, key=lambda scene: scene.minute)

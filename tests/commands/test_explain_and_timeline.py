"""``fourmusts explain`` and ``fourmusts timeline`` upon the lines of a short day."""

from __future__ import annotations

import itertools
import json
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from custody.events import Draft, Stamp, encode_line, event_id, parse_time
from fourmusts import main

STAY = "nz01-20261123-001"
POLICE = {"id": "p0231", "rank": "police", "sex": "m"}
GUARD = {"id": "a0112", "rank": "auxiliary", "sex": "m"}
HEARTBEAT = {
    "parts": {"doors": True},
    "clock": {"synchronised": True, "offset_s": 0.01, "uncertainty_s": 0.02},
    "disk": {"free_bytes": 1, "retention_days": 90.0},
}
ROOMS = [
    {"id": id_, "name": name, "area": "custody", "purpose": purpose, "cameras": [f"cam-{id_}"], "coverage": "any",
     "audio": True}
    for id_, name, purpose in (("hall", "通道", "corridor"), ("talk", "讯问室一", "interview"))
]  # fmt: skip


def line(number: int, clock: str, type_: str, data: dict[str, Any]) -> bytes:
    us = parse_time(f"2026-11-23T{clock}+08:00")[0]
    id_ = event_id(us, number.to_bytes(10, "big"))
    stamp = Stamp(id_, "nz01", "9f2c61d07a3be845", number, us, 28_800, "boot", float(number))
    return encode_line(Draft(type_, data, None, us), stamp)


def told() -> list[tuple[str, str, dict[str, Any]]]:
    since = "2026-11-23T01:00:00.000000Z"
    interview = {
        "stay": STAY, "activity": "a1", "kind": "interview", "room": "talk", "officers": [POLICE, GUARD],
        "exempt": None,
    }  # fmt: skip
    entered = {"stay": STAY, "door": "front", "room": "hall", "escorts": [POLICE]}
    arrived = {
        "stay": STAY, "person": "sha256:00", "category": "suspect", "sex": "m", "flags": ["minor"],
        "case": {"id": "A1", "kind": "criminal"}, "via": "front", "exempt": None, "brought_by": [POLICE],
        "measure": {"kind": "criminal_summons", "limit_hours": 12, "document": None, "since": None},
    }  # fmt: skip
    camera = {"state": "recording", "audio": "good", "faults": [], "since": since}
    acts = [
        ("09:00:00", "ledger.opened", {"follows": None, "reason": "first"}),
        ("09:00:00", "zone.described", {"rooms": ROOMS, "doors": []}),
        ("09:00:01", "zone.started", {"version": "0", "parts": ["doors"], "clean": True}),
        *(("09:00:02", "camera.state", {"camera": room["cameras"][0], **camera}) for room in ROOMS),
        ("09:02:00", "stay.arrived", arrived),
        ("09:04:00", "stay.entered", entered),
        ("09:06:00", "activity.started", interview),
        ("09:16:00", "activity.ended", {"stay": STAY, "activity": "a1", "signed": True}),
    ]
    beats = [(f"09:{minute:02}:30", "zone.heartbeat", HEARTBEAT) for minute in range(30)]
    return sorted([*acts, *beats], key=lambda one: one[0])


@pytest.fixture
def day(tmp_path: Path) -> Path:
    """Questioned before the search, and left alone in the interview room from 09:18 on."""
    lines = [line(number, *one) for number, one in zip(itertools.count(1), told(), strict=False)]
    file = tmp_path / "day.jsonl"
    file.write_bytes(b"\n".join(lines) + b"\n")
    return file


def run(*words: str, feed: bytes | None = None) -> Result:
    return CliRunner().invoke(main, list(words), input=feed)


def id_of(day: Path, rule: str) -> str:
    found = [json.loads(text) for text in run("judge", str(day)).stdout.splitlines()]
    return str(next(one["id"] for one in found if one["rule"] == rule))


def test_a_finding_is_explained_with_its_numbers_its_law_and_its_lines(day: Path) -> None:
    done = run("explain", id_of(day, "M3.1"), str(day))
    assert done.exit_code == 0, done.output
    assert "M3.1 无人看管（一律有人负责看管）" in done.stdout
    assert "无人看管 11 分 30 秒" in done.stdout  # 09:18 to the last heartbeat at 09:29:30
    assert "高风险人员，超过 30 秒待核查，超过 1 分为违反，超过 3 分为严重违反" in done.stdout
    assert "认定：违反，严重" in done.stdout
    assert "公安机关适用继续盘问规定 第二十九条第二款" in done.stdout
    assert "2026-11-23 09:16:00  活动结束，签名：是" in done.stdout


def test_the_same_in_english_and_by_the_beginning_of_the_id(day: Path) -> None:
    done = run("explain", id_of(day, "M2.1")[:12], str(day), "--language", "en")
    assert done.exit_code == 0, done.output
    assert "M2.1 Questioned before the search (Searched first)" in done.stdout
    assert "Provisions on Procedures for Administrative Cases of Public Security Organs, art. 53 [" in done.stdout
    assert "2026-11-23 09:06:00  Interview began in 讯问室一, with police p0231, auxiliary a0112" in done.stdout
    assert "activity.started · ledger 9f2c61d07a3be845, line " in done.stdout


def test_a_finding_that_is_not_there_is_said_with_what_there_is(day: Path) -> None:
    done = run("explain", "nothing", str(day))
    assert done.exit_code == 1
    assert "'nothing' is none of the" in done.stderr and "fourmusts judge" in done.stderr


def test_a_bad_line_is_named_and_the_rest_is_explained(day: Path) -> None:
    id_ = id_of(day, "M2.1")
    done = run("explain", id_, feed=day.read_bytes() + b"{broken\n")
    assert done.exit_code == 2
    assert "line 40: " in done.stderr and "M2.1" in done.stdout


@pytest.mark.parametrize(("language", "word"), [("zh", "有人看管"), ("en", "Guarded")])
def test_a_stay_is_drawn_with_a_lane_for_each_must(day: Path, tmp_path: Path, language: str, word: str) -> None:
    svg = tmp_path / "stay.svg"
    done = run("timeline", STAY, str(day), "--svg", str(svg), "--language", language)
    assert done.exit_code == 0, done.output
    root = ET.fromstring(svg.read_text(encoding="utf-8"))
    said = [text.text or "" for text in root.iter("{http://www.w3.org/2000/svg}text")]
    bold = [text for text in root.iter("{http://www.w3.org/2000/svg}text") if text.attrib["font-size"] == "15"]
    names = [name for name in (text.text or "" for text in bold) if name[:1].isdigit()]
    assert [name[:2] for name in names] == ["1 ", "2 ", "3 ", "4 "]
    assert f"3 {word}" in names
    assert "讯问室一" in said
    assert any("11 分 30 秒" in text or "11 min 30 s" in text for text in said)


def test_a_day_can_be_drawn_as_it_was_known_at_a_moment(day: Path) -> None:
    done = run("timeline", STAY, str(day), "--svg", "-", "--until", "2026-11-23T09:16:45+08:00")
    assert done.exit_code == 0, done.output
    assert "M2.1" in done.stdout and "M3.1" not in done.stdout


def test_a_stay_that_is_not_there_is_said_with_what_there_is(day: Path, tmp_path: Path) -> None:
    done = run("timeline", "nz09", str(day), "--svg", str(tmp_path / "none.svg"))
    assert done.exit_code == 1
    assert f"there are {STAY}" in done.stderr

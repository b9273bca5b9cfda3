"""``fourmusts judge``: lines in, findings out, every bad line named."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from fourmusts import main

STAY = "nz01-20261123-001"


def line(sequence: int, time: str, type_: str, zone: str = "nz01", **data: Any) -> str:
    return json.dumps(
        {
            "specversion": "1.0",
            "id": f"{zone}-{sequence}",
            "source": f"/zones/{zone}",
            "type": type_,
            "time": f"2026-11-23T{time}+08:00",
            "ledger": "aaaaaaaaaaaaaaaa",
            "sequence": f"{sequence:012d}",
            "data": data,
        }
    )


def arrived_and_late(zone: str = "nz01") -> list[str]:
    """One person who waited 40 minutes before the zone's door."""
    stay = f"{zone}-20261123-001"
    measure = {"kind": "criminal_summons", "limit_hours": 12, "document": None, "since": None}
    return [
        line(
            1, "08:00:00", "stay.arrived", zone, stay=stay, person="c", category="suspect", sex="m", flags=[],
            case={"id": "c", "kind": "criminal"}, measure=measure, brought_by=[], via="gate", exempt=None,
        ),
        line(2, "08:40:00", "stay.entered", zone, stay=stay, door="front", room="hall", escorts=[]),
    ]  # fmt: skip


def run(tmp_path: Path, lines: list[str], *options: str) -> Result:
    file = tmp_path / "events.jsonl"
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return CliRunner().invoke(main, ["judge", str(file), *options])


def test_it_prints_one_finding_a_line_sorted_with_times_in_utc(tmp_path: Path) -> None:
    result = run(tmp_path, [*reversed(arrived_and_late("nz02")), *arrived_and_late(), *arrived_and_late()])
    assert result.exit_code == 0, result.output
    found = [json.loads(text) for text in result.stdout.splitlines()]
    assert [(one["zone"], one["rule"], one["verdict"]) for one in found] == [
        ("nz01", "M1.1", "breach"),
        ("nz02", "M1.1", "breach"),
    ]
    assert found[0]["start"] == "2026-11-23T00:00:00.000000Z"
    assert found[0]["end"] == "2026-11-23T00:40:00.000000Z"
    assert found[0]["seconds"] == 2400.0
    assert found[0]["must"] == 1
    assert found[0]["evidence"] == ["nz01-1", "nz01-2"]


def test_until_judges_as_if_later_lines_did_not_exist(tmp_path: Path) -> None:
    result = run(tmp_path, arrived_and_late(), "--until", "2026-11-23T08:31:00+08:00")
    (found,) = [json.loads(text) for text in result.stdout.splitlines()]
    assert (found["rule"], found["end"], found["seconds"]) == ("M1.1", None, 1860.0)


def test_a_policy_of_ones_own_replaces_what_it_names(tmp_path: Path) -> None:
    policy = tmp_path / "policy.toml"
    policy.write_text('[rules."M1.1"]\nreview_s = 2400\nbreach_s = 3600\n', encoding="utf-8")
    assert run(tmp_path, arrived_and_late(), "--policy", str(policy)).stdout == ""


def test_a_line_that_is_no_event_is_named_and_the_rest_judged(tmp_path: Path) -> None:
    first, second = arrived_and_late()
    broken = line(3, "08:41:00", "stay.moved", stay=STAY, escorts=[])
    result = run(tmp_path, [first, "{not json", "", second, broken])
    assert result.exit_code == 2
    assert "line 2: not JSON" in result.stderr
    assert "line 5: stay.moved: data.room is missing" in result.stderr
    assert json.loads(result.stdout.splitlines()[0])["rule"] == "M1.1"


@pytest.mark.parametrize("time", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59.000000-01:00"])
def test_a_time_that_is_in_no_year_of_utc_is_named(tmp_path: Path, time: str) -> None:
    lines = [
        *arrived_and_late(),
        json.dumps({**json.loads(line(3, "08:50:00", "door.opened", door="d")), "time": time}),
    ]
    result = run(tmp_path, lines)
    assert result.exit_code == 2
    assert result.stderr == f"line 3: {time!r} is in no year of 1 to 9999 in UTC; this line is not judged\n"
    assert len(result.stdout.splitlines()) == 1


def test_the_summary_has_a_line_a_stay_and_a_column_a_must(tmp_path: Path) -> None:
    heading, row = run(tmp_path, arrived_and_late(), "--summary").stdout.splitlines()
    assert heading.split() == ["stay", "clocks", "must", "1", "must", "2", "must", "3", "must", "4", "reviews"]
    assert row.split() == [STAY, "pending", "breached", "pending", "pending", "pending", "0"]


@pytest.mark.parametrize("time", ["yesterday", "2026-11-23T08:00:00"])
def test_a_time_without_its_offset_is_refused(tmp_path: Path, time: str) -> None:
    result = run(tmp_path, arrived_and_late(), "--until", time)
    assert result.exit_code == 2
    assert "write 2026-11-23T09:00:00+08:00" in result.stderr


def test_a_policy_with_an_unknown_key_is_refused_by_name(tmp_path: Path) -> None:
    policy = tmp_path / "policy.toml"
    policy.write_text('[rules."M1.1"]\nreview = 5\n', encoding="utf-8")
    result = run(tmp_path, arrived_and_late(), "--policy", str(policy))
    assert result.exit_code == 1
    assert "M1.1.review: there is no such key; did you mean 'review_s'?" in result.stderr

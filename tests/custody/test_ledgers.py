"""Several ledgers, their gaps, and the time over which a zone is known to have run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson
import pytest

from custody.court import judge
from custody.events import Event, parse_line
from custody.judge import Judge
from custody.policy import Policy

STAY = "nz01-20261123-001"
OPENED = {"follows": {"ledger": "a" * 16}, "reason": "rotation"}


@pytest.fixture
def story(ledger: Callable[[], Any]) -> Callable[..., list[bytes]]:
    """A person alone in an undescribed room for half an hour, told in one ledger or two."""

    def tell(ledgers: list[tuple[float, str, dict[str, Any]]] | None = None) -> list[bytes]:
        zone = ledger()
        zone.add(60, "stay.entered", stay=STAY, door="front", room="hall", escorts=[])
        for seconds in range(0, 1801, 60):
            zone.add(
                seconds + 1, "zone.heartbeat", parts={}, disk={"free_bytes": 1, "retention_days": 9},
                clock={"synchronised": True, "offset_s": 0.0, "uncertainty_s": 0.0},
            )  # fmt: skip
        lines: list[bytes] = zone.lines(ledgers)
        return lines

    return tell


def guarded(events: list[Event], policy: Policy) -> list[tuple[str, float]]:
    """Verdict and seconds of each finding of M3.1, by start."""
    found = [finding for finding in judge(events, policy) if finding.rule == "M3.1"]
    return [(finding.verdict.value, finding.seconds_us / 1e6) for finding in found]


def read(lines: list[bytes]) -> list[Event]:
    return [parse_line(line) for line in lines]


def two(reason: str) -> list[tuple[float, str, dict[str, Any]]]:
    return [(-1e9, "a" * 16, {}), (900, "b" * 16, {**OPENED, "reason": reason})]


def test_over_a_rotation_with_nothing_missing_time_is_known(story: Any, policy: Policy) -> None:
    assert guarded(read(story(two("rotation"))), policy) == [("breach", 1741.0)]


def test_over_a_rollback_it_is_not(story: Any, policy: Policy) -> None:
    assert guarded(read(story(two("rollback"))), policy) == [
        ("breach", 781.0), ("unproven", 59.0), ("breach", 901.0),
    ]  # fmt: skip


def test_a_rotation_that_names_more_lines_than_came_leaves_the_time_unknown(story: Any, policy: Policy) -> None:
    lines = story(two("rotation"))
    last = max(index for index, line in enumerate(lines) if b'"ledger":"aaaa' in line)
    assert [verdict for verdict, _ in guarded(read(lines[:last] + lines[last + 1 :]), policy)] == [
        "breach", "unproven", "breach",
    ]  # fmt: skip


def test_behind_a_gap_in_the_newest_ledger_nothing_is_judged_until_it_is_filled(
    story: Any, policy: Policy
) -> None:
    events = read(story())
    one = Judge("nz01", policy)
    one.take(events[:10] + events[11:])
    assert one.findings() == judge(events[:10], policy)
    one.take([events[10]])
    assert one.findings() == judge(events, policy)


def test_in_an_older_ledger_only_the_time_across_the_gap_is_unknown(story: Any, policy: Policy) -> None:
    lines = story(two("rotation"))
    assert guarded(read(lines[:10] + lines[11:]), policy) == [
        ("breach", 421.0), ("unproven", 120.0), ("breach", 1200.0),
    ]  # fmt: skip


def test_the_smallest_line_of_an_id_counts_whichever_came_first(story: Any, policy: Policy) -> None:
    events = read(story())
    entered = next(event for event in events if event.type == "stay.entered")
    fields = orjson.loads(entered.line)
    fields["data"]["room"] = "a-cell"
    other = parse_line(orjson.dumps(fields))
    assert other.line < entered.line
    expected = judge([other if event is entered else event for event in events], policy)
    assert judge([*events, other], policy) == expected
    assert judge([other, *events], policy) == expected


def test_a_tail_that_was_moved_into_a_new_ledger_is_told_once(story: Any, policy: Policy) -> None:
    lines = story()
    moved = []
    for number, line in enumerate(lines[-3:], 2):
        fields = orjson.loads(line)
        fields |= {"ledger": "b" * 16, "sequence": f"{number:012d}"}
        moved.append(orjson.dumps(fields))
    fields = orjson.loads(lines[-1])
    opened = {"follows": {"ledger": "a" * 16, "size": len(lines) - 3, "root": ""}, "reason": "rollback"}
    fields |= {"id": "opened", "type": "ledger.opened", "ledger": "b" * 16, "sequence": "1", "data": opened}
    events = read([*lines, orjson.dumps(fields), *moved])
    assert guarded(events, policy) == guarded(read(lines), policy)


def test_two_and_a_half_minutes_between_two_lines_are_known_time(story: Any, policy: Policy) -> None:
    events = read(story())
    without = [event for event in events if not 600 < (event.time_us - events[0].time_us) / 1e6 < 700]
    assert [verdict for verdict, _ in guarded(without, policy)] == ["breach"]


def test_it_looks_ahead_over_the_silence_of_a_zone(story: Any, policy: Policy) -> None:
    events = read(story())
    one = Judge("nz01", policy)
    one.take(events)
    last = events[-1].written_us
    one.look_ahead(last + 600_000_000)
    assert one.findings() == judge(events, policy, last + 600_000_000)
    assert [
        finding.verdict for finding in one.findings() if finding.end_us is None and finding.rule == "M3.1"
    ] == ["unproven"]


def test_bytes_that_are_no_saved_judge_are_refused(policy: Policy) -> None:
    with pytest.raises(ValueError, match="take all lines again"):
        Judge.resume(policy, b"something else")


@pytest.mark.parametrize("backwards", [False, True])
def test_a_number_far_from_all_others_costs_no_more_than_a_near_one(
    story: Any, policy: Policy, backwards: bool
) -> None:
    lines = story()
    far = lines[-1].replace(b'"sequence":"000000000032"', b'"sequence":"999999999999"')
    near = lines[-1].replace(b'"sequence":"000000000032"', b'"sequence":"000000000033"')
    assert far != lines[-1] != near
    in_turn = slice(None, None, -1 if backwards else 1)
    assert guarded(read([*lines[:-1], far][in_turn]), policy) == guarded(read([*lines[:-1], near]), policy)


def test_a_ledger_whose_lines_come_in_any_order_is_whole_when_the_last_has_come(
    story: Any, policy: Policy
) -> None:
    events = read(story())
    told = guarded(events, policy)
    for turn in range(1, len(events)):
        scattered = [*events[turn::2], *events[turn - 1 :: -1], *events[turn + 1 :: 2]]
        assert guarded(scattered, policy) == told

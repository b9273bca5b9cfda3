"""The same lines give the same findings, byte for byte, however they come."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from custody.court import Court, judge
from custody.events import Event
from custody.findings import Finding
from custody.judge import Judge
from custody.policy import Policy

ZONE = "nz01"
DayOfChance = Callable[[random.Random], list[Event]]

told = settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)


@pytest.fixture(autouse=True)
def short_reports(monkeypatch: pytest.MonkeyPatch) -> None:
    """A failure shall show the findings, not the whole policy."""
    monkeypatch.setattr(Policy, "__repr__", lambda self: "Policy()")


def written(findings: list[Finding]) -> list[str]:
    return [finding.to_json_line() for finding in findings]


def batches(events: list[Event], chance: random.Random) -> list[list[Event]]:
    found = []
    while events:
        count = chance.choice([1, 3, 20, 300])
        found.append(events[:count])
        events = events[count:]
    return found


@told
@given(st.integers(0, 2**32))
def test_shuffled_repeated_and_batched_lines_give_the_same_findings(
    day_of_chance: DayOfChance, policy: Policy, seed: int
) -> None:
    chance = random.Random(seed)
    events = day_of_chance(chance)
    mixed = events + chance.sample(events, min(20, len(events)))
    chance.shuffle(mixed)
    incremental = Judge(ZONE, policy)
    for batch in batches(mixed, chance):
        incremental.take(batch)
        if chance.random() < 0.2:
            incremental.findings()
    assert written(incremental.findings()) == written(judge(events, policy))


@told
@given(st.integers(0, 2**32))
def test_what_is_found_on_the_way_is_what_would_be_found_from_scratch(
    day_of_chance: DayOfChance, policy: Policy, seed: int
) -> None:
    chance = random.Random(seed)
    events = day_of_chance(chance)
    checked = {chance.randint(1, len(events)) for _ in range(6)}
    incremental = Judge(ZONE, policy)
    for count, event in enumerate(events, 1):
        incremental.take([event])
        found = incremental.findings()
        if count in checked:
            assert written(found) == written(judge(events[:count], policy))


@told
@given(st.integers(0, 2**32), st.sampled_from(["in order", "repeated", "mixed"]), st.booleans())
def test_lines_read_many_at_once_give_the_same_findings(
    day_of_chance: DayOfChance, policy: Policy, seed: int, told_how: str, until: bool
) -> None:
    chance = random.Random(seed)
    events = day_of_chance(chance)
    lines = [event.line for event in events]
    until_us = chance.choice(events).written_us if until else None
    if told_how == "repeated":
        lines *= 2
    elif told_how == "mixed":
        for _ in range(20):
            lines.append(lines.pop(chance.randrange(len(lines))))
    court = Court(policy, until_us=until_us)
    judged_too = {index for index, _ in court.note_lines([*lines, b"", b"no event"])}
    assert written(court.findings()) == written(judge(events, policy, until_us))
    assert len(lines) not in judged_too and len(lines) + 1 in judged_too


@told
@given(st.integers(0, 2**32))
def test_stopped_and_resumed_from_its_saved_state_it_finds_the_same(
    day_of_chance: DayOfChance, policy: Policy, seed: int
) -> None:
    chance = random.Random(seed)
    events = day_of_chance(chance)
    if chance.random() < 0.5:
        chance.shuffle(events)
    stopped = Judge(ZONE, policy)
    for batch in batches(events, chance):
        stopped.take(batch)
        if chance.random() < 0.3:
            stopped.findings()
        stopped = Judge.resume(policy, stopped.save())
    assert written(stopped.findings()) == written(judge(events, policy))


@told
@given(st.integers(0, 2**32))
def test_the_differences_add_up_to_the_findings(day_of_chance: DayOfChance, policy: Policy, seed: int) -> None:
    chance = random.Random(seed)
    events = day_of_chance(chance)
    if chance.random() < 0.5:
        chance.shuffle(events)
    incremental = Judge(ZONE, policy)
    known: dict[str, Finding] = {}
    for batch in batches(events, chance):
        incremental.take(batch)
        differences = incremental.differences()
        assert not differences.found.keys() & differences.gone.keys()
        known.update(differences.found)
        for gone in differences.gone:
            known.pop(gone)
    found = {finding.id: finding for finding in incremental.findings()}
    assert known.keys() == found.keys()
    assert all(finding.says_the_same(known[id_]) for id_, finding in found.items())


@told
@given(st.integers(0, 2**32))
def test_a_finding_is_known_by_its_id_alone(day_of_chance: DayOfChance, policy: Policy, seed: int) -> None:
    found = judge(day_of_chance(random.Random(seed)), policy)
    assert len({finding.id for finding in found}) == len(found)

"""Heartbeats read many at once say what they say when they are read one by one."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from custody.events import Draft, Stamp, ZoneHeartbeat, draft, encode_line, event_id, parse_line
from custody.facts import ClockReading
from custody.heartbeats import RUN_LEAST, good_heartbeats
from custody.intervals import SECOND
from custody.judge import Court, Judge
from custody.policy import Policy
from custody.reading import read_body
from custody.records import QUIET_KEPT, Records

GOOD_US = 5 * SECOND
BEGIN_US = 1_795_363_200_000_000
OFFSETS_S = (None, 0.0, -0.0, 1e-9, -6e-06, 0.25, 4.999999, -5.0, 5.0, 5.000001, 9.5e-05, 37.5)
ALPHABET = b'0123456789abcdefz-+.:,"{}[]eE \\nul\n\x00\x7f\xc3'


def beat(
    number: int, chance: random.Random, *, off_s: float | None = 0.001, bootid: str = "0" * 8, zone: str = "nz01"
) -> bytes:
    """A heartbeat as the overseer of a zone drafts it and its ledger writes it, a minute after the one before."""
    clock = {"synchronised": off_s is not None, "offset_s": off_s, "uncertainty_s": off_s and 0.015}
    disk = {"free_bytes": chance.randint(0, 10**11), "retention_days": chance.choice([None, 93.25, 0.5])}
    data = ZoneHeartbeat.model_validate({"parts": {"doors": True, "link": False}, "clock": clock, "disk": disk})
    now_us = BEGIN_US + number * 60 * SECOND + chance.randint(0, 99_999)
    boot = f"{bootid}-0000-4000-8000-000000000000"
    stamp = Stamp(
        id=event_id(now_us, chance.randbytes(10)), zone=zone, ledger="91b7584a2265b1f5", sequence=number + 1,
        written_us=now_us, utc_offset_s=28_800, bootid=boot, boottime_s=900 + 60.0 * number,
    )  # fmt: skip
    return encode_line(draft(data), stamp)


def started(chance: random.Random) -> bytes:
    id_, now_us = event_id(BEGIN_US, chance.randbytes(10)), BEGIN_US - SECOND
    stamp = Stamp(id_, "nz01", "91b7584a2265b1f5", 0, now_us, 28_800, "0" * 8, 0.0)
    return encode_line(Draft("zone.started", {"version": "1", "parts": [], "clean": True}), stamp)


@pytest.mark.parametrize("off_s", [None, 0.0, -1.2345e-05, 6e-06, 0.0021917720000000003])
def test_every_heartbeat_that_a_zone_writes_is_known_by_its_bytes(off_s: float | None) -> None:
    chance = random.Random(1)
    lines = [beat(number, chance, off_s=off_s) for number in range(200, 300)]
    (run,) = good_heartbeats(lines, GOOD_US)
    assert run.lines == lines


def test_a_restart_begins_another_run_and_other_zones_have_their_own() -> None:
    chance = random.Random(1)
    here = [beat(number, chance, bootid=f"{number // 50:08x}") for number in range(200, 300)]
    there = [beat(number, chance, zone="nz2") for number in range(200, 300)]
    mixed = [line for both in zip(here, there, strict=True) for line in both]
    runs = good_heartbeats(mixed, GOOD_US)
    assert sorted(line for run in runs for line in run.lines) == sorted(mixed)
    assert sorted((run.zone, len(run.lines)) for run in runs) == [("nz01", 50), ("nz01", 50), ("nz2", 100)]


def damaged(line: bytes, chance: random.Random) -> bytes:
    """A line with a few of its bytes changed, doubled or left out; often it is an event still."""
    for _ in range(chance.choice([1, 1, 1, 2, 5])):
        place = chance.randrange(len(line))
        piece = bytes([chance.choice(ALPHABET)]) if chance.random() < 0.8 else line[place : place + 2]
        line = line[:place] + piece + line[place + chance.choice([0, 1, 1, 1, 2]) :]
    return line


def lines_of_chance(chance: random.Random) -> list[bytes]:
    """Heartbeats good and bad, some of them damaged, some from an impossible hour."""
    lines = []
    for number in range(chance.choice([RUN_LEAST - 1, RUN_LEAST, 60])):
        off_s = chance.choice(OFFSETS_S) if chance.random() < 0.2 else chance.uniform(-0.01, 0.01)
        line = beat(number * chance.choice([1, 1, 1, 3]), chance, off_s=off_s)
        if chance.random() < 0.02:
            line = line.replace(b"T0", chance.choice([b"T2", b"T6", b"t0", b" 0"]), 1)
        lines.append(damaged(line, chance) if chance.random() < 0.15 else line)
    return lines


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 2**32), st.sampled_from([SECOND - 1, SECOND, GOOD_US, 60 * SECOND]))
def test_what_is_known_by_its_bytes_is_what_reading_says(seed: int, good_us: int) -> None:
    lines = lines_of_chance(random.Random(seed))
    for run in good_heartbeats(lines, good_us):
        taken = zip(run.indexes, run.lines, run.ids, run.sequences, run.written_us, strict=True)
        for index, line, id_, sequence, written_us in taken:
            event = parse_line(lines[index])
            body = read_body(event.type, event.data)
            assert (line, event.type) == (lines[index], "zone.heartbeat")
            assert (id_, run.zone, run.ledger) == (event.id, event.zone, event.ledger)
            assert (sequence, written_us, written_us) == (event.sequence, event.time_us, event.written_us)
            assert isinstance(body, ClockReading) and body.off_us <= good_us


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 2**32))
def test_a_judge_is_left_the_same_by_lines_read_together_and_one_by_one(policy: Policy, seed: int) -> None:
    chance = random.Random(seed)
    lines = [started(chance), *lines_of_chance(chance)]
    together, alone = Court(policy), Court(policy)
    found = dict(together.note_lines(lines))
    for index, line in enumerate(lines):
        for _, told in alone.note_lines([line]):
            if isinstance(told, ValueError):
                assert str(told) == str(found[index])
    assert [one.to_json_line() for one in together.findings()] == [one.to_json_line() for one in alone.findings()]
    assert together.judges.keys() == alone.judges.keys()
    for zone, judge in together.judges.items():
        assert list(marks(judge)) == list(marks(alone.judges[zone]))


def marks(judge: Judge) -> Iterator[object]:
    """What heartbeats leave behind: W, known time, when the clock was good."""
    yield judge.timeline.written
    yield judge.timeline.known
    yield sorted(set(judge.timeline.clocks._good))


def test_heartbeats_that_come_again_after_they_were_forgotten_are_not_kept(policy: Policy) -> None:
    chance = random.Random(1)
    lines = [started(chance), *(beat(number, chance) for number in range(3 * QUIET_KEPT))]
    records = Records("nz01", policy)
    records.take(parse_line(line) for line in lines)
    changes = records.take(parse_line(line) for line in lines)
    assert not (changes.anew or changes.settled or changes.filed or changes.good)

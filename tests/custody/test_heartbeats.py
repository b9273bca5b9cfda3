"""Heartbeats read many at once say what they say when they are read one by one."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from custody.court import Court
from custody.events import Draft, MalformedLine, Stamp, ZoneHeartbeat, draft, encode_line, event_id, parse_line
from custody.facts import ClockReading
from custody.heartbeats import RUN_LEAST, good_heartbeats
from custody.intervals import SECOND
from custody.judge import Judge
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
        id=event_id(now_us, chance.randbytes(10)), zone=zone, ledger="91b7584a2265b1f5", sequence=number + 2,
        written_us=now_us, utc_offset_s=28_800, bootid=boot, boottime_s=900 + 60.0 * number,
    )  # fmt: skip
    return encode_line(draft(data), stamp)


def started(chance: random.Random) -> bytes:
    id_, now_us = event_id(BEGIN_US, chance.randbytes(10)), BEGIN_US - SECOND
    stamp = Stamp(id_, "nz01", "91b7584a2265b1f5", 1, now_us, 28_800, "0" * 8, 0.0)
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


TAIL = b'0.001,"uncertainty_s":0.015},"disk":{"free_bytes":5,"retention_days":93.25}}}'


@pytest.mark.parametrize(
    ("written", "instead"),
    [
        (TAIL, TAIL + b"}"),
        (TAIL, TAIL + b"\n" + TAIL),
        (TAIL, TAIL[:-1]),
        (b":0.001,", b":00.001,"),
        (b":0.001,", b":.001,"),
        (b":0.001,", b":0.,"),
        (b":0.001,", b":+0.001,"),
        (b":0.001,", b":5.1,"),
        (b":0.001,", b":9.9e-0,"),
        (b":0.001,", b":9.9,"),
        (b":0.015}", b":-9.0}"),
        (b":0.015}", b":00.015}"),
        (b":5,", b":05,"),
        (b":5,", b":-5,"),
        (b":93.25}", b":093.25}"),
        (b":93.25}", b":93.}"),
        (b'"id":"01', b'"id":"\\"'),
        (b'"id":"01', b'"id":"\xc31'),
        (b'"time":"2026-', b'"time":"20260'),
        (b"-23T", b"-23 "),
        (b"-23T", b"-32T"),
        (b"+08:00", b"+08:60"),
        (b'"sequence":"0', b'"sequence":" '),
        (b'"doors":true', b'"doors":yes '),
        (b"zone.heartbeat", b"zone.heartbea7"),
        (b'"1.0"', b'"1.1"'),
    ],
)
def test_whatever_is_not_exactly_so_is_left_to_be_read_alone(written: bytes, instead: bytes) -> None:
    chance = random.Random(1)
    lines = [beat(number, chance).partition(b'"offset_s":') for number in range(200, 260)]
    good = [head + name + TAIL for head, name, _ in lines]
    assert sum(len(run.lines) for run in good_heartbeats(good, GOOD_US)) == len(good)
    spoilt = good[30].replace(written, instead, 1)
    assert spoilt != good[30]
    for run in good_heartbeats([*good[:30], spoilt, *good[31:]], GOOD_US):
        assert 30 not in run.indexes


@pytest.mark.parametrize("time", [b"-31T09:", b"-23T24:", b"-23T09:6", b"-00T00:", b"-23T29:"])
def test_a_time_that_there_is_not_is_left_to_be_read_alone_among_however_many(time: bytes) -> None:
    chance = random.Random(1)
    lines = [beat(number, chance) for number in range(1200)]
    place = lines[900].index(b"T") - len("-23")
    lines[900] = lines[900][:place] + time + lines[900][place + len(time) :]
    with pytest.raises(MalformedLine):
        parse_line(lines[900])
    for run in good_heartbeats(lines, GOOD_US):
        assert 900 not in run.indexes


def damaged(line: bytes, chance: random.Random) -> bytes:
    """A line with a few of its bytes changed, doubled or left out; often it is an event still."""
    for _ in range(chance.choice([1, 1, 1, 2, 5])):
        place = chance.randrange(len(line))
        piece = bytes([chance.choice(ALPHABET)]) if chance.random() < 0.8 else line[place : place + 2]
        line = line[:place] + piece + line[place + chance.choice([0, 1, 1, 1, 2]) :]
    return line


def lines_of_chance(chance: random.Random) -> list[bytes]:
    """Heartbeats good and bad, some of them damaged, some from an impossible hour."""
    lines, gaps = [], chance.random() < 0.3
    for number in range(chance.choice([RUN_LEAST - 1, RUN_LEAST, 60])):
        off_s = chance.choice(OFFSETS_S) if chance.random() < 0.2 else chance.uniform(-0.01, 0.01)
        line = beat(number, chance, off_s=off_s)
        if gaps and chance.random() < 0.1:
            continue
        if chance.random() < 0.02:
            line = line.replace(b"T0", chance.choice([b"T2", b"T6", b"t0", b" 0"]), 1)
            lines.append(line)
            continue
        if chance.random() < 0.01:
            line = line.replace(b'"sequence":"%012d"' % parse_line(line).sequence, b'"sequence":"000000000000"')
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
            assert (id_.decode(), run.zone, run.ledger) == (event.id, event.zone, event.ledger)
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


def test_told_to_keep_fewer_lines_a_judge_lets_go_of_the_oldest(policy: Policy) -> None:
    chance = random.Random(1)
    lines = [started(chance), *(beat(number, chance) for number in range(400))]
    records = Records("nz01", policy)
    records.take(parse_line(line) for line in lines)
    whole = len(records.state())
    records.keep_quiet(100)
    assert len(records.state()) < whole / 2
    assert records.take([parse_line(lines[-1])]).settled is False

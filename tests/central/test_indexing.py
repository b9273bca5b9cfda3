"""Lines of a ledger read many at once say what they say when they are read one by one."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from central.store.accusations import accusation
from central.store.heads import event_row
from central.store.indexing import placed, read_lines
from central.store.reading import read_line
from config.clock import ManualClock
from custody.heartbeats import good_heartbeats
from custody.intervals import SECOND

from .conftest import HEARTBEAT, START_US, Story, ZoneHand

ZONE, LOG, KEY = "nz01", "00000000000000a1", 7
ALPHABET = b'0123456789abcdefz-+.:,"{}[]eE \\nul\n\x00\x7f\xc3'
Spoil = Callable[[bytes], bytes]


def written() -> list[bytes]:
    """The lines of a day, with heartbeats from one after the other to few between others."""
    hand = ZoneHand(ZONE, LOG, ManualClock(START_US))
    story = Story(hand)
    story.a_day()
    hand.write("guard.seen", {"stay": f"{ZONE}-20261123-001"})  # a type of the future
    cited = {"ledger": "00000000000000a0", "size": 4, "root": "00" * 32}
    hand.write("ledger.opened", {"follows": cited, "reason": "rollback"})
    hand.write("check.made", {"stay": None, "room": "wait-1", "officer": {"id": "p1"}})
    hand.write("finding.closed", {})
    hand.write("door.opened", {"door": "front"}, id_="no id of ours", ago_s=3)
    hand.write("door.opened", {"door": "front"}, ago_s=3)
    return booted(hand.lines)


def booted(lines: Sequence[bytes]) -> list[bytes]:
    """As of a boot whose name is as long as the kernel makes it."""
    return [line.replace(b'"boot"', b'"3f0c5d52-1b7e-4a57-9c1e-0d9a8f6b2c11"') for line in lines]


DAY = written()


def held_against_reading_alone(first: int, lines: Sequence[bytes]) -> None:
    reading = read_lines(ZONE, LOG, first, lines)
    rows, flaws, accusing = [], {}, []
    for seq, line in enumerate(lines, first):
        event, flaw = read_line(ZONE, LOG, seq, line)
        if flaw is not None:
            flaws[seq] = flaw
        elif event is not None:
            rows.append(event_row(event, KEY, ZONE))
            if accusation(event) is not None:
                accusing.append(event.line)
    assert sorted(placed(reading.sound, KEY, ZONE), key=lambda row: row[2]) == rows
    assert reading.flaws == flaws
    assert [event.line for event in reading.accusing if accusation(event)] == accusing


def test_a_day_of_a_zone_is_read_the_same() -> None:
    held_against_reading_alone(1, DAY)
    assert {*read_lines(ZONE, LOG, 1, DAY).flaws} == {len(DAY) - 3, len(DAY) - 2, len(DAY) - 1}
    assert sum(len(run.lines) for run in good_heartbeats(DAY, 5 * SECOND)) > 50


def test_lines_at_another_place_or_of_another_zone_are_not_sound() -> None:
    held_against_reading_alone(2, DAY)
    assert not read_lines("nz02", LOG, 1, DAY).sound
    assert not read_lines(ZONE, "00000000000000a2", 1, DAY).sound


def other_type_behind(line: bytes) -> bytes:
    return line[:-1] + b',"type":"finding.closed"}'


def other_data_behind(line: bytes) -> bytes:
    return line[:-1] + b',"data":{}}'


def spaces_around_data(line: bytes) -> bytes:
    return line[:-1].replace(b'"data":', b'"data": ') + b" }"


def data_no_object(line: bytes) -> bytes:
    return line[: line.index(b'"data":') + len(b'"data":')] + b"[{}]}"


def data_in_an_escaped_key(line: bytes) -> bytes:
    return line.replace(b'"data":', b'"d\\u0061ta":')


def deep(line: bytes) -> bytes:
    return line[:-2] + b',"more":' + b"[" * 1023 + b"]" * 1023 + b"}}"


def cut_off(line: bytes) -> bytes:
    return line[:-1]


def too_large_for_a_number(line: bytes) -> bytes:
    return line.replace(b'"free_bytes":60000000000', b'"free_bytes":' + b"9" * 400)


def larger_than_a_number_of_the_disk(line: bytes) -> bytes:
    return line.replace(b'"free_bytes":60000000000', b'"free_bytes":18446744073709551616')


def no_such_day(line: bytes) -> bytes:
    return line.replace(b'"2026-11-', b'"2026-13-')


def a_type_too_many(line: bytes) -> bytes:
    return line.replace(b'"type":"', b'"type":"door.opened","type":"', 1)


@pytest.mark.parametrize(
    "spoil",
    [
        other_type_behind,
        other_data_behind,
        spaces_around_data,
        data_no_object,
        data_in_an_escaped_key,
        deep,
        cut_off,
        too_large_for_a_number,
        larger_than_a_number_of_the_disk,
        no_such_day,
        a_type_too_many,
    ],
)
def test_whatever_is_not_exactly_as_a_zone_writes_it_is_read_alone(spoil: Spoil) -> None:
    spoilt = [spoil(line) for line in DAY]
    assert spoilt != DAY
    held_against_reading_alone(1, spoilt)
    held_against_reading_alone(1, [spoil(line) if nr % 9 == 0 else line for nr, line in enumerate(DAY)])


def damaged(line: bytes, chance: random.Random) -> bytes:
    """A line with a few of its bytes changed, doubled or left out; often it is an event still."""
    for _ in range(chance.choice([1, 1, 2, 5])):
        place = chance.randrange(len(line))
        piece = bytes([chance.choice(ALPHABET)]) if chance.random() < 0.8 else line[place : place + 2]
        line = line[:place] + piece + line[place + chance.choice([0, 1, 1, 1, 2]) :]
    return line


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 2**32))
def test_lines_that_are_damaged_anywhere_are_read_the_same(seed: int) -> None:
    chance = random.Random(seed)
    share = chance.choice([0.02, 0.2, 1.0])
    held_against_reading_alone(1, [damaged(line, chance) if chance.random() < share else line for line in DAY])


def test_a_heartbeat_counts_however_far_its_clock_is_off() -> None:
    hand = ZoneHand(ZONE, LOG, ManualClock(START_US))
    for offset_s in (None, 0.0, -0.5, 4.999, 9.9, 10.0, 37.5, 1e6, -1e-9) * 4:
        hand.clock.advance(60)
        hand.write("zone.heartbeat", {**HEARTBEAT, "clock": {**HEARTBEAT["clock"], "offset_s": offset_s}})
    lines = booted(hand.lines)
    held_against_reading_alone(1, lines)
    assert len(read_lines(ZONE, LOG, 1, lines).sound) == len(lines)

"""The last heartbeats are found by their ids, whenever these are asked for."""

from __future__ import annotations

from custody.events import Draft, Stamp, encode_line, event_id, parse_line
from custody.recent import Recent

BEGIN_US = 1_795_363_200_000_000


def lines_of(count: int) -> list[bytes]:
    drawn = Draft("zone.heartbeat", {})
    lines = []
    for number in range(count):
        now_us = BEGIN_US + number * 60_000_000
        id_ = event_id(now_us, number.to_bytes(10, "big"))
        lines.append(encode_line(drawn, Stamp(id_, "nz01", "91b7584a2265b1f5", number + 1, now_us, 0, "b", 0.0)))
    return lines


def put(recent: Recent, lines: list[bytes]) -> None:
    recent.put(lines, max(parse_line(line).id for line in lines))


def test_the_last_ones_are_found_however_they_were_put_and_the_oldest_are_let_go() -> None:
    lines, recent = lines_of(1000), Recent(100)
    for first in range(0, 500, 50):
        put(recent, lines[first : first + 50])
    for line in lines[500:]:
        put(recent, [line])
    for line in lines[-100:]:
        assert recent.get(parse_line(line).id) == parse_line(line)
    assert not any(parse_line(line).id in recent for line in lines[:800])


def test_an_id_asked_for_between_two_puts_is_found_after_the_second() -> None:
    lines, recent = lines_of(20), Recent(100)
    put(recent, lines[:10])
    assert parse_line(lines[3]).id in recent
    assert parse_line(lines[15]).id not in recent
    put(recent, lines[10:])
    assert parse_line(lines[15]).id in recent
    assert recent.lines() == lines


def test_one_that_is_removed_is_gone_and_the_others_keep_their_order() -> None:
    lines, recent = lines_of(20), Recent(100)
    put(recent, lines)
    recent.remove(parse_line(lines[7]).id)
    assert parse_line(lines[7]).id not in recent
    assert recent.lines() == lines[:7] + lines[8:]


def test_told_to_keep_fewer_it_lets_the_oldest_go_at_once() -> None:
    lines, recent = lines_of(90), Recent(100)
    put(recent, lines)
    recent.keep_from_now(10)
    assert recent.lines() == lines[-10:]

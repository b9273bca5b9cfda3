from __future__ import annotations

import threading

from central.turns import BACKLOG_LINES, URGENT_IN_A_ROW_MAX, Turns, is_urgent

BEAT = b'{"specversion":"1.0","type":"zone.heartbeat","data":{}}'
ENTERED = b'{"specversion":"1.0","type":"stay.entered","data":{}}'


def test_only_heartbeats_are_not_urgent() -> None:
    assert not is_urgent([BEAT, BEAT])
    assert is_urgent([BEAT, ENTERED])


def test_a_zone_that_catches_up_lets_those_that_tell_of_now_go_first() -> None:
    assert not is_urgent([ENTERED] * BACKLOG_LINES)
    assert is_urgent([ENTERED] * (BACKLOG_LINES - 1))


def test_where_something_happened_comes_first() -> None:
    turns = Turns()
    turns.put("a", urgent=False)
    turns.put("b", urgent=False)
    turns.put("c", urgent=True)
    turns.put("b", urgent=True)
    assert [turns.next(), turns.next(), turns.next()] == ["c", "b", "a"]


def test_a_zone_that_waits_has_one_turn() -> None:
    turns = Turns()
    for urgent in (False, True, False, True):
        turns.put("a", urgent=urgent)
    turns.put("b", urgent=False)
    assert [turns.next(), turns.next()] == ["a", "b"]


def test_nobody_waits_for_ever() -> None:
    turns = Turns()
    turns.put("calm", urgent=False)
    taken: list[str | None] = []
    for nr in range(URGENT_IN_A_ROW_MAX + 2):
        turns.put(f"busy{nr}", urgent=True)
        taken.append(turns.next())
    assert taken.index("calm") == URGENT_IN_A_ROW_MAX


def test_closing_wakes_whoever_waits() -> None:
    turns = Turns()
    ended: list[str | None] = []
    waiter = threading.Thread(target=lambda: ended.append(turns.next()))
    waiter.start()
    turns.close()
    waiter.join(10)
    assert ended == [None]

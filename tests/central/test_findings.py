from __future__ import annotations

from typing import Any

from central.findings import Change, Known, State, compare

START = "2026-11-23T01:00:00.000000Z"
END = "2026-11-23T01:10:00.000000Z"


def finding(id_: str = "f1", **changes: Any) -> dict[str, Any]:
    return {
        "id": id_,
        "zone": "nz01",
        "stay": "nz01-20261123-001",
        "must": 3,
        "rule": "M3.1",
        "verdict": "breach",
        "severity": "breach",
        "start": START,
        "end": None,
        "seconds": 200.0,
        "evidence": ["e1"],
        "values": {"room": "wait-1"},
        **changes,
    }


def known(state: State = State.RAISED, **changes: Any) -> dict[str, Known]:
    return {"f1": Known(state, finding(**changes))}


def test_what_nobody_knew_is_raised() -> None:
    assert compare({}, [finding()]) == [Change(State.RAISED, finding(), announced=True)]


def test_what_is_as_it_was_is_left_alone() -> None:
    assert compare(known(), [finding()]) == []


def test_one_that_lasts_grows_on_record_without_a_word() -> None:
    grown = finding(seconds=260.0, evidence=["e1", "e2"])
    assert compare(known(), [grown]) == [Change(State.RAISED, grown, announced=False)]


def test_one_that_lasts_for_long_is_not_put_on_record_again_with_every_heartbeat() -> None:
    month_s = 30 * 86_400.0
    heartbeat_later = finding(seconds=month_s + 60, evidence=["e1", "e2"])
    assert compare(known(seconds=month_s), [heartbeat_later]) == []
    half_a_day_later = finding(seconds=month_s * 1.02)
    assert compare(known(seconds=month_s), [half_a_day_later]) == [
        Change(State.RAISED, half_a_day_later, announced=False)
    ]


def test_one_that_gets_worse_while_it_lasts_is_changed() -> None:
    worse = finding(severity="serious", seconds=700.0)
    assert compare(known(), [worse]) == [Change(State.CHANGED, worse, announced=True)]


def test_one_that_ends_is_changed() -> None:
    ended = finding(end=END, seconds=600.0)
    assert compare(known(), [ended]) == [Change(State.CHANGED, ended, announced=True)]


def test_one_that_ended_is_changed_by_new_evidence() -> None:
    again = finding(end=END, evidence=["e1", "e3"])
    assert compare(known(end=END), [again]) == [Change(State.CHANGED, again, announced=True)]


def test_one_that_later_facts_refute_is_closed_and_keeps_its_last_words() -> None:
    assert compare(known(), []) == [Change(State.CLOSED, finding(), announced=True)]


def test_one_that_was_closed_stays_closed() -> None:
    assert compare(known(State.CLOSED), []) == []


def test_one_that_comes_back_is_raised_again() -> None:
    assert compare(known(State.CLOSED), [finding()]) == [Change(State.RAISED, finding(), announced=True)]


def test_changes_come_in_the_order_of_their_start() -> None:
    early = finding("f3", start="2026-11-23T00:00:00.000000Z")
    assert [change.fields["id"] for change in compare({}, [finding("f2"), finding("f1"), early])] == [
        "f3",
        "f1",
        "f2",
    ]

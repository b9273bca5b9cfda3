"""One suite for both backends: what a lock, a contact and a button promise."""

import pytest

from devices.doors.contact import ContactState
from devices.doors.lock import LockState
from devices.errors import LockFault


def test_a_lock_begins_locked(rig):
    assert rig.lock.commanded is LockState.LOCKED
    assert not rig.is_unlocked()


def test_a_lock_follows_its_commands(rig):
    rig.lock.unlock()
    assert rig.is_unlocked() and rig.lock.commanded is LockState.UNLOCKED
    rig.lock.lock()
    assert not rig.is_unlocked() and rig.lock.commanded is LockState.LOCKED


def test_a_lock_let_go_falls_to_rest_and_is_never_called_locked(rig):
    rig.lock.unlock()
    rig.lock.let_go()
    rig.lock.let_go()
    assert not rig.is_unlocked()
    assert rig.lock.commanded is LockState.UNKNOWN
    with pytest.raises(LockFault, match="front-door"):
        rig.lock.unlock()


def test_a_contact_is_unknown_until_it_has_been_read_then_reports_at_once(rig, reports):
    rig.start(reports.contact.put, lambda: None)
    assert reports.next_state() is ContactState.CLOSED
    assert rig.contact.state is ContactState.CLOSED


def test_a_contact_reports_every_change_once(rig, reports):
    rig.start(reports.contact.put, lambda: None)
    reports.next_state()

    rig.open_leaf()
    assert reports.next_state() is ContactState.OPEN
    rig.shut_leaf()
    assert reports.next_state() is ContactState.CLOSED
    assert reports.quiet()


def test_a_closed_contact_reports_no_more(rig, reports):
    rig.start(reports.contact.put, lambda: None)
    reports.next_state()
    rig.contact.close()
    rig.open_leaf()
    assert reports.quiet()


def test_a_press_is_reported_once(rig, reports):
    rig.start(reports.contact.put, lambda: reports.presses.put(True))
    reports.next_state()
    rig.press()
    assert reports.next_press()
    assert reports.quiet() and reports.presses.empty()


def until_measured(rig, reports, state):
    while rig.lock.measured is not state:
        reports.moved.get(timeout=30)


def test_a_bolt_that_is_moved_by_a_key_is_measured_and_told(rig, reports):
    rig.lock.watch(lambda: reports.moved.put(True))
    rig.start(reports.contact.put, lambda: None)
    until_measured(rig, reports, LockState.LOCKED)
    rig.turn_bolt(LockState.UNLOCKED)
    until_measured(rig, reports, LockState.UNLOCKED)
    assert rig.lock.commanded is LockState.LOCKED and rig.lock.trouble is None
    rig.turn_bolt(LockState.LOCKED)
    until_measured(rig, reports, LockState.LOCKED)


def test_a_bolt_whose_sensor_is_broken_is_unknown_and_said_so(rig, reports):
    rig.lock.watch(lambda: reports.moved.put(True))
    rig.start(reports.contact.put, lambda: None)
    until_measured(rig, reports, LockState.LOCKED)
    rig.break_bolts_sensor()
    until_measured(rig, reports, LockState.UNKNOWN)
    assert rig.lock.trouble is not None

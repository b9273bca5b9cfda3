from devices.doors.debounce import Debounce


def test_the_first_level_settles_after_the_hold_time():
    line = Debounce(0.05)
    line.read(True, 1.0)
    assert not line.settle(1.04)
    assert line.settle(1.05) and line.settled is True


def test_each_bounce_begins_the_hold_time_anew():
    line = Debounce(0.05, settled=False)
    for moment_s in (1.00, 1.02, 1.04):
        line.read(True, moment_s, edge=True)
    assert line.due_s() == 1.04 + 0.05
    assert not line.settle(1.06)
    assert line.settle(1.09)


def test_going_back_before_the_hold_time_leaves_nothing_to_settle():
    line = Debounce(0.05, settled=False)
    line.read(True, 1.0)
    line.read(False, 1.01)
    assert line.due_s() is None and not line.settle(2.0)


def test_reading_the_same_level_again_changes_nothing():
    line = Debounce(0.05)
    line.read(True, 1.0)
    line.read(True, 1.04)
    assert line.settle(1.05)
    line.read(True, 9.0)
    assert line.due_s() is None


def test_a_line_is_restless_for_as_long_as_it_never_stands_still():
    line = Debounce(0.05, settled=False)
    for step in range(100):
        line.read(bool(step % 2), 1.0 + step * 0.03, edge=True)
    assert line.restless_s(1.0 + 99 * 0.03) > 2.9
    assert line.restless_s(5.0) == 0.0


def test_a_forgotten_line_reports_the_same_level_again():
    line = Debounce(0.0)
    line.read(True, 1.0)
    line.settle(1.0)
    line.forget()
    assert not line.settle(2.0)
    line.read(True, 2.0)
    assert line.settle(2.0) and line.settled is True

"""From packet times to covered time, held against a count of every tenth of a second."""

from hypothesis import given
from hypothesis import strategies as st

from devices.recorders.cover import Cover


def cover(times, usual_s=0.0):
    found = Cover(usual_s)
    for at_s in times:
        found.add(at_s)
    return found


def test_no_packets_cover_nothing():
    assert cover([]).spans() == []


def test_a_packet_covers_up_to_the_next_one():
    assert cover([0.0, 0.5, 1.0]).spans() == [(0.0, 1.5)]


def test_a_pause_of_three_spacings_and_more_than_a_second_is_a_hole():
    times = [n / 10 for n in range(20)]
    assert cover([*times, *(5 + n / 10 for n in range(20))]).spans() == [(0.0, 2.0), (5.0, 7.0)]


def test_a_slow_stream_has_no_holes_by_being_slow():
    assert cover([n * 15.0 for n in range(10)]).spans() == [(0.0, 150.0)]


def test_the_first_pause_is_measured_by_what_comes_after_it():
    assert cover([0.0, *(30 + n / 2 for n in range(20))]).spans() == [(0.0, 0.5), (30.0, 40.0)]


def test_a_stream_that_becomes_faster_keeps_its_slow_beginning():
    slow, fast = [n * 15.0 for n in range(10)], [135 + n / 4 for n in range(1, 40)]
    assert len(cover([*slow, *fast]).spans()) == 1


def test_the_next_segments_first_packet_ends_the_last_span():
    assert cover([0.0, 0.1, 0.2]).spans(until_s=0.35) == [(0.0, 0.35)]
    assert cover([0.0, 0.1, 0.2]).spans(until_s=9.0)[0][1] < 0.5


@given(st.lists(st.integers(1, 400), min_size=1, max_size=60), st.sampled_from([0.04, 0.1, 0.25]))
def test_nothing_further_than_a_second_from_every_packet_is_ever_covered(steps, usual_s):
    times, at_s = [0.0], 0.0
    for step in steps:
        # Mostly the stream's own rhythm, now and then a pause.
        at_s += usual_s if step < 380 else step / 40
        times.append(at_s)
    spans = cover(times, usual_s).spans()
    for tenth in range(int(at_s * 10) + 20):
        moment_s = tenth / 10
        if any(start <= moment_s < end for start, end in spans):
            assert any(0 <= moment_s - packet_s <= 1.0 + 1e-9 for packet_s in times)
    for packet_s in times:
        assert any(start <= packet_s <= end for start, end in spans)

"""Who was in which room, and what an audit may say of it: pure parts of the camera process."""

from itertools import count, pairwise

import pytest

from custody.events import (
    MAX_LINE_BYTES,
    AudioState,
    AuditSource,
    CameraFault,
    CameraState,
    Draft,
    RecordingState,
    Stamp,
    ZoneStarted,
    check_data,
    draft,
    encode_line,
    event_id,
    parse_line,
    to_datetime,
)
from devices.recorders.base import Holding
from edge.cameras.audits import Audited, Job, audit
from edge.cameras.rooms import Rooms, RoomTime

START_US = 1_795_395_600_000_000
STAY = "nz01-20261123-004"
POLICE = {"id": "p0231", "rank": "police", "sex": "m"}
NUMBERS = count(1)


def at(seconds):
    return START_US + round(seconds * 1e6)


def event(type_, seconds, data, written=None):
    number = next(NUMBERS)
    written_us = at(seconds if written is None else written)
    stamp = Stamp(
        event_id(written_us, number.to_bytes(10, "big")), "nz01", "ab" * 8, number, written_us, 28800, "b", 1.0
    )
    check_data(type_, data)
    return parse_line(encode_line(Draft(type_, data, None, at(seconds)), stamp))


def entered(seconds, room, type_="stay.entered"):
    return event(type_, seconds, {"stay": STAY, "door": "front-door", "room": room, "escorts": [POLICE]})


def moved(seconds, room):
    return event("stay.moved", seconds, {"stay": STAY, "room": room, "escorts": []})


def searched(seconds, room):
    return event(
        "search.started",
        seconds,
        {"stay": STAY, "search": "s1", "room": room, "kind": "safety", "officers": [POLICE, POLICE]},
    )


def interviewed(seconds, room):
    data = {
        "stay": STAY,
        "activity": "a1",
        "kind": "interview",
        "room": room,
        "officers": [POLICE],
        "exempt": None,
    }
    return event("activity.started", seconds, data)


def left(seconds):
    data = {"stay": STAY, "door": "front-door", "permit": None, "reason": None, "escorts": []}
    return event("stay.left", seconds, data)


def exited(seconds):
    data = {
        "stay": STAY,
        "door": "front-door",
        "reason": "released",
        "destination": None,
        "belongings": "returned",
        "signed": True,
    }
    return event("stay.exited", seconds, data)


def corrected(event_, seconds, **fields):
    data = {
        "corrects": event_.id,
        "reason": "typing",
        "by": POLICE,
        "data": {},
        "time": None,
        "void": False,
        **fields,
    }
    return event("record.corrected", seconds, data)


def room_time(room, start_s, end_s):
    return RoomTime(room, at(start_s), at(end_s))


def test_a_room_is_left_by_moving_searching_an_activity_elsewhere_leaving_and_exiting():
    told = [
        entered(0, "corridor"),
        searched(60, "search"),
        moved(120, "waiting-1"),
        interviewed(180, "interview-1"),
    ]
    told += [left(240), entered(300, "corridor", "stay.returned"), exited(360)]
    assert Rooms().take(told) == sorted(
        [
            room_time("corridor", 0, 60),
            room_time("search", 60, 120),
            room_time("waiting-1", 120, 180),
            room_time("interview-1", 180, 240),
            room_time("corridor", 300, 360),
        ]
    )


def test_a_room_time_is_told_once_when_it_is_over():
    rooms = Rooms()
    assert rooms.take([entered(0, "corridor")]) == []
    assert rooms.take([moved(60, "search")]) == [room_time("corridor", 0, 60)]
    assert rooms.take([searched(70, "search")]) == []
    assert rooms.take([moved(120, "waiting-1")]) == [room_time("search", 60, 120)]


def test_what_happens_in_a_room_before_entering_is_no_room_time():
    assert Rooms().take([searched(0, "search"), exited(60)]) == []


def test_events_that_are_written_late_are_put_where_they_belong():
    rooms = Rooms()
    rooms.take([entered(0, "corridor"), moved(120, "waiting-1")])
    late = event("stay.moved", 60, {"stay": STAY, "room": "search", "escorts": []}, written=200)
    assert rooms.take([late]) == sorted([room_time("corridor", 0, 60), room_time("search", 60, 120)])


def test_a_corrected_time_opens_the_corrected_interval():
    rooms = Rooms()
    entering = entered(100, "corridor")
    rooms.take([entering, moved(200, "waiting-1")])
    correction = corrected(entering, 300, time=to_datetime(at(40)).isoformat())
    assert rooms.take([correction]) == [room_time("corridor", 40, 200)]


def test_a_voided_move_gives_its_time_back_to_the_room_before():
    rooms = Rooms()
    moving = moved(100, "waiting-2")
    rooms.take([entered(0, "corridor"), moving, exited(200)])
    assert rooms.take([corrected(moving, 300, void=True)]) == [room_time("corridor", 0, 200)]


class Shelf:
    """A recorder that holds what it was given."""

    source = AuditSource.LOCAL

    def __init__(self, picture, sound=()):
        self.picture, self.sound = picture, sound

    def holding(self, camera, start_us, end_us):
        picture = tuple((at(start), at(end)) for start, end in self.picture)
        sound = tuple((at(start), at(end)) for start, end in self.sound)
        return Holding(picture, sound, "ab" * 32, 0.0, 0.5)


def state(seconds, state_, *faults, since=None):
    data = CameraState(
        camera="cam-1",
        state=state_,
        audio=AudioState.NONE,
        faults=list(faults),
        since=to_datetime(at(seconds if since is None else since)),
    )
    return event("camera.state", seconds, draft(data).data)


def bad(*events):
    audited = Audited()
    for one in events:
        audited.take(one)
    return [((start - START_US) / 1e6, (end - START_US) / 1e6) for start, end in audited.showed_nothing("cam-1")]


def test_a_picture_shows_nothing_from_the_faults_beginning_to_the_recoverys():
    covered = state(100, RecordingState.IMPAIRED, CameraFault.COVERED, since=80)
    assert bad(covered, state(200, RecordingState.RECORDING, since=190)) == [(80, 190)]


@pytest.mark.parametrize("fault", [CameraFault.NOT_RECORDING, CameraFault.NO_AUDIO, CameraFault.STORAGE])
def test_faults_of_the_recorder_and_the_sound_say_nothing_of_the_picture(fault):
    assert bad(state(100, RecordingState.IMPAIRED, fault), state(200, RecordingState.RECORDING)) == []


def test_one_fault_after_another_is_one_stretch():
    told = [state(100, RecordingState.IMPAIRED, CameraFault.DARK)]
    told += [state(150, RecordingState.IMPAIRED, CameraFault.DARK, CameraFault.FROZEN, since=140)]
    told += [state(200, RecordingState.IMPAIRED, CameraFault.FROZEN), state(300, RecordingState.LOST, since=290)]
    assert bad(*told) == [(100, 290)]


def test_a_fault_goes_on_through_a_restart_of_the_zone_when_it_is_stated_again():
    restart = event("zone.started", 150, draft(ZoneStarted(version="1", parts=[], clean=True)).data)
    again = state(151, RecordingState.IMPAIRED, CameraFault.COVERED, since=100)
    told = [state(120, RecordingState.IMPAIRED, CameraFault.COVERED, since=100), restart, again]
    assert bad(*told, state(200, RecordingState.RECORDING)) == [(100, 200)]


def seconds_of(intervals):
    from datetime import datetime

    return [
        tuple((datetime.fromisoformat(t).timestamp() * 1e6 - START_US) / 1e6 for t in pair) for pair in intervals
    ]


def test_an_audit_covers_what_is_stored_less_what_showed_nothing():
    job = Job("cam-1", at(0), at(300))
    (written,) = audit(job, Shelf([(0, 250)]), [(at(80), at(190))])
    assert seconds_of(written.data["covered"]) == [(0, 80), (190, 250)]
    assert written.data["audio"] == []
    assert (written.data["source"], written.data["manifest"]) == ("local", "ab" * 32)
    check_data("recording.audited", written.data)


def test_the_sound_is_audited_beside_the_picture():
    job = Job("cam-1", at(0), at(300))
    (written,) = audit(job, Shelf([(0, 300)], [(0, 100), (110, 300)]), [])
    assert seconds_of(written.data["audio"]) == [(0, 100), (110, 300)]


def test_an_audit_with_a_thousand_holes_fits_its_messages_and_loses_none():
    pieces = [(n * 10, n * 10 + 7) for n in range(1000)]
    job = Job("cam-1", at(0), at(10_000))
    written = audit(job, Shelf(pieces, pieces), [])
    assert len(written) > 1
    stamp = Stamp(event_id(at(0), bytes(10)), "nz01", "ab" * 8, 1, at(0), 28800, "b" * 36, 1.0)
    assert all(len(encode_line(one, stamp)) <= MAX_LINE_BYTES for one in written)
    assert [pair for one in written for pair in seconds_of(one.data["covered"])] == pieces
    ends = [(one.data["start"], one.data["end"]) for one in written]
    assert all(before[1] == after[0] for before, after in pairwise(ends))


def test_what_was_audited_is_not_audited_again():
    job = Job("cam-1", at(0), at(300))
    audited = Audited()
    assert not audited.is_done(job)
    for one in audit(job, Shelf([(0, 300)]), []):
        audited.take(event("recording.audited", 301, one.data))
    assert audited.is_done(job)
    assert audited.is_done(Job("cam-1", at(10), at(20)))
    assert not audited.is_done(Job("cam-1", at(10), at(301)))
    assert not audited.is_done(Job("cam-2", at(0), at(300)))

"""What a watch sees of a camera: the same on a real RTSP server and on the simulated twin."""

from custody.events import CameraFault, RecordingState

RECORDING = (RecordingState.RECORDING, ())


def impaired(*faults):
    return (RecordingState.IMPAIRED, faults)


def test_a_live_camera_is_alive_and_each_fault_is_named_and_clears(show):
    assert show.faults() == [
        RECORDING,
        impaired(CameraFault.FROZEN),
        RECORDING,
        impaired(CameraFault.DARK),
        RECORDING,
        impaired(CameraFault.COVERED),
        RECORDING,
    ]


def test_a_fault_began_when_the_picture_went_bad_not_when_that_was_sure(show):
    for fault, began_s in ((CameraFault.FROZEN, 4), (CameraFault.DARK, 10), (CameraFault.COVERED, 16)):
        assert began_s - 2.1 <= show.since_s(fault) <= began_s + 2.1, fault


def test_every_packet_arrives_until_the_stream_ends(show):
    assert show.last_s > 21
    assert show.packets > 40
    assert show.keys >= 10


def test_the_end_of_a_stream_is_a_loss_whatever_way_it_ends(show):
    assert show.ended is not None
    assert show.ended.camera == "cam-1"

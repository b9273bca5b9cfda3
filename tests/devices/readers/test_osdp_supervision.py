from devices.readers.osdp_supervision import ROUND_S, SILENCE_S, Supervision
from devices.readers.reader import ReaderState


def test_a_secured_reader_that_talks_is_online():
    watch = Supervision(0.0)
    assert not watch.look(0.3, heard_s=0.29, secured=True)
    assert watch.state is ReaderState.ONLINE


def test_a_reader_silent_for_a_second_is_offline_and_woken_at_once_and_every_round():
    watch = Supervision(0.0)
    watch.look(0.3, heard_s=0.3, secured=True)

    assert not watch.look(0.3 + SILENCE_S, heard_s=0.3, secured=True)
    assert watch.look(1.4, heard_s=0.3, secured=True)
    assert watch.state is ReaderState.OFFLINE
    assert not watch.look(1.4 + ROUND_S - 0.1, heard_s=0.3, secured=False)
    assert watch.look(1.4 + ROUND_S, heard_s=0.3, secured=False)


def test_a_reader_never_heard_is_offline_after_one_round():
    watch = Supervision(0.0)
    assert not watch.look(ROUND_S - 0.1, heard_s=None, secured=False)
    assert watch.state is ReaderState.UNKNOWN
    assert watch.look(ROUND_S, heard_s=None, secured=False)
    assert watch.state is ReaderState.OFFLINE


def test_one_failed_handshake_is_no_wrong_key_but_two_are():
    watch = Supervision(0.0)
    watch.look(2.0, heard_s=0.1, secured=False)
    assert watch.state is ReaderState.UNKNOWN
    watch.look(4.0, heard_s=2.1, secured=False)
    assert watch.state is ReaderState.INSECURE


def test_an_insecure_reader_that_falls_silent_is_offline():
    watch = Supervision(0.0)
    for moment_s in (2.0, 4.0):
        watch.look(moment_s, heard_s=moment_s - 1.9, secured=False)
    assert watch.state is ReaderState.INSECURE
    watch.look(6.0, heard_s=2.1, secured=False)
    assert watch.state is ReaderState.OFFLINE


def test_a_channel_that_falls_while_the_reader_talks_is_put_back_once_at_once():
    watch = Supervision(0.0)
    for moment_s in (1.0, 2.0):
        watch.look(moment_s, heard_s=moment_s, secured=True)
        assert watch.look(moment_s + 0.1, heard_s=moment_s, secured=False)
        assert not watch.look(moment_s + 0.2, heard_s=moment_s, secured=False)
    assert watch.state is ReaderState.ONLINE


def test_a_channel_that_falls_while_the_reader_talks_is_never_online_for_longer_than_a_round():
    watch = Supervision(0.0)
    watch.look(1.0, heard_s=1.0, secured=True)
    assert watch.look(1.5, heard_s=1.5, secured=False)
    assert watch.look(1.0 + ROUND_S, heard_s=2.9, secured=False)
    assert watch.state is not ReaderState.ONLINE

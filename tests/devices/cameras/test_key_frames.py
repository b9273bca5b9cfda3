"""Pictures measured: frozen against still, covered against everything that is not."""

import av
import numpy as np
import pytest

from devices.cameras.clips import Passage, write_clip
from devices.cameras.picture import Eye, Reference, References, edges_kept, luma, sample, shrink
from devices.cameras.scene import Lens, Scene


def key_frames(clip):
    with av.open(str(clip)) as container:
        video = container.streams.video[0]
        eye = Eye(video)
        return [
            luma(eye.decode(packet)).copy()
            for packet in container.demux(video)
            if packet.size and packet.is_keyframe
        ]


def grey(scene, lens=Lens.OK, at_s=0.0):
    return scene.picture(at_s, lens).mean(axis=2).astype(np.uint8)


@pytest.fixture
def scene():
    return Scene("cam-1", width=960, height=540)


@pytest.fixture
def reference(scene):
    return Reference.median([shrink(grey(scene)) for _ in range(5)])


@pytest.mark.parametrize("noise", [0.2, 0.5, 1.0, 2.0])
@pytest.mark.parametrize("crf", [24, 32])
def test_a_still_empty_quiet_room_never_has_two_equal_key_frames(tmp_path, noise, crf):
    still = Scene("cam-1", width=1280, height=720, noise=noise)
    clip = write_clip(
        tmp_path / "still.mp4", [Passage(5)], scene=still, rate=10, key_every_s=0.5, crf=crf, qcomp=0.6
    )
    digests = [sample(frame, None).digest for frame in key_frames(clip)]
    assert len(set(digests)) == len(digests) == 10


@pytest.mark.parametrize("crf", [24, 32, 40])
def test_a_frozen_room_has_equal_key_frames_bit_by_bit(tmp_path, crf):
    room = Scene("cam-1", width=640, height=360)
    passages = [Passage(2), Passage(6, Lens.FREEZE)]
    clip = write_clip(tmp_path / "frozen.mp4", passages, scene=room, key_every_s=0.5, crf=crf)
    digests = [sample(frame, None).digest for frame in key_frames(clip)]
    assert len(set(digests[:4])) == 4
    assert len(set(digests[5:])) == 1


def test_the_room_itself_is_neither_dark_nor_covered(scene, reference):
    seen = sample(grey(scene), reference)
    assert (seen.dark, seen.covered) == (False, False)


def test_a_black_picture_is_dark_and_says_nothing_of_a_cover(scene, reference):
    seen = sample(grey(scene, Lens.BLACK), reference)
    assert (seen.dark, seen.covered) == (True, None)


@pytest.mark.parametrize("known", [True, False])
def test_a_grey_cloth_is_a_cover_with_a_reference_and_without(scene, reference, known):
    assert sample(grey(scene, Lens.COVER), reference if known else None).covered is True


def test_a_hand_over_most_of_the_lens_is_a_cover(scene, reference):
    picture = grey(scene)
    picture[:, : int(scene.width * 0.8)] = 120
    assert sample(picture, reference).covered is True


@pytest.mark.parametrize("people", [1, 4, 8])
def test_people_in_the_room_are_no_cover(people, reference):
    crowd = Scene("cam-1", width=960, height=540, people=people)
    assert not any(sample(grey(crowd, at_s=at_s), reference).covered for at_s in range(0, 40, 5))


@pytest.mark.parametrize("light", [0.3, 0.5, 1.4])
def test_a_lamp_that_changes_is_no_cover(scene, reference, light):
    picture = np.clip(grey(scene) * light, 0, 255).astype(np.uint8)
    assert sample(picture, reference).covered is False


def test_a_camera_that_was_turned_a_little_is_not_covered(scene, reference):
    assert sample(np.roll(grey(scene), 20, axis=1), reference).covered is False


def test_edges_are_all_kept_by_the_picture_that_they_came_from(reference):
    assert edges_kept(reference.small, reference) == 1.0


def test_a_reference_is_learnt_once_from_real_pictures_and_outlives_a_restart(scene, tmp_path):
    file = tmp_path / "cameras" / "cam-1.png"
    references = References(file)
    for lens in [Lens.BLACK, Lens.COVER] * 5:
        references.learn(sample(grey(scene, lens), None))
    assert references.current is None
    for _ in range(5):
        references.learn(sample(grey(scene), None))
    learnt = references.current
    assert learnt is not None
    assert sample(grey(scene, Lens.COVER), learnt).covered is True
    again = References(file)
    again.learn(sample(grey(scene, Lens.COVER), again.current))
    assert np.array_equal(again.current.small, learnt.small)

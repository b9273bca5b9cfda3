import pytest

from devices.errors import KeyFileRefused
from devices.readers.key_file import DEFAULT_KEY, read_key, write_new_key


def test_a_written_key_is_read_back_and_is_private(tmp_path):
    file = tmp_path / "front-in.key"
    key = write_new_key(file)
    assert len(key) == 16 and read_key(file) == key
    assert file.stat().st_mode & 0o777 == 0o600


def test_two_keys_are_never_the_same(tmp_path):
    assert write_new_key(tmp_path / "a") != write_new_key(tmp_path / "b")


def test_an_existing_key_is_not_overwritten(tmp_path):
    key = write_new_key(tmp_path / "a")
    with pytest.raises(FileExistsError):
        write_new_key(tmp_path / "a")
    assert read_key(tmp_path / "a") == key


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o620, 0o604])
def test_a_key_that_others_may_read_or_write_is_refused_with_the_mend(tmp_path, mode):
    file = tmp_path / "front-in.key"
    write_new_key(file)
    file.chmod(mode)
    with pytest.raises(KeyFileRefused, match=f"chmod 600 {file}"):
        read_key(file)


@pytest.mark.parametrize("text", ["", "00", "zz" * 16, "00" * 17])
def test_a_malformed_key_is_refused(tmp_path, text):
    file = tmp_path / "front-in.key"
    file.touch(mode=0o600)
    file.write_text(text)
    with pytest.raises(KeyFileRefused, match="32 hexadecimal digits"):
        read_key(file)


def test_the_key_that_the_specification_prints_is_refused(tmp_path):
    file = tmp_path / "front-in.key"
    file.touch(mode=0o600)
    file.write_text(DEFAULT_KEY.hex())
    with pytest.raises(KeyFileRefused, match="default key"):
        read_key(file)


def test_a_missing_key_names_the_command_that_makes_one(tmp_path):
    with pytest.raises(KeyFileRefused, match=r"python -m devices\.readers\.key_file"):
        read_key(tmp_path / "absent.key")

"""The file that a muxer writes into."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from devices.recorders.segment import HashedFile


def test_it_knows_the_digest_of_what_is_on_disk(tmp_path: Path) -> None:
    file = HashedFile(tmp_path / "cam-1" / "a.mp4")
    file.write(b"one")
    file.write(b"two")
    file.close()
    assert (tmp_path / "cam-1" / "a.mp4").read_bytes() == b"onetwo"
    assert file.sha256 == hashlib.sha256(b"onetwo").hexdigest()
    assert (tmp_path / "cam-1" / "a.mp4").stat().st_mode & 0o007 == 0


def test_an_older_file_is_never_written_over(tmp_path: Path) -> None:
    HashedFile(tmp_path / "a.mp4").close()
    with pytest.raises(FileExistsError):
        HashedFile(tmp_path / "a.mp4")


def test_closed_twice_it_closes_nobody_elses_file(tmp_path: Path) -> None:
    file = HashedFile(tmp_path / "a.mp4")
    number = file._file.fileno()
    file.close()
    other = os.open(tmp_path / "b", os.O_RDWR | os.O_CREAT)
    os.dup2(other, number)
    try:
        file.close()
        with pytest.raises(ValueError, match="closed"):
            file.write(b"meant for a.mp4")
        os.fstat(number)
        assert (tmp_path / "b").read_bytes() == b""
    finally:
        for descriptor in {other, number}:
            os.close(descriptor)

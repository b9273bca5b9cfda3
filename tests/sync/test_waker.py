"""A thread that waits is woken, and a waker that is closed writes to nobody's file."""

from __future__ import annotations

import os
import select
from pathlib import Path

import pytest

from sync.waker import Waker


def readable(waker: Waker) -> bool:
    return bool(select.select([waker.fileno()], [], [], 0)[0])


def test_it_can_be_read_from_a_wake_until_it_is_hushed() -> None:
    waker = Waker()
    assert not readable(waker)
    waker.wake()
    waker.wake()
    assert readable(waker)
    waker.hush()
    waker.hush()
    assert not readable(waker)
    waker.close()


def test_a_wake_after_closing_leaves_the_file_alone_that_has_its_number_now(tmp_path: Path) -> None:
    waker = Waker()
    number = waker.fileno()
    waker.close()
    file = tmp_path / "database"
    file.write_bytes(b"SQLite format 3\0")
    opened = os.open(file, os.O_RDWR)
    os.dup2(opened, number)
    try:
        waker.wake()
        assert file.read_bytes() == b"SQLite format 3\0"
        waker.close()
        os.fstat(number)  # still open: it is not the waker's to close
    finally:
        for descriptor in {opened, number}:
            os.close(descriptor)


def test_a_closed_waker_cannot_be_waited_for() -> None:
    waker = Waker()
    waker.close()
    with pytest.raises(ValueError, match="closed"):
        waker.fileno()

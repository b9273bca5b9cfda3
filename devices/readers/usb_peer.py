"""The twin of a USB reader: the kernel's input events, byte for byte, through a pipe."""

from __future__ import annotations

import os
from pathlib import Path

from .usb_keys import EV_KEY, EV_SYN, EVENT, KEY_ENTER, KEYS, PRESSED, SYN_DROPPED

RELEASED = 0
KEY_US = 8_000
SYN_REPORT = 0
KEY_F13 = 183
_CODES = {text: code for code, text in reversed(KEYS.items())}


class UsbPeer:
    """``open`` is what a ``UsbReader`` opens its device with. Unplugged, it cannot be opened."""

    def __init__(self) -> None:
        self._writer: int | None = None
        self._plugged = True
        self._now_us = 1_000_000_000

    def open(self, device: Path) -> int:
        if not self._plugged:
            raise FileNotFoundError(2, "No such file or directory", str(device))
        reader, self._writer = os.pipe()
        os.set_blocking(reader, False)
        return reader

    def unplug(self) -> None:
        self._plugged = False
        if self._writer is not None:
            os.close(self._writer)
            self._writer = None

    def plug_in(self) -> None:
        self._plugged = True

    def type(self, text: str, *, enter: bool = True) -> None:
        """Type a text and Enter. What is no letter or digit is a key that no number has."""
        for character in f"{text}\n" if enter else text:
            code = KEY_ENTER if character == "\n" else _CODES.get(character, KEY_F13)
            self._now_us += KEY_US
            self._event(EV_KEY, code, PRESSED)
            self._event(EV_SYN, SYN_REPORT, 0)
            self._event(EV_KEY, code, RELEASED)
            self._event(EV_SYN, SYN_REPORT, 0)

    def lose_keys(self) -> None:
        """The kernel's queue ran over."""
        self._event(EV_SYN, SYN_DROPPED, 0)

    def _event(self, kind: int, code: int, value: int) -> None:
        assert self._writer is not None, "nobody has opened it"
        seconds, micros = divmod(self._now_us, 1_000_000)
        os.write(self._writer, EVENT.pack(seconds, micros, kind, code, value))

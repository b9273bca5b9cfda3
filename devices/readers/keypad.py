"""From keys to a PIN; pure."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field

log = logging.getLogger(__name__)

ENTER, CLEAR = "#", "*"
KEYS = frozenset("0123456789") | {ENTER, CLEAR}
PIN_DIGITS_MAX = 12
PAUSE_S_MAX = 10.0
"""A pause longer than this between two keys: somebody else begins, and what was keyed in before is forgotten."""


@dataclass
class Keypad:
    """One reader's keypad. ``#`` ends a PIN, ``*`` clears it. What is too long is no PIN, down to its ``#``."""

    reader: str
    _digits: str = field(default="", repr=False)
    _last_s: float = field(default=0.0)

    def press(self, key: str, at_s: float) -> str | None:
        """Take one of ``KEYS``, pressed at boot time ``at_s``; returns the PIN that it ends, or None.

        Any other key is ignored: it spoils nothing and is no digit.
        """
        if at_s - self._last_s > PAUSE_S_MAX:
            self._digits = ""
        if key not in KEYS:
            return None
        self._last_s = at_s
        if key == CLEAR:
            self._digits = ""
        elif key != ENTER:
            # One beyond the limit is kept to know that there were too many, and no more than that.
            self._digits = (self._digits + key)[: PIN_DIGITS_MAX + 1]
        else:
            pin, self._digits = self._digits, ""
            if 0 < len(pin) <= PIN_DIGITS_MAX:
                return pin
            if pin:
                log.warning("reader %s: more than %d digits were keyed in: no PIN", self.reader, PIN_DIGITS_MAX)
        return None

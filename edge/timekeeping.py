"""What the kernel knows of its clock: ``ntp_adjtime(2)`` read without changing anything."""

from __future__ import annotations

import ctypes
import ctypes.util

from custody.events import ClockHealth

_STA_UNSYNC = 0x0040
_STA_NANO = 0x2000


class _Timex(ctypes.Structure):
    """``struct timex`` of <sys/timex.h>, as far as it is read here; the rest is room for the kernel."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_char * 256),
    )


def kernel_clock() -> ClockHealth:
    """Whether the clock is disciplined, its offset and its greatest error in seconds; unknown ones are None."""
    libc = ctypes.CDLL(ctypes.util.find_library("c"), use_errno=True)
    timex = _Timex()
    if libc.ntp_adjtime(ctypes.byref(timex)) < 0 or timex.status & _STA_UNSYNC:
        return ClockHealth(synchronised=False, offset_s=None, uncertainty_s=None)
    unit_s = 1e-9 if timex.status & _STA_NANO else 1e-6
    return ClockHealth(synchronised=True, offset_s=timex.offset * unit_s, uncertainty_s=timex.maxerror * 1e-6)

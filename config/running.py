"""What every program of ours does when it is run: its clock, its log, its stop."""

from __future__ import annotations

import faulthandler
import gc
import logging
import signal
import threading
from types import FrameType

from .clock import Clock, SystemClock, Timelapse, TimelapseClock

COLLECT_FROM_OBJECTS = 50_000
"""New objects between two looks for circles: some 10 MB."""


def clock_of(utc_offset_hours: float, timelapse: str | None) -> Clock:
    """The machine's clock at that UTC offset, or the demo's (``Timelapse.encode``)."""
    offset_s = int(utc_offset_hours * 3600)
    if timelapse is None:
        return SystemClock(fixed_utc_offset_s=offset_s)
    return TimelapseClock(Timelapse.decode(timelapse), fixed_utc_offset_s=offset_s)


def collect_less() -> None:
    """For a program that reads many lines at a time; called once, when all is loaded.

    Lines and events refer to nothing in circles and go by themselves. By default Python looks through all of them,
    and all modules, again and again while they are read, which takes a sixth of the time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(COLLECT_FROM_OBJECTS, 20, 20)


def set_up_logging(program: str) -> None:
    """Lines for journald, which adds the time itself: level, program, module, message.

    A crash, and the SIGABRT of systemd's watchdog, leave there what every thread was doing.
    """
    faulthandler.enable(2)
    logging.basicConfig(level=logging.INFO, format=f"%(levelname)s {program} %(name)s: %(message)s", force=True)


def stop_on_signal() -> threading.Event:
    """An event that SIGTERM and SIGINT set. Python's own SIGTERM would skip every clean-up."""
    stop = threading.Event()

    def ask_to_stop(signum: int, frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, ask_to_stop)
    signal.signal(signal.SIGINT, ask_to_stop)
    return stop

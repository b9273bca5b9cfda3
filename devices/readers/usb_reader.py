"""A USB reader that types like a keyboard, taken for this process alone.

It is in the clear and can be copied like any keyboard's typing; OSDP is the reader for a door that matters. The
device is grabbed: otherwise every card number is typed on the machine's console too.
"""

from __future__ import annotations

import fcntl
import logging
import os
import select
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path

from config.clock import Clock

from .reader import CardRead, Feedback, Reader, ReaderChanged, ReaderState
from .refused import Refused
from .usb_keys import EVENT, InputEvent, TypedDecoder, Writes

log = logging.getLogger(__name__)

EVIOCGRAB = 0x40044590
"""``_IOW('E', 0x90, int)`` of linux/input.h."""
READ_EVENTS_MAX = 64
LOOK_S = 0.5
REOPEN_S = 2.0


def open_grabbed(device: Path) -> int:
    """A descriptor of an input device whose keys nobody else receives any more. Raises ``OSError``."""
    descriptor = os.open(device, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        fcntl.ioctl(descriptor, EVIOCGRAB, 1)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


class UsbReader(Reader):
    """One reader. A device that is not there, or that somebody else has grabbed, makes it offline until it can be
    taken; it is tried every ``REOPEN_S``.

    ``open_device`` opens and grabs it; a test puts its own in.
    """

    def __init__(
        self,
        reader: str,
        device: Path,
        *,
        writes: Writes,
        characters: int,
        bits: int,
        clock: Clock,
        open_device: Callable[[Path], int] = open_grabbed,
    ) -> None:
        super().__init__(reader)
        self._device = device
        self._clock = clock
        self._open_device = open_device
        self._new_decoder = partial(TypedDecoder, writes=writes, characters=characters, bits=bits)
        self._decoder = self._new_decoder()
        self._rest = b""
        self._descriptor: int | None = None
        self._state = ReaderState.UNKNOWN
        self._beaten_s = clock.boottime_s()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"usb-{reader}", daemon=True)

    @property
    def state(self) -> ReaderState:
        return self._state

    @property
    def name(self) -> str:
        return f"the input of reader {self.id}"

    def beaten_s(self) -> float:
        return self._beaten_s

    def stalled(self, detail: str) -> None:
        self._become(ReaderState.OFFLINE, detail)

    def resumed(self) -> None:
        """Its own thread tells how it stands."""

    def listen(self) -> None:
        """Begin to read. Call it once the reader was started."""
        self._thread.start()

    def show(self, feedback: Feedback) -> None:
        """It has nothing to show it with."""

    def stop(self) -> None:
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()
        self._let_go()

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._beaten_s = self._clock.boottime_s()
            try:
                if self._descriptor is None:
                    self._descriptor = self._open_device(self._device)
                    self._decoder, self._rest = self._new_decoder(), b""
                self._become(
                    ReaderState.ONLINE, f"{self._device} is this process's alone; what it types is in the clear"
                )
                self._read(self._descriptor)
            except OSError as error:
                self._let_go()
                self._become(ReaderState.OFFLINE, self._explain(error))
                self._stopping.wait(REOPEN_S)
            except Exception:
                log.exception("reader %s failed; it goes on in %g s", self.id, REOPEN_S)
                self._let_go()
                self._stopping.wait(REOPEN_S)

    def _read(self, descriptor: int) -> None:
        ready, _, _ = select.select([descriptor], [], [], LOOK_S)
        if not ready:
            return
        raw = os.read(descriptor, EVENT.size * READ_EVENTS_MAX)
        if not raw:
            raise OSError("it ended")
        self._rest += raw
        while len(self._rest) >= EVENT.size:
            event, self._rest = self._rest[: EVENT.size], self._rest[EVENT.size :]
            self._take(InputEvent.unpack(event))

    def _take(self, event: InputEvent) -> None:
        typed = self._decoder.take(event)
        if isinstance(typed, Refused):
            log.warning("reader %s: %s; that is no card", self.id, typed.reason)
        elif typed is not None:
            self.tell(CardRead(self.id, typed.number, typed.bits))

    def _let_go(self) -> None:
        """Closing a device lets go of it."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)

    def _explain(self, error: OSError) -> str:
        return (
            f"{self._device} cannot be taken: {error.strerror or error}; is it plugged in, is it an input device, "
            "is this user in the group input, and has nobody else grabbed it?"
        )

    def _become(self, state: ReaderState, detail: str) -> None:
        if state is not self._state:
            self._state = state
            self.tell(ReaderChanged(self.id, state, detail))

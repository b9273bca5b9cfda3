"""What can go wrong with the hardware of doors and readers, each with where and what to do."""

from __future__ import annotations

from pathlib import Path

from custody.errors import FourmustsError


class DeviceError(FourmustsError):
    """A piece of hardware that cannot be used as asked."""


class PinUnavailable(DeviceError):
    """A GPIO line that could not be claimed: no chip, no right to it, or another process holds it."""

    def __init__(self, pin: int, device: str, cause: BaseException) -> None:
        super().__init__(
            f"GPIO pin {pin} of {device} cannot be claimed: {cause}; see who holds it with gpioinfo, "
            "and that this user is in the group gpio"
        )


class NoGpio(DeviceError):
    """The machine's GPIO chip cannot be opened."""

    def __init__(self, cause: BaseException) -> None:
        super().__init__(
            f"the GPIO chip cannot be opened: {cause}; is this a Raspberry Pi, is this user in the group gpio, "
            "and may the process write to its working directory (lgpio makes a FIFO there)?"
        )


class LockFault(DeviceError):
    """A lock that did not take a command. What state it is in is not known."""

    def __init__(self, lock: str, detail: str) -> None:
        super().__init__(f"the lock of {lock} does not follow: {detail}; check its relay and wiring")


class KeyFileRefused(DeviceError):
    """A reader's key file that is missing, malformed or open to others."""

    def __init__(self, file: Path, problem: str, mend: str) -> None:
        super().__init__(f"reader key {file}: {problem}; {mend}")

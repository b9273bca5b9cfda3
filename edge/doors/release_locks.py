"""Let go of every lock line, whoever drove it last: ``python -m edge.doors.release_locks zone.toml``.

For systemd's ExecStopPost, which runs after every kind of end, a crash too. Raspberry Pi kernels keep a relay
energised after its process was killed (unless ``dtparam=strict_gpiod`` is set); an input line drives nothing, so
each lock falls to what its settings declare for the loss of the controller. It touches nothing but these lines.
Simulated relays are let go likewise.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from config.errors import ConfigurationError
from config.zone import ZoneSettings, load_zone
from devices.doors.simulated_line import SimulatedLine
from devices.errors import DeviceError


def lock_pins(settings: ZoneSettings) -> list[int]:
    """The lines of all locks on GPIO, by BCM number."""
    return [door.lock.pin for door in settings.doors if door.lock.driver == "gpio" and door.lock.pin is not None]


def main(arguments: Sequence[str], make_factory: Callable[[], Any] | None = None) -> int:
    """Exit status: 0 when every line is an input now, 1 when one is not, 2 when it was called wrongly."""
    if len(arguments) != 1:
        print("usage: python -m edge.doors.release_locks ZONE.TOML", file=sys.stderr)
        return 2
    try:
        settings = load_zone(Path(arguments[0]))
    except ConfigurationError as error:
        print(error, file=sys.stderr)
        return 2
    for door in settings.doors:
        if door.lock.driver == "simulated":
            SimulatedLine(settings.relay_file(door.id)).let_go()
    pins = lock_pins(settings)
    if not pins:
        return 0
    from devices.doors.gpio import lgpio_factory, release_pins

    try:
        factory = (make_factory or lgpio_factory)()
    except DeviceError as error:
        print(error, file=sys.stderr)
        return 1
    problems = release_pins(pins, factory)
    factory.close()
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

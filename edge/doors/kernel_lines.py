"""Whether this kernel keeps a relay energised after the process that drove its line was killed.

Raspberry Pi kernels do unless ``dtparam=strict_gpiod`` is set, which sets the parameter ``persist_gpio_outputs``
of the GPIO driver (``pinctrl_bcm2835``, on a Pi 5 ``pinctrl_rp1``) to N. Other kernels have no such parameter.
"""

from __future__ import annotations

from pathlib import Path

MODULES = Path("/sys/module")
PARAMETER = "pinctrl_*/parameters/persist_gpio_outputs"
MEND = "put dtparam=strict_gpiod into /boot/firmware/config.txt and start the board anew"


def kept_by(modules: Path = MODULES) -> str | None:
    """The parameter that says so and what to do, or None when no relay outlives its process."""
    for file in sorted(modules.glob(PARAMETER)):
        try:
            value = file.read_text().strip()
        except OSError as error:
            value = f"unreadable ({error})"
        if value not in ("N", "0"):
            return f"{file} is {value}: the kernel keeps a relay as it was when this process is killed; {MEND}"
    return None

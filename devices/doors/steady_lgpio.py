"""gpiozero's lgpio pins, without the pulse that they give at construction.

``LGPIOPin`` does not override ``output_with_state``, so an output is first claimed at level 0 and then set. On an
active-low relay board level 0 is on: every lock would open for a moment at every start (gpiozero pull request
1177). Here the line is claimed at the level that it shall have.
"""

from __future__ import annotations

from typing import Any

import lgpio
from gpiozero.pins.lgpio import LGPIOFactory, LGPIOPin


class SteadyLGPIOPin(LGPIOPin):  # type: ignore[misc]
    def output_with_state(self, state: bool) -> None:
        lgpio.gpio_claim_output(self.factory._handle, self._number, int(bool(state)))


class SteadyLGPIOFactory(LGPIOFactory):  # type: ignore[misc]
    def __init__(self, chip: int | None = None) -> None:
        super().__init__(chip)
        self.pin_class: Any = SteadyLGPIOPin

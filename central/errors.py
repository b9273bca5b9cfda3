"""What can be wrong with headquarters, each with its mend."""

from __future__ import annotations

from custody.errors import FourmustsError


class CentralError(FourmustsError):
    """Headquarters cannot run as it is set up."""


class NotEnrolled(CentralError):
    def __init__(self, zone: str, problem: str) -> None:
        super().__init__(
            f"central.toml, zone {zone!r}, verifier_key: {problem}; "
            "copy the line that `fourmusts init` prints on the zone's own board"
        )


class WebAddressTaken(CentralError):
    def __init__(self, host: str, port: int, problem: object) -> None:
        super().__init__(
            f"central.toml, [web]: {host}:{port} cannot be used ({problem}); "
            "end the program that holds it, or choose another port"
        )


class PartEnded(CentralError):
    def __init__(self, part: str) -> None:
        super().__init__(
            f"the {part} of headquarters ended by itself, see the log above; "
            "nothing is lost, start headquarters again"
        )


class WitnessUnusable(CentralError):
    def __init__(self, witness: str, problem: str) -> None:
        super().__init__(
            f"central.toml, witness {witness!r}: {problem}; copy address and key as its operator gives them"
        )

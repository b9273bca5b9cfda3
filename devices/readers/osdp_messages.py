"""What passes between panel and reader, as libosdp says it, to and from what this house calls it; pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from osdp import Capability, CardFormat, Command, CommandLEDColor, StatusReportType

from .keypad import CLEAR, ENTER
from .reader import CardRead, Feedback, card_number

KEY_BYTES = {**{digit: ord(digit) for digit in "0123456789"}, CLEAR: 0x7F, ENTER: 0x0D}
"""A keypad's keys in a KEYPAD reply (OSDP 2.2 section 7.12): ``*`` is DEL, ``#`` is CR."""
_KEYS = {byte: key for key, byte in KEY_BYTES.items()} | {ord(CLEAR): CLEAR, ord(ENTER): ENTER}

ASK_STATUS: dict[str, Any] = {
    "command": Command.Status,
    "type": StatusReportType.Local,
    "report": b"",
    "nr_entries": 0,
}
"""A reader tells a change of its housing only once; one that was opened while its line was down must be asked."""


@dataclass(frozen=True)
class _Shown:
    """A light (times in OSDP's unit of 100 ms) and a number of beeps."""

    colour: int
    tenths: int
    beeps: int
    blinks: bool = False


_SHOWN = {
    Feedback.GRANTED: _Shown(CommandLEDColor.Green, tenths=20, beeps=1),
    Feedback.DENIED: _Shown(CommandLEDColor.Red, tenths=20, beeps=3),
    Feedback.PIN_EXPECTED: _Shown(CommandLEDColor.Amber, tenths=100, beeps=1, blinks=True),
    Feedback.SECOND_EXPECTED: _Shown(CommandLEDColor.Amber, tenths=100, beeps=2),
    Feedback.CLOSE_DOOR: _Shown(CommandLEDColor.Red, tenths=50, beeps=5, blinks=True),
}
BLINK_TENTHS = 3
NEEDS = {Command.LED: Capability.LEDControl, Command.Buzzer: Capability.AudibleControl}
"""What a reader must have declared before it is given such a command."""


def feedback_commands(feedback: Feedback) -> list[dict[str, Any]]:
    """Light and buzzer commands (OSDP 2.2 sections 6.10 and 6.11)."""
    shown = _SHOWN[feedback]
    light = {
        "command": Command.LED,
        "reader": 0,
        "led_number": 0,
        "temporary": True,
        "control_code": 2,
        "on_count": BLINK_TENTHS if shown.blinks else shown.tenths,
        "off_count": BLINK_TENTHS if shown.blinks else 0,
        "on_color": shown.colour,
        "off_color": CommandLEDColor.Black,
        "timer_count": shown.tenths,
    }
    buzzer = {
        "command": Command.Buzzer,
        "reader": 0,
        "control_code": 2,
        "on_count": 1,
        "off_count": 1,
        "rep_count": shown.beeps,
    }
    return [light, buzzer]


def card_read(reader: str, event: dict[str, Any]) -> CardRead:
    """A card from the library's event. Raises ``ValueError`` for one without bits."""
    data: bytes = event["data"]
    if event["format"] == CardFormat.ASCII:
        return CardRead(reader, data.decode("ascii").strip().upper(), len(data) * 8)
    bits = int(event["length"])
    return CardRead(reader, card_number(bits, data), bits)


def keys_pressed(event: dict[str, Any]) -> str:
    """The keys of the library's event; what is no key of a keypad is a question mark."""
    return "".join(_KEYS.get(byte, "?") for byte in event["data"])

"""What a zone makes of commands: one line of its ledger each, once at most, and of strangers' only so many."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from config.clock import ManualClock
from custody.events import LedgerReason
from sync import once
from sync.commands import (
    REFUSALS_WINDOW_S,
    REFUSED_MAX,
    STRANGERS_MAX,
    VALID_S_MAX,
    CommandNotKept,
    CommandUnwelcome,
    make_command,
)
from sync.ledger import Ledger
from sync.note import KeyType, SigningKey
from sync.protocol.messages import Command, encode
from sync.protocol.zone import ZoneEnd


class Recording:
    """An intake that does as the test says, and tells what it was asked."""

    def __init__(self) -> None:
        self.unwelcome: Exception | None = None
        self.fails_after: Exception | None = None
        self.told: list[tuple[str, str]] = []

    def admit(self, command: Command) -> Mapping[str, Any]:
        self.told.append(("admit", command.id))
        if self.unwelcome is not None:
            raise self.unwelcome
        return {key: value for key, value in command.args.items() if key != "secret"}

    def recorded(self, command: Command) -> None:
        self.told.append(("recorded", command.id))
        if self.fails_after is not None:
            raise self.fails_after


class Zone:
    def __init__(self, ledger: Ledger, zone_key: SigningKey, key: SigningKey, clock: ManualClock) -> None:
        self.ledger, self.zone_key, self.key, self.clock = ledger, zone_key, key, clock
        self.intake = Recording()
        self.restart()

    def restart(self) -> None:
        self.end = ZoneEnd(
            self.ledger, self.zone_key, self.key.verifier, self.clock, random.Random(1), intake=self.intake
        )

    def give(self, message: Command, *, retained: bool = False) -> tuple[str, Any]:
        """What the ledger says of it: type and reason."""
        before = len(self.told())
        self.end.receive(encode(message), 0.0, retained=retained)
        (line,) = self.told()[before:]
        return line

    def told(self) -> list[tuple[str, Any]]:
        return [(event.type, event.data.get("reason")) for event in self.lines()]

    def lines(self) -> list[Any]:
        return [event for event in self.ledger.events() if event.type.startswith("command.")]


@pytest.fixture
def zone(ledger: Ledger, zone_key: SigningKey, headquarters_key: SigningKey, clock: ManualClock) -> Zone:
    return Zone(ledger, zone_key, headquarters_key, clock)


@pytest.fixture
def command(zone: Zone) -> Callable[..., Command]:
    def made(**changed: Any) -> Command:
        fields: dict[str, Any] = {
            "key": zone.key,
            "zone": "nz01",
            "name": "open",
            "args": {"door": "front-door", "for_s": 2.5},
            "actor": "p0001",
            "now_us": zone.clock.now_us(),
            "valid_s": 30.0,
            **changed,
        }
        return make_command(
            fields.pop("key"), fields.pop("zone"), fields.pop("name"), fields.pop("args"), **fields
        )

    return made


Made = Callable[..., Command]
RECEIVED = ("command.received", None)


def test_a_command_becomes_an_event_with_its_arguments(zone: Zone, command: Made) -> None:
    given = command()
    assert zone.give(given) == RECEIVED
    (event,) = zone.lines()
    assert event.data["args"] == {"door": "front-door", "for_s": 2.5}
    assert (event.data["actor"], event.data["id"], event.data["origin"]) == ("p0001", given.id, "headquarters")
    assert zone.intake.told == [("admit", given.id), ("recorded", given.id)]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"zone": "nz02"}, "not headquarters' for this zone"),
        ({"key": SigningKey.generate("test/hq", KeyType.COSIGNATURE)}, "not headquarters' for this zone"),
        ({"valid_s": -1.0}, "expired"),
        ({"valid_s": VALID_S_MAX + 1}, "at most 7 days are taken"),
    ],
)
def test_a_command_that_is_not_sound_is_refused_and_that_is_recorded(
    zone: Zone, command: Made, change: dict[str, Any], reason: str
) -> None:
    type_, found = zone.give(command(**change))
    assert type_ == "command.refused"
    assert reason in found
    assert zone.intake.told == []


def test_a_changed_repeated_or_retained_command_is_refused(zone: Zone, command: Made) -> None:
    given = command()
    changed = replace(given, args={"door": "back-door"})
    unsigned = replace(given, signature="")
    assert zone.give(changed)[0] == "command.refused"
    assert zone.give(unsigned)[0] == "command.refused"
    assert "retained" in zone.give(given, retained=True)[1]
    assert zone.give(given) == RECEIVED
    assert "given before" in zone.give(given)[1]
    assert "given before" in zone.give(given)[1]


def test_headquarters_learns_the_id_of_what_it_signed_and_of_nothing_else(zone: Zone, command: Made) -> None:
    given = command(valid_s=-1.0)
    zone.give(given)
    zone.give(replace(given, signature=""))
    assert [line.data.get("id") for line in zone.lines()] == [given.id, None]


def test_a_command_stays_given_after_a_restart(zone: Zone, command: Made) -> None:
    given = command()
    zone.give(given)
    zone.restart()
    assert "given before" in zone.give(given)[1]


def test_a_command_stays_given_in_the_ledger_that_follows(zone: Zone, command: Made) -> None:
    given = command()
    zone.give(given)
    zone.ledger.succeed(zone.ledger.spans()[-1][0], 0, LedgerReason.ROTATION)
    assert "given before" in zone.give(given)[1]


def test_what_was_made_before_the_disk_was_restored_is_refused_and_what_is_made_later_is_not(
    zone: Zone, command: Made
) -> None:
    given = command()
    zone.clock.advance(5)
    zone.ledger.succeed(zone.ledger.spans()[-1][0], 0, LedgerReason.ROLLBACK)
    assert "restored" in zone.give(given)[1]
    zone.clock.advance(1)
    assert zone.give(command()) == RECEIVED


def test_a_clock_that_was_ahead_and_is_set_back_makes_no_old_command_new(zone: Zone, command: Made) -> None:
    given = command()
    assert zone.give(given) == RECEIVED
    zone.clock.step_wall(3600)
    assert zone.give(command()) == RECEIVED  # by now the first is forgotten
    zone.clock.step_wall(-3600)
    assert "set back" in zone.give(given)[1]
    zone.clock.advance(1)
    assert zone.give(command()) == RECEIVED


def test_expired_nonces_are_not_kept_and_of_the_others_only_so_many(
    zone: Zone, command: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(once, "NONCES_MAX", 3)
    for _ in range(3):
        assert zone.give(command()) == RECEIVED
    assert "wait until some have expired" in zone.give(command())[1]
    zone.clock.advance(31)
    for _ in range(3):
        assert zone.give(command()) == RECEIVED


def test_a_crash_before_the_line_is_written_leaves_the_command_to_be_given_again(
    zone: Zone, command: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = command()
    file, _ = zone.ledger.spans()[-1]
    file._connection.execute("PRAGMA query_only = 1")
    zone.end.receive(encode(given), 0.0)
    file._connection.execute("PRAGMA query_only = 0")
    assert zone.told() == []
    assert zone.give(given) == RECEIVED


def test_what_the_zone_does_not_admit_is_refused_with_its_reason_and_may_be_given_again(
    zone: Zone, command: Made
) -> None:
    given = command()
    zone.intake.unwelcome = CommandUnwelcome("p0001 may not open front-door")
    assert zone.give(given) == ("command.refused", "p0001 may not open front-door")
    zone.intake.unwelcome = None
    assert zone.give(given) == RECEIVED


def test_what_the_disk_does_not_take_is_not_answered_so_that_it_is_given_again(zone: Zone, command: Made) -> None:
    given = command()
    zone.intake.unwelcome = CommandNotKept("the disk is full")
    zone.end.receive(encode(given), 0.0)
    assert zone.told() == []
    zone.intake.unwelcome = None
    assert zone.give(given) == RECEIVED


def test_what_the_intake_leaves_out_never_comes_into_the_ledger(zone: Zone, command: Made) -> None:
    zone.give(command(args={"version": 3, "secret": "0A1B2C3D"}))
    assert all(b"0A1B2C3D" not in event.line for event in zone.ledger.events())


def test_a_command_signed_with_rubbish_is_refused(zone: Zone, command: Made) -> None:
    for signature in ("签名", "", "AAAA"):
        assert zone.give(replace(command(), signature=signature))[0] == "command.refused"


def test_a_command_that_fits_no_line_is_refused_and_of_a_strangers_words_little_is_kept(
    zone: Zone, command: Made
) -> None:
    assert "fit no line" in zone.give(command(args={"note": "x" * 50_000}))[1]
    zone.give(replace(command(), name="x" * 60_000))
    assert len(zone.lines()[-1].line) < 1000


def test_a_flood_of_strangers_commands_fills_no_ledger_and_its_size_is_told(zone: Zone, command: Made) -> None:
    forged = replace(command(), signature="AAAA")
    for _ in range(STRANGERS_MAX + 30):
        zone.end.receive(encode(forged), 0.0)
    assert len(zone.told()) == STRANGERS_MAX
    assert zone.give(command()) == RECEIVED  # headquarters' own are not kept out
    zone.clock.advance(REFUSALS_WINDOW_S + 1)
    assert "before it 30 like it were not written down" in zone.give(forged)[1]


def test_a_command_that_somebody_sends_again_and_again_fills_no_ledger(zone: Zone, command: Made) -> None:
    given = command()
    assert zone.give(given) == RECEIVED
    for _ in range(REFUSED_MAX + 30):
        zone.end.receive(encode(given), 0.0)
    assert len(zone.told()) == 1 + REFUSED_MAX
    assert zone.give(command()) == RECEIVED
    zone.clock.advance(REFUSALS_WINDOW_S + 1)
    type_, reason = zone.give(given)
    assert type_ == "command.refused" and "before it 30 like it were not written down" in reason


def test_a_disk_that_fails_the_intake_ends_neither_the_link_nor_the_command(zone: Zone, command: Made) -> None:
    given = command()
    zone.intake.unwelcome = OSError(5, "Input/output error")
    zone.end.receive(encode(given), 0.0)
    assert zone.told() == []
    zone.intake.unwelcome = None
    zone.intake.fails_after = OSError(5, "Input/output error")
    assert zone.give(given) == RECEIVED
    assert "given before" in zone.give(given)[1]

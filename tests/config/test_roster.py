"""A roster: all of it agrees or none of it is used, and no error repeats what is a person's."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from config.errors import ConfigurationError
from config.roster import BOOTSTRAP, Level, Roster, RosterUnfit, Schedule, read_roster, roster_bytes
from config.zone import load_zone

MANUAL = Path(__file__).parents[2] / "config" / "zone.toml"
HASH = "$argon2id$v=19$m=65536,t=3,p=4$c2FsdHNhbHRzYWx0$8bKaL7fF3dNq3W0u3PYX4vAw2p0k5Kq0Qe1m5uYyJbU"
OTHER_HASH = HASH.replace("$8bK", "$9bK")
CARD = "0A1B2C3D"


def officer(id_: str = "p0231", **fields: Any) -> dict[str, Any]:
    basic = {"id": id_, "name": "民警甲", "rank": "police", "sex": "m", "card": CARD, "roles": ["guard"]}
    return {**basic, **fields}


def content(*officers: dict[str, Any], **fields: Any) -> bytes:
    return json.dumps({"version": 7, "officer": list(officers or [officer()]), **fields}).encode()


FULL = content(
    officer(
        pin_hash=HASH,
        duress_pin_hash=OTHER_HASH,
        schedule="day",
        areas=["custody"],
        doors=["front-door"],
        approves_as="unit_head",
        valid_from="2026-01-01T00:00:00+08:00",
        valid_until="2027-01-01T00:00:00+08:00",
    ),
    schedule=[
        {"id": "day", "window": [{"days": ["mon", "sat"], "start": "08:00", "end": "18:00"}]},
        {"id": "night", "window": [{"start": "22:00", "end": "06:00"}], "except_dates": ["2026-10-01"]},
    ],
    access=[
        {
            "door": "front-door",
            "level": "card",
            "levels": [{"schedule": "night", "level": "card_and_pin"}],
            "two_person": {"within_s": 10, "roles": ["guard"], "schedule": "night"},
        }
    ],
    lockout={"tries": 3},
)


def test_a_roster_is_read_back_as_it_was_written() -> None:
    roster = read_roster(FULL)
    assert roster.access[0].levels[0].level is Level.CARD_AND_PIN
    assert roster.officers[0].duress_pin_hash == OTHER_HASH
    assert read_roster(roster_bytes(roster)) == roster
    assert roster_bytes(read_roster(roster_bytes(roster))) == roster_bytes(roster)


def test_the_roster_of_the_settings_is_older_than_any_of_headquarters() -> None:
    settings = load_zone(MANUAL)
    assert settings.roster.version == BOOTSTRAP < read_roster(FULL).version
    assert [officer.id for officer in settings.roster.officers] == ["p0231", "p0007", "a0112"]
    settings.roster.check_fits({door.id for door in settings.doors})


def test_a_card_is_the_same_in_either_case_of_its_letters() -> None:
    assert read_roster(content(officer(card="0a1b2c3d"))).officers[0].card == CARD


@pytest.mark.parametrize(
    ("wrong", "expected"),
    [
        (b"{", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b"[]", "valid dictionary"),
        (b'{"officer":[]}', "version: this key is missing"),
        (content(officer(), officer("p0232")), "'p0231' and 'p0232' have the same card"),
        (content(officer(), officer()), "officer 'p0231' is declared twice"),
        (content(officer(schedule="never")), "names the schedule 'never'"),
        (
            content(access=[{"door": "d", "levels": [{"schedule": "x", "level": "card"}]}]),
            "names the schedule 'x'",
        ),
        (content(access=[{"door": "d"}, {"door": "d"}]), "access for the door 'd' is declared twice"),
        (content(officer(valid_from="2026-01-01T00:00:00")), "valid_from has no UTC offset"),
        (
            content(officer(valid_from="2026-01-02T00:00:00Z", valid_until="2026-01-02T00:00:00Z")),
            "never be valid",
        ),
        (content(officer(pin_hash="1234")), "argon2id hash"),
        (content(officer(pin_hash=HASH.replace("65536", "999999999"))), "may cost"),
        (content(officer(duress_pin_hash=HASH)), "without pin_hash"),
        (content(officer(pin_hash=HASH, duress_pin_hash=HASH)), "are the same"),
        (content(officer(card="xyz")), "officer.0.card: String should match pattern"),
        (content(officer(rnak="police")), "did you mean 'rank'?"),
        (content(schedule=[{"id": "x", "window": []}]), "schedule.0.window"),
        (content(schedule=[{"id": "x", "window": [{"start": "08:00+08:00", "end": "09:00"}]}]), "local time"),
    ],
)
def test_a_roster_that_does_not_agree_is_refused_whole_with_the_reason(wrong: bytes, expected: str) -> None:
    with pytest.raises(RosterUnfit, match=r".*" + expected.replace("?", r"\?")):
        read_roster(wrong)


@pytest.mark.parametrize(
    "secret",
    [
        {"card": "not-a-card-4711"},
        {"pin_hash": "secret-4711"},
        {"name": "x4711" * 40},
        {"valid_from": "date-4711"},
        {"roles": ["role-4711"]},
    ],
)
def test_an_error_repeats_nothing_that_may_be_a_persons(secret: dict[str, Any]) -> None:
    with pytest.raises(RosterUnfit) as refused:
        read_roster(content(officer(**secret)))
    assert "4711" not in str(refused.value)


@pytest.mark.parametrize("lacking", [{"active": False}, {"card": None}, {"roles": []}])
def test_a_roster_with_which_nobody_could_pass_does_not_fit(lacking: dict[str, Any]) -> None:
    with pytest.raises(RosterUnfit, match="nobody could pass"):
        read_roster(content(officer(**lacking))).check_fits({"front-door"})


@pytest.mark.parametrize("wrong", [content(officer(doors=["attic"])), content(access=[{"door": "attic"}])])
def test_a_roster_that_names_a_door_of_another_zone_does_not_fit(wrong: bytes) -> None:
    with pytest.raises(RosterUnfit, match="attic"):
        read_roster(wrong).check_fits({"front-door"})


def test_the_settings_refuse_a_rule_for_a_door_that_is_not_there(tmp_path: Path) -> None:
    file = tmp_path / "zone.toml"
    file.write_text(MANUAL.read_text() + '\n[[access]]\ndoor = "attic"\n')
    with pytest.raises(ConfigurationError, match="attic"):
        load_zone(file)


@pytest.fixture
def holds() -> Callable[[Schedule, str], bool]:
    def at(schedule: Schedule, local: str) -> bool:
        moment = datetime.fromisoformat(local).replace(tzinfo=UTC)
        return schedule.holds(round(moment.timestamp() * 1e6) - 8 * 3_600_000_000, 8 * 3600)

    return at


@pytest.mark.parametrize(
    ("local", "expected"),
    [
        ("2026-11-23T07:59:59.999999", False),  # a Monday
        ("2026-11-23T08:00:00", True),
        ("2026-11-23T17:59:59.999999", True),
        ("2026-11-23T18:00:00", False),
        ("2026-11-24T12:00:00", False),
        ("2026-11-28T12:00:00", True),
    ],
)
def test_a_window_counts_from_its_start_to_before_its_end(
    holds: Callable[[Schedule, str], bool], local: str, expected: bool
) -> None:
    assert holds(read_roster(FULL).schedules[0], local) is expected


@pytest.mark.parametrize(
    ("local", "expected"),
    [
        ("2026-10-02T00:30:00", False),  # the night that would have begun on the excepted date
        ("2026-10-01T00:30:00", True),
        ("2026-10-01T23:00:00", False),
        ("2026-10-02T22:00:00", True),
        ("2026-10-03T05:59:59", True),
        ("2026-10-03T06:00:00", False),
    ],
)
def test_a_window_over_midnight_belongs_to_the_day_on_which_it_starts(
    holds: Callable[[Schedule, str], bool], local: str, expected: bool
) -> None:
    assert holds(read_roster(FULL).schedules[1], local) is expected


def test_a_window_from_midnight_to_midnight_is_the_whole_day(holds: Callable[[Schedule, str], bool]) -> None:
    schedule = Schedule.model_validate({"id": "all", "window": [{"start": "00:00", "end": "00:00"}]})
    assert all(holds(schedule, f"2026-11-2{day}T{hour:02}:59:59") for day in range(9) for hour in range(24))


def test_two_hundred_officers_with_two_pins_each_stay_small() -> None:
    many = [officer(f"p{nr:04}", card=f"{nr:08X}", pin_hash=HASH, duress_pin_hash=OTHER_HASH) for nr in range(200)]
    roster = Roster.model_validate({"version": 1, "officer": many})
    assert len(roster_bytes(roster)) < 128 * 1024

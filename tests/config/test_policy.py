"""The policy: every number once, with its source; law has its days."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from config.errors import ConfigurationError
from config.policy import DEFAULT_FILE, load_policy
from custody.policy import RULE_FIELDS


def written(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "policy.toml"
    file.write_text(text, encoding="utf-8")
    return file


def test_every_rule_names_the_law_or_rule_that_it_rests_on() -> None:
    policy = load_policy()
    assert len(RULE_FIELDS) == 34
    assert all(policy.rule(name).citation for name in RULE_FIELDS)


def test_every_threshold_says_where_it_comes_from() -> None:
    numbers = [line for line in DEFAULT_FILE.read_text(encoding="utf-8").splitlines() if "_s = " in line]
    assert numbers
    assert [line for line in numbers if "#" not in line] == []


def test_twelve_hours_of_an_administrative_summons_are_law_since_2026() -> None:
    policy = load_policy()
    nobody: frozenset[str] = frozenset()
    assert policy.tiers_of("administrative_summons", date(2025, 12, 31), nobody) == [8, 24]
    assert policy.tiers_of("administrative_summons", date(2026, 1, 1), nobody) == [8, 12, 24]


def test_four_hours_are_a_length_only_for_those_whom_the_law_names() -> None:
    policy, day = load_policy(), date(2026, 11, 23)
    assert policy.tiers_of("continued_questioning", day, frozenset()) == [12, 24, 48]
    assert policy.tiers_of("continued_questioning", day, frozenset(["elderly"])) == [4, 12, 24, 48]


def test_a_rule_is_in_force_from_its_first_day_to_the_one_before_its_last(tmp_path: Path) -> None:
    text = '[rules."M3.5"]\nvalid_from = 2026-03-01\nvalid_to = 2026-04-01\n'
    rule = load_policy(written(tmp_path, text)).rule("M3.5")
    days = [date(2026, 2, 28), date(2026, 3, 1), date(2026, 3, 31), date(2026, 4, 1)]
    assert [rule.in_force(day) for day in days] == [False, True, True, False]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('[rules."M1.1"]\nbreach_s = 60\n', "none below the one before"),
        ('[rules."M1.1"]\nreview_s = "soon"\n', "expected a number of seconds"),
        ("[reading]\nheartbeat_timeout_s = -1\n", "seconds of 0 to ten years"),
        ("[readings]\n", "did you mean 'reading'?"),
        ("not toml", "not valid TOML"),
    ],
)
def test_a_wrong_policy_says_what_and_where(tmp_path: Path, text: str, problem: str) -> None:
    with pytest.raises(ConfigurationError, match=problem.replace("?", r"\?")):
        load_policy(written(tmp_path, text))


def test_a_policy_that_is_not_there_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="--policy"):
        load_policy(tmp_path / "none.toml")

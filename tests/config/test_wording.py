"""What a finding says to a person."""

from __future__ import annotations

from typing import Any

import pytest

from config.wording import LANGUAGES, WORDS, duration, must_title, rules, sentence, title, verdict


def finding(**changes: Any) -> dict[str, Any]:
    plain = {
        "id": "f1",
        "zone": "nz01",
        "stay": "nz01-20261123-004",
        "must": 3,
        "rule": "M3.1",
        "verdict": "breach",
        "severity": "breach",
        "start": "2026-11-23T01:02:00.000000Z",
        "end": "2026-11-23T01:06:10.000000Z",
        "seconds": 250.0,
        "evidence": [],
        "values": {"room": "wait-1"},
    }
    return {**plain, **changes}


def test_both_languages_have_words_for_the_same_rules() -> None:
    assert list(WORDS["zh"]) == list(WORDS["en"]) == rules()
    assert len(rules()) == 9 + 8 + 8 + 6 + 3


def test_a_finding_says_who_where_when_and_for_how_long_in_local_time() -> None:
    said = sentence(finding(), "en", names={"wait-1": "waiting room 1"}.__getitem__)
    assert said == (
        "nz01-20261123-004 was not guarded for 4 min 10 s in waiting room 1 (11-23 09:02:00 to 09:06:10)."
    )
    chinese = sentence(finding(), "zh", names={"wait-1": "一号候问室"}.__getitem__)
    assert chinese == "nz01-20261123-004，11-23 09:02:00 至 09:06:10 在一号候问室无人看管 4 分 10 秒。"


def test_what_is_unproven_is_never_told_as_a_breach() -> None:
    assert "Nothing proves" in sentence(finding(verdict="unproven"), "en")
    assert "无法证明" in sentence(finding(verdict="unproven"), "zh")


def test_what_lasts_is_told_as_lasting() -> None:
    assert "since 11-23 09:02:00" in sentence(finding(end=None), "en")


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("rule", rules())
def test_every_rule_makes_a_whole_sentence_even_without_values(rule: str, lang: Any) -> None:
    said = sentence(finding(rule=rule, values={}), lang)
    assert "{" not in said and "  " not in said
    assert said.endswith("。" if lang == "zh" else ".")
    assert title(rule, lang) != rule


def test_a_rule_of_a_newer_judge_is_shown_by_its_id() -> None:
    assert title("M9.9", "zh") == "M9.9"
    assert sentence(finding(rule="M9.9"), "en").startswith("M9.9")


def test_durations_use_two_units_at_most() -> None:
    assert duration(0, "en") == "0 s"
    assert duration(3725, "en") == "1 h 2 min"
    assert duration(90_000, "zh") == "1 天 1 小时"
    assert duration(3605, "en") == "1 h 5 s"


def test_musts_and_verdicts_have_names() -> None:
    assert must_title(3, "zh") == "一律有人负责看管"
    assert must_title(3, "en", short=True) == "Guarded"
    assert verdict("kept", "zh") == "已遵守"

"""Citations in the language asked, and the thresholds of a rule in words."""

from __future__ import annotations

from typing import Any

import pytest

from config.citations import chinese_number, citations
from config.limits import limits
from config.policy import load_policy
from custody.policy import RULE_FIELDS


@pytest.mark.parametrize(
    ("text", "number"),
    [("四", 4), ("十", 10), ("二十三", 23), ("一百零三", 103), ("三百二十八", 328), ("八十", 80)],
)
def test_the_number_of_an_article_is_read(text: str, number: int) -> None:
    assert chinese_number(text) == number


def test_english_names_law_article_paragraph_and_item_and_keeps_the_chinese() -> None:
    assert citations("公安机关适用继续盘问规定 第三十条第二项;四个一律(一律有人负责看管)", "en") == [
        "Provisions on Continued Questioning by Public Security Organs, art. 30 item 2 "
        "[公安机关适用继续盘问规定 第三十条第二项]",
        "The Four Musts [四个一律（一律有人负责看管）]",
    ]
    assert citations("治安管理处罚法 第一百零三条第一款", "zh") == ["治安管理处罚法 第一百零三条第一款"]


@pytest.mark.parametrize("rule", RULE_FIELDS)
def test_every_source_of_the_policy_has_an_english_name(rule: str) -> None:
    for source in citations(load_policy().rule(rule).citation, "en"):
        assert source.endswith("]") and source[0].isascii(), source


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("rule", RULE_FIELDS)
def test_the_thresholds_of_every_rule_can_be_said(rule: str, lang: Any) -> None:
    said = limits(rule, load_policy(), {}, lang)
    assert "{" not in said
    numbers = [
        name for name in vars(load_policy().rule(rule)) if name in ("review_us", "breach_us", "shortest_us")
    ]
    assert bool(said) or not numbers


def test_a_person_at_high_risk_is_measured_more_strictly_and_a_crowd_less() -> None:
    policy = load_policy()
    assert limits("M3.1", policy, {"high_risk": True}, "en").startswith(
        "for a person at high risk, to review beyond 30 s, breach beyond 1 min"
    )
    assert limits("M2.2", policy, {"limit_factor": 2}, "en") == "to review beyond 30 min, breach beyond 1 h"
    assert limits("M3.5", policy, {"limit_s": 1800}, "zh").replace(" ", "").startswith("间隔不超过30分")

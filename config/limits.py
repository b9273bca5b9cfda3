"""What a finding was measured against: the thresholds of its rule, as a sentence in Chinese and English."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from custody.policy import Ladder, Policy, Rule, Share

from .wording import Language, duration

STEPS = (
    ("review_us", "超过{}待核查", "to review beyond {}"),
    ("breach_us", "超过{}为违反", "breach beyond {}"),
    ("serious_us", "超过{}为严重违反", "serious breach beyond {}"),
)
OTHERS: Mapping[str, tuple[str, str]] = {
    "unproven_us": ("无法证明的时间达{}即列出", "unproven from {} on"),
    "grace_us": ("宽限{}", "{} of grace"),
    "window_us": ("前后{}之内", "within {} before or after"),
    "shortest_us": ("不得短于{}", "no shorter than {}"),
    "run_us": ("超过{}计", "counted beyond {}"),
    "due_us": ("应在{}内核对", "to be audited within {}"),
    "retention_us": ("应保存{}", "to be kept for {}"),
    "present_us": ("接班人应在前后{}内到位", "the incoming guard there within {} before or after"),
    "questioning_us": (
        "继续盘问候问室超过{}为违反",
        "in waiting rooms of continued questioning breach beyond {}",
    ),
    "medical_us": ("紧急就医可在{}内补批", "medical emergencies may be approved within {}"),
}
COUNTS: Mapping[str, tuple[str, str]] = {
    "officers": ("不少于{}人", "no fewer than {}"),
    "per_officer": ("每名看管人员不超过{}人", "no more than {} for one guard"),
    "per_officer_high_risk": ("有高风险人员时不超过{}人", "no more than {} when one is at high risk"),
}


def limits(rule_name: str, policy: Policy, values: Mapping[str, Any], lang: Language) -> str:
    """The thresholds that apply, an empty text for a rule without any; ``values`` are those of the finding."""
    rule = policy.rule(rule_name)
    zh = lang == "zh"
    told: list[str] = []
    if "limit_s" in values:
        words = ("间隔不超过{}", "at intervals of no more than {}")
        told.append(_say(words, _long(values["limit_s"] * 1e6, lang), zh))
    told += _steps(rule, values, lang)
    for name, words in OTHERS.items():
        if isinstance(getattr(rule, name, None), int):
            told.append(_say(words, _long(getattr(rule, name), lang), zh))
    for name, words in COUNTS.items():
        if isinstance(getattr(rule, name, None), int):
            told.append(_say(words, f" {getattr(rule, name)} " if zh else str(getattr(rule, name)), zh))
    if isinstance(rule, Share):
        words = ("超过在区时间的 {}", "more than {} of the time inside")
        told.append(_say(words, f"{rule.share:.0%}", zh))
        told.append(_say(("且超过{}", "and longer than {}"), _long(rule.total_us, lang), zh))
    return ("，" if zh else ", ").join(told)


def _steps(rule: Rule, values: Mapping[str, Any], lang: Language) -> list[str]:
    """The ladder of lengths: that for high risk if the person was, times the factor that the finding names."""
    zh = lang == "zh"
    ladder: Any = getattr(rule, "high_risk", None) if values.get("high_risk") else rule
    told = ["高风险人员" if zh else "for a person at high risk"] if ladder is not rule else []
    factor = values.get("limit_factor", 1)
    for name, chinese, english in STEPS:
        limit = getattr(ladder, name, None)
        if isinstance(limit, int) and (isinstance(ladder, Ladder) or name != "serious_us"):
            told.append(_say((chinese, english), _long(limit * factor, lang), zh))
    return told


def _say(words: tuple[str, str], value: str, zh: bool) -> str:
    return words[0 if zh else 1].format(value)


def _long(length_us: float, lang: Language) -> str:
    long = duration(length_us / 1e6, lang)
    return f" {long}" if lang == "zh" else long

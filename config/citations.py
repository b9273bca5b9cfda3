"""A rule's citation in the language asked: Chinese as policy.toml has it, English by law and article.

The Chinese text is what counts, so the English always carries it along.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from .wording import Language

LAWS: Mapping[str, str] = {
    "治安管理处罚法(2025 年修订)": "Public Security Administration Punishments Law (as revised in 2025)",
    "治安管理处罚法": "Public Security Administration Punishments Law",
    "刑事诉讼法": "Criminal Procedure Law",
    "人民检察院刑事诉讼规则": "Criminal Procedure Rules of the People's Procuratorates",
    "公安机关执法办案场所办案区使用管理规定": "Provisions on Case-handling Areas of Public Security Organs",
    "公安机关办理行政案件程序规定": "Provisions on Procedures for Administrative Cases of Public Security Organs",
    "公安机关办理刑事案件程序规定": "Provisions on Procedures for Criminal Cases of Public Security Organs",
    "公安机关适用继续盘问规定": "Provisions on Continued Questioning by Public Security Organs",
    "公安机关现场执法视音频记录工作规定": "Provisions on Audio and Video Records of On-site Law Enforcement",
    "南郑分局 2022 年度法治政府建设年度报告": "Nanzheng Sub-bureau, Annual Report on Law-based Government 2022",
    "四个一律": "The Four Musts",
}
_DIGITS = {character: value for value, character in enumerate("零一二三四五六七八九")}
_UNITS = {"十": 10, "百": 100, "千": 1000}
_NUMBER = "([零一二三四五六七八九十百千]+)"
_ARTICLE = re.compile(f"第{_NUMBER}条(?:第{_NUMBER}款)?(?:第{_NUMBER}项)?")
_FULL_WIDTH = str.maketrans("(),", "（），")


def sources(citation: str) -> list[str]:
    """The sources of a citation, one each."""
    return [source.strip() for source in re.split("[;；]", citation) if source.strip()]


def citations(citation: str, lang: Language) -> list[str]:
    """The sources in the language asked; one that has no English here stays as it is."""
    return [_set(source) if lang == "zh" else _in_english(source) for source in sources(citation)]


def _in_english(source: str) -> str:
    law = next((name for name in sorted(LAWS, key=len, reverse=True) if source.startswith(name)), None)
    if law is None:
        return source
    articles = [_article(*found) for found in _ARTICLE.findall(source[len(law) :])]
    where = f", {', '.join(articles)}" if articles else ""
    return f"{LAWS[law]}{where} [{_set(source)}]"


def _set(source: str) -> str:
    """With the punctuation of Chinese print."""
    return source.translate(_FULL_WIDTH)


def _article(article: str, paragraph: str, item: str) -> str:
    text = f"art. {chinese_number(article)}"
    if paragraph:
        text += f" para. {chinese_number(paragraph)}"
    return f"{text} item {chinese_number(item)}" if item else text


def chinese_number(text: str) -> int:
    """``一百零三`` → 103. Up to 9999, as laws number their articles."""
    total = digit = 0
    for character in text:
        if character in _UNITS:
            total += (digit or 1) * _UNITS[character]
            digit = 0
        else:
            digit = _DIGITS[character]
    return total + digit

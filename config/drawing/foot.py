"""Below the lanes: what the patterns mean, and each finding as a sentence."""

from __future__ import annotations

from collections.abc import Sequence

from config.wording import Language, Names, sentence, title, verdict
from custody.findings import Finding, Severity

from .measure import text_width, wrapped
from .svg import SOFT, Sheet
from .words import say

LEFT, RIGHT = 14.0, 1180.0
SMALL, SIZE = 12.0, 13.0
LEGEND = (
    "required", "proven", "auxiliary", "search", "out", "short", "review", "breach", "serious", "unproven",
)  # fmt: skip
CIRCLED_MOST = 20


def number(count: int) -> str:
    """``①`` to ``⑳``, then ``(21)``."""
    return chr(0x2460 + count - 1) if count <= CIRCLED_MOST else f"({count})"


def kind_of(finding: Finding) -> str:
    """The pattern of a finding."""
    return "serious" if finding.severity is Severity.SERIOUS else finding.verdict.value


def legend(sheet: Sheet, lang: Language) -> None:
    """Every pattern with its meaning, from the sheet's ``y`` down."""
    sheet.line(LEFT, sheet.y + 4, RIGHT, sheet.y + 4, "#aeb9c5")
    x, y = LEFT, sheet.y + 16
    for kind in LEGEND:
        text = say(f"legend_{kind}", lang)
        width = 30 + text_width(text, SMALL) + 18
        if x + width > RIGHT:
            x, y = LEFT, y + 20
        if kind == "required":
            sheet.plain(x, y + 4, 24, 6, "#33475b")
        else:
            sheet.bar(x, y, 24, 13, kind)
        sheet.text(x + 30, y + 11, text, size=SMALL, fill=SOFT)
        x += width
    sheet.y = y + 26


def sentences(sheet: Sheet, findings: Sequence[Finding], lang: Language, names: Names, offset_s: int) -> None:
    """Each finding with the number that it has in the lanes."""
    sheet.text(LEFT, sheet.y + 14, say("findings", lang), size=15, bold=True)
    sheet.y += 24
    if not findings:
        sheet.text(LEFT, sheet.y + 12, say("nothing", lang), size=SIZE)
        sheet.y += 20
    for count, found in enumerate(findings, 1):
        said = sentence(found, lang, names=names, utc_offset_s=offset_s)
        serious = kind_of(found) == "serious"
        name = say("legend_serious", lang) if serious else verdict(found.verdict.value, lang)
        heading = f"{found.rule} {title(found.rule, lang)}"
        text = f"{heading}（{name}）：{said}" if lang == "zh" else f"{heading} ({name}): {said}"
        sheet.bar(LEFT, sheet.y + 3, 20, 11, kind_of(found))
        sheet.text(42, sheet.y + 13, number(count), size=SIZE, bold=True)
        for line in wrapped(text, SIZE, RIGHT - 78):
            sheet.text(78, sheet.y + 13, line, size=SIZE)
            sheet.y += 18
        sheet.y += 3

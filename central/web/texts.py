"""The pages' words in Chinese and English: gettext catalogues, read as they stand.

English is written in the templates; ``central/locale/zh/LC_MESSAGES/central.po`` holds the Chinese. It is read
from the .po file itself: a catalogue of this size takes milliseconds, and nobody can forget to compile it.
"""

from __future__ import annotations

from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

from babel.messages.pofile import read_po

from config.wording import LANGUAGES, Language
from custody.events import to_datetime

LOCALE_DIR = Path(__file__).parent.parent / "locale"
DEFAULT: Language = "zh"


@cache
def catalogue(lang: Language) -> dict[str, str]:
    """English text → text in ``lang``; empty for English itself."""
    file = LOCALE_DIR / lang / "LC_MESSAGES" / "central.po"
    if not file.exists():
        return {}
    with file.open("rb") as opened:
        found = read_po(opened, locale=lang)
    return {str(m.id): str(m.string) for m in found if m.id and m.string}


def choose(*wanted: str | None) -> Language:
    """The first that is a language we speak; else Chinese."""
    for one in wanted:
        for lang in LANGUAGES:
            if one == lang:
                return lang
    return DEFAULT


class Texts:
    """What a page says in one language, and how it writes times."""

    def __init__(self, lang: Language, utc_offset_s: int) -> None:
        self.lang = lang
        self.utc_offset_s = utc_offset_s

    def __call__(self, text: str, **values: Any) -> str:
        said = catalogue(self.lang).get(text, text)
        return said % values if values else said

    def moment(self, moment_us: int | None) -> str:
        """``11-23 09:04:11`` in local time; a dash for none."""
        if moment_us is None:
            return "–"
        return (to_datetime(moment_us) + timedelta(seconds=self.utc_offset_s)).strftime("%m-%d %H:%M:%S")

    def full_moment(self, moment_us: int) -> str:
        """``2026-11-23 09:04:11`` in local time."""
        return (to_datetime(moment_us) + timedelta(seconds=self.utc_offset_s)).strftime("%Y-%m-%d %H:%M:%S")

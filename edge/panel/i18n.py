"""The panel's languages: Chinese first, English by a switch.

Message ids are English sentences, so English needs no catalogue. The Chinese one is read from its ``.po`` file
at start: what is edited is what runs, and no compiled copy can be stale.
"""

from __future__ import annotations

from functools import cache
from io import BytesIO
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations

from config.wording import LANGUAGES, Language
from edge.register.errors import Said

CATALOGUES = Path(__file__).parent / "translations"
DEFAULT_LANGUAGE: Language = "zh"


@cache
def catalogue(lang: Language) -> NullTranslations:
    """The messages of a language. Fuzzy entries are left out: a guess must not be shown as a translation."""
    file = CATALOGUES / f"{lang}.po"
    if not file.exists():
        return NullTranslations()
    compiled = BytesIO()
    with file.open("rb") as opened:
        write_mo(compiled, read_po(opened, locale=lang, abort_invalid=True), use_fuzzy=False)
    compiled.seek(0)
    return Translations(compiled, domain="panel")


def choose(asked: str | None) -> Language | None:
    """The language that a cookie, a query or an ``Accept-Language`` header asks for, if there is one."""
    wanted = (asked or "").strip().lower()[:2]
    return next((lang for lang in LANGUAGES if lang == wanted), None)


class Speaker:
    """Says things in one language."""

    def __init__(self, lang: Language) -> None:
        self.lang: Language = lang
        self._catalogue = catalogue(lang)

    def text(self, message: str, **values: object) -> str:
        """A message id, translated, with its named places filled."""
        said = self._catalogue.ugettext(message) if message else ""
        return said % values if values else said

    def say(self, said: Said) -> str:
        """A ``Said`` of the register, translated."""
        return self._catalogue.ugettext(said.pattern) % said.values

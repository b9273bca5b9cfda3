"""The panel's languages: everything is said in Chinese, and nothing is lost on the way."""

from __future__ import annotations

import re

import pytest

from config.wording import LANGUAGES
from edge.panel.catalogues import CATALOGUES, messages, updated
from edge.panel.i18n import Speaker, choose
from edge.panel.labels import LABELS
from edge.register.errors import Said

_PLACES = re.compile(r"%\((\w+)\)[dsg]")


def test_every_message_of_the_panel_and_the_register_has_a_chinese_one() -> None:
    catalogue = updated(CATALOGUES / "zh.po")
    assert [message.id for message in catalogue if message.id and not message.string] == []


def test_the_catalogue_holds_nothing_that_nobody_says() -> None:
    said = {message for message, _ in messages()}
    text = (CATALOGUES / "zh.po").read_text()
    assert text.count("\nmsgid ") + text.startswith("msgid") == len(said)


def test_a_translation_has_the_places_of_its_original() -> None:
    for message in updated(CATALOGUES / "zh.po"):
        if message.id:
            original, translated = str(message.id), str(message.string)
            assert sorted(_PLACES.findall(original)) == sorted(_PLACES.findall(translated)), original


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_value_of_the_register_has_a_name(lang: str) -> None:
    speaker = Speaker("zh" if lang == "zh" else "en")
    for group in LABELS.values():
        for message in group.values():
            assert speaker.text(message)


def test_a_refusal_is_said_in_the_readers_language() -> None:
    said = Said("%(stay)s is not inside the zone.", {"stay": "nz01-20261123-001"})
    assert Speaker("zh").say(said) == "nz01-20261123-001 不在区内。"
    assert Speaker("en").say(said) == "nz01-20261123-001 is not inside the zone."


@pytest.mark.parametrize(
    ("asked", "chosen"), [("zh-CN", "zh"), ("en-GB,en;q=0.9", "en"), ("de", None), ("", None), (None, None)]
)
def test_a_language_is_chosen_by_its_first_letters(asked: str | None, chosen: str | None) -> None:
    assert choose(asked) == chosen

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from jinja2.ext import babel_extract

from central.web.texts import LOCALE_DIR, catalogue, choose
from central.web.words import ALL
from config.wording import rules

TEMPLATES = LOCALE_DIR.parent / "templates"
BAD = "nz01-20261123-002"


def said_in(template: Path) -> set[str]:
    found = babel_extract(io.BytesIO(template.read_bytes()), ("_",), [], {})
    texts = (text[0] if isinstance(text, tuple) else text for _, _, text, _ in found)
    return {text for text in texts if text}


def test_every_text_of_every_template_has_its_chinese() -> None:
    templates = [file for file in TEMPLATES.iterdir() if file.is_file()]
    said = {text for template in templates for text in said_in(template)} | set(ALL)
    assert len(said) > 100
    assert said - set(catalogue("zh")) == set()


def test_the_catalogue_has_no_text_that_nobody_says() -> None:
    said = {text for template in TEMPLATES.iterdir() for text in said_in(template)} | set(ALL)
    assert set(catalogue("zh")) - said == set()


def test_chinese_comes_first_and_an_unknown_language_is_chinese() -> None:
    assert choose(None) == "zh"
    assert choose("fr", None) == "zh"
    assert choose(None, "en") == "en"


def test_a_language_once_chosen_stays_chosen(web: TestClient) -> None:
    assert "督察总台" in web.get("/").text
    assert "Headquarters" in web.get("/?lang=en").text
    assert "Headquarters" in web.get("/").text
    assert "督察总台" in web.get("/?lang=zh").text


@pytest.mark.parametrize("path", ["/", "/zones/nz01", "/stays", f"/stays/{BAD}", "/findings", "/evidence"])
def test_english_pages_have_no_chinese_but_names(told: Any, web: TestClient, names: list[str], path: str) -> None:
    page = web.get(path, params={"lang": "en"}).text
    for name in (*names, "中文"):
        page = page.replace(name, "")
    assert re.findall(r"[\u4e00-\u9fff]+", page) == []


def test_every_rule_can_be_chosen_by_its_title(told: Any, web: TestClient) -> None:
    page = web.get("/findings").text
    assert all(f'value="{rule}"' in page for rule in rules())

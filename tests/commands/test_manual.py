"""Every command of ``fourmusts`` is in the manual, which names no other and is whole in Chinese and English."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from fourmusts import main

ROOT = Path(__file__).parents[2]
ENGLISH = [ROOT / "README.md", *sorted((ROOT / "docs" / "en").glob("*.md"))]
ALL = [*ENGLISH, ROOT / "README.zh-CN.md", *sorted((ROOT / "docs" / "zh").glob("*.md"))]
# As a person types it: in a line of code, or between backticks.
TYPED = re.compile(r"(?:^    |`)(?:sudo -u \S+ )?(?:\S*/)?fourmusts ([a-z].*?)(?:`|  #|$)", re.MULTILINE)


def _commands(group: click.Group, before: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        yield (*before, name), command
        if isinstance(command, click.Group):
            yield from _commands(command, (*before, name))


COMMANDS = dict(_commands(main))
TYPED_LINES = [(file, line) for file in ALL for line in TYPED.findall(file.read_text())]


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_every_command_explains_itself_and_is_in_the_manual(words: tuple[str, ...]) -> None:
    shown = CliRunner().invoke(main, [*words, "--help"])
    assert shown.exit_code == 0 and COMMANDS[words].help
    name = " ".join(("fourmusts", *words))
    assert any(re.search(rf"{name}\b", file.read_text()) for file in ENGLISH), (
        f"{name} is in no page of the manual"
    )


def test_the_manual_names_no_command_and_no_option_that_is_not_there() -> None:
    assert len(TYPED_LINES) > 50
    for file, line in TYPED_LINES:
        words = line.split()
        known = next((tuple(words[:count]) for count in (3, 2, 1) if tuple(words[:count]) in COMMANDS), None)
        assert known is not None, f"{file.name}: there is no command in: fourmusts {line}"
        options = {option for one in COMMANDS[known].params for option in one.opts} | {"--help"}
        unknown = {word for word in words if re.fullmatch(r"--[a-z-]+", word)} - options
        assert not unknown, f"{file.name}: fourmusts {line}: there is no {unknown}"


def _anchors(page: str) -> set[str]:
    """The headings of a page as GitHub names them in an address."""
    headings = re.findall(r"^#+ (.*)", page, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading).lower().replace(" ", "-") for heading in headings}


def test_every_page_of_the_manual_is_there_in_chinese_and_in_english() -> None:
    english, chinese = ({file.name for file in (ROOT / "docs" / name).glob("*.md")} for name in ("en", "zh"))
    assert english and english == chinese


@pytest.mark.parametrize("file", ALL, ids=lambda file: str(file.relative_to(ROOT)))
def test_every_link_of_the_manual_leads_somewhere(file: Path) -> None:
    links = [link for link in re.findall(r"\]\(([^)]+)\)", file.read_text()) if not link.startswith("http")]
    assert links
    for link in links:
        path, _, anchor = link.partition("#")
        target = file.parent / path if path else file
        assert target.exists(), f"{link}: there is no {target}"
        assert not anchor or anchor in _anchors(target.read_text()), f"{link}: no such heading"

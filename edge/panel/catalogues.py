"""Keeps ``translations/zh.po`` complete: ``python -m edge.panel.catalogues`` adds the new, drops the gone.

There is nothing to compile: the panel reads the ``.po`` file itself (see ``i18n``).
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

from .i18n import CATALOGUES

PACKAGE = Path(__file__).parent
METHODS = [("**.py", "python"), ("**.html", "jinja2.ext.babel_extract"), ("**.svg", "jinja2.ext.babel_extract")]
KEYWORDS = {"_": None, "_m": None, "_say": None, "Said": None, "text": None, "_obstacle": (2,)}
OPTIONS = {"**.html": {"trim_blocks": "true"}, "**.svg": {"trim_blocks": "true"}}
SOURCES = (PACKAGE, PACKAGE.parent / "register")


def messages() -> Iterator[tuple[str, str]]:
    """(message id, file it is in) of everything that the panel and the register say."""
    for source in SOURCES:
        for found in extract_from_dir(source, METHODS, OPTIONS, KEYWORDS):
            message = found[2][0] if isinstance(found[2], tuple) else found[2]
            if message:
                yield message, f"{source.name}/{found[0]}"


def updated(file: Path) -> Catalog:
    """The catalogue in the file with exactly the messages that the sources hold."""
    if file.exists():
        with file.open("rb") as opened:
            catalogue = read_po(opened, locale="zh_CN")
    else:
        catalogue = Catalog(locale="zh_CN")
    template = Catalog(project="fourmusts", charset="utf-8")
    for message, where in messages():
        template.add(message, locations=[(where, 0)])
    catalogue.update(template, no_fuzzy_matching=True)
    catalogue.obsolete.clear()
    return catalogue


def main() -> int:
    """Update the file; say what still has no translation. Status 1 if there is any."""
    file = CATALOGUES / "zh.po"
    catalogue = updated(file)
    with file.open("wb") as opened:
        write_po(opened, catalogue, sort_output=True, no_location=True, omit_header=True, width=0)
    missing = [message.id for message in catalogue if message.id and not message.string]
    for message in missing:
        sys.stdout.write(f"not translated: {message}\n")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())

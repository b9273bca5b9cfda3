"""What pages say of a zone's lines in words and pictures: the wording and the drawing that the zone uses too."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
from markupsafe import Markup

from config.drawing import draw
from config.explaining import Explanation, explain
from config.telling import TOLD, tell
from config.wording import Names
from custody.events import parse_line

from ..store.queries import Row
from .office import Office
from .texts import Texts

SAID_CHARS = 160


def drawing(office: Office, stay: Mapping[str, Any], texts: Texts) -> Markup | None:
    """The stay as lanes, its gaps linked to their findings; ``None`` while nothing of it is judged.

    ``stay``: as ``stay_view`` shows it, for the verdicts to be the same as beside the drawing.
    """
    lanes = office.lanes(stay["zone"], stay["stay"])
    if lanes is None:
        return None
    drawn = draw(
        lanes,
        texts.lang,
        names=office.views.names(stay["zone"]),
        utc_offset_s=texts.utc_offset_s,
        links=lambda finding: f"/findings/{finding.id}",
        verdicts=stay["verdicts"],
        listed=False,
    )
    return Markup(drawn)


def explanation(office: Office, finding: Row, lines: Mapping[str, Row], texts: Texts) -> Explanation:
    """The finding in words; ``lines``: the events it rests on, by id."""
    return explain(
        orjson.loads(finding["json"]),
        office.policy,
        [parse_line(bytes(line["line"])) for line in lines.values()],
        texts.lang,
        names=office.views.names(finding["zone"]),
        utc_offset_s=texts.utc_offset_s,
    )


def said(line: bytes, names: Names, texts: Texts) -> str:
    """An event in words; the data of one that has none, in a line for a table."""
    event = parse_line(bytes(line))
    if event.type in TOLD:
        return tell(event, texts.lang, names=names, utc_offset_s=texts.utc_offset_s)
    fields = {name: value for name, value in event.data.items() if name != "stay"}
    text = " · ".join(f"{name} {_value(value)}" for name, value in fields.items() if value not in (None, [], ""))
    return text if len(text) <= SAID_CHARS else text[: SAID_CHARS - 1] + "…"


def _value(value: Any) -> str:
    if isinstance(value, dict):
        return str(value.get("id") or value.get("kind") or orjson.dumps(value).decode())
    if isinstance(value, list):
        return ", ".join(_value(one) for one in value)
    if isinstance(value, float):
        return f"{value:g}"
    return str(value)

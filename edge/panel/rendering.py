"""From data to HTML, in the reader's language; whole pages, and the fragments that are replaced live."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from config.drawing import draw
from config.wording import must_title, sentence, title, verdict
from custody.events import to_datetime
from custody.lanes import StayLanes

from .desk import Desk
from .i18n import Speaker
from .labels import LABELS, label
from .view.board import Board
from .view.entries import Narrator
from .view.people import Person, person

FRAGMENTS: Mapping[str, tuple[str, ...]] = {
    "home": ("bar", "people", "attention"),
    "monitor": ("bar", "rooms", "attention", "outside", "findings", "doors", "parts"),
    "terminal": ("bar", "head"),
    "guards": ("bar", "guards"),
    "stay": ("bar", "record"),
    "form": ("bar",),
}
"""Which fragments each kind of page replaces while it is open."""


class Renderer:
    """Renders for one desk; safe to share between threads."""

    def __init__(self, desk: Desk, lanes: Callable[[str], StayLanes | None]) -> None:
        self._desk = desk
        self._lanes = lanes
        self._environment = Environment(
            loader=PackageLoader("edge.panel"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        self._environment.globals.update(desk=desk, settings=desk.settings, LABELS=LABELS)

    def page(self, template: str, speaker: Speaker, **context: Any) -> str:
        return self._render(template, speaker, context)

    def fragments(self, kind: str, speaker: Speaker, board: Board, stay: str | None) -> dict[str, str]:
        """The live parts of a page of that kind, by name."""
        context: dict[str, Any] = {"board": board, "stay_id": stay}
        if kind in ("terminal", "stay"):
            assert stay is not None
            context.update(self.of_stay(stay, speaker, board))
        return {name: self._render(f"live/{name}.html", speaker, context).strip() for name in FRAGMENTS[kind]}

    def of_stay(self, id_: str, speaker: Speaker, board: Board) -> dict[str, Any]:
        """What the pages of one stay show; ``KeyError`` when there is none of that number."""
        desk = self._desk
        with desk.book.lock:
            stay = desk.book.register.stays[id_]
            shown: Person = person(desk, stay, board.now)
        findings = sorted((f for f in desk.judged.findings if f["stay"] == id_), key=lambda f: f["start"])
        return {
            "person": shown,
            "findings": findings,
            "drawing": lambda: self._drawing(id_, speaker),
            "entries": Narrator(desk, speaker).entries(id_),
        }

    def _drawing(self, stay: str, speaker: Speaker) -> Markup | None:
        """The stay as lanes; what it is made of stands beside it on the page, so the findings are not listed."""
        lanes = self._lanes(stay)
        if lanes is None:
            return None
        desk = self._desk
        return Markup(
            draw(lanes, speaker.lang, names=desk.names, utc_offset_s=desk.now().utc_offset_s, listed=False)
        )

    def _render(self, template: str, speaker: Speaker, context: Mapping[str, Any]) -> str:
        lang, desk = speaker.lang, self._desk
        offset_s = desk.now().utc_offset_s

        def local(moment_us: int, form: str = "%H:%M") -> str:
            return (to_datetime(moment_us) + timedelta(seconds=offset_s)).strftime(form)

        def labelled(group: str, value: str) -> str:
            return speaker.text(label(group, value))

        def tell(finding: Mapping[str, Any]) -> str:
            return sentence(finding, lang, names=desk.names, utc_offset_s=offset_s)

        helpers: dict[str, Any] = {
            "_": speaker.text,
            "say": speaker.say,
            "L": labelled,
            "lang": lang,
            "local": local,
            "tell": tell,
            "rule_title": lambda rule: title(rule, lang),
            "must_title": lambda must, short=False: must_title(must, lang, short=short),
            "verdict": lambda name: verdict(name, lang),
            "icon": icon,
            "utc_offset_s": offset_s,
        }
        return self._environment.get_template(template).render({**helpers, **context})


def icon(name: str, extra: str = "") -> Markup:
    """An icon of ``static/icons.svg``; it says nothing to a screen reader, the text beside it does."""
    classes = f"icon {extra}".strip()
    return Markup(
        '<svg class="{}" aria-hidden="true" focusable="false"><use href="/static/icons.svg#{}"></use></svg>'
    ).format(classes, name)

"""A sheet of SVG: elements written as text, nothing of it a script or a style sheet.

Colours are told by attributes of the elements, so that a page which forbids inline styles shows them. Every fill
that means something has a pattern too: it reads without colour.
"""

from __future__ import annotations

from html import escape

INK = "#16212e"
SOFT = "#5b6877"
LINE = "#d5dce4"
PAPER = "#ffffff"
FONT = "'Noto Sans CJK SC','Noto Sans SC','Source Han Sans SC','Microsoft YaHei',sans-serif"

SOLID = {"inside": "#9dc0e4", "proven": "#9dc0e4", "measure": "#9dc0e4"}
STROKE = {
    "serious": "#5f0f00",
    "breach": "#a33c00",
    "review": "#8a6100",
    "unproven": "#4a4a4a",
    "short": "#7b8794",
    "out": "#5e83a8",
    "auxiliary": "#5e83a8",
    "search": "#4d7d66",
}
PATTERNS = """\
<pattern id="fm-serious" width="7" height="7" patternUnits="userSpaceOnUse"><rect width="7" height="7" \
fill="#b3261e"/><path d="M0 0L7 7M7 0L0 7" stroke="#2b0500" stroke-width="1.5"/></pattern>
<pattern id="fm-breach" width="7" height="7" patternUnits="userSpaceOnUse"><rect width="7" height="7" \
fill="#d95f02"/><path d="M-1 8L8 -1M-1 1L1 -1M6 8L8 6" stroke="#5c2100" stroke-width="1.6"/></pattern>
<pattern id="fm-review" width="8" height="8" patternUnits="userSpaceOnUse"><rect width="8" height="8" \
fill="#ffd54a"/><path d="M-1 -1L9 9M-1 7L1 9M7 -1L9 1" stroke="#6b4e00" stroke-width="1.1"/></pattern>
<pattern id="fm-unproven" width="6" height="6" patternUnits="userSpaceOnUse"><rect width="6" height="6" \
fill="#ffffff"/><circle cx="1.5" cy="1.5" r="1.1" fill="#4a4a4a"/><circle cx="4.5" cy="4.5" r="1.1" \
fill="#4a4a4a"/></pattern>
<pattern id="fm-auxiliary" width="6" height="6" patternUnits="userSpaceOnUse"><rect width="6" height="6" \
fill="#dcebf8"/><path d="M0 1.5H6M0 4.5H6" stroke="#5e83a8" stroke-width="1"/></pattern>
<pattern id="fm-out" width="8" height="8" patternUnits="userSpaceOnUse"><rect width="8" height="8" \
fill="#ffffff"/><path d="M2 0V8" stroke="#5e83a8" stroke-width="1"/></pattern>
<pattern id="fm-search" width="5" height="5" patternUnits="userSpaceOnUse"><rect width="5" height="5" \
fill="#e3f0e8"/><path d="M2.5 0V5" stroke="#4d7d66" stroke-width="1.2"/></pattern>
"""


def fill_of(kind: str) -> tuple[str, str]:
    """(fill, stroke) of a kind of time."""
    if kind in SOLID:
        return SOLID[kind], "none"
    if kind in ("short", "way_in"):
        return PAPER, STROKE["short"]
    return f"url(#fm-{kind})", STROKE[kind]


class Sheet:
    """Elements from top to bottom; ``y`` is where the next thing goes."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self.y = 0.0

    def add(self, element: str) -> None:
        self._parts.append(element)

    def text(
        self, x: float, y: float, text: str, *, size: float = 13, fill: str = INK, bold: bool = False,
        anchor: str = "start",
    ) -> None:  # fmt: skip
        """A line of text on its base line; it has a rim of paper, so that lines may pass under it."""
        weight = ' font-weight="700"' if bold else ""
        aligned = "" if anchor == "start" else f' text-anchor="{anchor}"'
        self.add(
            f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size:g}" fill="{fill}"{weight}{aligned} '
            f'paint-order="stroke" stroke="{PAPER}" stroke-width="3" stroke-linejoin="round">{escape(text)}</text>'
        )

    def bar(
        self, x: float, y: float, width: float, height: float, kind: str, title: str = "", href: str | None = None
    ) -> None:
        """A rectangle of a kind of time; its title is shown when it is pointed at, and read out."""
        fill, stroke = fill_of(kind)
        dashed = ' stroke-dasharray="3 2"' if kind in ("short", "way_in") else ""
        rim = "" if stroke == "none" else f' stroke="{stroke}" stroke-width="1"{dashed}'
        rect = f'<rect x="{x:.2f}" y="{y:.1f}" width="{width:.2f}" height="{height:g}" fill="{fill}"{rim}'
        self._linked(f"{rect}><title>{escape(title)}</title></rect>" if title else f"{rect}/>", href)

    def mark(self, x: float, y: float, kind: str, title: str, href: str | None = None) -> None:
        """A triangle that points at a moment."""
        fill, stroke = fill_of(kind)
        self._linked(
            f'<path d="M{x:.1f} {y:.1f}l6 10h-12z" fill="{fill}" stroke="{stroke}" stroke-width="1.4">'
            f"<title>{escape(title)}</title></path>",
            href,
        )

    def plain(self, x: float, y: float, width: float, height: float, fill: str, title: str = "") -> None:
        inner = f"<title>{escape(title)}</title></rect>" if title else ""
        rect = f'<rect x="{x:.2f}" y="{y:.1f}" width="{width:.2f}" height="{height:g}" fill="{fill}"'
        self.add(f"{rect}>{inner}" if inner else f"{rect}/>")

    def line(self, x1: float, y1: float, x2: float, y2: float, stroke: str = LINE, more: str = "") -> None:
        self.add(f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{stroke}"{more}/>')

    def path(self, d: str, stroke: str, width: float = 2.4) -> None:
        self.add(f'<path d="{d}" fill="none" stroke="{stroke}" stroke-width="{width:g}" stroke-linecap="round"/>')

    def insert(self, at: int, element: str) -> None:
        """Put an element under those that came later."""
        self._parts.insert(at, element)

    @property
    def size(self) -> int:
        return len(self._parts)

    def _linked(self, element: str, href: str | None) -> None:
        self.add(element if href is None else f'<a href="{escape(href)}">{element}</a>')

    def whole(self, width: float, height: float, title: str, desc: str, lang: str, *, linked: bool) -> str:
        """The drawing as one ``<svg>``."""
        role, drawn = "group" if linked else "img", "\n".join(self._parts)
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" class="lanes" width="{width:g}" height="{height:g}" '
            f'viewBox="0 0 {width:g} {height:g}" role="{role}" aria-labelledby="fm-title fm-desc" '
            f'lang="{lang}" font-family="{FONT}">\n'
            f'<title id="fm-title">{escape(title)}</title>\n<desc id="fm-desc">{escape(desc)}</desc>\n'
            f"<defs>\n{PATTERNS}</defs>\n"
            f'<rect width="{width:g}" height="{height:g}" fill="{PAPER}"/>\n{drawn}\n</svg>\n'
        )

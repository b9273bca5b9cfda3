"""Draws a stay: one lane for each must, what was required above what is proven, gaps with their lengths.

It is drawn on the server as one SVG, the same at the zone, at headquarters and in a file. A gap has a pattern and
a text beside its colour, so that it reads in black and white and without telling colours apart.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from config.telling import local_time, word
from config.wording import Language, Names, duration, must_title, spaced, title, verdict
from custody.findings import Finding
from custody.lanes import Lane, Piece, Run, Shows, StayLanes, Track

from .axis import Axis
from .foot import kind_of, legend, number, sentences
from .measure import Label, Placed, place, text_width
from .svg import INK, LINE, SOFT, STROKE, Sheet
from .words import say

WIDTH = 1200.0
LEFT = 204.0
"""Where the axis begins: left of it stand the names."""
RIGHT = WIDTH - 20.0
SMALL = 12.0
LABEL_SIZE = 12.5
ROW = 17.0
"""Height of a row of labels."""
REQUIRED_H, PROVEN_H, ACT_H = 6.0, 20.0, 9.0
LEAST = 4.0
"""Least width of a gap, of a bar."""
ROWS_MOST, STRIP_ROWS_MOST = 4, 3

Links = Callable[[Finding], str | None]


def draw(
    lanes: StayLanes,
    lang: Language,
    *,
    names: Names | None = None,
    utc_offset_s: int | None = None,
    links: Links | None = None,
    verdicts: Mapping[int, str] | None = None,
    listed: bool = True,
) -> str:
    """The stay as an SVG of its own.

    ``names`` names rooms; ``utc_offset_s`` is that of the arrival if not given. ``links`` gives the address of a
    finding, ``verdicts`` what headquarters knows better than the judge (excused, unknown). ``listed``: each
    finding as a sentence below the lanes, for a drawing that stands alone.
    """
    offset_s = lanes.utc_offset_s if utc_offset_s is None else utc_offset_s
    return _Drawing(lanes, lang, names or str, offset_s, links, verdicts or {}).whole(listed=listed)


class _Drawing:
    def __init__(
        self,
        lanes: StayLanes,
        lang: Language,
        names: Names,
        offset_s: int,
        links: Links | None,
        verdicts: Mapping[int, str],
    ) -> None:
        self._lanes = lanes
        self._lang: Language = lang
        self._names = names
        self._offset_s = offset_s
        self._links = links
        self._verdicts = {lane.must: verdicts.get(lane.must, lane.verdict) for lane in lanes.lanes}
        self._axis = Axis(lanes.start_us, lanes.end_us, LEFT, RIGHT, offset_s)
        self._sheet = Sheet()
        self._numbers = {one.id: number(count) for count, one in enumerate(lanes.findings, 1)}
        self._used: set[str] = set()

    def whole(self, *, listed: bool) -> str:
        self._heading()
        self._sheet.y = 64
        axis_at = self._sheet.size
        self._where()
        self._what()
        for lane in self._lanes.lanes:
            self._lane(lane)
        bottom = self._sheet.y
        self._ticks(axis_at, bottom)
        legend(self._sheet, self._lang)
        if listed:
            sentences(self._sheet, self._lanes.findings, self._lang, self._names, self._offset_s)
        return self._sheet.whole(
            WIDTH, self._sheet.y + 10, f"{say('title', self._lang)} {self._lanes.stay}", self._desc(),
            "zh-CN" if self._lang == "zh" else "en", linked=self._links is not None,
        )  # fmt: skip

    # -- words

    def _time(self, us: int, form: str = "%m-%d %H:%M:%S") -> str:
        return local_time(us, self._offset_s, form)

    def _span_text(self, start_us: int, end_us: int) -> str:
        start, end = self._time(start_us), self._time(end_us)
        return f"{start}–{end[6:] if start[:5] == end[:5] else end}"

    def _end_text(self, form: str) -> str:
        when = self._time(self._lanes.end_us, form)
        return say("known_to", self._lang, when=when) if self._lanes.lasts else when

    def _desc(self) -> str:
        verdicts = ("，" if self._lang == "zh" else ", ").join(
            f"{must_title(lane.must, self._lang, short=True)}: {verdict(self._verdicts[lane.must], self._lang)}"
            for lane in self._lanes.lanes
        )
        return say(
            "desc", self._lang, who=self._lanes.stay, start=self._time(self._lanes.start_us),
            end=self._time(self._lanes.end_us), verdicts=verdicts,
        )  # fmt: skip

    def _heading(self) -> None:
        hours = self._offset_s / 3600
        self._sheet.text(14, 26, f"{say('title', self._lang)}  {self._lanes.stay}", size=18, bold=True)
        start = self._time(self._lanes.start_us, "%Y-%m-%d %H:%M")
        text = f"{start} – {self._end_text('%Y-%m-%d %H:%M')} (UTC{hours:+g})"
        self._sheet.text(RIGHT, 26, text, size=13, fill=SOFT, anchor="end")

    def _ticks(self, at: int, bottom: float) -> None:
        form = "%H:%M:%S" if self._axis.step_below_a_minute else "%H:%M"
        for x, moment, day in self._axis.ticks():
            stroke = ' stroke-width="1.5"' if day else ""
            line = f'<line x1="{x:.1f}" y1="56" x2="{x:.1f}" y2="{bottom:.1f}" stroke="{LINE}"{stroke}/>'
            self._sheet.insert(at, line)
            text = self._time(moment, "%m-%d") if day else self._time(moment, form)
            half = text_width(text, SMALL) / 2
            if LEFT + half <= x + 1 <= RIGHT + 20 - half + 1:
                self._sheet.text(x, 52, text, size=SMALL, fill=INK if day else SOFT, bold=day, anchor="middle")

    # -- the strips above the lanes

    def _where(self) -> None:
        y = self._sheet.y
        self._name(say("where", self._lang), y + 15)
        below = []
        for index, piece in enumerate(self._lanes.places):
            x, width = self._axis.span(piece.start_us, piece.end_us, 1.0)
            text = self._place_name(piece)
            told = f"{text} {self._span_text(piece.start_us, piece.end_us)}"
            if piece.shows is Shows.INSIDE:
                self._sheet.plain(x, y, width, 22, "#e9eef4" if index % 2 else "#dbe3ec", told)
            else:
                self._sheet.bar(x, y, width, 22, "short", told)
            self._sheet.line(x, y, x, y + 22, "#8d9aa8")
            if text_width(text, SMALL) + 8 <= width:
                self._sheet.text(x + 5, y + 15.5, text, size=SMALL)
            else:
                length_min = (piece.end_us - piece.start_us) // 60_000_000
                below.append(Label(x + width / 2, (text,), min(9, length_min)))
        rows = self._labels(below, y + 22, y + 22, SOFT, rows=STRIP_ROWS_MOST)
        self._sheet.y = y + 22 + rows * ROW + 6

    def _place_name(self, piece: Piece) -> str:
        if piece.shows is Shows.INSIDE:
            return self._names(piece.what)
        return say("way_in" if piece.shows is Shows.WAY_IN else "out", self._lang)

    def _what(self) -> None:
        if not self._lanes.acts:
            return
        y = self._sheet.y
        self._name(say("what", self._lang), y + 10)
        labels = []
        for piece in self._lanes.acts:
            x, width = self._axis.span(piece.start_us, piece.end_us, LEAST)
            text = self._act_name(piece)
            told = f"{text} {self._span_text(piece.start_us, piece.end_us)}"
            self._sheet.plain(x, y, width, ACT_H, "#52677d", told)
            weight = 1 + min(8, (piece.end_us - piece.start_us) // 60_000_000)
            length = self._long(piece.end_us - piece.start_us)
            texts = (text,) if piece.end_us == piece.start_us else (spaced(f"{text} {length}"), text)
            labels.append(Label(x + width / 2, texts, weight))
        rows = self._labels(labels, y + ACT_H, y + ACT_H, SOFT, rows=STRIP_ROWS_MOST)
        self._sheet.y = y + ACT_H + rows * ROW + 6

    def _act_name(self, piece: Piece) -> str:
        if piece.shows is Shows.ACTIVITY:
            return word(piece.what, self._lang)
        return say("searching" if piece.shows is Shows.SEARCH else "collection", self._lang)

    # -- lanes

    def _lane(self, lane: Lane) -> None:
        top = self._sheet.y + 5
        self._sheet.line(14, top, RIGHT, top, "#aeb9c5")
        self._sheet.y = top + 8
        self._verdict(lane, self._sheet.y)
        if not any(track.required for track in lane.tracks):
            key = "not_required" if not lane.tracks else "never"
            self._sheet.text(LEFT, self._sheet.y + 20, say(key, self._lang), size=SMALL, fill=SOFT)
            self._sheet.y += 30
        else:
            for track in lane.tracks:
                self._track(track)
        self._others(lane)
        self._sheet.y = max(self._sheet.y, top + 52)

    def _verdict(self, lane: Lane, y: float) -> None:
        name = must_title(lane.must, self._lang, short=True)
        text = f"{lane.must} {name}" if lane.must else name
        reached = self._verdicts[lane.must]
        self._sheet.text(14, y + 15, text, size=15, bold=True)
        stroke = {"breached": STROKE["breach"], "kept": "#1f6b45"}.get(reached, SOFT)
        if reached == "breached":
            self._sheet.path(f"M16 {y + 25:.1f}l9 9m0 -9l-9 9", stroke)
        elif reached in ("kept", "excused"):
            self._sheet.path(f"M15 {y + 30:.1f}l4 4l7 -9", stroke)
        else:
            self._sheet.text(18, y + 35, "…" if reached == "pending" else "?", size=15, fill=SOFT, bold=True)
        self._sheet.text(32, y + 35, verdict(reached, self._lang), size=13, fill=stroke, bold=True)

    def _track(self, track: Track) -> None:
        y = self._sheet.y
        self._sheet.text(LEFT - 8, y + 7, say("required", self._lang), size=10.5, fill=SOFT, anchor="end")
        self._sheet.text(LEFT - 8, y + 23, say(track.name, self._lang), size=10.5, fill=SOFT, anchor="end")
        for piece in track.required:
            x, width = self._axis.span(piece.start_us, piece.end_us, 1.0)
            told = f"{say('required', self._lang)} {self._span_text(piece.start_us, piece.end_us)}"
            self._sheet.plain(x, y + 1, width, REQUIRED_H, "#33475b", self._measure(piece, told))
        strip = y + REQUIRED_H + 4
        for piece in track.proven:
            self._proven(piece, strip)
        labels = [self._run(run, strip) for run in track.runs]
        if track.name == "clock":
            labels += self._limits(track, strip)
        rows = self._labels([one for one in labels if one], strip + PROVEN_H, strip + PROVEN_H + 2, INK)
        self._sheet.y = strip + PROVEN_H + 2 + rows * ROW + 6

    def _measure(self, piece: Piece, told: str) -> str:
        if piece.shows is not Shows.MEASURE:
            return told
        hours = "" if piece.hours is None else f" {duration(piece.hours * 3600, self._lang)}"
        return f"{word(piece.what, self._lang)}{hours} {self._span_text(piece.start_us, piece.end_us)}"

    def _proven(self, piece: Piece, y: float) -> None:
        x, width = self._axis.span(piece.start_us, piece.end_us, 1.0)
        name = {
            Shows.AUXILIARY: say("legend_auxiliary", self._lang),
            Shows.OUT: say("legend_out", self._lang),
            Shows.SEARCH: say("legend_search", self._lang),
        }.get(piece.shows, say("legend_proven", self._lang))
        self._sheet.bar(
            x, y, width, PROVEN_H, piece.shows.value, f"{name} {self._span_text(piece.start_us, piece.end_us)}"
        )

    def _run(self, run: Run, y: float) -> Label | None:
        """Draw a gap; its label says how long it is, and its number if something was found."""
        x, width = self._axis.span(run.start_us, run.end_us, LEAST)
        found = run.finding
        long = self._long(run.length_us)
        if found is not None and found.end_us is None:
            long = say("lasts", self._lang, long=long)
        kind = "short" if found is None else kind_of(found)
        if found is None and run.shows is Shows.UNKNOWN:
            kind = "unproven"
        href = self._links(found) if found is not None and self._links is not None else None
        name = verdict("unproven", self._lang) if kind == "unproven" else say(f"legend_{kind}", self._lang)
        what = name if found is None else f"{found.rule} {title(found.rule, self._lang)} · {name}"
        told = f"{what} · {long} · {self._span_text(run.start_us, run.end_us)}"
        self._sheet.bar(x, y, width, PROVEN_H, kind, told, href)
        centre = x + width / 2
        if found is None:
            return Label(centre, (long,), 0)
        self._used.add(found.id)
        sign = self._numbers[found.id]
        name = self._called(found, gap=True)
        texts = (f"{sign} {name} {long}", f"{sign} {long}", sign)
        return Label(centre, tuple(spaced(text) for text in texts), self._weight(found))

    def _limits(self, track: Track, y: float) -> list[Label]:
        """Each measure with its length, and where the limit in force is reached."""
        labels = []
        for piece in track.required:
            x, width = self._axis.span(piece.start_us, piece.end_us, 1.0)
            labels.append(Label(x + width / 2, (self._measure_name(piece),), 1))
        deadline = self._lanes.deadline_us
        if deadline is not None:
            x = self._axis.x(deadline)
            text = say("limit", self._lang, when=self._time(deadline, "%m-%d %H:%M"))
            if self._axis.holds(deadline):
                self._sheet.line(x, y - 12, x, y + PROVEN_H + 6, INK, ' stroke-width="2" stroke-dasharray="4 3"')
            else:
                text += " →"
                x = RIGHT - text_width(text, LABEL_SIZE) / 2
            labels.append(Label(x, (spaced(text) if self._lang == "zh" else text,), 3))
        return labels

    def _measure_name(self, piece: Piece) -> str:
        hours = "" if piece.hours is None else f" {duration(piece.hours * 3600, self._lang)}"
        return f"{word(piece.what, self._lang)}{hours}"

    def _others(self, lane: Lane) -> None:
        """What was found beside the gaps: bars and marks under the strips."""
        rows_end: list[float] = []
        labels = []
        top = self._sheet.y
        for found in lane.others:
            if found.id in self._used or not self._within(found):
                continue
            self._used.add(found.id)
            ended = self._lanes.end_us if found.end_us is None else found.end_us
            x, width = self._axis.span(found.start_us, ended, 12.0)
            row = next((at for at, end in enumerate(rows_end) if end + 2 <= x), len(rows_end))
            rows_end[row : row + 1] = [x + width]
            self._other(found, x, width, top + row * 13)
            long = "" if ended == found.start_us else f" {self._long(found.seconds_us)}"
            name, sign = self._called(found), self._numbers[found.id]
            texts = (f"{sign} {name}{long}", f"{sign} {name}", f"{sign}{long}", sign)
            labels.append(Label(x + width / 2, tuple(spaced(text) for text in texts), self._weight(found)))
        if labels:
            below = top + len(rows_end) * 13
            rows = self._labels(labels, below, below, INK)
            self._sheet.y = below + rows * ROW + 4

    def _other(self, found: Finding, x: float, width: float, y: float) -> None:
        href = self._links(found) if self._links is not None else None
        told = f"{found.rule} {title(found.rule, self._lang)} · {verdict(found.verdict.value, self._lang)}"
        if found.end_us == found.start_us:
            self._sheet.mark(self._axis.x(found.start_us), y, kind_of(found), told, href)
        else:
            self._sheet.bar(x, y + 1, width, 9, kind_of(found), told, href)

    def _within(self, found: Finding) -> bool:
        ended = self._lanes.end_us if found.end_us is None else found.end_us
        return found.start_us <= self._lanes.end_us and ended >= self._lanes.start_us

    # -- labels

    def _labels(self, labels: Sequence[Label], strip: float, y: float, fill: str, *, rows: int = ROWS_MOST) -> int:
        """Write labels in rows from ``y`` down; how many rows they took."""
        placed = place(labels, LEFT, RIGHT, size=LABEL_SIZE, rows=rows)
        for one in placed:
            self._leader(one, strip, y)
        for one in placed:
            self._sheet.text(
                one.x, y + one.row * ROW + 13, one.text, size=LABEL_SIZE, fill=fill, bold=one.label.weight >= 10
            )
        return 1 + max((one.row for one in placed), default=-1)

    def _leader(self, one: Placed, strip: float, y: float) -> None:
        """A thin line from what is meant to a label that does not stand right under it."""
        x = min(max(one.label.centre, one.x + 4), one.x + one.width - 4)
        if one.row or abs(x - one.label.centre) > 1:
            self._sheet.line(one.label.centre, strip, x, y + one.row * ROW + 3, "#6b7785", ' stroke-width="0.8"')

    def _called(self, found: Finding, *, gap: bool = False) -> str:
        """What a label calls a finding: what nothing proves is never called a breach."""
        name = title(found.rule, self._lang)
        if kind_of(found) != "unproven":
            return name
        unproven = verdict("unproven", self._lang)
        if gap:
            return unproven
        return f"{name}（{unproven}）" if self._lang == "zh" else f"{name} ({unproven.lower()})"

    def _weight(self, found: Finding) -> int:
        return 10 + {"serious": 3, "breach": 2, "review": 1}.get(kind_of(found), 0)

    def _long(self, length_us: int) -> str:
        return duration(length_us / 1e6, self._lang)

    def _name(self, text: str, y: float) -> None:
        self._sheet.text(14, y, text, size=13, fill=SOFT)

"""Must 2: searched first."""

from __future__ import annotations

from .findings import Findings, step
from .numbers import ENTRIES_TOGETHER, FOREVER, SEARCH_AT_LEAST, SEARCH_SOON
from .reading import Fact
from .stays import Stay
from .world import World


def judge_must2(world: World, out: Findings) -> None:
    for stay in world.stays:
        if not stay.suspect:
            continue
        m2_1(stay, out)
        for entry in stay.entries:
            m2_2(world, stay, entry, out)
        for finished, _ in stay.finished:
            m2_3(stay, finished, out)
            m2_4(stay, finished, out)
            m2_7(stay, finished, out)
        m2_5(stay, out)
        m2_6(stay, out)
        m2_8(stay, out)


def m2_1(stay: Stay, out: Findings) -> None:
    for activity in stay.activities:
        if activity.kind not in ("interview", "identification", "meeting") or not activity.was_inside:
            continue
        searched = any(
            finished.order < activity.fact.order and round_ == activity.round for finished, round_ in stay.finished
        )
        if not searched:
            following = stay.next_after(activity.fact, "search.finished")
            end = min(activity.end, following.t if following else FOREVER)
            out.add("M2.1", stay.id, "breach", activity.start, end)


def m2_2(world: World, stay: Stay, entry: Fact, out: Findings) -> None:
    round_ = stay.round_of[entry.id]
    begun = [s.fact for s in stay.searches if s.round == round_]
    begun += [f for f, r in stay.finished if r == round_ and not _begun_before(stay, f)]
    if any(f.order < entry.order for f in begun):
        return
    ends = [f for f in begun if f.order > entry.order]
    ends += [f for f in stay.of("stay.left", "stay.exited") if f.order > entry.order]
    end = min((f.t for f in ends), default=FOREVER)
    until = min(end, world.h)
    medical = [(a.start, min(a.end, until)) for a in stay.activities if a.kind == "medical"]
    waited = until - entry.t - union_within(medical, entry.t, until)
    together = [
        other for other in world.stays
        if other.suspect and any(abs(e.t - entry.t) <= ENTRIES_TOGETHER for e in other.entries)
    ]  # fmt: skip
    rooms = max(1, world.search_rooms(entry.t))
    times = -(-len(together) // rooms)
    grade = step(waited, tuple((limit * times, name) for limit, name in SEARCH_SOON))
    if grade:
        out.add("M2.2", stay.id, grade, entry.t, end, waited)


def _begun_before(stay: Stay, finished: Fact) -> bool:
    return any(s.id == finished.data["search"] and s.fact.order < finished.order for s in stay.searches)


def union_within(spans: list[tuple[int, int]], start: int, end: int) -> int:
    total, reached = 0, start
    for a, b in sorted(spans):
        a, b = max(a, reached), min(b, end)
        if b > a:
            total += b - a
            reached = b
    return total


def m2_3(stay: Stay, finished: Fact, out: Findings) -> None:
    able = {o["id"] for o in finished.data["officers"] if o["rank"] in ("police", "doctor")}
    if len(able) < 2:
        out.at("M2.3", stay.id, "breach" if finished.data["kind"] == "body" else "review", finished.t)


def m2_4(stay: Stay, finished: Fact, out: Findings) -> None:
    man = any(o["sex"] == "m" and o["rank"] != "doctor" for o in finished.data["officers"])
    if stay.sex == "f" and man:
        out.at("M2.4", stay.id, "breach", finished.t)


def m2_5(stay: Stay, out: Findings) -> None:
    if not stay.entries or stay.exempt:
        return
    interviews = [a.fact for a in stay.activities if a.kind == "interview" and a.was_inside]
    due = interviews[0] if interviews else stay.first("stay.exited")
    if due is None:
        return
    basic = [f for f in stay.of("collection.finished") if "basic" in f.data["items"]]
    if any(f.order < due.order for f in basic):
        return
    exits = [f for f in stay.of("stay.exited") if f.order >= due.order]
    out.add("M2.5", stay.id, "breach", due.t, min((f.t for f in basic + exits), default=None))


def m2_6(stay: Stay, out: Findings) -> None:
    taken: set[str] = set()
    for fact in stay.of("collection.finished"):
        items = set(fact.data["items"])
        needs_approval = items - {"basic", "phone"} and not fact.data.get("approval")
        if needs_approval or (items - {"basic"}) & taken:
            out.at("M2.6", stay.id, "breach", fact.t)
        taken |= items


def m2_7(stay: Stay, finished: Fact, out: Findings) -> None:
    data = finished.data
    if not data["signed"] or data.get("injuries") is None or data.get("belongings") is None:
        out.at("M2.7", stay.id, "review", finished.t)


def m2_8(stay: Stay, out: Findings) -> None:
    for search in stay.searches:
        if search.finished is not None and search.finished.t - search.start < SEARCH_AT_LEAST:
            out.add("M2.8", stay.id, "review", search.start, search.finished.t)

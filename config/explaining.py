"""A finding explained: title, sentence, numbers, law, and the events it rests on, in Chinese or English.

It is what a supervision order can quote: nothing in it needs to be looked up elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from custody.events import Event, parse_time
from custody.policy import Policy

from .citations import citations
from .limits import limits
from .telling import local_time, tell, word
from .wording import (
    CHINA_OFFSET_S,
    SEVERITIES,
    Language,
    Names,
    SaysItself,
    duration,
    must_title,
    sentence,
    spaced,
    title,
    verdict,
)

HEADS: Mapping[str, tuple[str, str]] = {
    "zone": ("办案区", "Zone"),
    "stay": ("人员编号", "Stay"),
    "verdict": ("认定", "Verdict"),
    "when": ("时间", "Time"),
    "long": ("时长", "Length"),
    "limits": ("标准", "Measured against"),
    "citations": ("依据", "Law"),
    "evidence": ("所依据的记录", "Rests on"),
    "nothing": ("没有记录：问题正在于缺少记录。", "No line: it is what is missing."),
    "absent": ("不在所给的记录中", "not among the lines given"),
    "line": ("台账 {ledger} 第 {sequence} 条", "ledger {ledger}, line {sequence}"),
    "id": ("编号", "Finding"),
}
VALUES: Mapping[str, tuple[str, str]] = {
    "activity": ("活动", "activity"),
    "after_s": ("更改晚于写入", "changed after"),
    "area": ("区域", "area"),
    "camera": ("摄像机", "camera"),
    "door": ("门", "door"),
    "high_risk": ("高风险人员", "high risk"),
    "incoming_absent": ("接班人未到位", "incoming guard absent"),
    "inside_s": ("在区时间", "time inside"),
    "limit_factor": ("标准倍数", "limits multiplied by"),
    "limit_hours": ("时限（小时）", "limit (hours)"),
    "limit_s": ("规定间隔", "interval"),
    "measure": ("措施", "measure"),
    "missing": ("缺少", "missing"),
    "off_s": ("偏差", "off by"),
    "officers": ("人员", "officers"),
    "other": ("同处人员", "together with"),
    "people": ("同时待检人数", "people to be searched"),
    "permit": ("批准编号", "permit"),
    "questioning": ("继续盘问", "continued questioning"),
    "reason": ("事由", "reason"),
    "repeated": ("重复采集", "taken twice"),
    "room": ("房间", "room"),
    "rooms": ("房间", "rooms"),
    "stays_differ": ("名单不符", "list differs"),
    "type": ("事件", "event"),
    "unapproved": ("未经批准", "not approved"),
    "uncertainty_s": ("核对误差", "uncertainty of the audit"),
}


@dataclass(frozen=True, slots=True)
class Evidence:
    """A line that the finding rests on; ``text`` says it in words. Without ``event``: it was not given."""

    id: str
    event: Event | None
    time: str
    text: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """Everything in words. ``severity`` is empty where the verdict says as much; ``citations`` one source each."""

    id: str
    zone: str
    stay: str | None
    rule: str
    title: str
    must: str
    verdict: str
    severity: str
    sentence: str
    when: str
    long: str
    limits: str
    values: tuple[tuple[str, str], ...]
    citations: tuple[str, ...]
    evidence: tuple[Evidence, ...]
    lang: Language

    def as_text(self) -> str:
        """Lines to be read or pasted, without a line feed at the end."""
        zh = self.lang == "zh"
        colon = "：" if zh else ": "
        must = f"（{self.must}）" if zh else f" ({self.must})"
        lines = [f"{self.rule} {self.title}{must}", "", self.sentence, ""]
        graded = f"{self.verdict}{'，' if zh else ', '}{self.severity}" if self.severity else self.verdict
        heads = (
            ("zone", self.zone), ("stay", self.stay), ("verdict", graded), ("when", self.when),
            ("long", self.long), ("limits", self.limits),
        )  # fmt: skip
        lines += [f"{self.head(name)}{colon}{text}" for name, text in heads if text]
        lines += [f"{name}{colon}{text}" for name, text in self.values]
        lines += ["", f"{self.head('citations')}{colon.rstrip()}", *(f"  {source}" for source in self.citations)]
        lines += ["", f"{self.head('evidence')}{colon.rstrip()}"]
        for one in self.evidence:
            lines += [f"  {one.time}  {one.text}", f"    {self.where(one)}"]
        if not self.evidence:
            lines.append(f"  {self.head('nothing')}")
        return "\n".join([*lines, "", f"{self.head('id')}{colon}{self.id}"])

    def head(self, name: str) -> str:
        return HEADS[name][0 if self.lang == "zh" else 1]

    def where(self, one: Evidence) -> str:
        """Type, place in the ledger and id of a line."""
        if one.event is None:
            return one.id
        place = self.head("line").format(ledger=one.event.ledger, sequence=one.event.sequence)
        return f"{one.event.type} · {place} · {one.id}"


def explain(
    finding: SaysItself | Mapping[str, Any],
    policy: Policy,
    events: Iterable[Event],
    lang: Language,
    *,
    names: Names | None = None,
    utc_offset_s: int = CHINA_OFFSET_S,
) -> Explanation:
    """A finding in words. ``events``: at least those that it rests on; ``names`` names rooms, doors and cameras.

    A rule that this policy does not know (a newer judge's) has neither limits nor citations.
    """
    fields = finding if isinstance(finding, Mapping) else finding.to_dict()
    wanted = set(fields["evidence"])
    given = {event.id: event for event in events if event.id in wanted}
    values: Mapping[str, Any] = fields.get("values") or {}
    named = names or str
    try:
        cited = _cited(fields["rule"], policy, values, lang)
        measured = limits(fields["rule"], policy, values, lang)
    except KeyError:
        cited, measured = [], ""
    severity = SEVERITIES[fields["severity"]][lang] if fields["severity"] == "serious" else ""
    return Explanation(
        id=fields["id"],
        zone=fields["zone"],
        stay=fields["stay"],
        rule=fields["rule"],
        title=title(fields["rule"], lang),
        must=must_title(fields["must"], lang),
        verdict=verdict(fields["verdict"], lang),
        severity=severity,
        sentence=sentence(fields, lang, names=names, utc_offset_s=utc_offset_s),
        when=_when(fields, lang, utc_offset_s),
        long=duration(float(fields["seconds"]), lang) if fields["seconds"] else "",
        limits=spaced(measured) if lang == "zh" else measured,
        values=tuple(_told(name, value, lang, named) for name, value in values.items()),
        citations=tuple(cited),
        evidence=tuple(
            _evidence(id_, given.get(id_), lang, named, utc_offset_s)
            for id_ in sorted(fields["evidence"], key=lambda id_: _place(given.get(id_)))
        ),
        lang=lang,
    )


def _cited(rule: str, policy: Policy, values: Mapping[str, Any], lang: Language) -> list[str]:
    """The sources of the rule, and of the length of the measure if the finding is about one."""
    told = [policy.rule(rule).citation]
    if rule.startswith("T"):
        measure = (values.get("measure"), values.get("limit_hours"))
        told += [tier.citation for tier in policy.tiers if (tier.kind, tier.hours) == measure]
    return list(dict.fromkeys(source for citation in told for source in citations(citation, lang)))


def _place(event: Event | None) -> tuple[bool, int, int]:
    """Evidence is told in the order in which it happened, what was not given last."""
    return (True, 0, 0) if event is None else (False, event.time_us, event.sequence)


def _evidence(id_: str, event: Event | None, lang: Language, names: Names, utc_offset_s: int) -> Evidence:
    if event is None:
        return Evidence(id_, None, "", HEADS["absent"][0 if lang == "zh" else 1])
    said = tell(event, lang, names=names, utc_offset_s=utc_offset_s)
    return Evidence(id_, event, local_time(event.time_us, utc_offset_s), said)


def _when(fields: Mapping[str, Any], lang: Language, utc_offset_s: int) -> str:
    start = local_time(parse_time(fields["start"])[0], utc_offset_s)
    if fields["end"] is None:
        return f"自 {start} 起，仍在持续" if lang == "zh" else f"since {start}, lasting"
    end = local_time(parse_time(fields["end"])[0], utc_offset_s)
    if end == start:
        return start
    return f"{start} 至 {end}" if lang == "zh" else f"{start} to {end}"


def _told(name: str, value: Any, lang: Language, names: Names) -> tuple[str, str]:
    pair = VALUES.get(name, (name, name))
    called = pair[0] if lang == "zh" else pair[1][:1].upper() + pair[1][1:]
    return called, _value(name, value, lang, names)


def _value(name: str, value: Any, lang: Language, names: Names) -> str:
    if isinstance(value, bool):
        return ("是" if value else "否") if lang == "zh" else ("yes" if value else "no")
    if isinstance(value, list | tuple):
        return ("、" if lang == "zh" else ", ").join(_value(name, one, lang, names) for one in value)
    if isinstance(value, int | float):
        if name in ("uncertainty_s", "off_s"):
            return f"{value:g} {'秒' if lang == 'zh' else 's'}"
        return duration(value, lang) if name.endswith("_s") else f"{value:g}"
    if name in ("room", "rooms", "door", "camera"):
        return names(str(value))
    return str(value) if name == "permit" else word(str(value), lang)

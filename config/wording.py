"""What a finding says to a person, in Chinese and English: one title and one sentence a rule.

The same words are shown at the zone and at headquarters, so that both speak of one thing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal, Protocol

from custody.events import parse_time, to_datetime

Language = Literal["zh", "en"]
LANGUAGES: tuple[Language, ...] = ("zh", "en")
CHINA_OFFSET_S = 28_800
# Chinese type is set with a space between it and Latin letters or figures.
_BETWEEN_SCRIPTS = re.compile(r"(?<=[\u4e00-\u9fff])(?=[A-Za-z0-9])|(?<=[A-Za-z0-9])(?=[\u4e00-\u9fff])")


class SaysItself(Protocol):
    """A ``custody.findings.Finding``, or anything whose ``to_dict`` has the fields of rules.md."""

    def to_dict(self) -> dict[str, Any]: ...


Names = Callable[[str], str]
"""Turns the id of a room, a door, a camera or an officer into what people call it."""


@dataclass(frozen=True)
class Words:
    """One rule in one language. ``unproven`` is said when nothing is proven either way."""

    title: str
    sentence: str
    unproven: str = ""


MUSTS: Mapping[int, Mapping[Language, str]] = {
    0: {"zh": "法定时限", "en": "Legal time limits"},
    1: {"zh": "一律直接带入办案区", "en": "Straight into the zone"},
    2: {"zh": "一律先进行人身检查和信息采集", "en": "Searched first"},
    3: {"zh": "一律有人负责看管", "en": "Guarded"},
    4: {"zh": "一律有视频监控并记录", "en": "On camera, recorded"},
}
MUSTS_SHORT: Mapping[int, Mapping[Language, str]] = {
    0: {"zh": "时限", "en": "Time"},
    1: {"zh": "直接带入", "en": "Straight in"},
    2: {"zh": "先检查", "en": "Searched"},
    3: {"zh": "有人看管", "en": "Guarded"},
    4: {"zh": "监控记录", "en": "Recorded"},
}
VERDICTS: Mapping[str, Mapping[Language, str]] = {
    "breach": {"zh": "违反", "en": "Breach"},
    "breached": {"zh": "已违反", "en": "Breached"},
    "review": {"zh": "待核查", "en": "To review"},
    "unproven": {"zh": "无法证明", "en": "Unproven"},
    "pending": {"zh": "进行中", "en": "So far kept"},
    "kept": {"zh": "已遵守", "en": "Kept"},
    "excused": {"zh": "已核准免责", "en": "Excused"},
    "unknown": {"zh": "无法得知", "en": "Not known"},
}
SEVERITIES: Mapping[str, Mapping[Language, str]] = {
    "serious": {"zh": "严重", "en": "Serious"},
    "breach": {"zh": "违反", "en": "Breach"},
    "notice": {"zh": "提示", "en": "Notice"},
}

ZH: Mapping[str, Words] = {
    "M1.1": Words("未直接带入办案区", "{who}到案后{long}才进入办案区（{when}）。"),
    "M1.2": Words("有登记、门未开", "{who}登记于{start}由{door}进入，但该时段{door}没有开门记录。"),
    "M1.3": Words("有带入、无登记", "{when} {door}以“带入”开门，此后没有任何人员的进入登记。"),
    "M1.4": Words("补录过迟", "{who}于{start}发生的登记事项迟{long}才写入台账。"),
    "M1.5": Words("未经批准带出", "{who}，{when}被带出办案区，没有有效的审批。"),
    "M1.6": Words("逾期未归", "{who}外出后逾期{long}未带回（{when}）。"),
    "M1.7": Words("在办案区外讯（询）问", "{who}，{when}在办案区以外接受讯（询）问或辨认。"),
    "M1.8": Words("出区手续不全", "{who}，{start}出区登记缺少去向、签名或随身财物处理结果。"),
    "M1.9": Words("事后更改登记", "{who}的登记在写入{long}后被更改（{start}）。"),
    "M2.1": Words("未检查先讯（询）问", "{who}，{when}在人身检查完成之前即开始讯（询）问、辨认或会见。"),
    "M2.2": Words("进区后未及时检查", "{who}进区后{long}未开始人身检查（{when}）。"),
    "M2.3": Words("检查人员不足两人", "{who}，{start}的人身检查由不足两名民警（医生）进行。"),
    "M2.4": Words("女性由男性检查", "{who}为女性，{start}的人身检查由男性工作人员进行。"),
    "M2.5": Words("未采集基本信息", "{who}在首次讯（询）问或出区之前没有采集基本信息（{when}）。"),
    "M2.6": Words("采集未经批准或重复", "{who}，{start}的信息采集没有批准依据，或者重复采集。"),
    "M2.7": Words("检查记录不全", "{who}，{start}的人身检查缺少签名、伤情或随身财物记录。"),
    "M2.8": Words("检查时间过短", "{who}的人身检查仅用{long}（{when}）。"),
    "M3.1": Words(
        "无人看管",
        "{who}，{when}{in_room}无人看管{long}。",
        "{who}，{when}{in_room}{long}内是否有人看管无法证明。",
    ),
    "M3.2": Words("仅由辅警看管", "{who}，{when}{in_room}仅由辅警看管{long}。"),
    "M3.3": Words("看管力量不足", "{when}{in_room}被看管人数超过看管人员能力，持续{long}。"),
    "M3.4": Words("交接班不完整", "{start}{in_room}交接时接班人未到位，或者交接名单与在场人员不符。"),
    "M3.5": Words(
        "巡查超时",
        "{who}{in_room}超过规定间隔{long}未被巡查（{when}）。",
        "{who}{in_room}是否按时巡查无法证明（{when}）。",
    ),
    "M3.6": Words("混关", "{who}，{when}{in_room}与不得同处的人员同处一室{long}。"),
    "M3.7": Words("讯（询）问民警不足", "{who}，{when}的讯（询）问中，不足规定民警人数{long}。"),
    "M3.8": Words("看管空档累计过多", "{who}在区期间无人看管累计{long}。"),
    "M4.1": Words(
        "监控或录像中断",
        "{who}，{when}{in_room}没有监控录像{long}。",
        "{who}，{when}{in_room}{long}内是否有监控录像无法证明。",
    ),
    "M4.2": Words(
        "讯（询）问录音录像中断",
        "{who}的讯（询）问录音录像中断{long}（{when}）。",
        "{who}的讯（询）问有{long}是否录音录像无法证明（{when}）。",
    ),
    "M4.3": Words("设备时钟不准", "{subject}时钟偏差超过允许值（{when}）。"),
    "M4.4": Words("未核对录像", "{who}出区超过 24 小时，录像仍未核对完整（{when}）。"),
    "M4.5": Words("录像灭失", "{who}，{when}的录像在保存期内灭失{long}。"),
    "M4.6": Words("录像空档累计过多", "{who}在区期间没有录像累计{long}。"),
    "T1": Words("超过法定时限", "{who}超过法定时限{long}（{when}）。"),
    "T2": Words("到期后才延长", "{who}的时限已到期，{start}才变更措施或延长。"),
    "T3": Words("时限不合法", "{who}，{start}登记的时限在该措施中不存在，按下一档较短时限计算。"),
}
EN: Mapping[str, Words] = {
    "M1.1": Words("Not brought straight in", "{who} entered the zone {long} after arriving ({when})."),
    "M1.2": Words(
        "Registered, but the door stayed shut",
        "{who} is registered as entering by {door} at {start}, but {door} did not open then.",
    ),
    "M1.3": Words(
        "Brought in, not registered",
        "{door} was opened to bring somebody in ({when}); nobody was registered as entering.",
    ),
    "M1.4": Words("Written late", "What happened to {who} at {start} was written {long} later."),
    "M1.5": Words(
        "Taken out without approval", "{who} was taken out of the zone without a valid approval ({when})."
    ),
    "M1.6": Words("Not brought back in time", "{who} was {long} overdue from a leave ({when})."),
    "M1.7": Words(
        "Questioned outside the zone", "{who} was interviewed or identified outside the zone{in_room} ({when})."
    ),
    "M1.8": Words(
        "Exit incomplete",
        "The exit of {who} at {start} lacks the destination, a signature or the belongings' outcome.",
    ),
    "M1.9": Words("Register changed afterwards", "An entry of {who} was changed {long} after writing ({start})."),
    "M2.1": Words(
        "Questioned before the search",
        "{who} was in an interview, identification or meeting before the search was finished ({when}).",
    ),
    "M2.2": Words("Not searched in time", "{who} was not searched for {long} after entering ({when})."),
    "M2.3": Words(
        "Fewer than two searched", "The search of {who} at {start} was made by fewer than two police or doctors."
    ),
    "M2.4": Words("Woman searched by a man", "{who} is a woman and was searched by a man at {start}."),
    "M2.5": Words(
        "Basic identity not collected",
        "The basic identity of {who} was not collected before the first interview or exit ({when}).",
    ),
    "M2.6": Words(
        "Collected without approval, or again",
        "The collection from {who} at {start} had no approval, or repeated what had been taken.",
    ),
    "M2.7": Words(
        "Search record incomplete",
        "The search of {who} at {start} lacks the signature, injuries or belongings.",
    ),
    "M2.8": Words("Search too short", "The search of {who} took only {long} ({when})."),
    "M3.1": Words(
        "Not guarded",
        "{who} was not guarded for {long}{in_room} ({when}).",
        "Nothing proves that {who} was guarded for {long}{in_room} ({when}).",
    ),
    "M3.2": Words(
        "Guarded by auxiliaries alone", "{who} was guarded by auxiliaries alone for {long}{in_room} ({when})."
    ),
    "M3.3": Words("Too many for one guard", "More people than its guards may watch{in_room} for {long} ({when})."),
    "M3.4": Words(
        "Handover incomplete",
        "At the handover{in_room} at {start} the incoming guard was not there, or the list did not match.",
    ),
    "M3.5": Words(
        "Check overdue",
        "{who} was not checked for {long} beyond the interval{in_room} ({when}).",
        "Nothing proves that {who} was checked in time{in_room} ({when}).",
    ),
    "M3.6": Words(
        "Kept with whom they must not be",
        "{who} shared a waiting room{in_room} with a person to be kept apart for {long} ({when}).",
    ),
    "M3.7": Words(
        "Too few police in the interview",
        "An interview of {who} had fewer police than required for {long} ({when}).",
    ),
    "M3.8": Words("Unguarded time adds up", "{who} was not guarded for {long} in all."),
    "M4.1": Words(
        "Not on camera",
        "{who} was not on a recorded camera for {long}{in_room} ({when}).",
        "Nothing proves that {who} was recorded for {long}{in_room} ({when}).",
    ),
    "M4.2": Words(
        "Interview not recorded",
        "Picture or sound of an interview of {who} is missing for {long} ({when}).",
        "Nothing proves that an interview of {who} was recorded for {long} ({when}).",
    ),
    "M4.3": Words("Clock wrong", "The clock{subject} was off by more than is allowed ({when})."),
    "M4.4": Words(
        "Recording not reconciled",
        "24 hours after the exit of {who} the recordings were not fully audited ({when}).",
    ),
    "M4.5": Words("Recording lost", "{long} of the recording of {who} was lost before its time ({when})."),
    "M4.6": Words("Unrecorded time adds up", "{who} was not recorded for {long} in all."),
    "T1": Words("Over the legal limit", "{who} is {long} over the legal limit ({when})."),
    "T2": Words("Extended too late", "The limit of {who} had passed when it was extended at {start}."),
    "T3": Words(
        "No such limit",
        "The limit given for {who} at {start} does not exist for its measure; the next smaller one is used.",
    ),
}
WORDS: Mapping[Language, Mapping[str, Words]] = {"zh": ZH, "en": EN}


def rules() -> list[str]:
    """Every rule that has words, in the order of rules.md."""
    return list(ZH)


def title(rule: str, lang: Language) -> str:
    """A rule's short name; the rule's own id when it is not known (a newer judge's)."""
    words = WORDS[lang].get(rule)
    return words.title if words else rule


def must_title(must: int, lang: Language, *, short: bool = False) -> str:
    return (MUSTS_SHORT if short else MUSTS)[must][lang]


def verdict(name: str, lang: Language) -> str:
    """``breach``, ``review`` …, of a finding or of a must."""
    return VERDICTS[name][lang] if name in VERDICTS else name


def sentence(
    finding: SaysItself | Mapping[str, Any],
    lang: Language,
    *,
    names: Names | None = None,
    utc_offset_s: int = CHINA_OFFSET_S,
) -> str:
    """What happened, to whom, when and for how long, as one sentence.

    ``finding`` is a ``Finding`` or the dictionary that ``Finding.to_dict()`` gives. ``names`` names rooms and
    doors; without it their ids are shown. Times are shown at ``utc_offset_s``.
    """
    fields = finding if isinstance(finding, Mapping) else finding.to_dict()
    words = WORDS[lang].get(fields["rule"])
    if words is None:
        return f"{fields['rule']}: {fields['stay'] or fields['zone']}, {_when(fields, lang, utc_offset_s)}"
    pattern = words.unproven if fields["verdict"] == "unproven" and words.unproven else words.sentence
    values: Mapping[str, Any] = fields.get("values") or {}
    named = names or str
    room, door = _first(values, "room", "rooms"), _first(values, "door")
    subject = _first(values, "camera", "subject")
    said = pattern.format(
        who=_who(fields, lang),
        when=_when(fields, lang, utc_offset_s),
        start=_moment(fields["start"], utc_offset_s),
        long=duration(float(fields["seconds"]), lang),
        in_room="" if room is None else (f"在{named(room)}" if lang == "zh" else f" in {named(room)}"),
        door=named(door) if door is not None else ("该门" if lang == "zh" else "the door"),
        subject=_subject(subject, named, lang),
    )
    return spaced(said) if lang == "zh" else said


def spaced(text: str) -> str:
    """Chinese with a space between it and Latin letters or figures."""
    return _BETWEEN_SCRIPTS.sub(" ", text)


def _who(fields: Mapping[str, Any], lang: Language) -> str:
    if fields["stay"] is None:
        return fields["zone"] or ""
    return str(fields["stay"])


def _subject(subject: str | None, named: Names, lang: Language) -> str:
    if subject is None:
        return "办案区" if lang == "zh" else " of the zone"
    return f"{named(subject)}的" if lang == "zh" else f" of {named(subject)}"


def _first(values: Mapping[str, Any], *keys: str) -> str | None:
    for key in keys:
        found = values.get(key)
        if isinstance(found, str) and found:
            return found
        if isinstance(found, list | tuple) and found and isinstance(found[0], str):
            return found[0]
    return None


def duration(seconds: float, lang: Language) -> str:
    """``4 分 10 秒``, ``2 小时 5 分``; ``4 min 10 s``, ``2 h 5 min``. Two units at most."""
    whole = round(abs(seconds))
    units = (("天", "d", 86_400), ("小时", "h", 3_600), ("分", "min", 60), ("秒", "s", 1))
    parts: list[str] = []
    for zh, en, size in units:
        count, whole = divmod(whole, size)
        if count or (size == 1 and not parts):
            parts.append(f"{count} {zh if lang == 'zh' else en}")
        if len(parts) == 2 or (parts and whole == 0):
            break
    return " ".join(parts[:2])


def _moment(text: str, utc_offset_s: int) -> str:
    local = to_datetime(parse_time(text)[0]) + timedelta(seconds=utc_offset_s)
    return local.strftime("%m-%d %H:%M:%S")


def _when(fields: Mapping[str, Any], lang: Language, utc_offset_s: int) -> str:
    start, end = _moment(fields["start"], utc_offset_s), fields["end"]
    if end is None:
        return f"自{start}起" if lang == "zh" else f"since {start}"
    ended = _moment(end, utc_offset_s)
    if ended == start:
        return start
    if ended[:5] == start[:5]:
        ended = ended[6:]
    return f"{start}至{ended}" if lang == "zh" else f"{start} to {ended}"
